//! A class out of several, seen as a one among zeros.

use super::levels::log_softmax;
use super::{Likelihood, Support, draws};
use crate::graph::Tensor;

/// A class ~ Categorical(softmax of the decoder's outputs), all features being the one-hot code of a single class:
/// ln P(x|z) = Σ_k x_k (a_k(z) − ln Σ_j e^{a_j(z)}).
///
/// Unlike [`Categorical`](super::Categorical), whose every feature is a level of its own, its features are one variable.
#[derive(Clone, Copy, Debug)]
pub struct OneHot;

/// The logarithms of the probabilities of the classes `[…, classes]`.
fn log_probs(outputs: Tensor) -> Tensor {
    let mut shape = outputs.shape().to_vec();
    shape.push(1);
    let raised = outputs.reshape(&shape);
    log_softmax(raised).reshape(outputs.shape())
}

impl Likelihood for OneHot {
    fn outputs(&self, features: usize) -> usize {
        features
    }

    fn support(&self) -> Support {
        Support::Fields
    }

    /// Of each class what it adds: the logarithm of its probability where it is the one, else 0.
    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        x * log_probs(outputs)
    }

    /// The probabilities of the classes.
    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        log_probs(outputs).exp()
    }

    /// p (1 − p) of each class.
    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let p = self.mean(outputs);
        Some(p * (1.0 - p))
    }

    fn sample<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let (shape, axis) = (outputs.shape(), outputs.shape().len() - 1);
        let mut raised = shape.to_vec();
        raised.push(1);
        let chosen = draws::choose(outputs.reshape(&raised));
        let mut beside = shape.to_vec();
        beside[axis] = 1;
        let distance = (outputs.graph().coordinate(axis, shape) - chosen.reshape(&beside)).abs();
        Some(distance.less(outputs.graph().constant(0.5)))
    }
}
