//! The residual network for rows of numbers: blocks of two layers, each added to what it is given.
//!
//! h₀ = W₀x + b₀, h_k = h_{k−1} + W f(V f(h_{k−1}) + b) + c for each block k, and y = f(h_K): the order of He et al. 2016b
//! (equation 1 with figure 4e, "full pre-activation", where nothing stands on the path from h₀ to h_K), in linear layers as
//! Gorishniy et al. 2021 have it (section 3.2, "ResNet"), without their batch normalisation. Since a block changes
//! its input by as much as it has learnt, deep networks of them are trained as readily as shallow ones.

use std::sync::Arc;

use super::activation::Activation;
use super::dropout::{DROPOUT, dropout};
use super::linear::linear;
use super::network::{Input, Network};
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
        formula: "h_0 = W_0 x + b_0, h_k = h_{k−1} + W f(V f(h_{k−1}) + b) + c, y = f(h_K)",
        source: "He et al. 2016, Identity mappings, figure 4e; Gorishniy et al. 2021, section 3.2, without normalisation",
        settings: &[
            Setting { name: "width", default: Usual::Number(256.0), bounds: UNITS, meaning: "units of every layer" },
            Setting {
                name: "blocks",
                default: Usual::Number(2.0),
                bounds: Bounds::Whole(1, MAX_LAYERS as u64),
                meaning: "K, blocks of two layers",
            },
            ACTIVATION,
            DROPOUT,
        ],
        example: "elbo train --encoder residual:256,blocks=4",
    },
    build: |settings| {
        let [width, blocks] = ["width", "blocks"].map(|name| settings.whole(name));
        let dropout = settings.get(DROPOUT.name) as f32;
        Arc::new(Residual { width, blocks, activation: settings.word(ACTIVATION.name), dropout })
    },
};

/// Blocks of two linear layers, each added to what it is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Residual {
    /// Units of every layer.
    pub width: usize,
    /// Blocks.
    pub blocks: usize,
    /// What stands before each layer of a block, and behind all of them.
    pub activation: Activation,
    /// The share of values behind it that training leaves out.
    pub dropout: f32,
}

impl Residual {
    /// f(t); its gate, where it has one, sees t and is the layer `<name>.gate`.
    fn bend<'g>(&self, name: &str, t: Tensor<'g>) -> Tensor<'g> {
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

    fn mirror(&self) -> Arc<dyn Network> {
        Arc::new(*self)
    }

    fn refusal(&self, _: Shape, _: Shape) -> Option<String> {
        None
    }

    fn forward<'g>(&self, name: &str, input: Input<'g>, _: Shape) -> Tensor<'g> {
        let first = input.linear(&input.scope(name, 0), self.width);
        let h = (1..=self.blocks).fold(first, |h, number| h + self.change(&input.scope(name, number), h));
        self.bend(name, h)
    }
}
