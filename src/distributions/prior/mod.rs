//! Priors: how codes are spread before anything is seen.

mod choice;
mod diagonal_gaussian;
mod maf;
mod mixture;
mod points;
mod realnvp;
mod standard_normal;
mod uniform_categorical;
mod vampprior;

pub use points::Points;
pub use standard_normal::StandardNormal;

use super::{Code, Codes, Encoder};
use crate::catalogue::Piece;
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;
use crate::nn::ParameterSpec;

/// Every prior.
pub static PRIORS: &[&Piece<dyn Prior>] = &[
    &standard_normal::PIECE,
    &diagonal_gaussian::PIECE,
    &mixture::PIECE,
    &vampprior::PIECE,
    &realnvp::PIECE,
    &maf::PIECE,
    &uniform_categorical::PIECE,
];

/// p(z), a density over codes.
///
/// Priors that are learnt have parameters of their own; one that is made of the model's encoder gets at it through the
/// [`Encoder`], which the others leave alone.
pub trait Prior: std::fmt::Debug + Send + Sync {
    /// Parameters of its own, for so many dimensions and values per example.
    fn parameters(&self, latent: usize, features: usize) -> Vec<ParameterSpec> {
        let _ = (latent, features);
        vec![]
    }

    /// Values of its parameters from which it is soon fitted to codes, by name, where it knows better ones than those that
    /// they start from otherwise.
    ///
    /// # Errors
    /// If the codes are too few.
    fn near(&self, points: &Points) -> Result<Vec<(&'static str, Vec<f32>)>> {
        let _ = points;
        Ok(vec![])
    }

    /// The codes it is over.
    fn codes(&self) -> Codes {
        Codes::Real
    }

    /// Why it cannot have so many dimensions, and what to do, where it cannot.
    fn refusal(&self, latent: usize) -> Option<String> {
        let _ = latent;
        None
    }

    /// Whether it is made of the posterior's density at codes of other examples, which only products over dimensions tell.
    fn needs_density(&self) -> bool {
        false
    }

    /// Whether it is the same in all directions from 0.
    fn is_isotropic(&self) -> bool {
        false
    }

    /// ln p(z) of codes `[n, latent]`, in nats. `[n, 1]`
    fn log_prob(&self, graph: &mut Graph, code: Code, encoder: &Encoder) -> Tensor;

    /// Codes drawn from it. `[rows, latent]`
    fn sample(&self, graph: &mut Graph, rows: usize, latent: usize, encoder: &Encoder) -> Tensor;

    /// KL(N(μ, diag σ²) ‖ p) per dimension in closed form, where there is one, of `mu` and `log_var` `[rows, latent]`.
    fn kl_from_gaussian(&self, graph: &mut Graph, mu: Tensor, log_var: Tensor) -> Option<Tensor> {
        let _ = (graph, mu, log_var);
        None
    }

    /// E_q\[−ln p(z)\] per dimension, in nats, where means and variances `[rows, latent]` are all that counts of q.
    fn cross_entropy(&self, graph: &mut Graph, mu: Tensor, variance: Tensor) -> Option<Tensor> {
        let _ = (graph, mu, variance);
        None
    }
}

/// ln N(z; μ, σ²), summed over the last axis.
fn gaussian(graph: &mut Graph, z: Tensor, mu: Tensor, log_var: Tensor) -> Tensor {
    let each = graph.call(Func::GaussianLogProb, &[z, mu, log_var]);
    graph.sum_rows(each)
}

/// ln p(z) `[n, 1]` of a chain of maps u ↦ e^s ⊙ u + t from a standard normal, that has at least one: back through them,
/// the last first. `moves` gives s and t of a map at codes `[n, latent]`.
fn through_affine_maps(
    graph: &mut Graph,
    z: Tensor,
    length: usize,
    moves: impl Fn(&mut Graph, usize, Tensor) -> [Tensor; 2],
) -> Tensor {
    let (mut u, mut total) = (z, graph.constant(0.0));
    for number in (0..length).rev() {
        let [s, t] = moves(graph, number, u);
        let moved = graph.sub(u, t);
        let minus = graph.neg(s);
        let shrink = graph.call(Func::Exp, &[minus]);
        u = graph.mul(moved, shrink);
        let sum = graph.sum_rows(s);
        total = graph.add(total, sum);
    }
    let base = standard(graph, u);
    graph.sub(base, total)
}

/// ln N(z; 0, I) of codes `[n, latent]`. `[n, 1]`
fn standard(graph: &mut Graph, z: Tensor) -> Tensor {
    let zero = graph.constant(0.0);
    gaussian(graph, z, zero, zero)
}
