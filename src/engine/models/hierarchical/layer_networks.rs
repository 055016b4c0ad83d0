//! The networks between two neighbouring stochastic layers: one up, away from the data, and one down.

use crate::graph::Tensor;
use crate::nn::{Mlp, Network, linear};

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
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LayerNetworks {
    name: String,
    /// Dimensions of the upper layer.
    pub latent: usize,
    below: usize,
    up: Mlp,
    down: Mlp,
}

impl LayerNetworks {
    /// The networks below the stochastic layer of this number, the first above the data being 1; the layer below has `below`
    /// dimensions. Their nonlinearity is that of the encoder, and so is their normalisation, if the encoder has one of rows. They are the scope `layer<number>`.
    pub fn new(number: usize, below: usize, layer: &Layer, encoder: &dyn Network) -> LayerNetworks {
        let like_it = |widths| Mlp { norm: encoder.row_norm(), ..Mlp::new(widths, encoder.activation()) };
        let outwards = layer.hidden.iter().rev().copied().collect();
        LayerNetworks {
            name: format!("layer{number}"),
            latent: layer.latent,
            below,
            up: like_it(layer.hidden.clone()),
            down: like_it(outwards),
        }
    }

    /// On the way up, what the hidden layers give `[rows, hidden]`, and the outputs `[rows, 2·latent]`.
    pub fn up<'g>(&self, t: Tensor<'g>) -> [Tensor<'g>; 2] {
        t.graph().scope(&self.name, || {
            let hidden = self.up.hidden("encoder", t);
            [hidden, linear("head", hidden, 2 * self.latent)]
        })
    }

    /// p(z_below | z), of codes `[rows, latent]`.
    pub fn prior<'g>(&self, z: Tensor<'g>) -> Moments<'g> {
        let outputs = z.graph().scope(&self.name, || linear("output", self.down.hidden("decoder", z), 2 * self.below));
        Moments::split(outputs)
    }
}
