//! The Gaussian with a diagonal covariance: the posterior of the first variational autoencoder.

use std::sync::Arc;

use super::{Draw, Posterior};
use crate::catalogue::{About, Kind, Piece};
use crate::distributions::likelihood::part;
use crate::distributions::prior::Prior;
use crate::graph::{Graph, Tensor};
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
    pub fn split(self, graph: &mut Graph, outputs: Tensor) -> [Tensor; 2] {
        let log_var = part(graph, outputs, 1, 2);
        [part(graph, outputs, 0, 2), graph.clamp(log_var, LOG_VAR.0, LOG_VAR.1)]
    }

    /// μ + σε, and its log-density under N(μ, σ²) per dimension, of which the gradient through μ is exactly 0. All are
    /// `[rows, latent]`.
    pub(crate) fn draw_each(self, graph: &mut Graph, [mu, log_var]: [Tensor; 2], noise: Tensor) -> [Tensor; 2] {
        let z = graph.call(Func::Reparameterise, &[mu, log_var, noise]);
        let square = graph.call(Func::Square, &[noise]);
        let sum = graph.add(square, log_var);
        let log_tau = graph.constant(std::f32::consts::TAU.ln());
        let sum = graph.add(sum, log_tau);
        [z, graph.scale(sum, -0.5)]
    }
}

/// μ + σε and its density under N(μ, σ²). All are `[rows, latent]`.
pub(super) fn draw(graph: &mut Graph, moments: [Tensor; 2], noise: Tensor) -> Draw {
    let [z, each] = DiagonalGaussian.draw_each(graph, moments, noise);
    Draw::new(z, graph.sum_rows(each))
}

impl Posterior for DiagonalGaussian {
    fn outputs(&self, latent: usize) -> usize {
        2 * latent
    }

    fn sample(&self, graph: &mut Graph, outputs: Tensor, noise: Tensor) -> Draw {
        let [mu, log_var] = self.split(graph, outputs);
        draw(graph, [mu, log_var], noise)
    }

    fn mean(&self, graph: &mut Graph, outputs: Tensor) -> Tensor {
        part(graph, outputs, 0, 2)
    }

    fn kl(&self, graph: &mut Graph, outputs: Tensor, prior: &dyn Prior) -> Option<Tensor> {
        let [mu, log_var] = self.split(graph, outputs);
        prior.kl_from_gaussian(graph, mu, log_var)
    }

    fn log_prob_per_dimension(&self, graph: &mut Graph, outputs: Tensor, z: Tensor) -> Option<Tensor> {
        let [mu, log_var] = self.split(graph, outputs);
        Some(graph.call(Func::GaussianLogProb, &[z, mu, log_var]))
    }

    fn variance(&self, graph: &mut Graph, outputs: Tensor) -> Option<Tensor> {
        let [_, log_var] = self.split(graph, outputs);
        Some(graph.call(Func::Exp, &[log_var]))
    }
}
