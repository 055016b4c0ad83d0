//! The network that tells labels: q(y | x), a multilayer perceptron with a softmax.

use crate::graph::{Graph, Tensor};
use crate::kernels::Func;
use crate::nn::{Activation, Linear, Mlp, ParameterSpec};

/// q(y | x) over so many classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Labeller {
    features: usize,
    hidden: Mlp,
    head: Linear,
}

impl Labeller {
    /// A network from `features` values through `widths` to `classes` probabilities.
    pub fn new((features, classes): (usize, usize), widths: &[usize], activation: Activation) -> Labeller {
        let deepest = widths.last().copied().unwrap_or(features);
        Labeller {
            features,
            hidden: Mlp::new("classifier", features, widths, activation),
            head: Linear::new(format!("classifier.{}", widths.len()), deepest, classes),
        }
    }

    /// Values per example.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Classes.
    pub fn classes(&self) -> usize {
        self.head.outputs
    }

    /// Values per example that its last hidden layer gives.
    pub fn hidden(&self) -> usize {
        self.head.inputs
    }

    /// The parameters of its layers.
    pub fn parameters(&self) -> Vec<ParameterSpec> {
        let mut all = self.hidden.parameters();
        all.extend(self.head.parameters());
        all
    }

    /// What the last hidden layer gives. `[rows, hidden]`
    pub fn hidden_of(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        self.hidden.forward(graph, x)
    }

    /// ln q(y | x). `[rows, classes]`
    pub fn log_probs(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        let hidden = self.hidden_of(graph, x);
        let logits = self.head.forward(graph, hidden);
        let total = graph.log_sum_exp(logits, &[1]);
        graph.sub(logits, total)
    }
}

/// −ln q(y | x) of the labels `y` `[rows, classes]`, in nats. `[rows, 1]`
pub(super) fn cross_entropy(graph: &mut Graph, log_probs: Tensor, y: Tensor) -> Tensor {
    let of_label = graph.mul(y, log_probs);
    let sum = graph.sum_rows(of_label);
    graph.neg(sum)
}

/// The likeliest label of each row as a one among zeros: the first of several that are as likely, and none where there are no
/// numbers. `[rows, classes]`
pub(super) fn likeliest(graph: &mut Graph, log_probs: Tensor) -> Tensor {
    let shape = graph.shape(log_probs).to_vec();
    let largest = graph.max(log_probs, &[1]);
    let (from_largest, below) = (graph.sub(log_probs, largest), graph.constant(-1e-30));
    // Not a number is not above anything, so that it is none of the largest.
    let is_largest = graph.call(Func::Less, &[below, from_largest]);
    let (place, classes) = (graph.coordinate(1, &shape), graph.constant(shape[1] as f32));
    let places_left = graph.sub(classes, place);
    let places_left = graph.mul(places_left, is_largest);
    let first = graph.max(places_left, &[1]);
    let later = graph.call(Func::Less, &[places_left, first]);
    let zero = graph.constant(0.0);
    graph.call(Func::Select, &[later, zero, is_largest])
}

/// 1 where the likeliest label is that of `y` `[rows, classes]`, else 0. `[rows, 1]`
pub(super) fn is_right(graph: &mut Graph, log_probs: Tensor, y: Tensor) -> Tensor {
    let guess = likeliest(graph, log_probs);
    let both = graph.mul(guess, y);
    graph.sum_rows(both)
}

/// What belongs to other rows `[n, 1]`, as their mean in each of `rows` rows `[rows, 1]`.
pub(super) fn mean_in_every_row(graph: &mut Graph, t: Tensor, rows: usize) -> Tensor {
    let count = graph.shape(t)[0];
    let sum = graph.sum(t, &[0]);
    let mean = graph.scale(sum, 1.0 / count as f32);
    graph.expand(mean, &[rows, 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::eval::{Values, evaluate};

    /// The guess and whether it is right, of one row of log-probabilities and the label 1 of three.
    fn guess(log_probs: [f64; 3]) -> (Vec<f64>, f64) {
        let mut graph = Graph::new();
        let (given, y) = (graph.input("log_probs", &[1, 3]), graph.input("y", &[1, 3]));
        let (guess, right) = (likeliest(&mut graph, given), is_right(&mut graph, given, y));
        let mut values = Values::default();
        values.tensors.insert("log_probs".to_string(), log_probs.to_vec());
        values.tensors.insert("y".to_string(), vec![0.0, 1.0, 0.0]);
        let found = evaluate(&graph, &values, &[guess, right]);
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
