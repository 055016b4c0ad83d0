//! The squared error, which is no density.

use super::{Likelihood, Support};
use crate::graph::Tensor;

/// The squared error as a loss, Σ (x − output)²: what a plain autoencoder minimises. It is a Gaussian log-density up to
/// scale and a constant, not one itself.
#[derive(Clone, Copy, Debug)]
pub struct SquaredError;

impl Likelihood for SquaredError {
    fn outputs(&self, features: usize) -> usize {
        features
    }

    fn support(&self) -> Support {
        Support::Loss
    }

    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        -(x - outputs).square()
    }

    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        outputs
    }

    fn variance<'g>(&self, _: Tensor<'g>) -> Option<Tensor<'g>> {
        None
    }

    fn sample<'g>(&self, _: Tensor<'g>) -> Option<Tensor<'g>> {
        None
    }
}
