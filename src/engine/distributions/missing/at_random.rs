//! Values that are missing at random.

use std::sync::Arc;

use super::MissingMechanism;
use crate::catalogue::{About, Kind, Piece};
use crate::graph::Tensor;

/// What is missing has no say in that it is.
#[derive(Clone, Copy, Debug)]
struct AtRandom;

pub(super) static PIECE: Piece<dyn MissingMechanism> = Piece {
    about: About {
        kind: Kind::MissingMechanism,
        id: "at-random",
        aliases: &["mar", "ignorable"],
        name: "values are missing whatever they are: which ones are is not modelled",
        formula: "p(s|x) = p(s|x_observed), which is left out",
        source: "Rubin 1976; Mattei & Frellsen 2019",
        settings: &[],
        example: "elbo train --data patients.csv --missing-mechanism at-random",
    },
    build: |_| Arc::new(AtRandom),
};

impl MissingMechanism for AtRandom {
    fn logits<'g>(&self, _: Tensor<'g>) -> Option<Tensor<'g>> {
        None
    }
}
