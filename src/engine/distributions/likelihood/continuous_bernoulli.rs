//! The continuous Bernoulli: a density on [0, 1], where the Bernoulli's formula is none.
//!
//! p(x | a) = e^{ax}/∫₀¹ e^{at} dt for the logit a: with λ = σ(a) that is C(λ) λˣ (1 − λ)¹⁻ˣ, and the normalising constant
//! C(λ) = 2 artanh(1 − 2λ)/(1 − 2λ) of the paper comes to a/tanh(a/2). What is needed is smooth in a:
//! ln ∫ = ln((eᵃ − 1)/a), whose derivative is the mean.

use std::sync::Arc;

use super::{Likelihood, Support, draws};
use crate::catalogue::{About, Kind, Piece};
use crate::graph::Tensor;
use crate::kernels::Func;

/// x ~ the continuous Bernoulli of the logit that the decoder gives.
#[derive(Clone, Copy, Debug)]
pub struct ContinuousBernoulli;

pub(super) static PIECE: Piece<dyn Likelihood> = Piece {
    about: About {
        kind: Kind::Likelihood,
        id: "continuous-bernoulli",
        aliases: &["cb"],
        name: "Continuous Bernoulli: a density of grey values between 0 and 1",
        formula: "ln p(x|z) = x ln σ(a) + (1 − x) ln(1 − σ(a)) + ln(a/tanh(a/2)) = x a − ln((eᵃ − 1)/a)",
        source: "Loaiza-Ganem & Cunningham 2019",
        settings: &[],
        example: "elbo train --likelihood continuous-bernoulli",
    },
    build: |_| Arc::new(ContinuousBernoulli),
};

impl Likelihood for ContinuousBernoulli {
    fn outputs(&self, features: usize) -> usize {
        features
    }

    fn support(&self) -> Support {
        Support::Unit
    }

    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        x * outputs - outputs.apply(Func::UniformCumulant)
    }

    /// 1/(1 − e⁻ᵃ) − 1/a, which is not σ(a).
    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        outputs.apply(Func::TiltedMean)
    }

    /// The slope of the mean in the logit a, as of every exponential family: 1/a² − e⁻ᵃ/(1 − e⁻ᵃ)².
    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let graph = outputs.graph();
        Some(graph.call(Func::TiltedMeanGrad, &[graph.full(1.0, outputs.shape()), outputs]))
    }

    /// The inverse of the distribution function: y = −ln(1 − u(1 − e^{−t}))/t for the logit −t, and 1 − y for t.
    fn sample<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let graph = outputs.graph();
        let u = draws::uniform(graph, outputs.shape());
        let (size, near) = (outputs.abs(), graph.constant(0.01));
        let minus = -size.maximum(near);
        // 1 − u + u·e^{−t}, which is above 0 also where u is 1.
        let rest = 1.0 - u;
        let survival = (rest + u * minus.exp()).maximum(graph.constant(f32::MIN_POSITIVE));
        let far = survival.ln() / minus;
        // To first order in t: u − t u(1 − u)/2.
        let straight = u - size * (u * rest) * 0.5;
        let y = size.less(near).select(straight, far).clamp(0.0, 1.0);
        Some(outputs.less(graph.constant(0.0)).select(y, 1.0 - y))
    }
}
