//! `elbo import`: weights that come back as they went out, maps, and what does not fit.

use std::fs;

use elbo::engine::training::checkpoint::Checkpoint;
use serde_json::Value;

use crate::program::Place;

const LIKE: &str = "--count 100 --resolution 8 --validation 10 --latent 2 --batch 16 --device cpu";

/// The codes that a run gives its held-out rows.
fn codes(place: &Place, run: &str) -> String {
    place.run(&format!("encode {run} --device cpu --out {run}.csv"));
    fs::read_to_string(place.path(&format!("{run}.csv"))).expect("a table")
}

#[test]
fn weights_come_back_as_they_went_out() {
    let place = Place::new();
    place.train_network("run", "conv:4,6,hidden=8,kernel=3,norm=batch");
    place.run("export run --device cpu --to w.safetensors");
    let line = format!("import w.safetensors {LIKE} --encoder conv:4,6,hidden=8,kernel=3,norm=batch");
    let suggested: Value = serde_json::from_str(&place.run(&format!("{line} --json"))).expect("JSON");
    assert_eq!(suggested["is_whole"], true);
    assert_eq!(suggested["model"].as_array().unwrap().len(), suggested["file"].as_array().unwrap().len());
    let shown = place.run(&line);
    assert!(shown.contains("A map that may be meant") && shown.contains("[6, 4, 3, 3]"), "{shown}");
    assert!(!place.path("runs").exists(), "without a map nothing is made");
    // Each by its own name.
    let map: String = suggested["model"].as_array().unwrap().iter().map(|one| format!("{0} = {0}\n", one[0])).collect();
    place.write("map.toml", &map);
    // What is printed for people is a map as well.
    let printed: toml::Table = place.run(&line).parse().expect("TOML");
    assert_eq!(printed, map.parse::<toml::Table>().expect("TOML"));
    let said = place.run(&format!("{line} --map map.toml --out again"));
    assert!(said.contains("again") && !said.contains("Left over"), "{said}");
    let tensors = |run: &str| Checkpoint::load(&place.path(run).join("checkpoint.safetensors")).expect("a checkpoint");
    let (before, after) = (tensors("run"), tensors("again"));
    for (name, shape, numbers) in
        after.tensors.iter().filter(|(name, ..)| name.contains("coder") || name.contains("head"))
    {
        if name.starts_with("adam") || name.contains("state") {
            continue;
        }
        assert_eq!(before.values(name, shape).ok(), Some(&numbers[..]), "{name}");
    }
    assert_eq!(codes(&place, "run"), codes(&place, "again"));
    // It goes on from there.
    place.run("train --resume again --device cpu --epochs 1");
    assert_ne!(codes(&place, "run"), codes(&place, "again"));
}

#[test]
fn what_does_not_fit_is_said() {
    let place = Place::new();
    place.train("run", "");
    place.run("export run --device cpu --to w.safetensors");
    place.write("none.safetensors", "nothing");
    place.write("short.toml", "\"encoder.1.weight\" = \"encoder.1.weight\"\n");
    place.write("gone.toml", "\"encoder.9.weight\" = \"encoder.1.weight\"\n");
    place.write("broken.toml", "encoder = 3\n");
    let names = ["encoder.1", "encoder.3", "decoder.0", "decoder.2"]
        .map(|name| ["weight", "bias"].map(|part| format!("{name}.{part}")));
    let map: String = names.as_flattened().iter().map(|name| format!("\"{name}\" = \"{name}\"\n")).collect();
    place.write("map.toml", &map);
    let line = format!("import w.safetensors {LIKE} --hidden 16");
    for (line, words) in [
        (format!("import gone.safetensors {LIKE}"), &["gone.safetensors"][..]),
        (format!("import none.safetensors {LIKE}"), &["none.safetensors", "no safetensors file"]),
        (format!("{line} --map gone-too.toml --out a"), &["gone-too.toml"]),
        (format!("{line} --map broken.toml --out a"), &["broken.toml", "`encoder` is 3"]),
        (format!("{line} --map short.toml --out a"), &["says nothing of", "decoder.0.weight"]),
        (format!("{line} --map gone.toml --out a"), &["names encoder.9.weight"]),
        (format!("import w.safetensors {LIKE} --hidden 17 --map map.toml --out a"), &["[17, 64]", "[16, 64]"]),
        (format!("{line} --map map.toml --out run"), &["run holds a run already"]),
        (format!("{line} --out a"), &["--map"]),
    ] {
        place.refused(&line, words);
    }
}
