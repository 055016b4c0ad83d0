//! What is asked of the lowering: which tensors of a graph a program computes, and what becomes of them.

use std::collections::HashMap;

use super::ParameterSet;
use crate::graph::{Graph, Tensor};
use crate::kernels::Packing;

/// A resident data set, as programs see it. Its buffer is `data.<name>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataSpec {
    /// Rows.
    pub count: usize,
    /// Values per row.
    pub features: usize,
    /// How values are packed.
    pub packing: Packing,
}

impl DataSpec {
    /// Words of the buffer.
    pub fn words(&self) -> usize {
        self.count * self.features.div_ceil(self.packing.per_word())
    }
}

/// Adam's settings that are fixed for a program; the learning rate varies with the step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamOptions {
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the denominator.
    pub epsilon: f32,
    /// The global gradient norm is clipped to this.
    pub clip: Option<f32>,
}

impl Default for AdamOptions {
    fn default() -> AdamOptions {
        AdamOptions { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, clip: None }
    }
}

/// One optimiser step over one parameter set.
#[derive(Clone, Debug)]
pub struct Update<'a> {
    /// The set.
    pub set: &'a ParameterSet,
    /// The gradient of each of its parameters, in their order.
    pub gradients: Vec<Tensor<'a>>,
    /// How they are used.
    pub adam: AdamOptions,
}

/// A program to be made.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The program's name.
    pub name: &'a str,
    /// The graph its tensors belong to.
    pub graph: &'a Graph,
    /// The parameter sets that the graph reads.
    pub parameters: Vec<&'a ParameterSet>,
    /// The data sets that the graph reads, by name.
    pub data: HashMap<String, DataSpec>,
    /// Tensors that the host reads after a step.
    pub outputs: Vec<(&'a str, Tensor<'a>)>,
    /// Tensors whose sums go into the ring of statistics.
    pub statistics: Vec<(&'a str, Tensor<'a>)>,
    /// At most one optimiser step.
    pub update: Option<Update<'a>>,
}
