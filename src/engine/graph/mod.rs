//! The graph: tensors of static shape, the operations between them, and their gradients.
//!
//! A [`Tensor`] knows the graph that it belongs to, so that a model is written as its formula reads:
//! `reconstruction + beta * kl`. Equal operations give the same tensor, so nothing is computed twice.
//! [`Tensor::gradients`] derives the backward pass as more of the same graph. Binary operations broadcast as NumPy does.
//!
//! A parameter is declared where it is used ([`Graph::param`]), under the names of the scopes around it
//! ([`Graph::scope`]); [`Graph::parameters`] lists what a graph has declared.
//!
//! Shapes that do not fit are errors in the program that builds the graph, not in a user's data, and panic with both
//! shapes at the line that made the mistake; the models check what users give before they build.

mod autodiff;
mod convolution;
mod derivatives;
pub mod eval;
mod leaves;
mod maths;
mod op;
mod parameter;
mod tensor;

pub use op::{Bits, Node, NodeId, Op, Shape};
pub use parameter::{Around, AroundNoise, Init, ParameterSpec, Role};
pub use tensor::Tensor;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;

use elsa::FrozenVec;

use parameter::Declared;

/// A directed acyclic graph of tensor operations, which only grows.
#[derive(Default)]
pub struct Graph {
    nodes: FrozenVec<Box<Node>>,
    known: RefCell<HashMap<Node, NodeId>>,
    streams: Cell<u32>,
    /// Rows of the batch that the graph works on, once it has one.
    batch: Cell<Option<usize>>,
    training: bool,
    declared: RefCell<Declared>,
}

impl Graph {
    /// A graph with nothing in it.
    pub fn new() -> Graph {
        Graph::default()
    }

    /// The same, of a step of training: what is kept from step to step may be assigned, see [`Graph::state`].
    pub fn of_training() -> Graph {
        Graph { training: true, ..Graph::default() }
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The shape of a node's result.
    pub fn shape(&self, id: NodeId) -> &[usize] {
        &self.node(id).shape
    }

    /// The tensor of a node.
    pub fn tensor(&self, id: NodeId) -> Tensor<'_> {
        Tensor::new(self, id)
    }

    /// All nodes, in the order in which they were made: what a node needs stands before it.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (0..self.len() as u32).map(NodeId)
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() == 0
    }

    /// A random stream that nothing else of this graph draws from. Streams are numbered in the order they are asked
    /// for, so a model built the same way draws the same numbers.
    pub fn stream(&self) -> u32 {
        self.streams.set(self.streams.get() + 1);
        self.streams.get()
    }

    /// Lets random streams be numbered from here on, so that a graph beside this one draws other numbers in the same step.
    pub fn start_streams_at(&self, first: u32) {
        self.streams.set(first);
    }

    /// The tensor of an operation, made once: an equal one is found again.
    pub(crate) fn push(&self, op: Op, inputs: Vec<Tensor>, shape: Shape) -> Tensor<'_> {
        let inputs = inputs.into_iter().map(|t| t.id()).collect();
        let node = Node { op, inputs, shape };
        let mut known = self.known.borrow_mut();
        let id = *known.entry(node).or_insert_with_key(|node| {
            self.nodes.push(Box::new(node.clone()));
            NodeId(self.nodes.len() as u32 - 1)
        });
        self.tensor(id)
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_list().entries(self.nodes.iter()).finish()
    }
}
