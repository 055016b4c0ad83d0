//! The importance-weighted bound: K codes per example, and the logarithm of the mean of their weights.

use std::sync::Arc;

use super::{Inference, Loss, Objective};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::graph::Tensor;

/// −ln (1/K) Σ_k w_k with w = p(x | z)·(p(z)/q(z | x))^β.
#[derive(Clone, Copy, Debug)]
pub struct Iwae {
    samples: usize,
}

/// How many codes may be drawn per example in training.
pub(super) const SAMPLES: Setting = Setting {
    name: "samples",
    default: Usual::Number(5.0),
    bounds: Bounds::Whole(1, 1024),
    meaning: "K, codes drawn per example; 1 is the ELBO",
};

pub(super) static PIECE: Piece<dyn Objective> = Piece {
    about: About {
        kind: Kind::Objective,
        id: "iwae",
        aliases: &[],
        name: "importance-weighted autoencoder: a tighter bound from K samples",
        formula: "−E[ln (1/K) Σ_k p(x|z_k) (p(z_k)/q(z_k|x))^β], z_k ~ q(z|x)",
        source: "Burda, Grosse & Salakhutdinov 2016, equation 8",
        settings: &[SAMPLES],
        example: "elbo train --objective iwae:samples=5",
    },
    build: |settings| Arc::new(Iwae { samples: settings.whole("samples") }),
};

/// −(ln Σ_k e^{ln w_k} − ln K) `[rows, 1]`, of `[rows, K]`.
pub(super) fn bound(log_weights: Tensor) -> Tensor {
    libm::logf(log_weights.width() as f32) - log_weights.log_sum_exp(&[1])
}

/// ln p(x | z)·(p(z)/q(z | x))^β of every code `[rows, samples]`.
pub(super) fn tempered<'g>(inference: &Inference<'_, 'g>) -> Tensor<'g> {
    inference.log_likelihood + inference.weighted_by_beta(inference.log_prior - inference.log_posterior)
}

impl Objective for Iwae {
    fn samples(&self) -> usize {
        self.samples
    }

    fn loss<'g>(&self, inference: &Inference<'_, 'g>) -> Loss<'g> {
        Loss::new(bound(tempered(inference)))
    }
}
