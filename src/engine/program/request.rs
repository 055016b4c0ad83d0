//! What is asked of the lowering: which tensors of a graph a program computes, and what becomes of them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::ParameterSet;
use crate::catalogue::{Spec, build};
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::kernels::{OPTIMISERS, Optimiser, Packing};

/// A data set, as programs see it. Its buffer is `data.<name>`; where there are several, the others are `data.<name>.1` and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataSpec {
    /// Rows.
    pub count: usize,
    /// Values per row.
    pub features: usize,
    /// How values are packed.
    pub packing: Packing,
    /// Rows of a window, two of which are held in turn; as many as there are, where all are held.
    pub window: usize,
    /// Rows of a buffer.
    pub buffer: usize,
}

impl DataSpec {
    /// A data set that is held whole, in one buffer.
    pub fn whole(count: usize, features: usize, packing: Packing) -> DataSpec {
        DataSpec { count, features, packing, window: count, buffer: count }
    }

    /// Words of a row.
    pub fn row_words(&self) -> usize {
        self.features.div_ceil(self.packing.per_word())
    }

    /// Rows that are held at a time.
    pub fn held(&self) -> usize {
        if self.window < self.count { 2 * self.window } else { self.count }
    }

    /// The buffers of a data set of this name: the name of each, and the rows that lie in it.
    pub fn buffers(&self, name: &str) -> impl Iterator<Item = (String, Range<usize>)> {
        let (held, rows, name) = (self.held(), self.buffer, format!("data.{name}"));
        (0..held.div_ceil(rows)).map(move |i| {
            let of = if i == 0 { name.clone() } else { format!("{name}.{i}") };
            (of, i * rows..held.min((i + 1) * rows))
        })
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
    /// Where the norm of the set's gradient is above this, the set stays as it is: values, what the optimiser keeps of them, and their
    /// running mean.
    pub skip: Option<f32>,
    /// The decay of the running mean of the values, see [`ParameterSet::averages`], if one is kept.
    pub average: Option<f32>,
}

impl Rule {
    /// An optimiser, and nothing besides.
    ///
    /// # Errors
    /// If there is none of that name, or it does not take these settings.
    pub fn of(spec: &Spec) -> Result<Rule> {
        Ok(Rule { optimiser: build(OPTIMISERS, spec)?, clip: None, skip: None, average: None })
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
    /// The most words that a pass over a set of parameters binds of a buffer, a multiple of 64: larger sets take several.
    pub pass: usize,
}

/// The most words of a buffer that every adapter binds: 128 MiB.
const BOUND: usize = 1 << 25;

impl<'a> Request<'a> {
    /// The same for a device whose buffers have so many bytes at most.
    #[must_use]
    pub fn within(self, largest_buffer: u64) -> Request<'a> {
        let words = usize::try_from(largest_buffer / 4).unwrap_or(usize::MAX);
        Request { pass: (words.min(BOUND) / 64).max(1) * 64, ..self }
    }

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
            pass: BOUND,
        }
    }
}
