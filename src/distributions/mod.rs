//! Densities as pieces of a graph: what a decoder's outputs mean, and how codes are drawn.

mod diagonal_gaussian;
mod likelihood;

pub use diagonal_gaussian::DiagonalGaussian;
pub use likelihood::{Bernoulli, Gaussian, LearnedGaussian, Likelihood, SquaredError};
