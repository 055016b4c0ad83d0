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
        "train --device cpu --count 100 --upper 4 --out run",
        &["`upper`", "a model of `kind` (--model) vae has one"],
    );
    place.refused(
        "train --device cpu --count 100 --model ladder --posterior iaf --objective wae --out run",
        &["the posterior `iaf` is given", "leave it out"],
    );
}
