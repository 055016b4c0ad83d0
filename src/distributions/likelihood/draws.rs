//! Draws that samplers are made of.

use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// −ln u of the largest uniform, 1 − 2⁻²⁴. A device's logarithm may round it to 0.
const LEAST: f32 = 5.960_464_5e-8;

/// Uniforms in (0, 1), of a stream of their own.
pub(super) fn uniform(graph: &mut Graph, shape: &[usize]) -> Tensor {
    let stream = graph.stream();
    graph.uniform(stream, shape)
}

/// Standard normals, of a stream of their own.
pub(super) fn normal(graph: &mut Graph, shape: &[usize]) -> Tensor {
    let stream = graph.stream();
    graph.normal(stream, shape)
}

/// −ln u: exponentials of mean 1, from 6e-8 to 16.6.
pub(super) fn exponential(graph: &mut Graph, shape: &[usize]) -> Tensor {
    let u = uniform(graph, shape);
    let log = graph.call(Func::Log, &[u]);
    let (minus, least) = (graph.neg(log), graph.constant(LEAST));
    graph.call(Func::Max, &[minus, least])
}

/// ln u − ln(1 − u): standard logistics.
pub(super) fn logistic(graph: &mut Graph, shape: &[usize]) -> Tensor {
    let (u, one) = (uniform(graph, shape), graph.constant(1.0));
    let rest = graph.sub(one, u);
    let logs = [u, rest].map(|t| graph.call(Func::Log, &[t]));
    graph.sub(logs[0], logs[1])
}

/// The index of one of the choices along the last axis but one, k with a probability in proportion to `e^{log_weights_k}`:
/// the largest of ln w_k + G_k with Gumbel noise G = −ln(−ln u) (Gumbel 1954; Maddison, Tarlow & Minka 2014).
/// `[…, choices, features]` to `[…, 1, features]`
pub(super) fn choose(graph: &mut Graph, log_weights: Tensor) -> Tensor {
    let shape = graph.shape(log_weights).to_vec();
    let axis = shape.len() - 2;
    let noise = exponential(graph, &shape);
    let noise = graph.call(Func::Log, &[noise]);
    let perturbed = graph.sub(log_weights, noise);
    let largest = graph.max(perturbed, &[axis]);
    let (below, index) = (graph.call(Func::Less, &[perturbed, largest]), graph.coordinate(axis, &shape));
    let none = graph.constant(-1.0);
    let index = graph.call(Func::Select, &[below, none, index]);
    // Of choices that come out equal, the last.
    graph.max(index, &[axis])
}
