//! The GPU executor: replays programs with wgpu, on Vulkan, Metal or DX12.
//!
//! Pipelines and bind groups are made when a program is loaded. A run records its steps into one compute pass of one
//! submit; what varies travels as immediates; statistics come back through a small ring of mapped buffers, without a
//! wait.

mod adapter;
mod device;
mod executor;
mod pipelines;
mod readback;

pub use adapter::{Adapter, adapters};
pub use device::{Gpu, Options};
