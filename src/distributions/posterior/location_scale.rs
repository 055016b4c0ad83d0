//! Products of one density that is moved and stretched: z = μ + s·e, e of a standard form.
//!
//! The first half of the encoder's outputs are μ, the second ln s. KL(q ‖ p) = E_q[−ln p(z)] − H(q), of which the entropy
//! is that of e and ln s, and the first term is known where ln p is quadratic.

use super::{Draw, LOG_SCALE, Posterior};
use crate::distributions::likelihood::part;
use crate::distributions::prior::Prior;
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// A density over the real numbers, at μ = 0 and s = 1.
pub(super) trait Standard: std::fmt::Debug + Send + Sync {
    /// What draws are made of, for draws `[rows, latent]`.
    fn noise(&self, graph: &mut Graph, rows: usize, latent: usize) -> Tensor;

    /// e `[rows, latent]`, of noise.
    fn draw(&self, graph: &mut Graph, noise: Tensor) -> Tensor;

    /// ln of the density, element by element.
    fn log_prob(&self, graph: &mut Graph, e: Tensor) -> Tensor;

    /// The differential entropy, in nats.
    fn entropy(&self) -> f64;

    /// The variance.
    fn variance(&self) -> f64;
}

/// A standard density, moved and stretched.
#[derive(Clone, Copy, Debug)]
pub(super) struct LocationScale<S>(pub S);

fn split(graph: &mut Graph, outputs: Tensor) -> [Tensor; 2] {
    let log_scale = part(graph, outputs, 1, 2);
    [part(graph, outputs, 0, 2), graph.clamp(log_scale, LOG_SCALE.0, LOG_SCALE.1)]
}

impl<S: Standard> Posterior for LocationScale<S> {
    fn outputs(&self, latent: usize) -> usize {
        2 * latent
    }

    fn noise(&self, graph: &mut Graph, rows: usize, latent: usize) -> Tensor {
        self.0.noise(graph, rows, latent)
    }

    fn sample(&self, graph: &mut Graph, outputs: Tensor, noise: Tensor) -> Draw {
        let [mu, log_scale] = split(graph, outputs);
        let e = self.0.draw(graph, noise);
        let scale = graph.call(Func::Exp, &[log_scale]);
        let moved = graph.mul(scale, e);
        let each = self.0.log_prob(graph, e);
        let each = graph.sub(each, log_scale);
        Draw::new(graph.add(mu, moved), graph.sum_rows(each))
    }

    fn mean(&self, graph: &mut Graph, outputs: Tensor) -> Tensor {
        part(graph, outputs, 0, 2)
    }

    fn kl(&self, graph: &mut Graph, outputs: Tensor, prior: &dyn Prior) -> Option<Tensor> {
        let [mu, log_scale] = split(graph, outputs);
        let variance = self.variance(graph, outputs)?;
        let cross = prior.cross_entropy(graph, mu, variance)?;
        let entropy = graph.constant(self.0.entropy() as f32);
        let entropy = graph.add(log_scale, entropy);
        Some(graph.sub(cross, entropy))
    }

    fn log_prob_per_dimension(&self, graph: &mut Graph, outputs: Tensor, z: Tensor) -> Option<Tensor> {
        let [mu, log_scale] = split(graph, outputs);
        let minus = graph.neg(log_scale);
        let inverse = graph.call(Func::Exp, &[minus]);
        let distance = graph.sub(z, mu);
        let e = graph.mul(distance, inverse);
        let each = self.0.log_prob(graph, e);
        Some(graph.sub(each, log_scale))
    }

    fn variance(&self, graph: &mut Graph, outputs: Tensor) -> Option<Tensor> {
        let [_, log_scale] = split(graph, outputs);
        let twice = graph.scale(log_scale, 2.0);
        let square = graph.call(Func::Exp, &[twice]);
        Some(graph.scale(square, self.0.variance() as f32))
    }
}

/// 1 − u of a uniform draw, which is exact and above 0.
pub(super) fn complement(graph: &mut Graph, u: Tensor) -> Tensor {
    let one = graph.constant(1.0);
    graph.sub(one, u)
}
