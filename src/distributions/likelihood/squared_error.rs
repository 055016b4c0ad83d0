//! The squared error, which is no density.

use super::{Likelihood, Support};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// The squared error as a loss, Σ (x − output)²: what a plain autoencoder minimises. It is a Gaussian log-density up to
/// scale and a constant, not one itself.
#[derive(Clone, Copy, Debug)]
pub struct SquaredError;

impl Likelihood for SquaredError {
    fn outputs_per_feature(&self) -> usize {
        1
    }

    fn support(&self) -> Support {
        Support::Loss
    }

    fn log_prob(&self, graph: &mut Graph, outputs: Tensor, x: Tensor) -> Tensor {
        let residual = graph.sub(x, outputs);
        let square = graph.call(Func::Square, &[residual]);
        graph.neg(square)
    }

    fn mean(&self, _: &mut Graph, outputs: Tensor) -> Tensor {
        outputs
    }

    fn sample(&self, _: &mut Graph, _: Tensor) -> Option<Tensor> {
        None
    }
}
