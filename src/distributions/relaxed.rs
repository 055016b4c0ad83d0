//! The concrete distribution: a categorical one, relaxed to the inside of the simplex (Maddison, Mnih & Teh 2017; Jang, Gu &
//! Poole 2017).
//!
//! y = softmax((ln π + g)/τ) with Gumbel noise g has, for n categories, the density
//! ln p(y) = ln Γ(n) + (n − 1) ln τ + Σ_k (ln π_k − (τ + 1) ln y_k) − n·ln Σ_k π_k y_k^{−τ} (Maddison et al., equation 10).

use super::special::ln_gamma;
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// The scalar τ of a step, which a posterior sets and its prior shares.
pub(super) const TEMPERATURE: &str = "temperature";

/// ln p(y), in nats, of ln π and ln y `[rows, variables, categories]`. `[rows, 1]`
pub(super) fn log_prob(graph: &mut Graph, log_pi: Tensor, log_y: Tensor) -> Tensor {
    let &[rows, variables, categories] = graph.shape(log_y) else {
        panic!("one axis for variables, one for categories")
    };
    let (n, tau) = (categories as f32, graph.scalar(TEMPERATURE));
    let powers = graph.mul(tau, log_y);
    let ratios = graph.sub(log_pi, powers);
    let rest = graph.sub(ratios, log_y);
    let rest = graph.sum(rest, &[2]);
    let total = graph.log_sum_exp(ratios, &[2]);
    let total = graph.scale(total, n);
    let each = graph.sub(rest, total);
    let log_tau = graph.call(Func::Log, &[tau]);
    let log_tau = graph.scale(log_tau, n - 1.0);
    let gamma = graph.constant(ln_gamma(f64::from(n)) as f32);
    let constant = graph.add(log_tau, gamma);
    let each = graph.add(each, constant);
    let each = graph.reshape(each, &[rows, variables]);
    graph.sum_rows(each)
}
