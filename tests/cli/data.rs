//! Data of all kinds, as the program reads it: what `elbo data` says, and that models train on it.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::common::npy::npy;
use crate::program::{Place, with};

/// A folder of pictures in two classes, 8×8 unless another size is given, whose red tells them apart.
fn pictures(place: &Place, name: &str, count: u32, size: u32) {
    for i in 0..count {
        let class = if i % 2 == 0 { "dark" } else { "light" };
        let red = if i % 2 == 0 { 30 + i } else { 160 + i };
        let picture =
            image::RgbImage::from_fn(size, size, |x, y| image::Rgb([red as u8, (9 * x) as u8, (7 * y) as u8]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        place.write(&format!("{name}/{class}/{i:03}.png"), bytes.into_inner());
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn data_says_what_was_found_and_decided() {
    let place = Place::new();
    pictures(&place, "photos", 40, 8);
    place.write("photos/notes.txt", "words");
    place.write("photos/dark/broken.png", "");
    let said = place.run("data photos --out sheet.png");
    for words in [
        "photos\n",
        "pictures in a folder (40 PNG)",
        "Rows:   8×8×3, one byte a value, 7.68 kB in all",
        "Decided here:",
        "kept at 8 pixels",
        "--size",
        "their classes",
        "Left out:",
        "broken pictures (1): dark/broken.png is an empty file",
        "files that are no pictures (1): notes.txt",
        "Rows of it: sheet.png",
    ] {
        assert!(said.contains(words), "no `{words}` in\n{said}");
    }
    let sheet = image::open(place.path("sheet.png")).unwrap().to_rgb8();
    assert!(sheet.width() > 300 && sheet.pixels().any(|pixel| pixel[0] > 150 && pixel[2] < 100));
    assert!(!place.path("runs").exists());

    let found = json(&place.run("data photos --json --size 4x6 --validation 7"));
    assert_eq!(found["shape"], serde_json::json!([4, 6, 3]));
    assert_eq!(found["classes"], serde_json::json!(["dark", "light"]));
    let rows: Vec<u64> = found["parts"].as_array().unwrap().iter().map(|part| part["rows"].as_u64().unwrap()).collect();
    assert_eq!(rows, [29, 7, 4]);
    let of_class = |part: &Value| part["of_class"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum::<u64>();
    assert_eq!(found["parts"].as_array().unwrap().iter().map(of_class).sum::<u64>(), 40);
    assert_eq!(found["skipped"][0]["count"], 1);
}

#[test]
fn built_in_data_is_looked_at_too() {
    let place = Place::new();
    let found = json(&place.run("data digits --json"));
    assert_eq!((&found["name"], &found["shape"]), (&"digits".into(), &serde_json::json!([8, 8, 1])));
    let rows = |part: usize| found["parts"][part]["rows"].as_u64().unwrap();
    assert_eq!([rows(0), rows(1), rows(2)], [1439, 179, 179]);
    let said = place.run("data sprites --count 50 --resolution 8");
    assert!(said.contains("shape 3, scale 6") && said.contains("drawn by the program"), "{said}");
    assert!(place.run("data").contains("20,000"));
}

#[test]
fn models_train_on_pictures_and_are_given_others_of_any_size() {
    let place = Place::new();
    pictures(&place, "photos", 60, 8);
    pictures(&place, "larger", 30, 21);
    let usual = "--device cpu --epochs 1 --hidden 16 --latent 2 --batch 16";
    let said = place.run(&format!("train {usual} --model cvae --data photos --out run"));
    for words in ["8×8×3, 2 classes", "pictures in a folder (60 PNG)", "kept at 8 pixels", "6 rows held out for test"]
    {
        assert!(said.contains(words), "no `{words}` in\n{said}");
    }
    place.run("sample run --device cpu --label light --out light.png");
    assert!(!place.run("evaluate run --device cpu --quick --data larger").contains("left out"));
    place.write("larger/dark/broken.png", "");
    let said = place.run("evaluate run --device cpu --quick --data larger");
    for words in ["larger (30 rows)", "left out: broken pictures (1): dark/broken.png is an empty file"] {
        assert!(said.contains(words), "no `{words}` in\n{said}");
    }
    place.run("reconstruct run --device cpu --data larger --out pairs.png");
    place.run(&format!("train {} --data larger --size 5x7 --out small", with(usual, "--epochs 1")));
    assert!(std::fs::read_to_string(place.path("small/config.toml")).unwrap().contains("size = \"5x7\""));
    place.run("train --resume small --epochs 2 --device cpu");
}

/// Rows whose pixels have any number of values are trained on and drawn.
#[test]
fn pictures_have_any_number_of_channels() {
    let place = Place::new();
    for channels in [2, 4] {
        let values = (0..40 * 36 * channels).map(|i| (i * 37 % 251) as u8);
        place.write(&format!("{channels}.npy"), bytes_npy(&format!("(40, 6, 6, {channels})"), values));
        let usual = "--device cpu --epochs 1 --hidden 16 --latent 2 --batch 16";
        place.run(&format!("train {usual} --data {channels}.npy --out run{channels}"));
        assert!(place.path(&format!("run{channels}/reconstructions.png")).is_file());
        place.run(&format!("data {channels}.npy --out sheet{channels}.png"));
    }
}

#[test]
fn models_train_on_the_digits() {
    let place = Place::new();
    let line = "train --device cpu --data digits --epochs 1 --hidden 16 --latent 2 --batch 64 --likelihood categorical:levels=17";
    let said = place.run(&format!("{line} --out run"));
    assert!(said.contains("digits: 1439 rows of 8×8, 10 classes, four bytes a value"), "{said}");
    assert!(place.run("evaluate run --device cpu --quick").contains("digits (test set, 179 rows"));
    place.refused(&format!("{line} --size 9 --out other"), &["`size`", "digits"]);
    place.refused(&format!("{line} --resolution 8 --count 5 --out other"), &["`count`", "digits"]);
}

#[test]
fn data_that_cannot_be_read_is_refused() {
    let place = Place::new();
    std::fs::create_dir(place.path("empty")).unwrap();
    place.write("words/a.txt", "words");
    place.write("broken/a.png", "");
    place.write("broken/b.png", "words");
    place.write("one.png", b"\x89PNG\r\n\x1a\n");
    place.write("x.zip", b"PK\x03\x04 and no more");
    for (path, words) in [
        ("empty", &["empty", "holds nothing", "pictures"][..]),
        ("words", &["words", "a.txt", "pictures"]),
        ("broken", &["2 of 2 pictures are broken", "a.png is an empty file", "b.png is text"]),
        ("one.png", &["one.png", "give the folder"]),
        ("x.zip", &["x.zip", "damaged"]),
        ("nowhere", &["nowhere", "no such file or folder", "digits"]),
    ] {
        place.refused(&format!("data {path} --out sheet.png"), words);
        place.refused(&format!("train --device cpu --data {path} --out run"), words);
    }
    place.refused("data sprites --size 9", &["`size`", "sprites"]);
    place.refused("data digits --size 0", &["--size", "48x64"]);
    place.refused("data digits --out missing/sheet.png", &["missing", "does not exist"]);
}

/// An array of bytes in NumPy's format.
fn bytes_npy(shape: &str, values: impl Iterator<Item = u8>) -> Vec<u8> {
    npy("|u1", shape, &values.collect::<Vec<u8>>())
}

/// The same frames are the same rows, whatever else lies in their file; the run says what bytes are divided by.
#[test]
fn the_scale_is_the_run_s() {
    let place = Place::new();
    let frames = |most: u8| bytes_npy("(60, 4, 4)", (0..960u32).map(move |i| ((i * 7 % 11) as u8 % 4).min(most)));
    place.write("dark.npy", frames(3));
    place.write("darker.npy", frames(1));
    let mut odd = frames(1);
    odd[128] = 2;
    place.write("odd.npy", odd);
    let mut light = frames(3);
    light[128] = 200;
    place.write("light.npy", light);
    let usual = "--device cpu --epochs 1 --hidden 8 --latent 2 --batch 16";
    let said = place.run(&format!("train {usual} --data dark.npy --out run"));
    assert!(said.contains("taken for 4 levels"), "{said}");
    let elbo = |name: &str| {
        json(&place.run(&format!("evaluate run --device cpu --quick --json --data {name}")))["elbo"].as_f64().unwrap()
    };
    let (darker, odd) = (elbo("darker.npy"), elbo("odd.npy"));
    assert!((darker - odd).abs() < 0.5, "one pixel of 960 makes {darker} of {odd}");
    place.refused(
        "evaluate run --device cpu --quick --data light.npy",
        &["light.npy", "a 200 in row 0, column 0", "from 0 to 3"],
    );
    let said = place.run(&format!("train {usual} --data dark.npy --levels 256 --out bytes"));
    assert!(said.contains("one byte a value"), "{said}");
    place.refused(&format!("train {usual} --data light.npy --levels 4 --out x"), &["a 200 in row 0", "`levels`"]);
}

/// A run is gone on with on the data it was begun with, or on what somebody insists on.
#[test]
fn data_that_has_changed_is_noticed() {
    let place = Place::new();
    let rows = |first: f32| (0..120).map(|i| if i == 0 { first } else { (i % 7) as f32 / 7.0 }).collect::<Vec<f32>>();
    place.write_npy("rows.npy", 2, &rows(0.0));
    place.run("train --device cpu --epochs 1 --hidden 8 --latent 2 --batch 16 --data rows.npy --out run");
    std::fs::copy(place.path("rows.npy"), place.path("same.npy")).unwrap();
    place.run("train --resume run --device cpu --epochs 2 --data same.npy");
    // From wherever the run is opened.
    let settings = std::fs::read_to_string(place.path("run/config.toml")).unwrap();
    let source = settings.lines().find_map(|line| line.strip_prefix("source = ")).unwrap();
    assert!(std::path::Path::new(source.trim_matches(['"', '\''])).is_absolute(), "{source}");
    // Whichever part the row is in, of one part in ten nothing is learnt.
    let all: Vec<f32> = rows(0.0).iter().map(|value| 1.0 - value).collect();
    place.write_npy("rows.npy", 2, &all);
    place.refused(
        "train --resume run --device cpu --epochs 3 --data rows.npy",
        &["rows.npy", "has changed", "sha256", "--changed-data"],
    );
    place.run("train --resume run --device cpu --epochs 3 --data rows.npy --changed-data");
    place.refused("train --changed-data", &["--resume"]);
}

/// Columns of large numbers are scaled; what is made of them is in their own units.
#[test]
fn columns_of_arrays_are_scaled() {
    let place = Place::new();
    let rows: Vec<f32> = (0..200).flat_map(|i| [1e4 + (i * 37 % 100) as f32, (i % 10) as f32 / 10.0]).collect();
    place.write_npy("rows.npy", 2, &rows);
    let usual = "--device cpu --epochs 2 --hidden 8 --latent 2 --batch 16 --likelihood gaussian";
    let said = place.run(&format!("train {usual} --data rows.npy --out run"));
    assert!(said.contains("each column is scaled"), "{said}");
    place.run("sample run --device cpu --count 50 --out new.csv");
    let text = std::fs::read_to_string(place.path("new.csv")).unwrap();
    let first: Vec<f64> = text.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    assert!(text.starts_with("x0,x1\n") && first.iter().all(|x| (9_000.0..11_100.0).contains(x)), "{text}");
    let said = place.run(&format!("train {usual} --data rows.npy --standardise=false --out raw"));
    assert!(said.contains("warning") && said.contains("count for more"), "{said}");
    assert!(place.run("evaluate run --device cpu --quick --data rows.npy").contains("x0"));
}

/// What comes in through standard input is data like any other.
#[test]
fn rows_come_through_standard_input() {
    let place = Place::new();
    let send = |line: &str, bytes: &[u8]| {
        let mut child =
            place.elbo(line).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.success(), crate::program::text(&output))
    };
    let table = "a,b\n".to_string() + &(0..60).map(|i| format!("{},{}\n", i * 7 % 13, i % 5)).collect::<String>();
    let (done, said) = send("data - --json", table.as_bytes());
    assert!(done && json(&said)["columns"][1]["name"] == "b", "{said}");
    let (done, said) = send("train --data - --device cpu --epochs 1 --latent 1 --hidden 8 --out run", table.as_bytes());
    assert!(done && said.contains("48 rows of"), "{said}");
    let (done, said) = send("evaluate run --device cpu --quick", table.as_bytes());
    assert!(done && said.contains("6 rows"), "{said}");
    let array = bytes_npy("(30, 2)", (0..60).map(|i| i * 4));
    let (done, said) = send("data - --json", &array);
    assert!(done && json(&said)["shape"] == serde_json::json!([1, 2, 1]), "{said}");
    let (done, said) = send("data -", b"");
    assert!(!done && said.contains("it is empty"), "{said}");
}

/// Parts lie in files of their own, or are some rows of one.
#[test]
fn parts_come_from_several_files() {
    let place = Place::new();
    let frames = |rows: usize, top: u8| {
        bytes_npy(&format!("({rows}, 2, 2)"), (0..4 * rows).map(move |i| (i * 7 % 251) as u8 % (top + 1)))
    };
    place.write("train.npy", frames(80, 16));
    place.write("val.npy", frames(20, 15));
    place.write("wide.npy", bytes_npy("(9, 2, 3)", (0..54).map(|i| i % 16)));
    let rows = |line: &str| {
        let found = json(&place.run(&format!("data {line} --json")));
        let part = |part: &Value| (part["part"].as_str().unwrap().to_owned(), part["rows"].as_u64().unwrap());
        found["parts"].as_array().unwrap().iter().map(part).collect::<Vec<_>>()
    };
    let part = |name: &str, rows| (name.to_owned(), rows);
    assert_eq!(rows("train.npy --rows 10..60"), [part("train", 40), part("validation", 5), part("test", 5)]);
    assert_eq!(
        rows("train.npy --validation-data val.npy --test-data train.npy"),
        [part("train", 80), part("validation", 20), part("test", 80)]
    );
    assert_eq!(rows("train.npy --test-data val.npy"), [part("train", 80), part("test", 20)]);
    place.refused("data train.npy --test-data wide.npy", &["wide.npy", "2×3", "2×2"]);
    place.refused("data train.npy --rows 70..90", &["`rows`", "has the rows 0 to 79"]);
    place.refused("data train.npy --validation-data val.npy --validation 5", &["`validation-data`", "one of the two"]);
    place.refused("data digits --rows 0..5", &["`rows`", "built in"]);

    let table = |rows: usize| {
        "a,b\n".to_string() + &(0..rows).map(|i| format!("{},{}\n", i * 7 % 13, i % 5)).collect::<String>()
    };
    place.write("a.csv", table(60));
    place.write("b.csv", table(7));
    assert_eq!(rows("a.csv --validation-data b.csv"), [part("train", 60), part("validation", 7)]);
    assert_eq!(rows("a.csv --rows 50.."), [part("train", 8), part("validation", 1), part("test", 1)]);
    let usual = "--device cpu --epochs 1 --latent 1 --hidden 8";
    place.run(&format!("train {usual} --data a.csv --test-data b.csv --rows ..50 --out run"));
    assert!(place.run("evaluate run --device cpu --quick").contains("test set, 7 rows"));
}
