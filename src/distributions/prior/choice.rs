//! Choosing one of several: a uniform draw against cumulated probabilities.

use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// A one-hot row for each of `rows` draws `[rows, n]`, of probabilities cumulated along `[1, n]`. What rounding leaves above
/// the last of them belongs to the last.
pub(super) fn choose(graph: &mut Graph, rows: usize, cumulated: Tensor) -> Tensor {
    let n = graph.shape(cumulated)[1];
    let one = graph.full(1.0, &[rows, 1]);
    if n == 1 {
        return one;
    }
    let stream = graph.stream();
    let u = graph.uniform(stream, &[rows, 1]);
    let inner = graph.slice(cumulated, 1, 0, n - 1);
    let reached = graph.call(Func::Less, &[u, inner]);
    let zero = graph.full(0.0, &[rows, 1]);
    let upper = graph.concat(&[reached, one], 1);
    let lower = graph.concat(&[zero, reached], 1);
    graph.sub(upper, lower)
}

/// The cumulated probabilities `[1, n]` of n that are all the same.
pub(super) fn even(graph: &mut Graph, n: usize) -> Tensor {
    let (k, one) = (graph.coordinate(1, &[1, n]), graph.constant(1.0));
    let next = graph.add(k, one);
    graph.scale(next, 1.0 / n as f32)
}

/// The cumulated probabilities of `[1, n]`.
pub(super) fn cumulate(graph: &mut Graph, probabilities: Tensor) -> Tensor {
    let n = graph.shape(probabilities)[1];
    let (from, to) = (graph.coordinate(0, &[n, n]), graph.coordinate(1, &[n, n]));
    let (after, one) = (graph.call(Func::Less, &[to, from]), graph.constant(1.0));
    let counts = graph.sub(one, after);
    graph.matmul(probabilities, counts, false, false)
}
