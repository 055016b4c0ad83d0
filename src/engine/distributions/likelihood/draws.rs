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

/// Gammas of these shapes a and scale 1: a'(1 − 1/(9a') + ε/(3√a'))³ of a standard normal ε for a' = a + 1 (Wilson & Hilferty 1931),
/// of which the moments are right to a few thousandths from a' = 1 on, times u^{1/a} of a uniform u, which takes the shape from
/// a' to a (Stuart 1962).
pub(super) fn gamma(shape: Tensor) -> Tensor {
    let above = shape + 1.0;
    let ninth = (above * 9.0).recip();
    let root = 1.0 - ninth + normal(shape.graph(), shape.shape()) * ninth.sqrt();
    let root = root.maximum(shape.graph().constant(0.0));
    above * root * root * root * (-exponential(shape.graph(), shape.shape()) / shape).exp()
}

/// How many arrivals are looked at: of a mean of [`MANY`] more come about once in 10¹².
const ARRIVALS: usize = 96;
/// From this mean on a Poisson is drawn as a rounded normal.
const MANY: f32 = 40.0;

/// Poissons of these means: so many times of a process of rate 1 lie before the mean; of large means a normal of the same mean
/// and variance, rounded.
pub(super) fn poisson(mean: Tensor) -> Tensor {
    let (graph, count) = (mean.graph(), mean.shape().iter().product::<usize>());
    let waits = exponential(graph, &[count, ARRIVALS]);
    let square = [ARRIVALS, ARRIVALS];
    let until = graph.coordinate(0, &square).less(graph.coordinate(1, &square) + 0.5);
    let arrivals = waits.matmul(until);
    let few = arrivals.less(mean.reshape(&[count, 1])).sum_rows().reshape(mean.shape());
    let near = mean + mean.sqrt() * normal(graph, mean.shape());
    let many = (near + 0.5).floor().maximum(graph.constant(0.0));
    mean.less(graph.constant(MANY)).select(few, many)
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
