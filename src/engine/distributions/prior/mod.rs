//! Priors: how codes are spread before anything is seen.

mod choice;
mod diagonal_gaussian;
mod diffusion;
mod maf;
mod mixture;
mod points;
mod realnvp;
mod standard_normal;
mod uniform_categorical;
mod uniform_sphere;
mod vampprior;

pub use points::Points;
pub use standard_normal::StandardNormal;

use super::{Code, CodeSpace, Encoder};
use crate::catalogue::Piece;
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// Every prior.
pub static PRIORS: &[&Piece<dyn Prior>] = &[
    &standard_normal::PIECE,
    &diagonal_gaussian::PIECE,
    &mixture::PIECE,
    &vampprior::PIECE,
    &realnvp::PIECE,
    &maf::PIECE,
    &diffusion::PIECE,
    &uniform_categorical::PIECE,
    &uniform_sphere::PIECE,
];

/// How a prior is fitted to codes by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fitting {
    /// Adam's step size that it usually takes.
    pub learning_rate: f64,
    /// What is minimised, for people.
    pub loss: &'static str,
}

/// p(z), a density over codes.
///
/// Priors that are learnt have parameters of their own; one that is made of the model's encoder gets at it through the
/// [`Encoder`], which the others leave alone.
pub trait Prior: std::fmt::Debug + Send + Sync {
    /// Values of its parameters to start from, by name, where it knows better ones for given codes than those that they
    /// start from otherwise.
    ///
    /// # Errors
    /// If the codes are too few.
    fn data_dependent_init(&self, points: &Points) -> Result<Vec<(&'static str, Vec<f32>)>> {
        let _ = points;
        Ok(vec![])
    }

    /// How it is fitted to codes by itself.
    fn fitting(&self) -> Fitting {
        Fitting { learning_rate: 0.01, loss: "-ln p(z)" }
    }

    /// What is minimised where it is fitted to codes `[n, latent]` by itself, in a graph of training, where that is not −ln p(z). `[n, 1]`
    fn fit_loss<'g>(&self, code: Code<'g>, encoder: &Encoder) -> Option<Tensor<'g>> {
        let _ = (code, encoder);
        None
    }

    /// What must be known to read a likelihood with it, where [`Prior::log_prob`] is not ln p(z) itself.
    fn note_on_likelihood(&self) -> Option<&'static str> {
        None
    }

    /// The codes it is over.
    fn codes(&self) -> CodeSpace {
        CodeSpace::Real
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

    /// ln p(z) of codes `[n, latent]`, in nats; or ln w with E\[w\] = p(z), the mean of which is a bound. `[n, 1]`
    fn log_prob<'g>(&self, code: Code<'g>, encoder: &Encoder) -> Tensor<'g>;

    /// Codes drawn from it. `[rows, latent]`
    fn sample<'g>(&self, graph: &'g Graph, rows: usize, latent: usize, encoder: &Encoder) -> Tensor<'g>;

    /// The mean and ln σ² of each dimension `[1, latent]`, where it is a product of Gaussians.
    fn gaussian<'g>(&self, graph: &'g Graph, latent: usize) -> Option<[Tensor<'g>; 2]> {
        let _ = (graph, latent);
        None
    }

    /// KL(N(μ, diag σ²) ‖ p) per dimension in closed form, where there is one, of `mu` and `log_var` `[rows, latent]`.
    fn kl_from_gaussian<'g>(&self, mu: Tensor<'g>, log_var: Tensor<'g>) -> Option<Tensor<'g>> {
        let _ = (mu, log_var);
        None
    }

    /// E_q\[−ln p(z)\] per dimension, in nats, where means and variances `[rows, latent]` are all that counts of q.
    fn cross_entropy<'g>(&self, mu: Tensor<'g>, variance: Tensor<'g>) -> Option<Tensor<'g>> {
        let _ = (mu, variance);
        None
    }
}

/// ln N(z; μ, σ²), summed over the last axis.
fn gaussian<'g>(z: Tensor<'g>, mu: Tensor<'g>, log_var: Tensor<'g>) -> Tensor<'g> {
    z.graph().call(Func::GaussianLogProb, &[z, mu, log_var]).sum_rows()
}

/// ln p(z) `[n, 1]` of a chain of maps u ↦ e^s ⊙ u + t from a standard normal, that has at least one: back through them,
/// the last first. `moves` gives s and t of a map at codes `[n, latent]`.
fn through_affine_maps<'g>(
    z: Tensor<'g>,
    length: usize,
    moves: impl Fn(usize, Tensor<'g>) -> [Tensor<'g>; 2],
) -> Tensor<'g> {
    let (mut u, mut total) = (z, z.graph().constant(0.0));
    for number in (0..length).rev() {
        let [s, t] = moves(number, u);
        u = (u - t) * (-s).exp();
        total = total + s.sum_rows();
    }
    standard(u) - total
}

/// ln N(z; 0, I) of codes `[n, latent]`. `[n, 1]`
fn standard(z: Tensor) -> Tensor {
    let zero = z.graph().constant(0.0);
    gaussian(z, zero, zero)
}
