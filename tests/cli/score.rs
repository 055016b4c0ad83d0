//! How strange rows are, from the command line: tables, pictures, against a background and known anomalies.

use std::fs;

use crate::program::Place;
use crate::uses::{cells, json, table, with_table};

#[test]
fn rows_that_break_the_rule_are_found_and_the_column_named() {
    let place = with_table();
    let line = "score run --device cpu --data new.csv --label state --normal fine --scores likelihood,elbo,latent";
    let said = json(&place.run(&format!("{line} --false-alarms 0.1 --top 10 --out scores.csv --json")));
    let scores = cells(&place, "scores.csv");
    let names = "row,name,score,p_value,anomaly,likelihood,elbo,latent,likelihood_error,oddest";
    assert_eq!((scores[0].join(",").as_str(), scores.len()), (names, 61));
    let detection = &said["detection"]["likelihood"];
    assert_eq!((detection["anomalies"].as_u64(), detection["normal"].as_u64()), (Some(10), Some(50)));
    let area = |name: &str| said["detection"][name]["auroc"]["value"].as_f64().expect("a number");
    assert!(area("likelihood") > 0.8 && area("elbo") > 0.8, "{said}");
    assert!(detection["auroc"]["low"].as_f64() < detection["auroc"]["value"].as_f64());
    // All p-values are shares of the thirty rows that the run held out, and rows are marked by them.
    let marked = scores[1..].iter().filter(|row| row[4] == "1").count();
    assert_eq!(said["marked"].as_u64(), Some(marked as u64));
    assert_eq!(said["calibration_rows"].as_u64(), Some(30));
    for row in &scores[1..] {
        let p = row[3].parse::<f64>().expect("a p-value") * 31.0;
        assert!((p - p.round()).abs() < 1e-4 && (1.0..=31.0).contains(&p.round()), "{row:?}");
        assert_eq!(row[4] == "1", row[3].parse::<f64>().expect("a p-value") <= 0.1, "{row:?}");
    }
    let broken =
        scores[1..].iter().filter(|row| row[4] == "1" && row[0].parse::<u32>().expect("a number") >= 50).count();
    // Ten rows are broken; of the fifty others, with thirty rows to tell p-values by, more than 0.3 are marked once in a thousand times.
    assert!(broken >= 7 && marked - broken <= 15, "{broken} of {marked}");
    assert!(scores[1..].iter().any(|row| row[9].contains("weight") || row[9].contains("size")));
    // People are shown the same.
    let said = place.run(&format!("{line} --top 3"));
    for expected in ["strangest row", "AUROC", "weight", "30 rows of things.csv"] {
        assert!(said.contains(expected), "nothing about {expected}:\n{said}");
    }
    // With few normal rows, nothing can be marked at one in a hundred; that is said.
    let said = place.run("score run --device cpu --data new.csv");
    assert!(said.contains("No row can be marked: with 30 normal rows"), "{said}");

    place.refused("score run --device cpu --scores complexity", &["complexity", "pictures"]);
    place.refused("score run --device cpu --scores ssim", &["ssim", "pictures", "squared_error"]);
    place.run("score run --device cpu --data new.csv --scores squared_error");
    place.refused("score run --device cpu --scores odd", &["odd", "likelihood"]);
    place.refused("score run --device cpu --false-alarms 2", &["between 0 and 1"]);
    place.refused(
        "score run --device cpu --data new.csv --label state --normal good",
        &["no row of new.csv", "good", "broken"],
    );
    place.refused("score run --device cpu --data new.csv --label colour --normal fine", &["colour", "state"]);
    place.refused("score run --device cpu --data new.csv --normal fine", &["no labels", "--label"]);
    place.refused("score run --device cpu --sheet sheet.png", &["pictures"]);
    place.write("fine.csv", table(60, 0));
    let said = place.run("score run --device cpu --data fine.csv --label state --normal fine");
    assert!(said.contains("there are no known anomalies to measure scores by"), "{said}");
    place.train("pictures", "--epochs 1");
    place.refused("score pictures --device cpu --data new.csv", &["new.csv", "this is a table", "on pictures of"]);
}

