//! Draws that samplers are made of.

use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// −ln u of the largest uniform, 1 − 2⁻²⁴. A device's logarithm may round it to 0.
const LEAST: f32 = 5.960_464_5e-8;

/// Uniforms in (0, 1), of a stream of their own.
pub(super) fn uniform<'g>(graph: &'g Graph, shape: &[usize]) -> Tensor<'g> {
    graph.uniform(graph.stream(), shape)
}

/// Standard normals, of a stream of their own.
pub(super) fn normal<'g>(graph: &'g Graph, shape: &[usize]) -> Tensor<'g> {
    graph.normal(graph.stream(), shape)
}

/// μ + σ ε of ln σ².
pub(super) fn gaussian<'g>(mu: Tensor<'g>, log_var: Tensor<'g>) -> Tensor<'g> {
    let eps = normal(mu.graph(), mu.shape());
    mu.graph().call(Func::Reparameterise, &[mu, log_var, eps])
}

/// −ln u: exponentials of mean 1, from 6e-8 to 16.6.
pub(super) fn exponential<'g>(graph: &'g Graph, shape: &[usize]) -> Tensor<'g> {
    (-uniform(graph, shape).ln()).maximum(graph.constant(LEAST))
}

/// ln u − ln(1 − u): standard logistics.
pub(super) fn logistic<'g>(graph: &'g Graph, shape: &[usize]) -> Tensor<'g> {
    let u = uniform(graph, shape);
    u.ln() - (1.0 - u).ln()
}

/// The index of one of the choices along the last axis but one, k with a probability in proportion to `e^{log_weights_k}`:
/// the largest of ln w_k + G_k with Gumbel noise G = −ln(−ln u) (Gumbel 1954; Maddison, Tarlow & Minka 2014).
/// `[…, choices, features]` to `[…, 1, features]`
pub(super) fn choose(log_weights: Tensor) -> Tensor {
    let (graph, shape) = (log_weights.graph(), log_weights.shape());
    let axis = shape.len() - 2;
    let perturbed = log_weights - exponential(graph, shape).ln();
    let below = perturbed.less(perturbed.max(&[axis]));
    // Of choices that come out equal, the last.
    below.select(graph.constant(-1.0), graph.coordinate(axis, shape)).max(&[axis])
}
