//! The multilayer perceptron: linear layers with an activation behind each.

use super::activation::Activation;
use super::linear::Linear;
use super::parameters::ParameterSpec;
use crate::graph::{Graph, Tensor};

/// Linear layers with an activation behind each of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mlp {
    layers: Vec<Linear>,
    activation: Activation,
}

impl Mlp {
    /// Layers `<name>.0`, `<name>.1`, … from `inputs` through `widths`.
    pub fn new(name: &str, inputs: usize, widths: &[usize], activation: Activation) -> Mlp {
        let from = std::iter::once(&inputs).chain(widths);
        let layers =
            from.zip(widths).enumerate().map(|(i, (&a, &b))| Linear::new(format!("{name}.{i}"), a, b)).collect();
        Mlp { layers, activation }
    }

    /// Values per row that go out, if there is a layer.
    pub fn outputs(&self) -> Option<usize> {
        self.layers.last().map(|l| l.outputs)
    }

    /// The parameters of all layers.
    pub fn parameters(&self) -> Vec<ParameterSpec> {
        self.layers.iter().flat_map(Linear::parameters).collect()
    }

    /// `[rows, inputs]` to `[rows, outputs]`.
    pub fn forward(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        self.layers.iter().fold(x, |x, layer| {
            let y = layer.forward(graph, x);
            self.activation.forward(graph, y)
        })
    }
}
