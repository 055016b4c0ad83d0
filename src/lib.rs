//! Variational autoencoders on any GPU: WGSL compute shaders through [wgpu](https://docs.rs/wgpu), and a CPU executor
//! that runs the same programs where there is none.
//!
//! The library does what the program `elbo` does: [`train`] a model, then draw samples, encode, reconstruct, or score
//! rows by how strange they are.
//!
//! ```
//! use elbo::catalogue::Spec;
//! use elbo::config::{DeviceChoice, Preset};
//! use elbo::data::{Dataset, Shape, Values};
//!
//! // 500 waves of 16 values, each with a phase of its own.
//! let wave = |phase: usize| (0..16).map(move |i| 0.5 + 0.4 * (i as f32 * 0.4 + phase as f32).sin());
//! let rows: Vec<f32> = (0..500).flat_map(wave).collect();
//! let data = Dataset::new("waves", Values::Floats(rows), Shape::vector(16))?;
//!
//! let mut config = Preset::Classic.config();
//! config.model.encoder = "mlp:32".parse()?;
//! config.model.latent = 2;
//! config.model.likelihood = Spec::new("gaussian").with("sigma", 0.1);
//! config.training.epochs = 30;
//! config.training.learning_rate = 0.01;
//! config.device.device = DeviceChoice::Cpu; // or Auto, Gpu, Name("GeForce".into())
//! let mut vae = elbo::train(&data, &config)?; // prints nothing, writes no file
//!
//! let new = vae.sample(3, 7)?; // [3, 16], from seed 7
//! let x: Vec<f32> = (500..510).flat_map(wave).collect(); // [10, 16]
//! let codes = vae.encode(&x)?; // [10, 2]
//! let again = vae.reconstruct(&x)?; // [10, 16]
//! assert_eq!((new.len(), codes.len(), again.len()), (3 * 16, 10 * 2, 10 * 16));
//!
//! // A zigzag is no such wave: its negative ELBO stands out.
//! let zigzag: Vec<f32> = (0..16).map(|i| (i % 2) as f32).collect();
//! let usual = vae.score(&x, 0)?;
//! let strange = vae.score(&zigzag, 0)?;
//! assert!(usual.iter().all(|score| *score < strange[0]));
//!
//! # let folder = tempfile::tempdir().map_err(elbo::Error::invalid)?;
//! # let path = folder.path().join("waves.safetensors");
//! # let path = path.as_path();
//! vae.save(path)?; // one file, weights and settings
//! let mut back = elbo::Trained::load(path, &DeviceChoice::Cpu)?;
//! assert_eq!(back.sample(3, 7)?, new);
//! # Ok::<(), elbo::Error>(())
//! ```
//!
//! # What is promised
//!
//! Configuration ([`config`], [`catalogue`]), data ([`data`]), [`train`] and [`Training`], [`Trained`] with what it gives, and errors
//! ([`Error`]) are what this library is; a change of theirs is a change of its version. [`apps`] is what the program does with run
//! folders, and [`engine`] what all of it is made of: both can be used, and change as they must.
//!
//! A training step is a *program*, a flat list of kernel calls that is built once and replayed. A model describes a
//! graph, the graph gives its own backward pass, both are lowered to a program, and an executor runs it; [`engine`] says where.
//!
//! # Cargo features
//!
//! | feature | builds | default |
//! |---|---|---|
//! | `cli` | the program `elbo`, with all others | yes |
//! | `gpu` | the executor on GPUs | with `cli` |
//! | `pictures` | the pictures of run folders | with `cli` |
//! | `maps` | codes in a plane by t-SNE, with `pictures` | with `cli` |
//! | `report` | the page that says all of a run, with `pictures` | with `cli` |
//! | `export` | pages that run a model in a browser, with `gpu` and `report` | with `cli` |
//!
//! A library that embeds this one wants `default-features = false`, and `features = ["gpu"]` where it is to use GPUs; without it,
//! everything is computed by the CPU executor.
#![warn(missing_docs)]

pub mod apps;
pub mod catalogue;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
// What data are made of may not come from the platform's maths: see clippy.toml.
#[cfg_attr(not(test), deny(clippy::disallowed_methods))]
pub mod data;
pub mod engine;
pub mod error;
mod files;
#[cfg(test)]
mod fuzz;
mod memory;
mod problems;
mod settings;
#[cfg(feature = "report")]
mod spoken;
mod user_cache;

#[cfg(feature = "gpu")]
use engine::gpu;
use engine::{
    coding, corruption, cpu, distributions, evaluation, graph, kernels, models, nn, objectives, program, training,
};

pub use apps::{Epoch, History, Settled, Trained, Training, train};
pub use error::{Error, Result};
pub use training::metrics::{EpochRecord, StepRecord};
pub use training::{Best, CodeMoments, Given, LogLikelihood};
