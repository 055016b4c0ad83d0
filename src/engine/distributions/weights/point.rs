//! Weights that are numbers.

use std::sync::Arc;

use super::{WeightDistribution, WeightDraw};
use crate::catalogue::{About, Kind, Piece};
use crate::graph::Tensor;

/// Every weight is one number, the best that was found.
#[derive(Clone, Copy, Debug)]
pub struct PointWeights;

pub(super) static PIECE: Piece<dyn WeightDistribution> = Piece {
    about: About {
        kind: Kind::WeightDistribution,
        id: "point",
        aliases: &[],
        name: "every weight is one number: maximum likelihood",
        formula: "q(w) = δ(w − μ)",
        source: "the usual way",
        settings: &[],
        example: "elbo train --network-weights point",
    },
    build: |_| Arc::new(PointWeights),
};

impl WeightDistribution for PointWeights {
    fn draw<'g>(&self, _: &str, _: Tensor<'g>) -> Option<WeightDraw<'g>> {
        None
    }

    fn is_point(&self) -> bool {
        true
    }
}
