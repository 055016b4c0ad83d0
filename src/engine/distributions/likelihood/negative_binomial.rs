//! The negative binomial: counts that vary more than those of a Poisson.
//!
//! P(k) = C(k + r − 1, k) (r/(r + μ))ʳ (μ/(r + μ))ᵏ has the mean μ and the variance μ + μ²/r; as r grows it becomes the Poisson of
//! the mean μ. C(k + r − 1, k) is 1/((k + r) B(k + 1, r)), in which nothing overflows.

use super::{Likelihood, Support, draws};
use crate::graph::Tensor;
use crate::kernels::Func;

/// k ~ NegativeBinomial(μ, r) with both from the decoder: the first half of its outputs are ln μ, in units of the scaled counts
/// that it is given, the second ln r (Lawless 1987; Lopez et al. 2018, of the counts of genes).
///
/// A count is given as x = (ln(1 + k) − shift)/scale.
#[derive(Clone, Copy, Debug)]
pub struct NegativeBinomial {
    /// What was taken off ln(1 + k).
    pub shift: f32,
    /// What that was divided by.
    pub scale: f32,
}

/// ln μ is kept in this range: means from 3e-5 to 10⁸.
const LOG_MEAN: (f32, f32) = (-10.4, 18.4);
/// ln r is kept in this range: from 0.0025, where nearly all counts are 0, to 400, close to a Poisson.
const LOG_SHAPE: (f32, f32) = (-6.0, 6.0);

impl NegativeBinomial {
    /// The count that a scaled number stands for.
    fn count(self, x: Tensor) -> Tensor {
        ((x * self.scale + self.shift).exp() - 0.5).floor().maximum(x.graph().constant(0.0))
    }

    /// The scaled number of a count.
    fn scaled(self, count: Tensor) -> Tensor {
        ((count + 1.0).ln() - self.shift) / self.scale
    }

    /// ln μ and ln r.
    fn parameters<'g>(self, outputs: Tensor<'g>) -> [Tensor<'g>; 2] {
        let [log_mean, log_shape] = outputs.split();
        // Outputs near 0 mean counts near the usual one.
        let log_mean = log_mean * self.scale + self.shift;
        [log_mean.clamp(LOG_MEAN.0, LOG_MEAN.1), log_shape.clamp(LOG_SHAPE.0, LOG_SHAPE.1)]
    }
}

impl Likelihood for NegativeBinomial {
    fn outputs(&self, features: usize) -> usize {
        2 * features
    }

    fn support(&self) -> Support {
        Support::Fields
    }

    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let [log_mean, log_shape] = self.parameters(outputs);
        let (k, r) = (self.count(x), log_shape.exp());
        // ln(r/(r + μ)) = −softplus(ln μ − ln r), ln(μ/(r + μ)) = −softplus(ln r − ln μ).
        let odds = log_mean - log_shape;
        let choose = -(x.graph().call(Func::LogBeta, &[k + 1.0, r]) + (k + r).ln());
        choose - (r * odds.softplus() + k * (-odds).softplus())
    }

    /// The scaled number of the mean μ.
    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        let [log_mean, _] = self.parameters(outputs);
        self.scaled(log_mean.exp())
    }

    /// None: what has one is the count, and not the scaled logarithm that stands for it.
    fn variance<'g>(&self, _: Tensor<'g>) -> Option<Tensor<'g>> {
        None
    }

    /// A Poisson whose mean is a Gamma of shape r and mean μ.
    fn sample<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let [log_mean, log_shape] = self.parameters(outputs);
        let rate = draws::gamma(log_shape.exp()) * (log_mean - log_shape).exp();
        Some(self.scaled(draws::poisson(rate)))
    }
}
