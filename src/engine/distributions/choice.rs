//! One of several, as a one among zeros: the largest, or one that is drawn.

use crate::graph::Tensor;

/// 1 where two tensors of whole numbers are equal, 0 elsewhere.
pub(crate) fn same<'g>(a: Tensor<'g>, b: Tensor<'g>) -> Tensor<'g> {
    1.0 - a.less(b) - b.less(a)
}

/// 1 at the largest number of each row, the first of those that are as large, 0 elsewhere. `[n, K]`
pub(crate) fn largest(numbers: Tensor) -> Tensor {
    let (graph, count) = (numbers.graph(), numbers.width());
    let place = graph.coordinate(1, numbers.shape());
    let is_smaller = numbers.less(numbers.max(&[1]));
    let first = -(-is_smaller.select(graph.constant(count as f32), place)).max(&[1]);
    same(place, first)
}

/// One of each row drawn in proportion to exp(a/t) of its logits a `[n, K]`, t being the temperature: the largest of a/t + g with Gumbel
/// noise g = −ln(−ln u) (Gumbel 1954; Maddison, Tarlow & Minka 2014); at 0 the largest logit.
pub(crate) fn draw(logits: Tensor, temperature: f32) -> Tensor {
    if temperature == 0.0 {
        return largest(logits);
    }
    let graph = logits.graph();
    let u = graph.uniform(graph.stream(), logits.shape());
    largest(logits * (1.0 / temperature) - (-u.ln()).ln())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::graph::eval::{Values, evaluate};

    #[test]
    fn the_first_of_the_largest_is_taken() {
        let (graph, mut values) = (Graph::new(), Values::default());
        values.tensors.insert("a".into(), vec![1.0, 3.0, 3.0, -2.0, -5.0, -1.0]);
        let found = evaluate(&values, &[largest(graph.input("a", &[2, 3]))]);
        assert_eq!(found[0], [0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn draws_have_the_probabilities_of_their_logits() {
        const ROWS: usize = 20_000;
        let (graph, mut values) = (Graph::new(), Values::default());
        // Probabilities 0.1, 0.6 and 0.3.
        let logits = [0.1_f64, 0.6, 0.3].map(f64::ln);
        values.tensors.insert("a".into(), logits.repeat(ROWS));
        let a = graph.input("a", &[ROWS, 3]);
        let found = evaluate(&values, &[1.0, 0.5, 0.0].map(|t| draw(a, t)));
        let shares = |drawn: &[f64]| [0, 1, 2].map(|k| drawn.iter().skip(k).step_by(3).sum::<f64>() / ROWS as f64);
        // With t = ½ they are squared: 0.01, 0.36, 0.09 of 0.46.
        let expected = [[0.1, 0.6, 0.3], [0.01 / 0.46, 0.36 / 0.46, 0.09 / 0.46], [0.0, 1.0, 0.0]];
        for (drawn, expected) in found.iter().zip(expected) {
            let far = shares(drawn).iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(far < 0.015, "{:?}, not {expected:?}", shares(drawn));
        }
    }
}
