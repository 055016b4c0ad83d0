//! The first ten minutes: the menu, the demonstration, what is printed of a run, downloads, help at the shell.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::Value;

use crate::program::{Place, images, labels, small, text};

#[test]
fn alone_it_shows_a_menu_with_every_command_and_trains_nothing() {
    let place = Place::new();
    let said = place.run("");
    assert!(said.contains(" demo   (learns to draw digits"), "{said}");
    for command in elbo::cli::args::command().get_subcommands() {
        assert_eq!(said.matches(&format!("\n  {:<12}  ", command.get_name())).count(), 1, "{command}\n{said}");
    }
    assert!(said.lines().filter(|line| line.starts_with(' ')).all(|line| line.len() <= 80), "{said}");
    assert!(place.files().is_empty());
    // A run is what comes next, the last one of several.
    for name in ["vae-a", "vae-b"] {
        place.train(&format!("runs/{name}"), "");
    }
    let said = place.run("");
    assert!(said.contains("Your last run is runs/vae-b.") && said.contains("sample runs/vae-b"), "{said}");
}

#[test]
fn rows_of_figures_stay_within_80_columns() {
    let place = Place::new();
    let said = place.run(&format!("train {} --out run", small("--epochs 8")));
    let rows: Vec<&str> = said.lines().skip_while(|line| !line.contains("ELBO: train")).take(9).collect();
    assert!(rows.iter().all(|row| row.len() <= 80), "{said}");
    assert!(rows[0].contains("validation") && rows[0].contains("test") && rows[0].contains("weight"), "{said}");
    let kept = std::fs::read_to_string(place.path("run/metrics.jsonl")).unwrap();
    let first: Value = serde_json::from_str(kept.lines().next().unwrap()).unwrap();
    let weight = first["beta"].as_f64().filter(|weight| *weight < 0.6).expect("it grows over two epochs");
    assert!(rows[1].contains("1/8") && rows[1].contains(&format!("{weight:.2}")), "{said}");
    assert!(rows[8].contains("8/8") && rows[8].contains("1.00"), "{said}");
    assert!(said.contains("grows over the first 2 of 8 epochs"), "{said}");
    let said = place.run(&format!("train {} --out long", small("--kl-warmup-epochs 4")));
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("longer than the run, which ends at a weight of 0.25"), "{said}");
}

#[test]
fn a_run_is_told_to_programs_or_to_nobody() {
    let place = Place::new();
    let said = place.run(&format!("train {} --out run --json", small("--epochs 2")));
    let events: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    assert_eq!(kinds, [&["start"][..], &["epoch"; 6], &["done"]].concat());
    assert_eq!((&events[0]["preset"], &events[0]["test"]), (&Value::from("sprites"), &Value::from(10)));
    // The very lines of the run's folder.
    let kept = std::fs::read_to_string(place.path("run/metrics.jsonl")).unwrap();
    let last: Value = serde_json::from_str(kept.lines().last().unwrap()).unwrap();
    assert_eq!((&events[6]["elbo"], &events[6]["split"]), (&last["elbo"], &Value::from("test")));
    assert!(events[7]["pictures"].as_array().is_some_and(|all| all.len() > 3));

    let output = place.elbo(&format!("train {} --out still --quiet", small(""))).output().unwrap();
    assert!(output.status.success() && text(&output).is_empty(), "{}", text(&output));
    assert!(place.path("still/loss.png").is_file());
    let output = place.elbo("train --quiet --data nowhere").output().unwrap();
    assert!(!output.status.success() && text(&output).contains("nowhere"), "{}", text(&output));
    // JSON is printed all the same, and nothing but that.
    let said = place.run("evaluate run --device cpu --quick --json --quiet");
    assert!(serde_json::from_str::<Value>(&said).is_ok(), "{said}");
    assert!(place.run("sample run --device cpu --count 4 --quiet").is_empty());
}

