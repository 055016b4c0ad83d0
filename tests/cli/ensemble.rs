//! Deep ensembles from the command line: trained, gone on with, grown and used.

use std::fs;

use serde_json::Value;

use crate::program::{Place, small};

fn json(text: &str) -> Value {
    serde_json::from_str(text.lines().last().expect("a line")).expect("JSON")
}

#[test]
fn an_ensemble_is_trained_into_one_folder_and_used_as_one() {
    let place = Place::new();
    let said = place.run(&format!("train --members 2 --out run {}", small("")));
    let words = ["Member 1 of 2\n", "Member 2 of 2\n", "All 2 models of the ensemble are in run", "evaluate run"];
    words.iter().for_each(|word| assert!(said.contains(word), "{said}"));
    let found = json(&place.run("evaluate run --device cpu --samples 10 --json"));
    assert_eq!(found["members"].as_array().unwrap().len(), 2);
    let said = place.run("evaluate run --device cpu --quick");
    assert!(said.contains("Models: all 2 of an ensemble") && said.contains("member"), "{said}");
    place.run("sample run --device cpu --count 4 --out new.png");
    place.run("reconstruct run --device cpu --out pairs.png");
    let found = json(&place.run("reconstruct run --device cpu --uncertainty 4 --out sure.npz --json"));
    assert!(found["sd_of_weights"].as_f64().expect("members are apart") > 0.0, "{found}");
    place.run("score run --device cpu --scores elbo,disagreement,waic,squared_error --out scores.csv");
    // The first alone is something else.
    let first = "run/checkpoint.safetensors --device cpu";
    place.run(&format!("sample {first} --count 4 --out one.png"));
    place.run(&format!("reconstruct {first} --out one-pairs.png"));
    place.run(&format!("score {first} --scores squared_error --out one.csv"));
    for [all, one] in [["new.png", "one.png"], ["pairs.png", "one-pairs.png"]] {
        assert!(fs::read(place.path(all)).unwrap() != fs::read(place.path(one)).unwrap(), "{all}");
    }
    let last = |name: &str| -> Vec<String> {
        let text = fs::read_to_string(place.path(name)).unwrap();
        text.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().to_string()).collect()
    };
    let (all, one) = (last("scores.csv"), last("one.csv"));
    assert!(all.len() == one.len() && all != one, "{all:?}");
    // What takes one model takes the first, and says so.
    let said = place.run("encode run --device cpu --out codes.csv");
    assert!(said.contains("Models: the first of 2"), "{said}");
    let said = place.run("encode run/checkpoint.safetensors --device cpu --out again.csv");
    assert!(!said.contains("Models:"), "{said}");
    assert_eq!(fs::read(place.path("codes.csv")).unwrap(), fs::read(place.path("again.csv")).unwrap());
    // Resumed, those that are trained stay as they are, and a third comes along.
    let of = |member: &str| fs::read(place.path(&format!("{member}/checkpoint.safetensors"))).unwrap();
    let before = [of("run"), of("run/member-2")];
    let said = place.run("train --resume run --members 3");
    let words = ["Member 1 of 3 is trained", "Member 2 of 3 is trained", "Member 3 of 3\n"];
    words.iter().for_each(|word| assert!(said.contains(word), "{said}"));
    assert!([of("run"), of("run/member-2")] == before);
    // One trained by itself is the same.
    place.run(&format!("train --members 3 --member 3 --out third {}", small("")));
    assert!(of("third") == of("run/member-3"));
    // So are all of them, and then the folder of the first holds the ensemble.
    for (member, folder) in [(1, "apart"), (2, "apart/member-2"), (3, "apart/member-3")] {
        place.run(&format!("train --members 3 --member {member} --out {folder} {}", small("")));
    }
    let of_all = |run: &str| json(&place.run(&format!("evaluate {run} --device cpu --quick --json")))["elbo"].clone();
    assert_eq!(of_all("apart"), of_all("run"));
    assert_ne!(of_all("apart"), of_all("apart/checkpoint.safetensors"));
    // More epochs are for all.
    place.run("train --resume run --epochs 2");
    let records = |name: &str| fs::read_to_string(place.path(&format!("{name}/metrics.jsonl"))).unwrap();
    for name in ["run", "run/member-2", "run/member-3"] {
        assert!(records(name).contains("\"epoch\":2,"), "{name}");
    }
    fs::remove_dir_all(place.path("run/member-2")).unwrap();
    place.refused("sample run --device cpu --out odd.png", &["member 2 is not there", "elbo train --resume run"]);
}

#[test]
fn what_takes_one_model_refuses_several() {
    let place = Place::new();
    place.refused("train --data digits --members 0", &["`members` is 0"]);
    place.refused("train --data digits --members 2 --member 3", &["`member` is 3"]);
    place.refused(
        "train --data digits --members 2 --network-weights bayes-by-backprop",
        &["`members` is 2", "leave one of the two out"],
    );
    place.refused("compare --data digits --out all -- --members 2", &["--members 2", "equal work"]);
}
