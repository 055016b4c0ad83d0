//! Priors: how codes are spread before anything is seen.

mod standard_normal;

pub use standard_normal::StandardNormal;

use crate::catalogue::Piece;
use crate::graph::{Graph, Tensor};
use crate::nn::ParameterSpec;

/// Every prior.
pub static PRIORS: &[&Piece<dyn Prior>] = &[&standard_normal::PIECE];

/// p(z), a density over codes.
pub trait Prior: std::fmt::Debug + Send + Sync {
    /// Parameters of its own.
    fn parameters(&self, latent: usize) -> Vec<ParameterSpec> {
        let _ = latent;
        vec![]
    }

    /// ln p(z) of codes `[…, latent]`, in nats. `[…, 1]`
    fn log_prob(&self, graph: &mut Graph, z: Tensor) -> Tensor;

    /// Codes drawn from it. `[rows, latent]`
    fn sample(&self, graph: &mut Graph, rows: usize, latent: usize) -> Tensor;

    /// KL(N(μ, diag σ²) ‖ p) per dimension in closed form, where there is one, of `mu` and `log_var` `[rows, latent]`.
    fn kl_from_gaussian(&self, graph: &mut Graph, mu: Tensor, log_var: Tensor) -> Option<Tensor> {
        let _ = (graph, mu, log_var);
        None
    }
}
