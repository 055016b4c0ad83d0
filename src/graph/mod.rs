//! The graph: tensors of static shape, the operations between them, and their gradients.
//!
//! A graph is built by calls on [`Graph`], each giving a [`Tensor`]. Equal calls give the same tensor, so nothing is
//! computed twice. [`Graph::gradients`] derives the backward pass as more of the same graph. Binary operations broadcast
//! as NumPy does. Shapes that do not fit are errors in the program that builds the graph, not in a user's data, and
//! panic with both shapes; the models check what users give before they build.

mod autodiff;
mod builder;
mod derivatives;
pub mod eval;
mod op;

pub use op::{Bits, Node, NodeId, Op, Shape, Tensor};

use std::collections::HashMap;

/// A directed acyclic graph of tensor operations.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    known: HashMap<Node, Tensor>,
    streams: u32,
    scope: String,
}

impl Graph {
    /// A graph with nothing in it.
    pub fn new() -> Graph {
        Graph::default()
    }

    /// The node of a tensor.
    pub fn node(&self, tensor: Tensor) -> &Node {
        &self.nodes[tensor.0 as usize]
    }

    /// The shape of a tensor.
    pub fn shape(&self, tensor: Tensor) -> &[usize] {
        &self.node(tensor).shape
    }

    /// How many tensors there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The value of a tensor that is the same constant everywhere.
    pub fn constant_value(&self, tensor: Tensor) -> Option<f32> {
        match self.node(tensor).op {
            Op::Const(bits) => Some(bits.get()),
            _ => None,
        }
    }

    /// A random stream that nothing else of this graph draws from. Streams are numbered in the order they are asked
    /// for, so a model built the same way draws the same numbers.
    pub fn stream(&mut self) -> u32 {
        self.streams += 1;
        self.streams
    }

    /// What `work` does to the graph, with `scope` before the names of all parameters and scalars that it asks for: so a
    /// model can be a part of another without their names getting in each other's way. Scopes nest.
    pub fn scoped<T>(&mut self, scope: &str, work: impl FnOnce(&mut Graph) -> T) -> T {
        let outer = self.scope.len();
        self.scope.push_str(scope);
        let out = work(self);
        self.scope.truncate(outer);
        out
    }

    /// A name as the scope under way makes it.
    fn in_scope(&self, name: &str) -> String {
        format!("{}{name}", self.scope)
    }

    /// The tensor of an operation, made once: an equal one is found again.
    fn push(&mut self, op: Op, inputs: Vec<Tensor>, shape: Shape) -> Tensor {
        let node = Node { op, inputs, shape };
        if let Some(&tensor) = self.known.get(&node) {
            return tensor;
        }
        let tensor = NodeId(self.nodes.len() as u32);
        self.nodes.push(node.clone());
        self.known.insert(node, tensor);
        tensor
    }
}
