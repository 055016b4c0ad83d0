//! Lowered programs against the graphs they come from: on graphs that models are made of, and on random ones.
//!
//! Before a program runs, all memory that it has to write is full of NaNs, so nothing passes that was not computed.

mod models;
mod random;
mod sketch;

use crate::common;
use crate::common::oracle;

use std::panic::{AssertUnwindSafe, catch_unwind};

use elbo::engine::cpu::Cpu;
use oracle::Device;
use sketch::Sketch;

/// How far f32 may be from f64, relative to the largest number of a tensor or to 1.
const LIMIT: f64 = 1e-4;

fn cpu() -> Device {
    Device::new(Box::new(Cpu::new()))
}

fn gpu() -> Option<Device> {
    Some(Device::new(Box::new(common::gpu()?)))
}

/// Why a program is not what its graph is, if it is not.
fn wrong(sketch: &Sketch, device: &mut Device) -> Option<String> {
    match catch_unwind(AssertUnwindSafe(|| sketch.worst(device))) {
        Ok((far, _)) if far < LIMIT => None,
        Ok((far, place)) => Some(format!("{place} is {far:e} from the graph's\n{}", sketch.listing().1)),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            Some(text.or(panic.downcast_ref::<&str>().map(|s| s.to_string())).unwrap_or_default())
        }
    }
}

/// Checks a graph on a device, and that the comparison sees a leaf that changed.
fn check(name: &str, sketch: &Sketch, leaf: &str, device: &mut Device) {
    if let Some(why) = wrong(sketch, device) {
        panic!("{name}: {why}");
    }
    let far = sketch.worst_when_nudged(device, leaf);
    assert!(far > 10.0 * LIMIT, "{name}: a change of {leaf} is not seen ({far:e})");
}

#[test]
fn graphs_that_models_are_made_of() {
    for (name, leaf, sketch) in models::all() {
        check(name, &sketch, leaf, &mut cpu());
    }
}

#[test]
fn graphs_that_models_are_made_of_on_the_gpu() {
    for (name, leaf, sketch) in models::all() {
        let Some(mut device) = gpu() else { return };
        check(name, &sketch, leaf, &mut device);
    }
}

#[test]
fn random_graphs() {
    let mut failures = Vec::new();
    for seed in 0..1500 {
        let Some(why) = wrong(&random::graph(seed, 30), &mut cpu()) else { continue };
        // The shortest beginning of the graph that is wrong says more.
        let short = (0..30).find_map(|n| Some((n, wrong(&random::graph(seed, n), &mut cpu())?)));
        let (n, why) = short.unwrap_or((30, why));
        failures.push(format!("graph({seed}, {n}): {why}"));
    }
    assert!(
        failures.is_empty(),
        "{} graphs are wrong, the first:\n{}",
        failures.len(),
        failures[..failures.len().min(4)].join("\n\n")
    );
}

#[test]
fn random_graphs_on_the_gpu() {
    for seed in 1000..1006 {
        let Some(mut device) = gpu() else { return };
        if let Some(why) = wrong(&random::graph(seed, 16), &mut device) {
            panic!("graph({seed}, 16): {why}");
        }
    }
}

#[test]
fn the_classic_vae_takes_few_calls() {
    let (calls, listing) = models::classic();
    assert!(calls <= 14, "{calls} calls:\n{listing}");
}

#[test]
fn an_update_leaves_other_parameters_alone() {
    models::two_sets(&mut cpu());
    if let Some(mut device) = gpu() {
        models::two_sets(&mut device);
    }
}
