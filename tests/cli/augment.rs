//! New rows with their labels: folders of pictures, archives and tables that training reads again, and whether they help.

use std::fs;

use serde_json::Value;

use crate::program::{Place, small};

/// The names of files in a folder, with those of the folders in it.
fn names(place: &Place, folder: &str) -> Vec<String> {
    let root = place.path(folder);
    let inside = |path: std::path::PathBuf| path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
    let files = place.files().into_iter().filter(|(path, bytes)| path.starts_with(&root) && bytes.is_some());
    files.map(|(path, _)| inside(path)).collect()
}

/// The classes that `elbo data` lists below the rows.
fn classes(said: &str) -> Vec<&str> {
    let lines = said.lines().skip_while(|line| !line.starts_with("rows")).skip(1);
    lines.map_while(|line| line.strip_prefix("  ")?.split_whitespace().next()).collect()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Rows of a table in two classes, one of small numbers and one of large ones.
fn table() -> String {
    let line = |i: usize| {
        let (kind, middle) = if i.is_multiple_of(2) { ("small", 10.0) } else { ("large", 90.0) };
        let off = (i * 37 % 20) as f64 / 2.0;
        format!("n{i},{:.1},{kind},{},{:.1}\n", middle + off, i * 7 % 5, 200.0 - middle - off)
    };
    "name,size,kind,visits,rest\n".to_string() + &(0..200).map(line).collect::<String>()
}

#[test]
fn pictures_lie_in_folders_that_are_read_again() {
    let place = Place::new();
    place.train("plain", "");
    place.train("told", "--model cvae");
    place.run("sample plain --device cpu --count 5 --out flat/");
    assert_eq!(names(&place, "flat"), ["0001.png", "0002.png", "0003.png", "0004.png", "0005.png"]);
    place.run("sample told --device cpu --count 6 --out classes/");
    let found = names(&place, "classes");
    assert_eq!((found.len(), found[0].as_str(), found[5].as_str()), (6, "ellipse/0001.png", "square/0002.png"));
    assert_eq!(classes(&place.run("data classes")), ["ellipse", "heart", "square"]);
    // They are the rows that an array has.
    place.run("sample told --device cpu --label heart --count 1 --out heart.npy");
    place.run("sample told --device cpu --label heart --count 1 --out heart/");
    let picture = image::open(place.path("heart/heart/0001.png")).unwrap().to_luma8().into_raw();
    let bytes = fs::read(place.path("heart.npy")).unwrap();
    let values = bytes[128..].chunks_exact(4).map(|v| f32::from_le_bytes(v.try_into().unwrap()));
    assert!(values.zip(&picture).all(|(value, pixel)| (value * 255.0 - f32::from(*pixel)).abs() < 0.51));

    place.refused("sample plain --device cpu --out flat", &["flat is there already and holds", ".png"]);
    fs::create_dir(place.path("empty")).unwrap();
    place.run("sample plain --device cpu --count 2 --out empty");
    assert_eq!(names(&place, "empty").len(), 2);
    place.write("file", "x");
    place.refused("sample plain --device cpu --out file/new/", &["file is a file"]);
    place.write_npy("rows.npy", 3, &(0..300).map(|i| (i % 7) as f32).collect::<Vec<_>>());
    place.run("train --device cpu --data rows.npy --hidden 8 --latent 2 --epochs 1 --out vectors");
    place.refused("sample vectors --device cpu --out new/", &["new/", "give a name that ends in .csv"]);
}

#[test]
fn truncated_codes_lie_near_the_middle_of_the_prior() {
    let place = Place::new();
    place.train("run", "");
    let values = |options: &str| -> Vec<f32> {
        place.run(&format!("sample run --device cpu --count 40 {options} --out rows.npy"));
        let bytes = fs::read(place.path("rows.npy")).unwrap();
        bytes[128..].chunks_exact(4).map(|v| f32::from_le_bytes(v.try_into().unwrap())).collect()
    };
    let furthest = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let (usual, middle) = (values(""), values("--temperature 0"));
    let [wide, narrow, tiny] = ["100", "1", "0.001"].map(|bound| values(&format!("--truncate {bound}")));
    let spread = furthest(&usual, &middle);
    assert!(furthest(&usual, &wide) < 0.01 * spread && furthest(&usual, &narrow) > 0.1 * spread, "{spread}");
    assert!(furthest(&tiny, &middle) < 0.01 * spread && furthest(&narrow, &middle) < 0.7 * spread, "{spread}");
    place.refused("sample run --device cpu --truncate 0 --out x.png", &["truncate at is 0", "such as 2"]);
    place.refused("sample run --device cpu --truncate nan --out x.png", &["NaN"]);
    place.train("mixture", "--prior mixture");
    place.refused("sample mixture --device cpu --truncate 2 --out x.png", &["mixture", "temperature"]);
    place.train("learnt", "--prior diagonal-gaussian");
    place.run("sample learnt --device cpu --truncate 2 --out y.png");
}

#[test]
fn new_rows_of_a_table_are_as_those_of_their_class() {
    let place = Place::new();
    place.write("things.csv", table());
    place.run("train --device cpu --data things.csv --label kind --epochs 150 --latent 2 --hidden 32 --out run");
    let said = json(&place.run("augment run --device cpu --per-class 60 --out more.csv --json"));
    assert_eq!((said["written"]["rows"].as_u64(), said["out"].as_str()), (Some(120), Some("more.csv")));
    let text = fs::read_to_string(place.path("more.csv")).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!((lines[0].join(","), lines.len()), ("size,kind,visits,rest".to_string(), 121));
    let mean = |kind: &str| {
        let sizes: Vec<f64> =
            lines.iter().filter(|line| line[1] == kind).map(|line| line[0].parse().unwrap()).collect();
        assert_eq!(sizes.len(), 60);
        sizes.iter().sum::<f64>() / 60.0
    };
    // Around 14.75 and 94.75; what is drawn of any class lies between.
    assert!(mean("small") < 35.0 && mean("large") > 75.0, "{} {}", mean("small"), mean("large"));
    assert!(lines[1..].iter().all(|line| line[2].parse::<u32>().is_ok()), "visits are whole numbers");
    place.run("augment run --device cpu --per-class 60 --out again.tsv");
    place.run("augment run --device cpu --per-class 60 --seed 1 --out other.tsv");
    let read = |name: &str| fs::read_to_string(place.path(name)).unwrap();
    assert!(read("again.tsv").replace('\t', ",") == text && read("other.tsv") != read("again.tsv"));
    place.run("augment run --device cpu --per-class 5 --out more.parquet");
    place.run("train --device cpu --data more.parquet --label kind --epochs 1 --out next");

    place.refused("augment run --device cpu --per-class 0 --out x.csv", &["0 new rows", "at least 1"]);
    place.refused("augment run --device cpu --per-class 5 --out x.npz", &["x.npz", ".csv, .tsv, .parquet"]);
    place.refused("augment run --device cpu --per-class 5", &["--out"]);
    place.refused("augment run --device cpu --per-class 5 --out things.csv", &["data that is read", "--force"]);
    place.refused("augment run --device cpu --per-class 5 --out no/such/x.csv", &["no/such"]);
    place.refused("augment nowhere --per-class 5 --out x.csv", &["nowhere does not exist"]);
    // Without labels there are no classes.
    place.run("train --device cpu --data things.csv --ignore kind --epochs 1 --hidden 8 --latent 2 --out bare");
    place.refused("augment bare --device cpu --per-class 5 --out x.csv", &["things.csv", "no labels", "--label"]);
}

#[test]
fn new_pictures_come_with_labels_and_their_worth_is_measured() {
    let place = Place::new();
    place.train("run", "--count 300 --epochs 2");
    place.run("augment run --device cpu --per-class 4 --out more.npz");
    let said = place.run("data more.npz");
    assert!(classes(&said) == ["ellipse", "heart", "square"] && said.contains("3.07 kB"), "{said}");
    place.run("augment run --device cpu --per-class 4 --out more/");
    assert_eq!(names(&place, "more").len(), 12);
    assert_eq!(classes(&place.run("data more")), ["ellipse", "heart", "square"]);
    place.run(&format!(
        "train {} --data more --size 8 --model cvae --out next",
        small("").replace("--count 100 --resolution 8 --validation 10 ", "")
    ));
    place.refused("augment run --device cpu --per-class 4 --out more/", &["more/ is there already"]);

    let line = "augment run --device cpu --per-class 10 --measure --labels 9 --repeats 3";
    let found = json(&place.run(&format!("{line} --json")));
    let (found, repeats) = (&found["measured"], found["measured"]["repeats"].as_array().unwrap());
    assert_eq!((repeats.len(), found["labels"].as_u64(), found["new_rows"].as_u64()), (3, Some(9), Some(30)));
    let mean = |key: &str| repeats.iter().map(|repeat| repeat[key].as_f64().unwrap()).sum::<f64>() / 3.0;
    let of = |key: &str, end: &str| found[key][end].as_f64().unwrap();
    assert!((of("gain", "value") - (mean("with") - mean("without"))).abs() < 1e-9);
    assert!(of("gain", "low") <= of("gain", "value") && of("gain", "value") <= of("gain", "high"));
    assert!(repeats[0] != repeats[1], "each has rows of its own: {found}");
    let said = place.run(line);
    for expected in ["9 labelled rows", "30 new ones", "gain", "semi-supervised", "without labels"] {
        assert!(said.contains(expected), "nothing about {expected}:\n{said}");
    }
    // One that was told all labels is held against a classifier that is told them too.
    place.train("told", "--model cvae --count 300");
    place.refused("augment told --device cpu --per-class 2 --measure --labels 9", &["learnt from the labels", "an m2"]);
    place.train("few", "--model m2 --count 300 --labels 9");
    assert!(place.run("augment few --device cpu --per-class 2 --measure --repeats 2").contains("same 9 rows"));
    place.train("plain", "--model ae");
    place.refused(
        "augment plain --device cpu --per-class 2 --out x.npz",
        &["plain", "cannot draw new rows", "--model vae"],
    );
    place.train("factors", "--model cvae --condition factors");
    place.refused("augment factors --device cpu --per-class 2 --out x.npz", &["no label"]);
    place.train("discrete", "--posterior gumbel-softmax:categories=2 --prior uniform-categorical:categories=2");
    place.refused("augment discrete --device cpu --per-class 2 --out x.npz", &["real numbers", "cvae"]);
    place.refused("augment run --device cpu --per-class 2 --labels 9 --out x.npz", &["--measure"]);
    place.refused("augment run --device cpu --per-class 2 --measure --labels 2", &["3 classes"]);
}
