//! Variational autoencoders on any GPU.
pub mod apps;
pub mod cli;
pub mod config;
pub mod cpu;
pub mod data;
pub mod distributions;
pub mod error;
pub mod files;
pub mod gpu;
pub mod graph;
pub mod kernels;
pub mod models;
pub mod nn;
pub mod program;
pub mod training;
pub use error::{Error, Result};
