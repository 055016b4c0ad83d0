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
//! config.model.hidden = vec![32];
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
//! # The house
//!
//! A training step is a *program*, a flat list of kernel calls that is built once and replayed. A model describes a
//! graph, the graph gives its own backward pass, both are lowered to a program, and an executor runs it. Each floor uses
//! what is below it and knows nothing above.
//!
//! | floor | module | holds |
//! |---|---|---|
//! | 8 | [`cli`] | one file per command; words for people |
//! | 7 | [`apps`] | what people do with models: train, sample, score, draw pictures, check a device |
//! | 6 | [`training`] | the loop, schedules, checkpoints, metrics |
//! | 5 | [`models`] | one file per model: how its graph is put together |
//! | 4 | [`nn`], [`distributions`], [`objectives`] | layers; densities with samples and divergences; what is minimised |
//! | 3 | [`graph`] | tensors, operations, derivatives: a graph in, a graph out |
//! | 2 | [`program`] | the lowering: fusion, order, memory; the list that both executors read |
//! | 1 | [`gpu`], [`cpu`] | the two executors |
//! | 0 | [`kernels`] | each kernel's WGSL, CPU reference, launch and cost, and the table of all of them |
//!
//! The forms of each factor of a model (likelihoods, posteriors, priors, objectives) stand in lists that [`catalogue`]
//! describes, and are chosen by name.
//!
//! Beside them stand [`data`], which reads and makes data sets, [`config`], the settings and their presets,
//! [`evaluation`], what is computed from codes after a run, [`problems`] of settings, [`error`], [`files`] and the
//! [`user_cache`].
#![warn(missing_docs)]

pub mod apps;
pub mod catalogue;
pub mod cli;
pub mod config;
// Modules whose numbers devices compute with may not ask the platform for them: see clippy.toml.
#[cfg_attr(not(test), deny(clippy::disallowed_methods))]
pub mod cpu;
#[cfg_attr(not(test), deny(clippy::disallowed_methods))]
pub mod data;
#[cfg_attr(not(test), deny(clippy::disallowed_methods))]
pub mod distributions;
pub mod error;
pub mod evaluation;
pub mod files;
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
pub mod problems;
#[cfg_attr(not(test), deny(clippy::disallowed_methods))]
pub mod program;
#[cfg_attr(not(test), deny(clippy::disallowed_methods))]
pub mod training;
pub mod user_cache;

pub use apps::{Trained, train, train_with};
pub use error::{Error, Result};
