//! `elbo report`: a page that needs nothing else, whatever strangers call their columns, and whose decoder is the model's.

use std::fs;
use std::process::{Command, Stdio};

use crate::common;
use crate::program::Place;

/// A page as a browser leaves it after its scripts; nothing, which is said, where there is no browser.
fn seen(place: &Place, page: &str) -> Option<String> {
    let address = format!("file://{}", place.path(page).display());
    let options = "--headless --no-sandbox --disable-gpu --virtual-time-budget=3000 --dump-dom";
    let output = Command::new("chromium").args(options.split(' ')).arg(address).stderr(Stdio::null()).output();
    let Ok(output) = output else {
        common::left_out("reports in a browser, as there is no chromium; apt-get install chromium");
        return None;
    };
    Some(String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn names_of_strangers_are_text() {
    let place = Place::new();
    let mut table = "\"<img src=x onerror=alert(1)>\",\"</script><script>alert(2)</script>\"\n".to_string();
    (0..60).for_each(|i| table += &format!("{},{}\n", f64::from(i % 7) + 0.5, ["<b>red</b>", "blue"][i as usize % 2]));
    place.write("names.csv", table);
    place.run("train --device cpu --data names.csv --latent 2 --hidden 8 --epochs 1 --batch 16 --out run");
    let page = fs::read_to_string(place.path("run/report.html")).expect("training leaves a report");
    assert!(
        page.contains("&lt;img src=x onerror=alert(1)&gt;") && page.contains("&lt;b&gt;red&lt;/b&gt;"),
        "names are shown"
    );
    // One script of data, one that runs; nothing from elsewhere.
    assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (2, 2));
    for forbidden in ["<img src=x", "<b>red", " src=\"http", " href=\"http", "<link"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("default-src 'none'") && page.contains("lang=\"en\"") && page.contains("name=\"viewport\""));
}

#[test]
fn the_decoder_of_the_page_is_that_of_the_model() {
    let place = Place::new();
    place.train("run", "--hidden 16 --latent 2");
    place.write("codes.csv", "a,b\n0,0\n1.25,-0.5\n-2,0.75\n");
    place.run("decode run --device cpu --codes codes.csv --out rows.csv");
    let page = fs::read_to_string(place.path("run/report.html")).expect("a report");
    // The page as it is has a policy that lets its own script run.
    let Some(own) = seen(&place, "run/report.html") else { return };
    assert!(own.contains("data-ready=\"yes\""), "the page's script does not run");
    let (head, rest) = page.split_once("<meta http-equiv").expect("a policy");
    let (_, rest) = rest.split_once('>').expect("its end");
    let asked = "<script>document.body.textContent='ROWS'+JSON.stringify([[0,0],[1.25,-0.5],[-2,0.75]].map(z=>elbo.decode(z)))+'END'</script></body>";
    place.write("asked.html", format!("{head}{}", rest.replace("</body>", asked)));
    let said = seen(&place, "asked.html").expect("the browser was there before");
    let text = said.split_once("ROWS").and_then(|(_, rest)| rest.split_once("END")).expect("rows").0;
    let found: Vec<Vec<f64>> = serde_json::from_str(text).expect("JSON");
    let table = fs::read_to_string(place.path("rows.csv")).expect("rows");
    let expected: Vec<Vec<f64>> = table
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|cell| cell.parse().expect("a number")).collect())
        .collect();
    let far = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(found.len() == 3 && found.iter().zip(&expected).all(|(a, b)| a.len() == 64 && a.len() == b.len()));
    for (row, wanted) in found.iter().zip(&expected) {
        assert!(far(row, wanted) < 1e-4, "{}", far(row, wanted));
    }
    // Another code is another row.
    assert!(far(&found[1], &expected[2]) > 1e-4);
}

#[test]
fn what_cannot_be_reported_is_said() {
    let place = Place::new();
    place.train("run", "");
    for (line, words) in [
        ("report run --out page.pdf", &["page.pdf", "a report", ".html"][..]),
        ("report gone", &["gone", "does not exist"]),
        ("report run --data gone.csv", &["gone.csv"]),
        ("report run --out run/other/page.html", &["run/other"]),
    ] {
        place.refused(&format!("{line} --device cpu"), words);
    }
    place.run("report run --device cpu");
    fs::remove_file(place.path("run/metrics.jsonl")).expect("a file");
    place.run("report run --device cpu --out page.html");
    let page = fs::read_to_string(place.path("page.html")).expect("a report");
    assert!(page.contains("no measurements of the epochs"));
    // A plain autoencoder has no prior.
    place.train("plain", "--model ae");
    let page = fs::read_to_string(place.path("plain/report.html")).expect("a report");
    assert!(page.contains("has no prior over codes") && !page.contains("id=\"samples\""));
}
