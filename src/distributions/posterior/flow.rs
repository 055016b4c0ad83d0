//! Normalising flows: a Gaussian code, pushed through maps whose Jacobians are known (Rezende & Mohamed 2015).
//!
//! z₀ = μ + σ·ε, z = f(z₀; h), ln q(z | x) = ln N(z₀; μ, σ²) − ln |det ∂f/∂z₀|. The encoder's outputs are μ, ln σ², and behind
//! them what the maps of each example are made of, h.

use super::diagonal_gaussian::{LOG_VAR, draw};
use super::{Draw, Posterior};
use crate::distributions::prior::Prior;
use crate::graph::{Graph, Tensor};
use crate::nn::ParameterSpec;

/// A chain of invertible maps.
pub(super) trait Flow: std::fmt::Debug + Send + Sync {
    /// How many values the encoder gives for it, at least 1.
    fn outputs(&self, latent: usize) -> usize;

    /// Parameters of its own.
    fn parameters(&self, latent: usize) -> Vec<ParameterSpec> {
        let _ = latent;
        vec![]
    }

    /// Why it cannot have so many dimensions, where it cannot.
    fn refusal(&self, latent: usize) -> Option<String> {
        let _ = latent;
        None
    }

    /// Whether all its maps keep lengths, so that what is isotropic stays as it is.
    fn keeps_lengths(&self) -> bool {
        false
    }

    /// f(z; h) `[rows, latent]` and ln |det ∂f/∂z| `[rows, 1]`, of z `[rows, latent]` and h `[rows, outputs]`.
    fn forward(&self, graph: &mut Graph, z: Tensor, h: Tensor) -> (Tensor, Tensor);
}

/// A diagonal Gaussian pushed through a flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flowed<F>(pub F);

impl<F: Flow> Flowed<F> {
    /// μ, ln σ² and h of the encoder's outputs.
    fn split(&self, graph: &mut Graph, outputs: Tensor) -> [Tensor; 3] {
        let width = graph.shape(outputs)[1];
        let latent = (1..width).find(|&d| Posterior::outputs(self, d) >= width).expect("outputs of some dimensions");
        let mut parts = Parts::of(outputs);
        let (mu, log_var) = (parts.next(graph, latent), parts.next(graph, latent));
        let log_var = graph.clamp(log_var, LOG_VAR.0, LOG_VAR.1);
        [mu, log_var, parts.next(graph, width - 2 * latent)]
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

    fn parameters(&self, latent: usize) -> Vec<ParameterSpec> {
        self.0.parameters(latent)
    }

    fn sample(&self, graph: &mut Graph, outputs: Tensor, noise: Tensor) -> Draw {
        let [mu, log_var, h] = self.split(graph, outputs);
        let Draw { z, log_prob, .. } = draw(graph, [mu, log_var], noise);
        let (z, log_det) = self.0.forward(graph, z, h);
        Draw::new(z, graph.sub(log_prob, log_det))
    }

    /// Where the mean of the Gaussian is carried to.
    fn mean(&self, graph: &mut Graph, outputs: Tensor) -> Tensor {
        let [mu, _, h] = self.split(graph, outputs);
        self.0.forward(graph, mu, h).0
    }

    /// Of maps that keep lengths the KL to an isotropic prior is that of the Gaussian before them.
    fn kl(&self, graph: &mut Graph, outputs: Tensor, prior: &dyn Prior) -> Option<Tensor> {
        if !(self.0.keeps_lengths() && prior.is_isotropic()) {
            return None;
        }
        let [mu, log_var, _] = self.split(graph, outputs);
        prior.kl_from_gaussian(graph, mu, log_var)
    }
}

/// Takes the columns of a matrix from the left.
pub(super) struct Parts {
    whole: Tensor,
    at: usize,
}

impl Parts {
    /// From the first column on.
    pub fn of(whole: Tensor) -> Parts {
        Parts { whole, at: 0 }
    }

    /// The next `width` columns.
    pub fn next(&mut self, graph: &mut Graph, width: usize) -> Tensor {
        self.at += width;
        graph.slice(self.whole, 1, self.at - width, width)
    }
}

/// Σ_d a_d b_d. `[rows, 1]`
pub(super) fn dot(graph: &mut Graph, a: Tensor, b: Tensor) -> Tensor {
    let product = graph.mul(a, b);
    graph.sum_rows(product)
}
