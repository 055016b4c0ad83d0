//! Approximate posteriors: how codes are drawn for what an encoder says of an example.

mod diagonal_gaussian;

pub use diagonal_gaussian::DiagonalGaussian;

use super::Prior;
use crate::catalogue::Piece;
use crate::graph::{Graph, Tensor};
use crate::nn::ParameterSpec;

/// Every posterior.
pub static POSTERIORS: &[&Piece<dyn Posterior>] = &[&diagonal_gaussian::PIECE];

/// Codes drawn from a posterior.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    /// The codes `[rows, latent]`.
    pub z: Tensor,
    /// ln q(z | x) of each, in nats `[rows, 1]`.
    pub log_prob: Tensor,
}

/// q(z | x), a family of densities over codes, through whose draws gradients flow.
///
/// `outputs` is what the encoder gives for a batch, `[rows, outputs]`; where several codes are wanted for an example, it has
/// as many rows.
pub trait Posterior: std::fmt::Debug + Send + Sync {
    /// How many outputs the encoder gives for `latent` dimensions.
    fn outputs(&self, latent: usize) -> usize;

    /// Parameters of its own.
    fn parameters(&self, latent: usize) -> Vec<ParameterSpec> {
        let _ = latent;
        vec![]
    }

    /// The noise that draws are made of: standard normals, unless the family wants another. `[rows, latent]`
    fn noise(&self, graph: &mut Graph, rows: usize, latent: usize) -> Tensor {
        let stream = graph.stream();
        graph.normal(stream, &[rows, latent])
    }

    /// Codes made of noise `[rows, latent]`, differentiable in `outputs`.
    fn sample(&self, graph: &mut Graph, outputs: Tensor, noise: Tensor) -> Draw;

    /// One code that stands for an example: the mean, or what the family has in its place. `[rows, latent]`
    fn mean(&self, graph: &mut Graph, outputs: Tensor) -> Tensor;

    /// KL(q(z | x) ‖ p(z)) per dimension in closed form, in nats, where this family has one for that prior.
    /// `[rows, latent]`
    fn kl(&self, graph: &mut Graph, outputs: Tensor, prior: &dyn Prior) -> Option<Tensor>;

    /// ln q(z | x) per dimension at any codes, where the family is a product over dimensions. `outputs` is `[…, outputs]`
    /// and `z` `[…, latent]`; leading axes of size 1 are broadcast.
    fn log_prob_per_dimension(&self, graph: &mut Graph, outputs: Tensor, z: Tensor) -> Option<Tensor> {
        let _ = (graph, outputs, z);
        None
    }

    /// The variances of the dimensions, where the family is a product over them. `[rows, latent]`
    fn variance(&self, graph: &mut Graph, outputs: Tensor) -> Option<Tensor> {
        let _ = (graph, outputs);
        None
    }
}
