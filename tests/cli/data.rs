//! Data of all kinds, as the program reads it: what `elbo data` says, and that models train on it.

use serde_json::Value;

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
        let shape = format!("(40, 6, 6, {channels})");
        let text = format!("{:<117}\n", format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"));
        let head = [&b"\x93NUMPY\x01\x00"[..], &(text.len() as u16).to_le_bytes(), text.as_bytes()].concat();
        let values = (0..40 * 36 * channels).map(|i| (i * 37 % 251) as u8);
        place.write(&format!("{channels}.npy"), head.into_iter().chain(values).collect::<Vec<u8>>());
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
