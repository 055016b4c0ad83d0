//! The doubly reparameterised gradient of the importance-weighted bound.
//!
//! With w_k = p(x | z_k)·(p(z_k)/q(z_k | x))^β and normalised weights w̃, the bound's gradient with respect to the encoder is
//! Σ_k w̃_k·((1 − β) + β·w̃_k)·∂ln w_k/∂z_k·∂z_k/∂φ. At β = 1 this is Σ_k w̃_k²·∂ln w_k/∂z_k·∂z_k/∂φ (Tucker et al. 2019,
//! equation 8). The density of q takes its parameters without a gradient, and what comes back through a code,
//! w̃_k·∂ln w_k/∂z_k, is multiplied by (1 − β) + β·w̃_k. The decoder's gradient is the IWAE's.
//!
//! Where the factor comes from: the reparameterised gradient holds −β·w̃_k·∂ln q(z_k)/∂φ at z_k held fixed. In expectation
//! w̃_k·∂ln q(z_k)/∂φ is ∂w̃_k/∂z_k·∂z_k/∂φ (section 3), and ∂w̃_k/∂z_k is w̃_k·(1 − w̃_k)·∂ln w_k/∂z_k. What is left of w̃_k is
//! w̃_k − β·w̃_k·(1 − w̃_k).

use std::sync::Arc;

use super::iwae::{SAMPLES, bound};
use super::{Inference, Loss, Need, Objective};
use crate::catalogue::{About, Kind, Piece};

/// The bound of the IWAE, with a gradient of less variance.
#[derive(Clone, Copy, Debug)]
pub struct Dreg {
    samples: usize,
}

pub(super) static PIECE: Piece<dyn Objective> = Piece {
    about: About {
        kind: Kind::Objective,
        id: "dreg",
        aliases: &["iwae-dreg"],
        name: "the IWAE's bound with the doubly reparameterised gradient",
        formula: "the bound of iwae; ∂/∂φ = Σ_k w̃_k ((1 − β) + β w̃_k) ∂ln w_k/∂z_k ∂z_k/∂φ",
        source: "Tucker et al. 2019, equation 8, which is β = 1",
        settings: &[SAMPLES],
        example: "elbo train --objective dreg:samples=5",
    },
    build: |settings| Arc::new(Dreg { samples: settings.whole("samples") }),
};

impl Objective for Dreg {
    fn samples(&self) -> usize {
        self.samples
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::FactorisedPosterior, Need::OneLayer]
    }

    fn loss<'g>(&self, inference: &Inference<'_, 'g>) -> Loss<'g> {
        let (rows, samples, latent) = (inference.rows(), inference.samples(), inference.latent());
        let still = inference.outputs.detach().reshape(&[rows, 1, inference.outputs.width()]);
        let z = inference.z.reshape(&[rows, samples, latent]);
        let density = inference.posterior.log_prob_per_dimension(still, z);
        let density = density.expect("the posterior is a product over dimensions, which was checked");
        let density = density.sum(&[2]).reshape(&[rows, samples]);
        let log_weights = inference.log_likelihood + inference.weighted_by_beta(inference.log_prior - density);
        let normalised = (log_weights - log_weights.log_sum_exp(&[1])).exp().reshape(&[rows * samples, 1]);
        let factor = 1.0 + inference.weighted_by_beta(normalised - 1.0);
        Loss { rows: bound(log_weights), parts: vec![], gradient_scale: Some((inference.z, factor)) }
    }
}
