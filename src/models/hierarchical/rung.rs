//! The networks between two neighbouring stochastic layers: one up, away from the data, and one down.

use crate::graph::{Graph, Tensor};
use crate::nn::{Activation, Linear, Mlp, ParameterSpec};

use super::moments::Moments;

/// A stochastic layer above the first, as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its dimensions.
    pub latent: usize,
    /// Widths of the hidden layers between it and the stochastic layer below, on the way up; on the way down in reverse.
    pub hidden: Vec<usize>,
}

impl Layer {
    /// Layers of these dimensions, from the lower to the upper, with two hidden layers below each: half as wide as those below
    /// them, of which the last are `below` wide, and no narrower than the stochastic layer itself.
    ///
    /// Burda, Grosse and Salakhutdinov 2016 have 200-200 hidden units below z₁ and 100-100 below z₂; Sønderby et al. 2016 have
    /// two-layer perceptrons of 512, 256, 128, 64 and 32 units below z₁ to z₅.
    pub fn halving(upper: &[usize], mut below: usize) -> Vec<Layer> {
        let layer = |&latent: &usize| {
            below = (below / 2).max(latent);
            Layer { latent, hidden: vec![below; 2] }
        };
        upper.iter().map(layer).collect()
    }
}

/// The networks between a stochastic layer and the one below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rung {
    /// Dimensions of the upper layer.
    pub latent: usize,
    up: Mlp,
    head: Linear,
    down: Mlp,
    output: Linear,
}

impl Rung {
    /// The networks below the stochastic layer of this number, the first above the data being 1: `inputs` values come in from
    /// below, and the layer below has `below` dimensions.
    pub fn new(number: usize, (inputs, below): (usize, usize), layer: &Layer, activation: Activation) -> Rung {
        let Layer { latent, hidden } = layer;
        let outwards: Vec<usize> = hidden.iter().rev().copied().collect();
        let name = |part: &str| format!("layer{number}.{part}");
        let deepest = hidden.last().copied().unwrap_or(inputs);
        let widest = outwards.last().copied().unwrap_or(*latent);
        Rung {
            latent: *latent,
            up: Mlp::new(&name("encoder"), inputs, hidden, activation),
            head: Linear::new(name("head"), deepest, 2 * latent),
            down: Mlp::new(&name("decoder"), *latent, &outwards, activation),
            output: Linear::new(name("output"), widest, 2 * below),
        }
    }

    /// The parameters, those on the way up first.
    pub fn parameters(&self) -> Vec<ParameterSpec> {
        let mut all = self.up.parameters();
        all.extend(self.head.parameters());
        all.extend(self.down.parameters());
        all.extend(self.output.parameters());
        all
    }

    /// Values per row that the hidden layers on the way up give.
    pub fn hidden(&self) -> usize {
        self.head.inputs
    }

    /// On the way up, what the hidden layers give `[rows, hidden]`, and the outputs `[rows, 2·latent]`.
    pub fn up(&self, graph: &mut Graph, t: Tensor) -> [Tensor; 2] {
        let hidden = self.up.forward(graph, t);
        [hidden, self.head.forward(graph, hidden)]
    }

    /// p(z_below | z), of codes `[rows, latent]`.
    pub fn prior(&self, graph: &mut Graph, z: Tensor) -> Moments {
        let hidden = self.down.forward(graph, z);
        let outputs = self.output.forward(graph, hidden);
        Moments::split(graph, outputs)
    }
}
