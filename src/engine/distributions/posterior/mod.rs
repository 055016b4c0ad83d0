//! Approximate posteriors: how codes are drawn for what an encoder says of an example.
//!
//! Three of them are a density that is moved and stretched ([`location_scale`]), most others a Gaussian that is pushed
//! through invertible maps ([`flow`]).

#[cfg(test)]
mod by_hand;
mod diagonal_gaussian;
mod flow;
mod full_covariance;
mod gumbel_softmax;
mod householder;
mod iaf;
mod laplace;
mod location_scale;
mod logistic;
mod planar;
mod power_spherical;
mod radial;
mod student_t;
mod sylvester;

pub use diagonal_gaussian::DiagonalGaussian;

use super::{Code, CodeSpace, Prior};
use crate::catalogue::Piece;
use crate::graph::{Graph, Tensor};

/// Every posterior.
pub static POSTERIORS: &[&Piece<dyn Posterior>] = &[
    &diagonal_gaussian::PIECE,
    &full_covariance::PIECE,
    &laplace::PIECE,
    &logistic::PIECE,
    &student_t::PIECE,
    &planar::PIECE,
    &radial::PIECE,
    &householder::PIECE,
    &sylvester::PIECE,
    &iaf::PIECE,
    &gumbel_softmax::PIECE,
    &power_spherical::PIECE,
];

/// Codes drawn from a posterior.
#[derive(Clone, Copy, Debug)]
pub struct Draw<'g> {
    /// The codes `[rows, latent]`.
    pub z: Tensor<'g>,
    /// ln z of codes within the simplex, exact where z itself is 0 in 32 bits `[rows, latent]`.
    pub log_z: Option<Tensor<'g>>,
    /// ln q(z | x) of each, in nats `[rows, 1]`.
    pub log_prob: Tensor<'g>,
}

impl<'g> Draw<'g> {
    /// Codes that may be any numbers.
    pub fn new(z: Tensor<'g>, log_prob: Tensor<'g>) -> Draw<'g> {
        Draw { z, log_z: None, log_prob }
    }

    /// The codes, as a prior tells their density.
    pub fn code(&self) -> Code<'g> {
        Code { z: self.z, log_z: self.log_z }
    }
}

/// q(z | x), a family of densities over codes, through whose draws gradients flow.
///
/// `outputs` is what the encoder gives for a batch, `[rows, outputs]`; where several codes are wanted for an example, it has
/// as many rows.
pub trait Posterior: std::fmt::Debug + Send + Sync {
    /// How many outputs the encoder gives for `latent` dimensions.
    fn outputs(&self, latent: usize) -> usize;

    /// The codes it is over.
    fn codes(&self) -> CodeSpace {
        CodeSpace::Real
    }

    /// Whether it is a simpler density pushed through invertible maps.
    fn is_flow(&self) -> bool {
        false
    }

    /// What must be known to read likelihoods of a model with it beside its ELBO, in a sentence or two.
    fn note_on_likelihood(&self) -> Option<&'static str> {
        None
    }

    /// Why it cannot have so many dimensions, and what to do, where it cannot.
    fn refusal(&self, latent: usize) -> Option<String> {
        let _ = latent;
        None
    }

    /// The noise that draws are made of: standard normals `[rows, latent]`, unless the family wants another.
    fn noise<'g>(&self, graph: &'g Graph, rows: usize, latent: usize) -> Tensor<'g> {
        graph.normal(graph.stream(), &[rows, latent])
    }

    /// Codes made of noise, as [`Posterior::noise`] gives it, differentiable in `outputs`.
    fn sample<'g>(&self, outputs: Tensor<'g>, noise: Tensor<'g>) -> Draw<'g>;

    /// One code that stands for an example: the mean, or what the family has in its place. `[rows, latent]`
    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g>;

    /// KL(q(z | x) ‖ p(z)) per dimension in closed form, in nats, where this family has one for that prior. Its terms are
    /// not negative, and those of a family that is no product over dimensions are the terms of the chain rule.
    /// `[rows, latent]`, or `[rows, variables]` where several dimensions are one variable.
    fn kl<'g>(&self, outputs: Tensor<'g>, prior: &dyn Prior) -> Option<Tensor<'g>>;

    /// ln q(z | x) per dimension at any codes, where the family is a product over dimensions. `outputs` is `[…, outputs]`
    /// and `z` `[…, latent]`; leading axes of size 1 are broadcast.
    fn log_prob_per_dimension<'g>(&self, outputs: Tensor<'g>, z: Tensor<'g>) -> Option<Tensor<'g>> {
        let _ = (outputs, z);
        None
    }

    /// The variances of the dimensions, where the family is a product over them. `[rows, latent]`
    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let _ = outputs;
        None
    }

    /// The variance of each dimension by itself, around [`Posterior::mean`], where that has a closed form: the diagonal of the
    /// covariance. `[rows, latent]`
    fn marginal_variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        self.variance(outputs)
    }

    /// The mean and ln σ² of each dimension, where the family is a product of Gaussians. `[rows, latent]` each
    fn gaussian<'g>(&self, outputs: Tensor<'g>) -> Option<[Tensor<'g>; 2]> {
        let _ = outputs;
        None
    }

    /// The scalars of its own that vary in training: their value after so many epochs; infinitely many stand for the end.
    fn scalar(&self, name: &str, epochs: f64) -> Option<f64> {
        let _ = (name, epochs);
        None
    }
}

/// ln σ of anything is kept in this range before anything takes its exponential: σ between 3e-7 and 2e4.
const LOG_SCALE: (f32, f32) = (-15.0, 10.0);
