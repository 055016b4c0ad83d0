//! The Gaussian with a full covariance, by its Cholesky factor.
//!
//! z = μ + Lε. The encoder gives μ and one matrix `[latent, latent]` per example: its diagonal is ln L_ii, what lies below is
//! √latent·L_ij, and what lies above counts for nothing, so that one masked product does for all rows at once. By the root,
//! variances do not start the larger the more dimensions there are.

use std::sync::Arc;

use super::{Draw, LOG_SCALE, Posterior};
use crate::catalogue::{About, Kind, Piece};
use crate::distributions::prior::Prior;
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

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
struct Factor {
    /// `[rows, latent]`
    mu: Tensor,
    /// L `[rows, latent, latent]`.
    lower: Tensor,
    /// ln L_ii `[rows, latent]`.
    log_diagonal: Tensor,
}

impl FullCovariance {
    fn split(self, graph: &mut Graph, outputs: Tensor) -> Factor {
        let &[rows, width] = graph.shape(outputs) else { panic!("outputs have two dimensions") };
        let latent = (1..width).find(|&d| self.outputs(d) >= width).expect("outputs of some dimensions");
        let mu = graph.slice(outputs, 1, 0, latent);
        let shape = [rows, latent, latent];
        let square = graph.slice(outputs, 1, latent, latent * latent);
        let square = graph.reshape(square, &shape);
        let (i, j) = (graph.coordinate(1, &shape), graph.coordinate(2, &shape));
        let (below, above) = (graph.call(Func::Less, &[j, i]), graph.call(Func::Less, &[i, j]));
        let zero = graph.constant(0.0);
        let log = graph.clamp(square, LOG_SCALE.0, LOG_SCALE.1);
        // What is not on the diagonal is taken out before the exponential, and so is its gradient.
        let off = graph.add(below, above);
        let log = graph.call(Func::Select, &[off, zero, log]);
        let exp = graph.call(Func::Exp, &[log]);
        let small = graph.scale(square, 1.0 / (latent as f32).sqrt());
        let strict = graph.call(Func::Select, &[below, small, zero]);
        let lower = graph.call(Func::Select, &[off, strict, exp]);
        let log_diagonal = graph.sum(log, &[2]);
        Factor { mu, lower, log_diagonal: graph.reshape(log_diagonal, &[rows, latent]) }
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

    fn sample(&self, graph: &mut Graph, outputs: Tensor, noise: Tensor) -> Draw {
        let &[rows, latent] = graph.shape(noise) else { panic!("noise has two dimensions") };
        let Factor { mu, lower, log_diagonal } = self.split(graph, outputs);
        let along = graph.reshape(noise, &[rows, 1, latent]);
        let products = graph.mul(lower, along);
        let moved = graph.sum(products, &[2]);
        let moved = graph.reshape(moved, &[rows, latent]);
        let square = graph.call(Func::Square, &[noise]);
        let log_tau = graph.constant(std::f32::consts::TAU.ln());
        let sum = graph.add(square, log_tau);
        let half = graph.scale(sum, -0.5);
        let each = graph.sub(half, log_diagonal);
        Draw::new(graph.add(mu, moved), graph.sum_rows(each))
    }

    fn mean(&self, graph: &mut Graph, outputs: Tensor) -> Tensor {
        self.split(graph, outputs).mu
    }

    /// By the chain rule: the term of dimension i is E\[KL(q(z_i | z_<i) ‖ p(z_i))\], of a conditional with the standard
    /// deviation L_ii.
    fn kl(&self, graph: &mut Graph, outputs: Tensor, prior: &dyn Prior) -> Option<Tensor> {
        let Factor { mu, lower, log_diagonal } = self.split(graph, outputs);
        let square = graph.call(Func::Square, &[lower]);
        let variance = graph.sum(square, &[2]);
        let shape = graph.shape(mu).to_vec();
        let variance = graph.reshape(variance, &shape);
        let cross = prior.cross_entropy(graph, mu, variance)?;
        let constant = graph.constant(0.5 * (1.0 + std::f32::consts::TAU.ln()));
        let entropy = graph.add(log_diagonal, constant);
        Some(graph.sub(cross, entropy))
    }
}
