//! The network that tells labels: q(y | x), hidden layers and a linear one with a softmax.

use std::sync::Arc;

use super::Sizes;
use super::networks::hidden_width;
use crate::graph::Tensor;
use crate::nn::{Input, Known, Network, Outputs};

/// q(y | x) over so many classes.
#[derive(Clone, Debug)]
pub(super) struct ClassifierNetwork {
    sizes: Sizes,
    hidden: Arc<dyn Network>,
}

impl ClassifierNetwork {
    /// A network from rows through hidden layers to the probabilities of `sizes.condition` classes.
    pub fn new(sizes: Sizes, hidden: Arc<dyn Network>) -> ClassifierNetwork {
        ClassifierNetwork { sizes, hidden }
    }

    /// Values per example.
    pub fn features(&self) -> usize {
        self.sizes.features()
    }

    /// Classes.
    pub fn classes(&self) -> usize {
        self.sizes.condition
    }

    /// Values per example that its last hidden layer gives.
    pub fn width(&self) -> usize {
        hidden_width(&*self.hidden, self.sizes.shape, self.classes())
    }

    /// What the last hidden layer gives. `[rows, width]`
    pub fn hidden<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let to = Outputs::vector(self.classes());
        self.hidden.forward("classifier", Input { x, shape: self.sizes.shape, known: Known::Nothing }, to.shape)
    }

    /// ln q(y | x). `[rows, classes]`
    pub fn log_probs<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let (head, to) = (format!("classifier.{}", self.hidden.layers()), Outputs::vector(self.classes()));
        let logits = self.hidden.last(&head, self.hidden(x), to);
        logits - logits.log_sum_exp(&[1])
    }
}

/// −ln q(y | x) of the labels `y` `[rows, classes]`, in nats. `[rows, 1]`
pub(super) fn cross_entropy<'g>(log_probs: Tensor<'g>, y: Tensor<'g>) -> Tensor<'g> {
    -(y * log_probs).sum_rows()
}

/// The likeliest label of each row as a one among zeros: the first of several that are as likely, and none where there are no
/// numbers. `[rows, classes]`
pub(super) fn likeliest(log_probs: Tensor) -> Tensor {
    let (graph, shape) = (log_probs.graph(), log_probs.shape());
    // Not a number is not above anything, so that it is none of the largest.
    let is_largest = graph.constant(-1e-30).less(log_probs - log_probs.max(&[1]));
    let places_left = (shape[1] as f32 - graph.coordinate(1, shape)) * is_largest;
    let is_later = places_left.less(places_left.max(&[1]));
    is_later.select(graph.constant(0.0), is_largest)
}

/// 1 where the likeliest label is that of `y` `[rows, classes]`, else 0. `[rows, 1]`
pub(super) fn is_right<'g>(log_probs: Tensor<'g>, y: Tensor<'g>) -> Tensor<'g> {
    (likeliest(log_probs) * y).sum_rows()
}

/// What belongs to other rows `[n, 1]`, as their mean in each of `rows` rows `[rows, 1]`.
pub(super) fn mean_in_every_row(t: Tensor, rows: usize) -> Tensor {
    t.mean(&[0]).expand(&[rows, 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};

    /// The guess and whether it is right, of one row of log-probabilities and the label 1 of three.
    fn guess(log_probs: [f64; 3]) -> (Vec<f64>, f64) {
        let graph = Graph::new();
        let (given, y) = (graph.input("log_probs", &[1, 3]), graph.input("y", &[1, 3]));
        let (guess, right) = (likeliest(given), is_right(given, y));
        let mut values = Values::default();
        values.tensors.insert("log_probs".to_string(), log_probs.to_vec());
        values.tensors.insert("y".to_string(), vec![0.0, 1.0, 0.0]);
        let found = evaluate(&values, &[guess, right]);
        (found[0].clone(), found[1][0])
    }

    #[test]
    fn a_guess_is_one_label_and_ties_or_no_numbers_are_no_luck() {
        assert_eq!(guess([-2.0, -0.5, -1.0]), (vec![0.0, 1.0, 0.0], 1.0));
        assert_eq!(guess([-0.5, -2.0, -1.0]), (vec![1.0, 0.0, 0.0], 0.0));
        // Of labels that are as likely, the first is the guess.
        assert_eq!(guess([-1.0, -1.0, -1.0]), (vec![1.0, 0.0, 0.0], 0.0));
        assert_eq!(guess([-2.0, -1.0, -1.0]), (vec![0.0, 1.0, 0.0], 1.0));
        assert_eq!(guess([f64::NAN; 3]), (vec![0.0; 3], 0.0));
    }
}
