//! The Gaussian with a diagonal covariance: the posterior of the first variational autoencoder.

use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// N(μ, diag σ²), given by `mu` and `log_var = ln σ²`, each `[rows, latent]`.
#[derive(Clone, Copy, Debug)]
pub struct DiagonalGaussian {
    /// Means.
    pub mu: Tensor,
    /// Logarithms of the variances.
    pub log_var: Tensor,
}

/// ln σ² is kept in this range before anything takes its exponential: σ between 3e-7 and 2e4.
const LOG_VAR: (f32, f32) = (-30.0, 20.0);

impl DiagonalGaussian {
    /// Splits an encoder's outputs `[rows, 2·latent]` into means and log-variances.
    pub fn from_outputs(graph: &mut Graph, outputs: Tensor) -> DiagonalGaussian {
        let latent = graph.shape(outputs)[1] / 2;
        let mu = graph.slice(outputs, 1, 0, latent);
        let log_var = graph.slice(outputs, 1, latent, latent);
        let log_var = graph.clamp(log_var, LOG_VAR.0, LOG_VAR.1);
        DiagonalGaussian { mu, log_var }
    }

    /// z = μ + σ·ε, through which gradients flow (Kingma and Welling 2014, section 2.4). `eps` is standard normal.
    pub fn rsample(&self, graph: &mut Graph, eps: Tensor) -> Tensor {
        graph.call(Func::Reparameterise, &[self.mu, self.log_var, eps])
    }

    /// KL(N(μ, diag σ²) ‖ N(0, I)) per dimension, in nats (appendix B). `[rows, latent]`
    pub fn kl(&self, graph: &mut Graph) -> Tensor {
        graph.call(Func::KlStandardNormal, &[self.mu, self.log_var])
    }
}
