//! The engine: kernels on both devices, programs, plans of training, and the texts of shaders.

#[path = "../common/mod.rs"]
mod common;
mod lowering;
mod parity;
mod plans;
mod random;
mod report;
mod shaders;
