//! The Gaussian with a full covariance, by its Cholesky factor.
//!
//! z = μ + Lε. The encoder gives μ and one matrix `[latent, latent]` per example: its diagonal is ln L_ii, what lies below is
//! √latent·L_ij, and what lies above counts for nothing, so that one masked product does for all rows at once. By the root,
//! variances do not start the larger the more dimensions there are.

use std::sync::Arc;

use super::{Draw, LOG_SCALE, Posterior};
use crate::catalogue::{About, Kind, Piece};
use crate::distributions::prior::Prior;
use crate::distributions::special::LN_TAU;
use crate::graph::Tensor;

/// N(μ, LLᵀ).
#[derive(Clone, Copy, Debug)]
struct FullCovariance;

/// The most dimensions: the encoder gives a whole matrix.
const MOST: usize = 512;

pub(super) static PIECE: Piece<dyn Posterior> = Piece {
    about: About {
        kind: Kind::Posterior,
        id: "full-covariance",
        aliases: &["full-gaussian"],
        name: "Gaussian with a full covariance, by its Cholesky factor",
        formula: "q(z|x) = N(z; μ(x), L(x)L(x)ᵀ), z = μ + Lε, ε ~ N(0, I)",
        source: "Kingma & Welling 2019, section 2.5.1",
        settings: &[],
        example: "elbo train --posterior full-covariance",
    },
    build: |_| Arc::new(FullCovariance),
};

/// What an encoder says.
struct Factor<'g> {
    /// `[rows, latent]`
    mu: Tensor<'g>,
    /// L `[rows, latent, latent]`.
    lower: Tensor<'g>,
    /// ln L_ii `[rows, latent]`.
    log_diagonal: Tensor<'g>,
}

impl FullCovariance {
    fn split<'g>(self, outputs: Tensor<'g>) -> Factor<'g> {
        let (graph, [rows, width]) = (outputs.graph(), outputs.dims());
        let latent = (1..width).find(|&d| self.outputs(d) >= width).expect("outputs of some dimensions");
        let shape = [rows, latent, latent];
        let square = outputs.slice(1, latent, latent * latent).reshape(&shape);
        let (i, j, zero) = (graph.coordinate(1, &shape), graph.coordinate(2, &shape), graph.constant(0.0));
        let (below, above) = (j.less(i), i.less(j));
        let off = below + above;
        // What is not on the diagonal is taken out before the exponential, and so is its gradient.
        let log = off.select(zero, square.clamp(LOG_SCALE.0, LOG_SCALE.1));
        let strict = below.select(square * (1.0 / (latent as f32).sqrt()), zero);
        Factor {
            mu: outputs.slice(1, 0, latent),
            lower: off.select(strict, log.exp()),
            log_diagonal: log.sum(&[2]).reshape(&[rows, latent]),
        }
    }
}

impl Posterior for FullCovariance {
    fn outputs(&self, latent: usize) -> usize {
        latent + latent * latent
    }

    fn refusal(&self, latent: usize) -> Option<String> {
        (latent > MOST)
            .then(|| format!("a full covariance would have {latent} rows: give a `latent` of {MOST} or fewer"))
    }

    fn sample<'g>(&self, outputs: Tensor<'g>, noise: Tensor<'g>) -> Draw<'g> {
        let [rows, latent] = noise.dims();
        let Factor { mu, lower, log_diagonal } = self.split(outputs);
        let moved = (lower * noise.reshape(&[rows, 1, latent])).sum(&[2]).reshape(&[rows, latent]);
        let each = (noise.square() + LN_TAU) * -0.5 - log_diagonal;
        Draw::new(mu + moved, each.sum_rows())
    }

    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        self.split(outputs).mu
    }

    /// By the chain rule: the term of dimension i is E\[KL(q(z_i | z_<i) ‖ p(z_i))\], of a conditional with the standard
    /// deviation L_ii.
    fn kl<'g>(&self, outputs: Tensor<'g>, prior: &dyn Prior) -> Option<Tensor<'g>> {
        let Factor { mu, lower, log_diagonal } = self.split(outputs);
        let variance = diagonal(lower);
        let entropy = log_diagonal + 0.5 * (1.0 + LN_TAU);
        Some(prior.cross_entropy(mu, variance)? - entropy)
    }

    fn marginal_variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        Some(diagonal(self.split(outputs).lower))
    }
}

/// The diagonal of LLᵀ: Σ_j L_ij². `[rows, latent]`
fn diagonal(lower: Tensor) -> Tensor {
    lower.square().sum(&[2]).reshape(&lower.shape()[..2])
}
