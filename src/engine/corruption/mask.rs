//! Masking noise: a share of the values is 0.

use std::sync::Arc;

use super::{Corruption, hit};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::graph::Tensor;

pub(super) static PIECE: Piece<dyn Corruption> = Piece {
    about: About {
        kind: Kind::Corruption,
        id: "mask",
        aliases: &["masking"],
        name: "values set to 0: to black, or to the mean of a scaled column",
        formula: "x̃ = m ⊙ x,  m_j = 0 with probability p, else 1",
        source: "Vincent et al. 2008, section 2.3",
        settings: &[Setting {
            name: "share",
            default: Usual::Number(0.25),
            bounds: Bounds::PositiveBelow(1.0),
            meaning: "p, the share of values that are hidden",
        }],
        example: "elbo train --corrupt mask:share=0.25",
    },
    build: |settings| Arc::new(Mask { share: settings.get("share") as f32 }),
};

#[derive(Debug)]
struct Mask {
    share: f32,
}

impl Corruption for Mask {
    fn corrupt<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        hit(x, self.share).select(x.graph().constant(0.0), x)
    }
}
