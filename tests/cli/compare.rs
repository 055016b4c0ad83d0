//! Models side by side.

use std::fs;

use serde_json::Value;

use crate::program::Place;

/// Options that keep runs short.
const SMALL: &str = "--device cpu --epochs 2 --samples 4 -- --hidden 16 --batch 32";

#[test]
fn models_are_trained_once_and_measured_side_by_side() {
    let place = Place::new();
    let line = format!("compare --data digits --models ae,vae --latent 3 --out all --json {SMALL}");
    let found: Value = serde_json::from_str(&place.run(&line)).expect("one JSON object and nothing else");
    let models = found["models"].as_array().unwrap();
    assert_eq!((models.len(), found["rows"].as_u64(), found["epochs"].as_u64()), (2, Some(179), Some(2)));
    assert_eq!([&models[0]["name"], &models[1]["name"]], ["ae", "vae"]);
    for (model, is_variational) in models.iter().zip([false, true]) {
        for ability in ["generates", "tells_uncertainty", "fills_gaps"] {
            assert_eq!(model[ability].as_bool(), Some(is_variational), "{ability}: {model}");
        }
        let run = &model["runs"][0];
        for figure in ["reconstruction_error", "distortion", "between", "seconds"] {
            assert!(run[figure].as_f64().is_some_and(f64::is_finite), "{figure}: {run}");
        }
        for figure in ["elbo", "rate", "nll", "samples"] {
            assert_eq!(run[figure].is_number(), is_variational, "{figure}: {run}");
        }
    }
    // The figures are those of `elbo evaluate`.
    let alone: Value =
        serde_json::from_str(&place.run("evaluate all/vae-0 --device cpu --samples 4 --json")).expect("JSON");
    for (there, here) in [("elbo", "elbo"), ("kl", "rate"), ("reconstruction_error", "reconstruction_error")] {
        assert_eq!(alone[there], models[1]["runs"][0][here], "{here}");
    }
    // Real rows lie nearer than what no model makes, and half-way between pictures is further off than pictures.
    let without = |name: &str| found["baselines"][0][name].as_f64().unwrap();
    assert!(without("real_rows") < without("shuffled_columns") && without("shuffled_columns") < without("mean_row"));
    assert!(without("averaged_rows") > 1.0, "{found}");

    let csv = fs::read_to_string(place.path("all/compare.csv")).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("model,seed,generates,") && lines.len() == 7, "{csv}");
    assert!(lines[1].starts_with("ae,0,no,no,no,") && lines[2].starts_with("vae,0,yes,yes,yes,"), "{csv}");
    assert!(image::open(place.path("all/compare.png")).unwrap().width() > 300);

    // What stands there is not trained again; a model more is trained beside it.
    let written = |run: &str| fs::metadata(place.path(run).join("checkpoint.safetensors")).unwrap().modified().unwrap();
    let before = written("all/vae-0");
    let said = place.run(&line.replace("ae,vae", "vae,iwae").replace("--json ", ""));
    assert_eq!(before, written("all/vae-0"));
    for expected in ["iwae", "real rows", "averaged rows", "179 rows that were held out", "-ELBO"] {
        assert!(said.contains(expected), "nothing about {expected}:\n{said}");
    }
    place.refused(&line.replace("--latent 3", "--latent 4"), &["ae-0 holds a run with other settings", "latent"]);
    // Figures of other rows of the same form would be told under the name of these.
    place.write_npy("other.npy", 64, &(0..64 * 1797).map(|i| (i % 17) as f32 / 16.0).collect::<Vec<_>>());
    place.refused(&line.replace("digits", "other.npy"), &["ae-0 holds a run with other settings", "source"]);
}

#[test]
fn weights_make_a_curve_and_seeds_make_intervals() {
    let place = Place::new();
    let said = place.run(&format!("compare --data digits --beta 0.1,8 --seeds 2 --latent 3 --out all {SMALL}"));
    assert!(said.contains("vae, beta 0.1") && said.contains("+-"), "{said}");
    assert!(place.path("all/rate-distortion.png").is_file() && place.path("all/vae-beta-8-1").is_dir());
    let found: Value = serde_json::from_str(&fs::read_to_string(place.path("all/compare.json")).unwrap()).unwrap();
    let rate = |model: usize| found["models"][model]["runs"][1]["rate"].as_f64().unwrap();
    assert!(rate(0) > rate(1), "{} {}", rate(0), rate(1));
}

#[test]
fn tables_are_compared_without_pictures() {
    let place = Place::new();
    let line = |i: usize| {
        format!("{:.1},{},{}\n", (i * 37 % 100) as f64 / 10.0, if i.is_multiple_of(3) { "b" } else { "a" }, i % 7)
    };
    place.write("things.csv", "size,kind,count\n".to_string() + &(0..200).map(line).collect::<String>());
    place.run(&format!("compare --data things.csv --models vae,mixture --out all {SMALL}"));
    assert!(place.path("all/compare.csv").is_file() && !place.path("all/compare.png").exists());
    assert!(fs::read_to_string(place.path("all/mixture-0/config.toml")).unwrap().contains("mixture"));
}

#[test]
fn what_cannot_be_compared_is_refused_before_anything_is_trained() {
    let place = Place::new();
    let refused = |options: &str, words: &[&str]| {
        place.refused(&format!("compare --out all {options} {SMALL}"), words);
    };
    place.write_npy("rows.npy", 3, &(0..300).map(|i| (i % 7) as f32).collect::<Vec<_>>());
    refused("--data digits --models vae,iwea", &["no model `iwea`", "did you mean `iwae`"]);
    refused("--data rows.npy --models vae,cvae", &["cvae cannot be compared", "no labels"]);
    refused("--data digits --models classifier", &["rebuilds no rows"]);
    refused("--data digits --models vae,vae", &["vae is to be compared with itself"]);
    refused("--data digits --beta 1,x", &["positive number"]);
    refused("--data digits --models vae --seeds 0", &["0"]);
    refused("--data nowhere", &["nowhere", "no such file"]);
    place.refused("compare --data digits --out all -- --model ae", &["--model is not the same for all", "--models"]);
    place.refused("compare --data digits --out all -- --epoch 3", &["--epoch"]);
    place.write("full/notes.txt", "x");
    place.refused("compare --data digits --out full", &["full holds notes.txt", "another --out"]);
    place.write("file", "x");
    place.refused("compare --data digits --out file/all", &["file"]);
}