#[test]
fn pictures_are_scored_by_what_is_made_of_them() {
    let place = Place::new();
    place.train("run", "--epochs 3");
    let bars: Vec<f32> =
        (0..6400).map(|i| if i % 8 == i / 64 % 8 { 0.9 } else { (i % 64 + i / 64) as f32 / 200.0 }).collect();
    place.write_array("bars.npy", &[8, 8], &bars);
    place.run("reconstruct run --device cpu --data bars.npy --out again.npy");
    let scores = |data: &str| -> Vec<[f64; 2]> {
        place
            .run(&format!("score run --device cpu --data {data} --scores ssim,squared_error --out scores.csv --force"));
        let lines = cells(&place, "scores.csv");
        assert_eq!(lines[0].join(","), "row,score,p_value,anomaly,ssim,squared_error");
        let number = |text: &String| text.parse::<f64>().expect("a number");
        lines[1..].iter().map(|line| [number(&line[1]), number(&line[5])]).collect()
    };
    let bytes = fs::read(place.path("again.npy")).expect("a file");
    let again: Vec<f32> =
        bytes[bytes.len() - 4 * 6400..].chunks_exact(4).map(|v| f32::from_le_bytes(v.try_into().unwrap())).collect();
    let given = scores("bars.npy");
    for (row, [ssim, error]) in given.iter().enumerate() {
        let pairs = bars[64 * row..].iter().zip(&again[64 * row..]).take(64);
        let expected: f64 = pairs.map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2)).sum();
        assert!((error - expected).abs() < 1e-3 * expected && expected > 0.1, "{error}, not {expected}");
        assert!((0.0..=2.0).contains(ssim), "{ssim}");
    }
    // What the model has made is made again with less of a difference.
    let mean = |all: &[[f64; 2]], kind: usize| all.iter().map(|row| row[kind]).sum::<f64>() / all.len() as f64;
    let made = scores("again.npy");
    assert!(mean(&made, 0) < 0.8 * mean(&given, 0) && mean(&made, 1) < 0.8 * mean(&given, 1), "{made:?} {given:?}");

    let tiny: Vec<f32> = (0..400).map(|i| (i * 7 % 10) as f32 / 10.0).collect();
    place.write_array("tiny.npy", &[2, 4], &tiny);
    place.run("train --device cpu --data tiny.npy --hidden 8 --latent 2 --epochs 1 --out small");
    place.refused("score small --device cpu --scores ssim", &["3 by 3 pixels", "2×4"]);
}

#[test]
fn likelihoods_are_held_against_a_background_and_scores_are_combined() {
    let place = Place::new();
    place.train("run", "--epochs 3 --latent 3 --validation 0");
    place.train("noisy", "--epochs 1 --latent 2 --corrupt mask:share=0.5");
    let scores = |line: &str, column: &str| -> Vec<f64> {
        place.run(&format!("score {line} --device cpu --out scores.csv"));
        let rows = cells(&place, "scores.csv");
        let at = rows[0].iter().position(|name| name == column).expect("the column");
        rows[1..].iter().map(|row| row[at].parse().expect("a number")).collect()
    };
    let (own, other) = (scores("run", "score"), scores("noisy", "score"));
    let ratio = scores("run --background noisy", "score");
    let close = |a: f64, b: f64| (a - b).abs() < 1e-4 * (1.0 + b.abs());
    assert!(ratio.iter().zip(own.iter().zip(&other)).all(|(ratio, (own, other))| close(*ratio, own - other)));
    assert!(ratio.iter().any(|ratio| ratio.abs() > 0.1), "the two are not the same");
    assert!(scores("run --background run", "score").iter().all(|ratio| *ratio == 0.0));
    // With ln p among the scores, it is of that.
    let exact = scores("run --background noisy --scores likelihood_ratio,likelihood", "score");
    let (own, other) = (scores("run --scores likelihood", "score"), scores("noisy --scores likelihood", "score"));
    assert!(exact.iter().zip(own.iter().zip(&other)).all(|(ratio, (own, other))| close(*ratio, own - other)));
    assert!(exact.iter().zip(&ratio).any(|(exact, ratio)| !close(*exact, *ratio)));

    // Fisher's statistic of the ranks of the parts among all rows that the run held out.
    let combined = scores("run --scores combined,elbo,latent", "combined");
    let parts = ["elbo", "latent"].map(|name| scores("run --scores combined,elbo,latent", name));
    for (row, found) in combined.iter().enumerate() {
        let p = |of: &Vec<f64>| of.iter().filter(|score| **score >= of[row]).count() as f64 / of.len() as f64;
        assert!(close(*found, -2.0 * parts.iter().map(|of| p(of).ln()).sum::<f64>()), "row {row}");
    }
    // Of normal rows that stand apart, half rank and the others tell p-values.
    let said = json(&place.run("score run --device cpu --data sprites --scores combined,elbo,latent --json"));
    let alone = json(&place.run("score run --device cpu --data sprites --scores elbo,latent --json"));
    assert_eq!(said["calibration_rows"].as_u64(), alone["calibration_rows"].as_u64().map(|rows| rows / 2));

    place.train("other", "--epochs 1 --likelihood gaussian:sigma=0.5");
    place.run("train --device cpu --data sprites --resolution 16 --count 60 --hidden 8 --epochs 1 --out large");
    for (line, words) in [
        ("score run --scores likelihood_ratio", &["likelihood_ratio", "--background"][..]),
        ("score run --background noisy --scores elbo", &["background", "likelihood_ratio"]),
        ("score run --background large", &["shape of a row", "16", "8"]),
        ("score run --background other", &["the likelihood of the background model is a density"]),
        ("score run --background gone", &["gone"]),
        ("score run --scores combined,elbo", &["combined", "fewer than two"]),
        ("score run --scores combined,elbo,latent,combined", &["`combined` is asked for twice"]),
    ] {
        place.refused(&format!("{line} --device cpu --out never.csv"), words);
    }
    assert!(!place.path("never.csv").exists());
}
