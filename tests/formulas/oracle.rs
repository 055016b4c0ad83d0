//! Whole training runs against the same runs by hand.
//!
//! The oracle (`oracle/run.rs` and what it stands on) is plain f64 code that shares nothing with the engine: it has random
//! numbers, starting values, networks, derivatives, an optimiser and schedules of its own, all written from the papers and
//! from what the engine's documentation says. What training tells of every step, what it leaves behind, and what an
//! evaluation makes of that must agree, in memory (`oracle/engine.rs`) and in the files of a run (`oracle/folder.rs`). Each
//! run is also done by hand with one thing wrong at a time, and every such fault must be seen.

mod adam;
mod cases;
mod densities;
mod derivatives;
mod engine;
mod faults;
mod figures;
mod folder;
mod network;
mod pictures;
mod random;
mod rates;
mod rows;
mod run;
mod settings;
mod xoshiro;

use crate::common;

use cases::{Case, floats, greys, pictures as changed, points};
use elbo::engine::cpu::Cpu;
use elbo::engine::program::Executor;
use faults::Fault;
use figures::{CODES, Figures, Kind};

/// A fault must be so many times farther off than what is allowed.
const SEEN: f64 = 10.0;

/// Holds what the engine left of a case against the run by hand, and against that with every fault.
fn check(case: &Case, engine: &Figures, by_hand: impl Fn(Option<Fault>) -> Figures) {
    let oracle = by_hand(None);
    for kind in [Kind::Start, Kind::Training, Kind::End, Kind::Moments, Kind::HeldOut] {
        let (far, place) = engine.worst(&oracle, |of| of == kind);
        eprintln!("{kind:?}: {:.1e} from the oracle's, {place}", far * kind.limit());
        assert!(far < 1.0, "{place} is {:e} from the oracle's", far * kind.limit());
    }
    for &fault in &case.faults {
        let (far, place) = engine.worst(&by_hand(Some(fault)), |_| true);
        assert!(far > SEEN, "{fault:?} is not seen: {far} times what is allowed, in {place}");
    }
}

/// Trains in memory.
fn in_memory(case: &Case, executor: Box<dyn Executor>) {
    let engine = engine::run(&case.settings, &case.train, &case.held_out, executor);
    check(case, &engine, |fault| case.by_hand(fault));
}

/// Trains in a folder.
fn in_a_folder(case: &Case, executor: Box<dyn Executor>) {
    let engine = folder::run(&case.settings, &case.train, &case.held_out, executor);
    check(case, &engine, |fault| case.by_hand(fault).without(CODES));
}

fn cpu() -> Box<dyn Executor> {
    Box::new(Cpu::new())
}

fn gpu() -> Option<Box<dyn Executor>> {
    Some(Box::new(common::gpu()?))
}

#[test]
fn a_vae_of_drawn_greys_trains_on_the_cpu_as_by_hand() {
    in_memory(&greys(), cpu());
}

#[test]
fn a_vae_of_drawn_greys_trains_on_the_gpu_as_by_hand() {
    gpu().into_iter().for_each(|device| in_memory(&greys(), device));
}

#[test]
fn a_vae_of_floats_trains_on_the_cpu_as_by_hand() {
    in_memory(&floats(), cpu());
}

#[test]
fn a_vae_of_floats_trains_on_the_gpu_as_by_hand() {
    gpu().into_iter().for_each(|device| in_memory(&floats(), device));
}

#[test]
fn a_plain_autoencoder_trains_on_the_cpu_as_by_hand() {
    in_memory(&points(), cpu());
}

#[test]
fn a_plain_autoencoder_trains_on_the_gpu_as_by_hand() {
    gpu().into_iter().for_each(|device| in_memory(&points(), device));
}

#[test]
fn a_vae_of_changed_pictures_trains_on_the_cpu_as_by_hand() {
    in_memory(&changed(), cpu());
}

#[test]
fn a_vae_of_changed_pictures_trains_on_the_gpu_as_by_hand() {
    gpu().into_iter().for_each(|device| in_memory(&changed(), device));
}

#[test]
fn what_a_run_leaves_in_its_folder_is_as_by_hand() {
    in_a_folder(&greys(), cpu());
}
