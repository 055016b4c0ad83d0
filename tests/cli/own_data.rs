//! One's own data: little of it, data without all that it should have, tables in Parquet, and sets that were fetched.

use std::io::Write;

use crate::common::npy::npy;
use crate::program::{Place, images, labels};

const USUAL: &str = "--device cpu --epochs 1 --hidden 8 --latent 2 --batch 16";

fn values(rows: usize) -> Vec<f32> {
    (0..rows * 4).map(|i| (i * 37 % 101) as f32 / 101.0).collect()
}

fn lines(place: &Place, name: &str) -> usize {
    std::fs::read_to_string(place.path(name)).unwrap().lines().count()
}

#[test]
fn a_file_of_rows_has_all_of_them_in_order() {
    let place = Place::new();
    place.write_npy("rows.npy", 4, &values(60));
    place.run(&format!("train {USUAL} --data rows.npy --out run"));
    let said = place.run("reconstruct run --device cpu --data rows.npy --out again.csv");
    assert!(said.contains("of 60 rows") && lines(&place, "again.csv") == 61, "{said}");
    place.run("reconstruct run --device cpu --data rows.npy --count 7 --out some.csv");
    assert_eq!(lines(&place, "some.csv"), 8);
    // The rows are those of the file, in their order: the last one alone gives the last line.
    let row = |name: &str, line: usize| -> Vec<f32> {
        let text = std::fs::read_to_string(place.path(name)).unwrap();
        text.lines().nth(line).unwrap().split(',').map(|cell| cell.parse().unwrap()).collect()
    };
    place.write_npy("last.npy", 4, &values(60)[59 * 4..]);
    place.run("reconstruct run --device cpu --data last.npy --out last.csv");
    let differ = |a: Vec<f32>, b: Vec<f32>| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(differ(row("again.csv", 60), row("last.csv", 1)) < 1e-5);
    assert!(differ(row("again.csv", 7), row("some.csv", 7)) < 1e-5);
    assert!(differ(row("again.csv", 59), row("last.csv", 1)) > 1e-5, "another row gives another line");
    place.refused("reconstruct run --device cpu --data rows.npy --count 20000 --out a.png", &["at most 10000 rows"]);
}

/// Figures that take more rows than there are say so, and the others are there.
#[test]
fn a_few_rows_are_measured_too() {
    let place = Place::new();
    place.write_npy("rows.npy", 4, &values(60));
    place.run(&format!("train {USUAL} --data rows.npy --out run"));
    for rows in [1, 2, 3, 5] {
        place.write_npy("few.npy", 4, &values(rows));
        let said = place.run("evaluate run --device cpu --samples 5 --data few.npy");
        assert!(said.contains("-ln p(x)") && said.contains("reconstruction error"), "{said}");
        assert_eq!(said.contains("rows are too few"), rows == 2 || rows == 3, "{rows}: {said}");
    }
}

#[test]
fn fewer_epochs_than_are_done_are_refused() {
    let place = Place::new();
    place.write_npy("rows.npy", 4, &values(60));
    place.run(&format!("train {USUAL} --data rows.npy --out run"));
    place.run("train --resume run --device cpu --epochs 3");
    place.refused("train --resume run --device cpu --epochs 2", &["trained for 3 epochs", "--epochs more than 3"]);
    place.run("train --resume run --device cpu --epochs 4");
}

/// Test images without labels are left out by a model that is told labels, and said to be.
#[test]
fn held_out_rows_without_labels_are_left_out() {
    let place = Place::new();
    place.write("set/train-images-idx3-ubyte", images(100, 4, 4, 1600));
    place.write("set/train-labels-idx1-ubyte", labels(100));
    place.write("set/t10k-images-idx3-ubyte", images(20, 4, 4, 320));
    let said = place.run(&format!("train {USUAL} --data set --model cvae --out told"));
    assert!(said.contains("the test rows have no labels"), "{said}");
    assert!(!std::fs::read_to_string(place.path("told/metrics.csv")).unwrap().contains("test"));
    place.run(&format!("train {USUAL} --data set --model m2 --labels 50 --out found"));
    // A model that is told nothing is measured on them.
    place.run(&format!("train {USUAL} --data set --out plain"));
    assert!(std::fs::read_to_string(place.path("plain/metrics.csv")).unwrap().contains("test"));
    place.write("bare/train-images-idx3-ubyte", images(100, 4, 4, 1600));
    place.refused(&format!("train {USUAL} --data bare --model cvae --out x"), &["no labels"]);
}

