//! A program on the device.

use std::cell::Cell;

use super::dispatch::Dispatch;
use crate::program::Program;

/// A program whose pipelines, bind groups and buffers are made.
pub(super) struct Loaded {
    pub program: Program,
    pub calls: Vec<Dispatch>,
    pub ring: Option<wgpu::Buffer>,
    /// Whether it has a buffer for the sizes of its calls.
    pub sizes_bound: bool,
    /// Steps recorded for the submit under way.
    pub recorded: Cell<usize>,
    pub finished: Vec<f32>,
}
