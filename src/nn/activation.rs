//! Activations: the nonlinearities between layers.

use serde::{Deserialize, Serialize};

use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// A nonlinearity, element by element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// max(x, 0)
    Relu,
    /// x, or x/100 below 0
    LeakyRelu,
    /// x, or eˣ − 1 below 0
    Elu,
    /// x·σ(x)
    Silu,
    /// x·Φ(x)
    Gelu,
    /// tanh x
    Tanh,
    /// 1/(1 + e⁻ˣ)
    Sigmoid,
    /// ln(1 + eˣ)
    Softplus,
}

impl Activation {
    /// All of them.
    pub const ALL: [Activation; 8] = [
        Activation::Relu,
        Activation::LeakyRelu,
        Activation::Elu,
        Activation::Silu,
        Activation::Gelu,
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Softplus,
    ];

    /// The scalar function.
    pub fn func(self) -> Func {
        match self {
            Activation::Relu => Func::Relu,
            Activation::LeakyRelu => Func::LeakyRelu,
            Activation::Elu => Func::Elu,
            Activation::Silu => Func::Silu,
            Activation::Gelu => Func::Gelu,
            Activation::Tanh => Func::Tanh,
            Activation::Sigmoid => Func::Sigmoid,
            Activation::Softplus => Func::Softplus,
        }
    }

    /// Applies it.
    pub fn forward(self, graph: &mut Graph, x: Tensor) -> Tensor {
        graph.call(self.func(), &[x])
    }
}
