//! The GPU executor: replays programs with wgpu, on Vulkan, Metal or DX12.
//!
//! Pipelines and bind groups are made when a program is loaded. A run records its steps into one compute pass of one
//! submit; what varies travels as immediates, or as a uniform where an adapter grants too few; statistics come back through a small ring of mapped buffers, without a
//! wait.
//!
//! Where a kernel has several texts for an adapter, they may be timed when a program is loaded; what was found, and what
//! the driver compiled, is kept in the user's cache folder.

mod adapter;
#[cfg(feature = "export")]
pub mod bundle;
mod cache;
mod device;
mod dispatch;
mod executor;
mod failure;
mod loaded;
mod passing;
mod pipelines;
mod readback;
mod timing;
mod tuner;

pub use adapter::{Adapter, BACKENDS, adapters, unproven_adapters};
pub use device::{Gpu, Options, TIME_LIMIT};