#[test]
fn data_decides_the_preset_and_the_choice_is_told() {
    let place = Place::new();
    let said = place.run("train --device cpu --data digits --epochs 1 --hidden 8 --out run");
    assert!(said.contains("preset grey, for grey pictures; --preset names another; 1 epoch, fewer if"), "{said}");
    let kept = std::fs::read_to_string(place.path("run/config.toml")).unwrap();
    assert!(kept.contains("preset = \"grey\"") && kept.contains("gaussian-shared"), "{kept}");
    let said = place.run("train --device cpu --data digits --epochs 1 --hidden 8 --preset classic --out other");
    assert!(said.contains("preset classic; 1 epoch\n"), "{said}");
}

/// A server that gives these files until the test ends.
fn serve(files: Vec<(&'static str, Vec<u8>)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/folder", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let found = files.iter().find(|(name, _)| request.starts_with(&format!("GET /folder/{name} ")));
            let (status, body) = found.map_or(("404 Not Found", &[][..]), |(_, body)| ("200 OK", body));
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        }
    });
    address
}

#[test]
fn downloads_are_checked_and_then_found_by_their_name() {
    let place = Place::new();
    place.refused("train --device cpu --data mnist --out run", &["mnist", "can be downloaded: elbo fetch mnist"]);
    place.refused("fetch mnits", &["`mnits`", "fashion-mnist"]);
    // Where there is no cache folder.
    place.refused("fetch mnist", &["--out DIR"]);
    let listed = place.run("fetch");
    assert!(listed.contains("dsprites") && listed.contains("cifar10"), "{listed}");

    // Other files than those that were published are refused.
    let wrong = serve(vec![("train-images-idx3-ubyte.gz", b"something else".to_vec())]);
    let fetch = |from: &str| {
        let mut command = place.elbo(&format!("fetch mnist --from {from}"));
        let output = command.env("ELBO_CACHE_DIR", place.path("cache")).output().unwrap();
        (output.status.success(), text(&output))
    };
    let (fine, said) = fetch(&wrong);
    assert!(!fine && said.contains("MD5") && said.contains("f68b3c2dcbeaaa9fbdd348bbdeb94873"), "{said}");
    assert!(!place.path("cache/datasets/mnist").exists());

    // What lies in the cache goes by its name, from anywhere, and runs find it again.
    place.write("cache/datasets/mnist/train-images-idx3-ubyte", images(60, 8, 8, 60 * 64));
    place.write("cache/datasets/mnist/train-labels-idx1-ubyte", labels(60));
    let (fine, said) = fetch(&wrong);
    assert!(fine && said.contains("is there already") && said.contains("train --data mnist"), "{said}");
    let line = "train --device cpu --data mnist --epochs 1 --hidden 8 --latent 2 --batch 16 --validation 6 --out run";
    for line in [line, "evaluate run --device cpu --quick"] {
        let output = place.elbo(line).env("ELBO_CACHE_DIR", place.path("cache")).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
    }
    // A folder here goes first.
    place.write("mnist/train-images-idx3-ubyte", images(60, 4, 4, 60 * 16));
    let output = place.elbo("data mnist").env("ELBO_CACHE_DIR", place.path("cache")).output().unwrap();
    assert!(text(&output).contains("4×4"), "{}", text(&output));
}

#[test]
fn shells_and_manuals_know_every_command() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let said = place.run(&format!("completions {shell}"));
        assert!(said.contains("fit-prior") && said.contains("kl-warmup-epochs"), "{shell}");
    }
    place.refused("completions csh", &["csh", "zsh"]);
    assert!(place.run("man").starts_with(".ie") || place.run("man").contains(".TH elbo 1"));
    place.run("man --out pages");
    let page = |name: &str| std::fs::read_to_string(place.path(&format!("pages/{name}.1"))).unwrap();
    assert!(
        page("elbo").contains("demo") && page("elbo-train").contains("latent") && page("elbo-fetch").contains("mnist")
    );
}
