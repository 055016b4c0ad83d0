//! Likelihoods: what a decoder's unconstrained outputs say about the data.

mod bernoulli;
mod beta_binomial;
mod categorical;
mod continuous_bernoulli;
mod discrete;
mod discretized_logistic;
mod draws;
mod gaussian;
mod heads;
mod laplace;
mod learned_gaussian;
mod levels;
mod logistic_mixture;
mod measure;
mod negative_binomial;
mod one_hot;
mod shared_gaussian;
mod squared_error;
mod student_t;

pub use bernoulli::Bernoulli;
pub use beta_binomial::BetaBinomial;
pub use categorical::Categorical;
pub use continuous_bernoulli::ContinuousBernoulli;
pub use discrete::Discrete;
pub use discretized_logistic::DiscretizedLogistic;
pub use gaussian::Gaussian;
pub use heads::Heads;
pub use laplace::{Laplace, LearnedLaplace};
pub use learned_gaussian::LearnedGaussian;
pub use logistic_mixture::LogisticMixture;
pub use measure::Measure;
pub use negative_binomial::NegativeBinomial;
pub use one_hot::OneHot;
pub use shared_gaussian::SharedGaussian;
pub use squared_error::SquaredError;
pub use student_t::StudentT;

use super::missing::MissingModel;
use crate::catalogue::Piece;
use crate::graph::Tensor;

/// Every likelihood.
pub static LIKELIHOODS: &[&Piece<dyn Likelihood>] = &[
    &bernoulli::PIECE,
    &continuous_bernoulli::PIECE,
    &gaussian::PIECE,
    &shared_gaussian::PIECE,
    &learned_gaussian::PIECE,
    &laplace::PIECE,
    &laplace::LEARNED,
    &student_t::PIECE,
    &discretized_logistic::PIECE,
    &logistic_mixture::PIECE,
    &beta_binomial::PIECE,
    &categorical::PIECE,
];

/// The values that a likelihood gives a probability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// Any number: a density.
    Real,
    /// From 0 to 1, both included: a density.
    Unit,
    /// 0 and 1: a probability of each. Values between are understood as the probability that a pixel is 1.
    Binary,
    /// The `n` evenly spaced numbers 0, 1/(n − 1), …, 1: a probability of each.
    Levels(usize),
    /// Numbers that are scaled as the fields of a table say: of some fields a density, of others a probability.
    Fields,
    /// Nothing: it is a loss over any numbers, and no density.
    Loss,
}

/// p(x | z), factorised over features, or over pixels or fields of several.
pub trait Likelihood: std::fmt::Debug + Send + Sync {
    /// Outputs that the decoder gives for so many features; of several for each, the first `features` outputs are the first of
    /// each, and so on.
    fn outputs(&self, features: usize) -> usize;

    /// What it gives a probability.
    fn support(&self) -> Support;

    /// How many features that follow each other it takes together, such as the channels of a pixel: rows have a multiple of as many.
    fn together(&self) -> usize {
        1
    }

    /// ln p(x | z) per feature, in nats. `outputs` is `[…, outputs(features)]`, `x` and the result are
    /// `[…, features]`; leading axes of size 1 are broadcast.
    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g>;

    /// E\[x | z\]. `[…, features]`
    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g>;

    /// Var\[x | z\] `[…, features]`; `None` for a loss that is no density, where the variance is not finite, and where it has no closed
    /// form.
    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>>;

    /// x ~ p(x | z), of draws of its own. `[…, features]`; `None` for a loss that is no density.
    fn sample<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>>;

    /// Whether gradients flow through its draws to the outputs: a draw changes as its distribution does.
    fn draws_are_differentiable(&self) -> bool {
        false
    }

    /// Why values are missing, where that is modelled beside them.
    fn missing(&self) -> Option<&MissingModel> {
        None
    }

    /// The same on the host, of likelihoods of finitely many values.
    fn discrete(&self) -> Option<&dyn Discrete> {
        None
    }
}
