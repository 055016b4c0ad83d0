//! The engine below the library: kernels, graphs, programs, executors, and what models and their training are made of.
//!
//! All of it can be used (`examples/engine.rs` differentiates a formula and runs it), and none of it is promised: names and signatures
//! here change from one version to the next as the engine does, without a note. What is promised stands at the top of the crate.
//!
//! Each floor uses what is below it, and knows nothing above:
//!
//! | floor | module | holds |
//! |---|---|---|
//! | 6 | [`training`] | the loop, schedules, checkpoints, metrics |
//! | 5 | [`models`] | one file per model: how its graph is put together |
//! | 4 | [`nn`], [`distributions`], [`objectives`], [`corruption`] | layers; densities with samples and divergences; what is minimised; noise on rows |
//! | 3 | [`graph`] | tensors, operations, derivatives: a graph in, a graph out |
//! | 2 | [`program`] | the lowering: fusion, order, memory; the list that both executors read |
//! | 1 | `gpu`, [`cpu`] | the two executors |
//! | 0 | [`kernels`] | each kernel's WGSL, CPU reference, launch and cost, and the table of all of them |
//!
//! Beside them stands [`evaluation`], what is computed from codes after a run.

// Modules whose numbers devices compute with may not ask the platform for them: see clippy.toml.
#[cfg_attr(not(test), deny(clippy::disallowed_methods))]
pub mod coding;
#[cfg_attr(not(test), deny(clippy::disallowed_methods))]
pub mod corruption;
#[cfg_attr(not(test), deny(clippy::disallowed_methods))]
pub mod cpu;
#[cfg_attr(not(test), deny(clippy::disallowed_methods))]
pub mod distributions;
pub mod evaluation;
#[cfg(feature = "gpu")]
pub mod gpu;
#[cfg_attr(not(test), deny(clippy::disallowed_methods))]
pub mod graph;
#[cfg_attr(not(test), deny(clippy::disallowed_methods))]
pub mod kernels;
#[cfg_attr(not(test), deny(clippy::disallowed_methods))]
pub mod models;
#[cfg_attr(not(test), deny(clippy::disallowed_methods))]
pub mod nn;
#[cfg_attr(not(test), deny(clippy::disallowed_methods))]
pub mod objectives;
#[cfg_attr(not(test), deny(clippy::disallowed_methods))]
pub mod program;
#[cfg_attr(not(test), deny(clippy::disallowed_methods))]
pub mod training;
