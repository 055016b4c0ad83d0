//! What is asked of the lowering: which tensors of a graph a program computes, and what becomes of them.

use std::collections::HashMap;
use std::sync::Arc;

use super::ParameterSet;
use crate::catalogue::{Spec, build};
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::kernels::{OPTIMISERS, Optimiser, Packing};

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

/// The gradient of a parameter set, which a program writes into the set's buffer.
#[derive(Clone, Debug)]
pub struct Gradients<'a> {
    /// The set.
    pub set: &'a ParameterSet,
    /// The gradient of each of its parameters, in their order.
    pub tensors: Vec<Tensor<'a>>,
    /// Whether it is also added to those of other batches, see [`ParameterSet::accumulated`].
    pub accumulate: bool,
}

/// How the parameters of a set are moved.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The optimiser.
    pub optimiser: Arc<dyn Optimiser>,
    /// The norm of the set's gradient is clipped to this.
    pub clip: Option<f32>,
    /// The decay of the running mean of the values, see [`ParameterSet::averages`], if one is kept.
    pub average: Option<f32>,
}

impl Rule {
    /// An optimiser, and nothing besides.
    ///
    /// # Errors
    /// If there is none of that name, or it does not take these settings.
    pub fn of(spec: &Spec) -> Result<Rule> {
        Ok(Rule { optimiser: build(OPTIMISERS, spec)?, clip: None, average: None })
    }
}

/// One step of an optimiser over one parameter set.
#[derive(Clone, Debug)]
pub struct Update<'a> {
    /// The set.
    pub set: &'a ParameterSet,
    /// How it is moved.
    pub rule: Rule,
    /// Whether along the gradient that was gathered over several batches, or else along that of this one.
    pub accumulated: bool,
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
    /// Gradients that are written for an optimiser.
    pub gradients: Vec<Gradients<'a>>,
    /// Parameters, by name, that become a tensor at the end of the step: all calls of the step read what they were before.
    pub assigns: Vec<(&'a str, Tensor<'a>)>,
    /// Steps of optimisers, each over a set of its own.
    pub updates: Vec<Update<'a>>,
}

impl<'a> Request<'a> {
    /// A program that does nothing yet.
    pub fn new(name: &'a str, graph: &'a Graph) -> Request<'a> {
        Request {
            name,
            graph,
            parameters: vec![],
            data: HashMap::new(),
            outputs: vec![],
            statistics: vec![],
            gradients: vec![],
            assigns: vec![],
            updates: vec![],
        }
    }
}
