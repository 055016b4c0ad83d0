//! The concrete distribution: a categorical one, relaxed to the inside of the simplex (Maddison, Mnih & Teh 2017; Jang, Gu &
//! Poole 2017).
//!
//! y = softmax((ln π + g)/τ) with Gumbel noise g has, for n categories, the density
//! ln p(y) = ln Γ(n) + (n − 1) ln τ + Σ_k (ln π_k − (τ + 1) ln y_k) − n·ln Σ_k π_k y_k^{−τ} (Maddison et al., equation 10).

use super::special::ln_gamma;
use crate::graph::Tensor;

/// The scalar τ of a step, which a posterior sets and its prior shares.
pub(super) const TEMPERATURE: &str = "temperature";

/// ln p(y), in nats, of ln π and ln y `[rows, variables, categories]`. `[rows, 1]`
pub(super) fn log_prob<'g>(log_pi: Tensor<'g>, log_y: Tensor<'g>) -> Tensor<'g> {
    let [rows, variables, categories] = log_y.dims();
    let (n, tau) = (categories as f32, log_y.graph().scalar(TEMPERATURE));
    let ratios = log_pi - tau * log_y;
    let each = (ratios - log_y).sum(&[2]) - ratios.log_sum_exp(&[2]) * n;
    let constant = tau.ln() * (n - 1.0) + ln_gamma(f64::from(n)) as f32;
    (each + constant).reshape(&[rows, variables]).sum_rows()
}
