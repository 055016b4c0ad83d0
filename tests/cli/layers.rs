//! Models of several stochastic layers, from training to pictures.

use serde_json::Value;

use crate::program::Place;
use crate::records;

#[test]
fn layers_are_trained_evaluated_and_drawn_from() {
    let place = Place::new();
    for (kind, upper, layers) in [("hierarchical", "", 2), ("ladder", "--upper 3,2", 3)] {
        place.train(kind, &format!("--model {kind} --latent 4 {upper}"));
        let names: Vec<String> = (1..=layers).map(|layer| format!("kl_layer_{layer}")).collect();
        let last = records(&place, &format!("{kind}/metrics.jsonl")).pop().unwrap();
        let sum = |record: &Value| names.iter().map(|name| record["parts"][name].as_f64().unwrap()).sum::<f64>();
        assert!((sum(&last) - last["kl"].as_f64().unwrap()).abs() < 1e-4, "{last}");

        let found = place.run(&format!("evaluate {kind} --device cpu --samples 10 --json"));
        let found: Value = serde_json::from_str(&found).expect("one JSON object");
        assert!((sum(&found) - found["kl"].as_f64().unwrap()).abs() < 1e-4, "{found}");
        assert!(found["importance"]["nll"].as_f64().unwrap() < -found["elbo"].as_f64().unwrap() + 1.0, "{found}");
        // The prior of the first layer is no standard normal, and no distance says so.
        let distances = found["aggregate_posterior"].as_object().unwrap();
        assert!(!distances.is_empty() && !distances.contains_key("gaussian_kl"), "{distances:?}");
        let table = place.run(&format!("evaluate {kind} --device cpu --samples 10"));
        assert!(table.contains(&format!("kl layer {layers}")) && table.contains("4 latent dimensions"), "{table}");

        place.run(&format!("sample {kind} --device cpu --count 9 --out {kind}.png"));
        place.run(&format!("reconstruct {kind} --device cpu --count 4 --out {kind}-pairs.png"));
        assert!(place.run(&format!("models {kind}")).contains("--upper"));
        let epochs = records(&place, &format!("{kind}/metrics.jsonl")).len();
        place.run(&format!("train --resume {kind} --epochs 2"));
        assert!(records(&place, &format!("{kind}/metrics.jsonl")).len() > epochs);
    }
    place.refused(
        "train --device cpu --count 100 --model very-deep --upper 4 --out run",
        &["`upper`", "has those that its setting blocks says"],
    );
    place.refused(
        "train --device cpu --count 100 --upper 4 --out run",
        &["`upper`", "a model of `kind` (--model) vae has one"],
    );
    place.refused(
        "train --device cpu --count 100 --model ladder --posterior iaf --objective wae --out run",
        &["the posterior `iaf` is given", "leave it out"],
    );
}

/// Layers that are pictures, with codes of all of them that are under N(0, I).
#[test]
fn a_very_deep_one_is_trained_evaluated_drawn_from_and_packed() {
    let place = Place::new();
    let model = "very-deep:blocks=1,2,1,width=8,inner=4,channels=2";
    let usual = "--device cpu --epochs 1 --count 100 --resolution 9 --validation 10 --batch 16";
    place.run(&format!("train {usual} --model {model} --skip-norm 1e6 --average 0.9 --out deep"));
    let names: Vec<String> = (1..=4).map(|layer| format!("kl_layer_{layer}")).collect();
    let sum = |record: &Value| names.iter().map(|name| record["parts"][name].as_f64().unwrap()).sum::<f64>();
    let all = records(&place, "deep/metrics.jsonl");
    let last = all.last().unwrap();
    assert!((sum(last) - last["kl"].as_f64().unwrap()).abs() < 1e-4, "{last}");
    assert!(all.iter().any(|record| record["parts"]["skipped"] == 0.0), "{all:?}");

    let found = place.run("evaluate deep --device cpu --samples 10 --json");
    let found: Value = serde_json::from_str(&found).expect("one JSON object");
    assert!((sum(&found) - found["kl"].as_f64().unwrap()).abs() < 1e-4, "{found}");
    // 9×9, 5×5 twice and 3×3, with two numbers each; the prior of all is a standard normal.
    assert_eq!(found["latent"], 2 * (81 + 2 * 25 + 9), "{found}");
    place.run("sample deep --device cpu --count 9 --temperature 0.7 --out warm.png");
    place.run("sample deep --device cpu --count 9 --out new.png");
    assert!(std::fs::read(place.path("warm.png")).unwrap() != std::fs::read(place.path("new.png")).unwrap());
    place.run("reconstruct deep --device cpu --count 4 --out pairs.png");
    place.run("interpolate deep --device cpu --from 0 --to 1 --out between.png");

    place.run(&format!("train {usual} --binary --model {model} --out bits"));
    place.run("compress bits --data sprites --out bits.elbo");
    place.run("decompress bits.elbo --run bits --out bits.npy");
    place.run("compress bits --data bits.npy --out again.elbo");
    assert!(std::fs::read(place.path("bits.elbo")).unwrap() == std::fs::read(place.path("again.elbo")).unwrap());
    let usual = "train --device cpu --count 100";
    place.refused(&format!("{usual} --model very-deep --resolution 8 --out run"), &["`blocks`", "give 4 at most"]);
    place.refused(&format!("{usual} --model very-deep:blocks=0 --out run"), &["`blocks`", "is 0"]);
    for name in ["encoder mlp:8", "hidden 8", "activation relu", "latent 8"] {
        let option = format!("--{}", name.split(' ').next().unwrap_or(name));
        place.refused(
            &format!("{usual} --model very-deep --{name} --out run"),
            &[&option, "networks and codes of its own"],
        );
    }
    place.refused(&format!("{usual} --skip-norm -1 --out run"), &["skip-norm", "-1"]);
}
