//! Runs of every kind go on in another host as they do here: gathered batches, averaged weights, critics, codebooks, convolutions.

use std::fs;

use serde_json::Value;

use super::host::{Host, bytes};
use super::{CODES, far};
use crate::common;
use crate::program::{Place, with};

/// How far decoded values between 0 and 1 may lie apart behind an epoch.
const NEAR: f64 = 1e-4;

/// What a host decodes [`CODES`] to.
fn decoded(host: &mut Host) -> Vec<f64> {
    let decode = host.program("decode");
    let mut step = vec![0; 64];
    step[16] = 3;
    let mut codes = vec![0.0; 32];
    codes[..6].copy_from_slice(CODES.as_flattened());
    host.write(decode, "decode", &codes);
    host.run(decode, &step);
    host.read(decode, "decode").into_iter().map(f64::from).collect()
}

/// What the program decodes them to.
fn expected(place: &Place, run: &str) -> Vec<f64> {
    place.run(&format!("decode {run} --device cpu --codes codes.csv --out rows.csv --force"));
    let table = fs::read_to_string(place.path("rows.csv")).expect("rows");
    table.lines().skip(1).flat_map(|line| line.split(',')).map(|cell| cell.parse().expect("a number")).collect()
}

#[test]
fn they_go_on_in_another_host() {
    if common::adapter().is_none() {
        return;
    }
    let place = Place::new();
    place.write("codes.csv", "a,b\n0,0\n1.25,-0.5\n-2,0.75\n");
    for (name, options) in [
        ("gathered", "--accumulate 2 --batch 8"),
        ("averaged", "--average 0.9"),
        ("critic", "--model aae"),
        ("quantised", "--model vq-vae"),
        ("pictures", "--encoder conv:4,hidden=8"),
    ] {
        let small =
            "--device cpu --epochs 1 --count 100 --resolution 8 --validation 10 --latent 2 --batch 16 --encoder mlp:16";
        place.run(&format!("train {} --out {name}", with(small, options)));
        place.run(&format!("export {name} --device cpu --with-data --epochs 2 --to {name}.json"));
        let before = expected(&place, name);
        place.run(&format!("train --resume {name} --device cpu --epochs 3"));
        let after = expected(&place, name);
        let bundle: Value =
            serde_json::from_str(&fs::read_to_string(place.path(&format!("{name}.json"))).expect("JSON"))
                .expect("JSON");
        let mut host = Host::new(&bundle, "software").expect("there is an adapter");
        let width = before.len();
        let found = far(&decoded(&mut host)[..width], &before);
        assert!(found < NEAR, "{name} before it goes on: {found}");
        let run = bundle["runs"].as_array().expect("runs").iter().find(|run| run["name"] == "train").expect("a run");
        host.restore(run);
        let launches = run["launches"].as_array().expect("launches");
        let steps = bytes(&run["steps"]);
        for (program, step) in launches.iter().zip(steps.chunks(64)) {
            host.run(program.as_u64().expect("a number") as usize, step);
        }
        let found = far(&decoded(&mut host)[..width], &after);
        assert!(found < NEAR, "{name} behind {} launches: {found}", launches.len());
        assert!(far(&before, &after) > 10.0 * NEAR, "{name} has learnt something: {}", far(&before, &after));
    }
}
