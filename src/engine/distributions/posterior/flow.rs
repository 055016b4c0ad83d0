//! Normalising flows: a Gaussian code, pushed through maps whose Jacobians are known (Rezende & Mohamed 2015).
//!
//! z₀ = μ + σ·ε, z = f(z₀; h), ln q(z | x) = ln N(z₀; μ, σ²) − ln |det ∂f/∂z₀|. The encoder's outputs are μ, ln σ², and behind
//! them what the maps of each example are made of, h.

use super::diagonal_gaussian::{LOG_VAR, draw};
use super::{Draw, Posterior};
use crate::distributions::prior::Prior;
use crate::graph::Tensor;

/// A chain of invertible maps.
pub(super) trait Flow: std::fmt::Debug + Send + Sync {
    /// How many values the encoder gives for it, at least 1.
    fn outputs(&self, latent: usize) -> usize;

    /// Why it cannot have so many dimensions, where it cannot.
    fn refusal(&self, latent: usize) -> Option<String> {
        let _ = latent;
        None
    }

    /// Whether all its maps keep lengths, so that what is isotropic stays as it is.
    fn keeps_lengths(&self) -> bool {
        false
    }

    /// The variance of each dimension of f(z; h) around f(μ; h), of a Gaussian z around μ with these variances, where it has a closed
    /// form. `[rows, latent]`
    fn variance<'g>(&self, variance: Tensor<'g>, h: Tensor<'g>) -> Option<Tensor<'g>> {
        let _ = (variance, h);
        None
    }

    /// f(z; h) `[rows, latent]` and ln |det ∂f/∂z| `[rows, 1]`, of z `[rows, latent]` and h `[rows, outputs]`.
    fn forward<'g>(&self, z: Tensor<'g>, h: Tensor<'g>) -> (Tensor<'g>, Tensor<'g>);
}

/// A diagonal Gaussian pushed through a flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flowed<F>(pub F);

impl<F: Flow> Flowed<F> {
    /// μ, ln σ² and h of the encoder's outputs.
    fn split<'g>(&self, outputs: Tensor<'g>) -> [Tensor<'g>; 3] {
        let width = outputs.width();
        let latent = (1..width).find(|&d| Posterior::outputs(self, d) >= width).expect("outputs of some dimensions");
        let mut parts = FlowParts::of(outputs);
        let [mu, log_var, h] = [latent, latent, width - 2 * latent].map(|width| parts.next(width));
        [mu, log_var.clamp(LOG_VAR.0, LOG_VAR.1), h]
    }
}

impl<F: Flow> Posterior for Flowed<F> {
    fn outputs(&self, latent: usize) -> usize {
        2 * latent + self.0.outputs(latent)
    }

    fn is_flow(&self) -> bool {
        true
    }

    fn refusal(&self, latent: usize) -> Option<String> {
        self.0.refusal(latent)
    }

    fn sample<'g>(&self, outputs: Tensor<'g>, noise: Tensor<'g>) -> Draw<'g> {
        let [mu, log_var, h] = self.split(outputs);
        let Draw { z, log_prob, .. } = draw([mu, log_var], noise);
        let (z, log_det) = self.0.forward(z, h);
        Draw::new(z, log_prob - log_det)
    }

    /// Where the mean of the Gaussian is carried to.
    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        let [mu, _, h] = self.split(outputs);
        self.0.forward(mu, h).0
    }

    /// Of maps that keep lengths the KL to an isotropic prior is that of the Gaussian before them.
    fn kl<'g>(&self, outputs: Tensor<'g>, prior: &dyn Prior) -> Option<Tensor<'g>> {
        if !(self.0.keeps_lengths() && prior.is_isotropic()) {
            return None;
        }
        let [mu, log_var, _] = self.split(outputs);
        prior.kl_from_gaussian(mu, log_var)
    }

    fn marginal_variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let [_, log_var, h] = self.split(outputs);
        self.0.variance(log_var.exp(), h)
    }
}

/// Takes the columns of a matrix from the left.
pub(super) struct FlowParts<'g> {
    whole: Tensor<'g>,
    at: usize,
}

impl<'g> FlowParts<'g> {
    /// From the first column on.
    pub fn of(whole: Tensor<'g>) -> FlowParts<'g> {
        FlowParts { whole, at: 0 }
    }

    /// The next `width` columns.
    pub fn next(&mut self, width: usize) -> Tensor<'g> {
        self.at += width;
        self.whole.slice(1, self.at - width, width)
    }
}

/// Σ_d a_d b_d. `[rows, 1]`
pub(super) fn dot<'g>(a: Tensor<'g>, b: Tensor<'g>) -> Tensor<'g> {
    (a * b).sum_rows()
}
