//! The continuous Bernoulli: a density on [0, 1], where the Bernoulli's formula is none.
//!
//! p(x | a) = e^{ax}/∫₀¹ e^{at} dt for the logit a: with λ = σ(a) that is C(λ) λˣ (1 − λ)¹⁻ˣ, and the normalising constant
//! C(λ) = 2 artanh(1 − 2λ)/(1 − 2λ) of the paper comes to a/tanh(a/2). What is needed is smooth in a:
//! ln ∫ = ln((eᵃ − 1)/a), whose derivative is the mean.

use std::sync::Arc;

use super::{Likelihood, Support, draws};
use crate::catalogue::{About, Kind, Piece};
use crate::graph::{Graph, Tensor};
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
    fn outputs_per_feature(&self) -> usize {
        1
    }

    fn support(&self) -> Support {
        Support::Unit
    }

    fn log_prob(&self, graph: &mut Graph, outputs: Tensor, x: Tensor) -> Tensor {
        let (linear, cumulant) = (graph.mul(x, outputs), graph.call(Func::UniformCumulant, &[outputs]));
        graph.sub(linear, cumulant)
    }

    /// 1/(1 − e⁻ᵃ) − 1/a, which is not σ(a).
    fn mean(&self, graph: &mut Graph, outputs: Tensor) -> Tensor {
        graph.call(Func::TiltedMean, &[outputs])
    }

    /// The inverse of the distribution function: y = −ln(1 − u(1 − e^{−t}))/t for the logit −t, and 1 − y for t.
    fn sample(&self, graph: &mut Graph, outputs: Tensor) -> Option<Tensor> {
        let shape = graph.shape(outputs).to_vec();
        let (u, one, zero) = (draws::uniform(graph, &shape), graph.constant(1.0), graph.constant(0.0));
        let (size, near) = (graph.call(Func::Abs, &[outputs]), graph.constant(0.01));
        let t = graph.call(Func::Max, &[size, near]);
        let minus = graph.neg(t);
        let e = graph.call(Func::Exp, &[minus]);
        // 1 − u + u·e^{−t}, which is above 0 also where u is 1.
        let (rest, kept) = (graph.sub(one, u), graph.mul(u, e));
        let survival = graph.add(rest, kept);
        let least = graph.constant(f32::MIN_POSITIVE);
        let survival = graph.call(Func::Max, &[survival, least]);
        let log = graph.call(Func::Log, &[survival]);
        let far = graph.div(log, minus);
        // To first order in t: u − t u(1 − u)/2.
        let spread = graph.mul(u, rest);
        let (bend, close) = (graph.mul(size, spread), graph.call(Func::Less, &[size, near]));
        let bend = graph.scale(bend, 0.5);
        let straight = graph.sub(u, bend);
        let y = graph.call(Func::Select, &[close, straight, far]);
        let y = graph.clamp(y, 0.0, 1.0);
        let (mirrored, negative) = (graph.sub(one, y), graph.call(Func::Less, &[outputs, zero]));
        Some(graph.call(Func::Select, &[negative, y, mirrored]))
    }
}
