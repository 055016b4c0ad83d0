//! The linear layer: y = x Wᵀ + b.

use super::parameters::{Init, ParameterSpec};
use crate::graph::{Graph, Tensor};

/// A linear layer: weight `[outputs, inputs]`, bias `[outputs]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linear {
    /// The layer's name; its parameters are `<name>.weight` and `<name>.bias`.
    pub name: String,
    /// Values per row that come in.
    pub inputs: usize,
    /// Values per row that go out.
    pub outputs: usize,
}

impl Linear {
    /// A layer.
    pub fn new(name: impl Into<String>, inputs: usize, outputs: usize) -> Linear {
        Linear { name: name.into(), inputs, outputs }
    }

    /// Its parameters. Both start uniform in ±1/√inputs, as PyTorch's `nn.Linear` does (Kaiming uniform with a = √5).
    pub fn parameters(&self) -> Vec<ParameterSpec> {
        let init = Init::Uniform(1.0 / (self.inputs as f32).sqrt());
        let spec = |part: &str, shape: Vec<usize>| ParameterSpec { name: format!("{}.{part}", self.name), shape, init };
        vec![spec("weight", vec![self.outputs, self.inputs]), spec("bias", vec![self.outputs])]
    }

    /// `[rows, inputs]` to `[rows, outputs]`.
    pub fn forward(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        let weight = graph.param(&format!("{}.weight", self.name), &[self.outputs, self.inputs]);
        let bias = graph.param(&format!("{}.bias", self.name), &[self.outputs]);
        let product = graph.matmul(x, weight, false, true);
        graph.add(product, bias)
    }
}
