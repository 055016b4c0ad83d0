//! Values that are missing because of all values of their row.

use std::sync::Arc;

use super::MissingMechanism;
use crate::catalogue::{About, Kind, Piece};
use crate::graph::Tensor;
use crate::nn::linear;

/// A logistic regression of whether each value is observed on all values of its row.
#[derive(Clone, Copy, Debug)]
pub struct Linear;

pub(super) static PIECE: Piece<dyn MissingMechanism> = Piece {
    about: About {
        kind: Kind::MissingMechanism,
        id: "linear",
        aliases: &["agnostic"],
        name: "a value is missing by all values of its row: a logistic regression on them",
        formula: "p(s_j=1|x) = σ(Σ_k W_jk x_k + b_j)",
        source: "Ipsen, Mattei & Frellsen 2021, section 3.2 and appendix (agnostic: linear)",
        settings: &[],
        example: "elbo train --data patients.csv --objective iwae:samples=20 --missing-mechanism linear",
    },
    build: |_| Arc::new(Linear),
};

impl MissingMechanism for Linear {
    fn logits<'g>(&self, x: Tensor<'g>) -> Option<Tensor<'g>> {
        Some(linear("mask", x, x.width()))
    }
}
