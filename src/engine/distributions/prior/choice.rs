//! Choosing one of several: a uniform draw against cumulated probabilities.

use crate::graph::{Graph, Tensor};

/// A one-hot row for each of `rows` draws `[rows, n]`, of probabilities cumulated along `[1, n]`. What rounding leaves above
/// the last of them belongs to the last.
pub(super) fn choose(rows: usize, cumulated: Tensor) -> Tensor {
    let (graph, n) = (cumulated.graph(), cumulated.width());
    let one = graph.full(1.0, &[rows, 1]);
    if n == 1 {
        return one;
    }
    let u = graph.uniform(graph.stream(), &[rows, 1]);
    let reached = u.less(cumulated.slice(1, 0, n - 1));
    graph.concat(&[reached, one], 1) - graph.concat(&[graph.full(0.0, &[rows, 1]), reached], 1)
}

/// The cumulated probabilities `[1, n]` of n that are all the same.
pub(super) fn even(graph: &Graph, n: usize) -> Tensor<'_> {
    (graph.coordinate(1, &[1, n]) + 1.0) * (1.0 / n as f32)
}

/// The cumulated probabilities of `[1, n]`.
pub(super) fn cumulate(probabilities: Tensor) -> Tensor {
    let (graph, n) = (probabilities.graph(), probabilities.width());
    let (from, to) = (graph.coordinate(0, &[n, n]), graph.coordinate(1, &[n, n]));
    probabilities.matmul(1.0 - to.less(from))
}
