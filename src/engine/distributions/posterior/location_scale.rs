//! Products of one density that is moved and stretched: z = μ + s·e, e of a standard form.
//!
//! The first half of the encoder's outputs are μ, the second ln s. KL(q ‖ p) = E_q[−ln p(z)] − H(q), of which the entropy
//! is that of e and ln s, and the first term is known where ln p is quadratic.

use super::{Draw, LOG_SCALE, Posterior};
use crate::distributions::prior::Prior;
use crate::graph::{Graph, Tensor};

/// A density over the real numbers, at μ = 0 and s = 1.
pub(super) trait Standard: std::fmt::Debug + Send + Sync {
    /// What draws are made of, for draws `[rows, latent]`.
    fn noise<'g>(&self, graph: &'g Graph, rows: usize, latent: usize) -> Tensor<'g>;

    /// e `[rows, latent]`, of noise.
    fn draw<'g>(&self, noise: Tensor<'g>) -> Tensor<'g>;

    /// ln of the density, element by element.
    fn log_prob<'g>(&self, e: Tensor<'g>) -> Tensor<'g>;

    /// The differential entropy, in nats.
    fn entropy(&self) -> f64;

    /// The variance.
    fn variance(&self) -> f64;
}

/// A standard density, moved and stretched.
#[derive(Clone, Copy, Debug)]
pub(super) struct LocationScale<S>(pub S);

fn split(outputs: Tensor) -> [Tensor; 2] {
    let [mu, log_scale] = outputs.split();
    [mu, log_scale.clamp(LOG_SCALE.0, LOG_SCALE.1)]
}

impl<S: Standard> Posterior for LocationScale<S> {
    fn outputs(&self, latent: usize) -> usize {
        2 * latent
    }

    fn noise<'g>(&self, graph: &'g Graph, rows: usize, latent: usize) -> Tensor<'g> {
        self.0.noise(graph, rows, latent)
    }

    fn sample<'g>(&self, outputs: Tensor<'g>, noise: Tensor<'g>) -> Draw<'g> {
        let [mu, log_scale] = split(outputs);
        let e = self.0.draw(noise);
        Draw::new(mu + log_scale.exp() * e, (self.0.log_prob(e) - log_scale).sum_rows())
    }

    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        let [mu, _] = outputs.split();
        mu
    }

    fn kl<'g>(&self, outputs: Tensor<'g>, prior: &dyn Prior) -> Option<Tensor<'g>> {
        let [mu, log_scale] = split(outputs);
        let cross = prior.cross_entropy(mu, self.variance(outputs)?)?;
        Some(cross - (log_scale + self.0.entropy() as f32))
    }

    fn log_prob_per_dimension<'g>(&self, outputs: Tensor<'g>, z: Tensor<'g>) -> Option<Tensor<'g>> {
        let [mu, log_scale] = split(outputs);
        let e = (z - mu) * (-log_scale).exp();
        Some(self.0.log_prob(e) - log_scale)
    }

    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let [_, log_scale] = split(outputs);
        Some((log_scale * 2.0).exp() * self.0.variance() as f32)
    }
}
