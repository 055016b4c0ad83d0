//! SWAG from the command line: trained, gone on with, and used by its mean or by draws.

use std::fs;

use serde_json::Value;

use crate::program::{Place, small};

fn json(text: &str) -> Value {
    serde_json::from_str(text.lines().last().expect("a line")).expect("JSON")
}

#[test]
fn a_run_with_a_spread_of_its_weights_is_used_by_its_mean_or_by_draws() {
    let place = Place::new();
    place.train("run", "--swag 4 --swag-start 0.5 --epochs 4");
    let found = json(&place.run("evaluate run --device cpu --samples 10 --weight-draws 3 --json"));
    assert_eq!(found["members"].as_array().unwrap().len(), 3);
    let said = place.run("evaluate run --device cpu --quick --weight-draws 3");
    assert!(said.contains("Weights: 3 draws of their distribution") && said.contains("member"), "{said}");
    let said = place.run("evaluate run --device cpu --quick");
    assert!(!said.contains("Weights:") && !said.contains("member"), "{said}");
    place.run("sample run --device cpu --count 4 --weight-draws 4 --out drawn.png");
    place.run("sample run --device cpu --count 4 --weight-draws 4 --out again.png");
    place.run("sample run --device cpu --count 4 --out mean.png");
    let of = |name: &str| fs::read(place.path(name)).unwrap();
    assert!(of("drawn.png") == of("again.png") && of("drawn.png") != of("mean.png"));
    let found = json(&place.run("reconstruct run --device cpu --uncertainty 4 --weight-draws 3 --out sure.npz --json"));
    assert!(found["sd_of_weights"].as_f64().expect("draws are apart") > 0.0, "{found}");
    place.run("score run --device cpu --scores elbo,disagreement,waic --out scores.csv");
    place.refused_beside("export run --device cpu --with-data --to page.html", &["--swag", "leave --with-data out"]);
    // Other commands use the mean, and a run that is gone on with takes weights behind its own last epochs.
    place.run("encode run --device cpu --out codes.csv");
    place.run("train --resume run --epochs 6");
    place.run("evaluate run --device cpu --quick --weight-draws 2");
}

#[test]
fn what_has_one_set_of_weights_or_another_rule_for_them_is_refused() {
    let place = Place::new();
    let usual = "train --data digits --epochs 8 --swag 20 --out run";
    place.refused("train --data digits --epochs 8 --swag 1 --out run", &["`swag` is 1", "divided by K - 1"]);
    place.refused("train --data digits --epochs 3 --swag 20 --out run", &["the last 1 of 3 epochs", "`swag-start`"]);
    place.refused(&format!("{usual} --swag-start 1"), &["`swag-start` is 1", "0.75"]);
    for (options, words) in [
        ("--average 0.99", "`average`"),
        ("--patience 3", "`patience`"),
        ("--members 2", "`members`"),
        ("--network-weights bayes-by-backprop", "`network-weights` bayes-by-backprop"),
    ] {
        place.refused(&format!("{usual} {options}"), &[words, "leave one of the two out"]);
    }
    place.refused(&format!("{usual} --model gan"), &["minimise losses against each other"]);
    // Few rows are watched with a patience that nobody asked for, which gives way.
    place.refused(&format!("{usual} --encoder dcgan:4,norm=batch --device cpu"), &["keeps state", "norm=layer"]);
    place.train("plain", "");
    for command in ["evaluate plain --quick", "sample plain --count 4 --out new.png"] {
        place.refused_beside(&format!("{command} --device cpu --weight-draws 3"), &["numbers", "--swag 20"]);
        place.refused_beside(&format!("{command} --weight-draws 1"), &["--weight-draws"]);
    }
    place.run(&format!("train {} --members 2 --out both", small("")));
    place.refused_beside(
        "evaluate both --device cpu --quick --weight-draws 3",
        &["--weight-draws", "several models are used already"],
    );
}
