//! The residual network for rows of numbers: blocks of two layers, each added to what it is given.
//!
//! h₀ = W₀x + b₀, h_k = h_{k−1} + W f(n(V f(n(h_{k−1})) + b)) + c for each block k, and y = f(n(h_K)), n being the normalisation if
//! there is one: the order of He et al. 2016b (equation 1 with figure 4e, "full pre-activation", where nothing stands on the path
//! from h₀ to h_K), in linear layers as Gorishniy et al. 2021 have it (section 3.2, "ResNet", who normalise by batch, and at the
//! head of a block alone). Since a block changes its input by as much as it has learnt, deep networks of them are trained as readily
//! as shallow ones.

use std::sync::Arc;

use super::activation::Activation;
use super::dropout::{DROPOUT, dropout};
use super::linear::linear;
use super::network::{Input, Network};
use super::norm::{ROW_NORM, RowNorm};
use super::{ACTIVATION, MAX_LAYERS, UNITS};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::data::Shape;
use crate::graph::Tensor;

/// The network `residual`.
pub(super) static PIECE: Piece<dyn Network> = Piece {
    about: About {
        kind: Kind::Network,
        id: "residual",
        aliases: &[],
        name: "residual network of linear layers: blocks of two, each added to what it is given",
        formula: "h_0 = W_0 x + b_0, h_k = h_{k−1} + W f(n(V f(n(h_{k−1})) + b)) + c, y = f(n(h_K))",
        source: "He et al. 2016, Identity mappings, figure 4e; Gorishniy et al. 2021, section 3.2",
        settings: &[
            Setting { name: "width", default: Usual::Number(256.0), bounds: UNITS, meaning: "units of every layer" },
            Setting {
                name: "blocks",
                default: Usual::Number(2.0),
                bounds: Bounds::Whole(1, MAX_LAYERS as u64),
                meaning: "K, blocks of two layers",
            },
            ROW_NORM,
            ACTIVATION,
            DROPOUT,
        ],
        example: "elbo train --encoder residual:256,blocks=4",
    },
    build: |settings| {
        let [width, blocks] = ["width", "blocks"].map(|name| settings.whole(name));
        let (norm, dropout) = (settings.word(ROW_NORM.name), settings.get(DROPOUT.name) as f32);
        Arc::new(Residual { norm, dropout, ..Residual::new(width, blocks, settings.word(ACTIVATION.name)) })
    },
};

/// Blocks of two linear layers, each added to what it is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Residual {
    /// Units of every layer.
    pub width: usize,
    /// Blocks.
    pub blocks: usize,
    /// What brings the numbers in front of each nonlinearity to one scale.
    pub norm: RowNorm,
    /// What stands before each layer of a block, and behind all of them.
    pub activation: Activation,
    /// The share of values behind it that training leaves out.
    pub dropout: f32,
}

impl Residual {
    /// Blocks of layers of this width, without normalisation, of which nothing is left out.
    pub fn new(width: usize, blocks: usize, activation: Activation) -> Residual {
        Residual { width, blocks, norm: RowNorm::None, activation, dropout: 0.0 }
    }

    /// f(n(t)); its gate, where it has one, sees n(t) and is the layer `<name>.gate`. Normalisation is the scope `<name>.norm`.
    fn bend<'g>(&self, name: &str, t: Tensor<'g>) -> Tensor<'g> {
        let t = self.norm.of(&format!("{name}.norm"), t);
        dropout(name, self.activation.of(t, || linear(&format!("{name}.gate"), t, self.width)), self.dropout)
    }

    /// What a block adds to `h`. Its layers are the scopes `<name>.0` and `<name>.1`.
    fn change<'g>(&self, name: &str, h: Tensor<'g>) -> Tensor<'g> {
        let [first, second] = [0, 1].map(|number| format!("{name}.{number}"));
        let inner = linear(&first, self.bend(&first, h), self.width);
        linear(&second, self.bend(&second, inner), self.width)
    }
}

impl Network for Residual {
    fn summary(&self) -> String {
        format!("{} ({} residual block{})", self.width, self.blocks, if self.blocks == 1 { "" } else { "s" })
    }

    /// The first layer and the blocks.
    fn layers(&self) -> usize {
        self.blocks + 1
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    fn row_norm(&self) -> RowNorm {
        self.norm
    }

    fn mirror(&self) -> Arc<dyn Network> {
        Arc::new(*self)
    }

    fn refusal(&self, _: Shape, _: Shape) -> Option<String> {
        self.norm.refusal([self.width].into_iter())
    }

    fn couples_rows(&self) -> bool {
        self.norm == RowNorm::Batch
    }

    fn forward<'g>(&self, name: &str, input: Input<'g>, _: Shape) -> Tensor<'g> {
        let first = input.linear(&input.scope(name, 0), self.width);
        let h = (1..=self.blocks).fold(first, |h, number| h + self.change(&input.scope(name, number), h));
        self.bend(name, h)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;

    fn bend<'g>(norm: RowNorm, name: &str, t: Tensor<'g>) -> Tensor<'g> {
        norm.of(&format!("{name}.norm"), t).tanh()
    }

    /// h₀ = W₀x + b₀, h₁ = h₀ + W₂ f(n₂(W₁ f(n₁(h₀)))), y = f(n(h₁)): the network is this very expression.
    #[test]
    fn each_nonlinearity_has_a_normalisation_of_its_own_in_front_of_it() {
        for norm in [RowNorm::None, RowNorm::Batch, RowNorm::Layer] {
            let graph = Graph::of_training();
            let x = graph.input("x", &[4, 3]);
            let first = linear("net.0", x, 5);
            let inner = linear("net.1.0", bend(norm, "net.1.0", first), 5);
            let expected = bend(norm, "net", first + linear("net.1.1", bend(norm, "net.1.1", inner), 5));
            let network = Residual { norm, ..Residual::new(5, 1, Activation::Tanh) };
            assert_eq!(network.forward("net", x.into(), Shape::vector(5)), expected, "{norm:?}");
            assert_eq!(network.couples_rows(), norm == RowNorm::Batch);
            let names: Vec<String> = graph.parameters().into_iter().map(|spec| spec.name).collect();
            let normalised = names.iter().filter(|name| name.ends_with(".norm.scale")).count();
            assert_eq!(normalised, if norm == RowNorm::None { 0 } else { 3 }, "{names:?}");
        }
    }
}
