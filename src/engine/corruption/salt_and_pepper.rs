//! Salt and pepper: a share of the values is 0 or 1, half of it each.

use std::sync::Arc;

use super::{Corruption, hit};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::graph::Tensor;

pub(super) static PIECE: Piece<dyn Corruption> = Piece {
    about: About {
        kind: Kind::Corruption,
        id: "salt-and-pepper",
        aliases: &["salt+pepper"],
        name: "pixels set to black or white",
        formula: "x̃_j = 0 and 1 with probability p/2 each, else x_j",
        source: "Vincent et al. 2010, section 3.3; Im et al. 2017",
        settings: &[Setting {
            name: "share",
            default: Usual::Number(0.1),
            bounds: Bounds::PositiveTo(1.0),
            meaning: "p, the share of pixels that are hit",
        }],
        example: "elbo train --corrupt salt-and-pepper:share=0.1",
    },
    build: |settings| Arc::new(SaltAndPepper { share: settings.get("share") as f32 }),
};

#[derive(Debug)]
struct SaltAndPepper {
    share: f32,
}

impl Corruption for SaltAndPepper {
    fn corrupt<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let is_hit = hit(x, self.share);
        is_hit.select(hit(x, 0.5), x)
    }

    fn is_of_unit_range(&self) -> bool {
        true
    }
}