#[test]
fn tables_are_read_and_written_as_parquet() {
    let place = Place::new();
    let text: String = (0..120)
        .map(|i| {
            let size = if i % 9 == 0 { String::new() } else { format!("{:.2}", 3.0 + (i * 37 % 100) as f64 / 10.0) };
            format!("{:03},{size},{},{}\n", i, ["red", "blue"][i % 2], 1 + i * 7 % 5)
        })
        .collect();
    place.write("things.csv", format!("id,size,colour,mark\n{text}"));
    place.run(&format!("train {USUAL} --data things.csv --ignore id --out run"));
    place.run("impute run --device cpu --data things.csv --out filled.parquet");
    place.run("sample run --device cpu --count 30 --out new.parquet");
    assert!(std::fs::read(place.path("new.parquet")).unwrap().starts_with(b"PAR1"));
    let said = place.run("data filled.parquet --json");
    let found: serde_json::Value = serde_json::from_str(&said).unwrap();
    let kinds: Vec<&str> = found["columns"].as_array().unwrap().iter().map(|c| c["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds[1..], ["real", "category", "ordinal"], "{said}");
    assert!(found["columns"].as_array().unwrap().iter().all(|column| column["missing"] == 0), "{said}");
    // A run goes on from one as from the other.
    place.run("evaluate run --device cpu --samples 5 --data filled.parquet");
    place.run("encode run --device cpu --data filled.parquet --out codes.parquet");
    place.run("encode run --device cpu --data filled.parquet --out codes.csv");
    place.run("decode run --device cpu --codes codes.parquet --out again.parquet");
    place.run("decode run --device cpu --codes codes.csv --out again.csv");
    place.run("score run --device cpu --data filled.parquet --out scores.parquet");
    let said = place.run("data again.parquet");
    assert!(said.contains("in Parquet") && lines(&place, "again.csv") == 121, "{said}");
    place.run(&format!("train {USUAL} --data filled.parquet --ignore id --out other"));
    place.write("broken.parquet", &std::fs::read(place.path("filled.parquet")).unwrap()[..500]);
    place.refused("data broken.parquet", &["broken.parquet", "Parquet file cannot be read"]);
    place.refused("sample run --device cpu --out new.xlsx", &[".parquet"]);
}

/// What lies where `elbo fetch dsprites` puts it is found by its name, with the factors that it was made from.
#[test]
fn fetched_sprites_are_held_against_their_factors() {
    let place = Place::new();
    let rows = 600;
    let pixels: Vec<u8> = (0..rows * 16).map(|i| u8::from(i % 16 >= i / 16 % 5)).collect();
    let classes: Vec<u8> =
        (0..rows as i64).flat_map(|i| [0, i % 3, i % 5, 0, i / 3 % 4, 0]).flat_map(i64::to_le_bytes).collect();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    for (name, bytes) in [
        ("imgs.npy", npy("|u1", &format!("({rows}, 4, 4)"), &pixels)),
        ("latents_classes.npy", npy("<i8", &format!("({rows}, 6)"), &classes)),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    let name = "cache/datasets/dsprites/dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz";
    place.write(name, zip.finish().unwrap().into_inner());
    let run = |line: &str| {
        let output = place.elbo(line).env("ELBO_CACHE_DIR", place.path("cache")).output().unwrap();
        let said = crate::program::text(&output);
        assert!(output.status.success(), "{line}\n{said}");
        said
    };
    let said = run("data dsprites");
    assert!(said.contains("shape 3") && said.contains("scale 5"), "{said}");
    run(&format!("train {USUAL} --data dsprites --out run"));
    let said = run("evaluate run --device cpu --samples 5 --data dsprites");
    assert!(said.contains("DCI disentanglement"), "{said}");
}
