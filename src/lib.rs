//! Variational autoencoders on any GPU.
pub mod cpu;
pub mod data;
pub mod error;
pub mod graph;
pub mod kernels;
pub mod nn;
pub mod program;
pub use error::{Error, Result};
