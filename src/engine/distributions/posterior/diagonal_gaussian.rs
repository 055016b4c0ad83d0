//! The Gaussian with a diagonal covariance: the posterior of the first variational autoencoder.

use std::sync::Arc;

use super::{Draw, Posterior};
use crate::catalogue::{About, Kind, Piece};
use crate::distributions::prior::Prior;
use crate::distributions::special::LN_TAU;
use crate::graph::Tensor;
use crate::kernels::Func;

/// N(μ, diag σ²): the first half of the encoder's outputs are the means, the second ln σ².
#[derive(Clone, Copy, Debug)]
pub struct DiagonalGaussian;

pub(super) static PIECE: Piece<dyn Posterior> = Piece {
    about: About {
        kind: Kind::Posterior,
        id: "diagonal-gaussian",
        aliases: &["gaussian"],
        name: "Gaussian with a diagonal covariance",
        formula: "q(z|x) = N(z; μ(x), diag σ²(x)), z = μ + σ·ε, ε ~ N(0, I)",
        source: "Kingma & Welling 2014, section 2.4 and appendix C.2",
        settings: &[],
        example: "elbo train --posterior diagonal-gaussian",
    },
    build: |_| Arc::new(DiagonalGaussian),
};

/// ln σ² is kept in this range before anything takes its exponential: σ between 3e-7 and 2e4.
pub(super) const LOG_VAR: (f32, f32) = (-30.0, 20.0);

impl DiagonalGaussian {
    /// Splits an encoder's outputs `[…, 2·latent]` into means and log-variances `[…, latent]`.
    pub fn split(self, outputs: Tensor) -> [Tensor; 2] {
        let [mu, log_var] = outputs.split();
        [mu, log_var.clamp(LOG_VAR.0, LOG_VAR.1)]
    }

    /// μ + σε, and its log-density under N(μ, σ²) per dimension, of which the gradient through μ is exactly 0. All are
    /// `[rows, latent]`.
    pub(crate) fn draw_each<'g>(self, [mu, log_var]: [Tensor<'g>; 2], noise: Tensor<'g>) -> [Tensor<'g>; 2] {
        let z = mu.graph().call(Func::Reparameterise, &[mu, log_var, noise]);
        [z, (noise.square() + log_var + LN_TAU) * -0.5]
    }
}

/// μ + σε and its density under N(μ, σ²). All are `[rows, latent]`.
pub(super) fn draw<'g>(moments: [Tensor<'g>; 2], noise: Tensor<'g>) -> Draw<'g> {
    let [z, each] = DiagonalGaussian.draw_each(moments, noise);
    Draw::new(z, each.sum_rows())
}

impl Posterior for DiagonalGaussian {
    fn outputs(&self, latent: usize) -> usize {
        2 * latent
    }

    fn sample<'g>(&self, outputs: Tensor<'g>, noise: Tensor<'g>) -> Draw<'g> {
        draw(self.split(outputs), noise)
    }

    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        let [mu, _] = outputs.split();
        mu
    }

    fn kl<'g>(&self, outputs: Tensor<'g>, prior: &dyn Prior) -> Option<Tensor<'g>> {
        let [mu, log_var] = self.split(outputs);
        prior.kl_from_gaussian(mu, log_var)
    }

    fn log_prob_per_dimension<'g>(&self, outputs: Tensor<'g>, z: Tensor<'g>) -> Option<Tensor<'g>> {
        let [mu, log_var] = self.split(outputs);
        Some(z.graph().call(Func::GaussianLogProb, &[z, mu, log_var]))
    }

    fn gaussian<'g>(&self, outputs: Tensor<'g>) -> Option<[Tensor<'g>; 2]> {
        Some(self.split(outputs))
    }

    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let [_, log_var] = self.split(outputs);
        Some(log_var.exp())
    }
}
