//! The Bernoulli: pixels that are black or white.

use std::sync::Arc;

use super::{Discrete, Likelihood, Support, draws};
use crate::catalogue::{About, Kind, Piece};
use crate::coding::Cumulative;
use crate::graph::Tensor;
use crate::kernels::Func;

/// x ~ Bernoulli(σ(output)), also for x between 0 and 1: then −ln p is the binary cross-entropy.
#[derive(Clone, Copy, Debug)]
pub struct Bernoulli;

pub(super) static PIECE: Piece<dyn Likelihood> = Piece {
    about: About {
        kind: Kind::Likelihood,
        id: "bernoulli",
        aliases: &["bce"],
        name: "Bernoulli: binary cross-entropy",
        formula: "ln p(x|z) = x ln σ(a) + (1 − x) ln(1 − σ(a))",
        source: "Kingma & Welling 2014, appendix C.1",
        settings: &[],
        example: "elbo train --likelihood bernoulli",
    },
    build: |_| Arc::new(Bernoulli),
};

impl Likelihood for Bernoulli {
    fn outputs(&self, features: usize) -> usize {
        features
    }

    fn support(&self) -> Support {
        Support::Binary
    }

    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        outputs.graph().call(Func::BernoulliLogProb, &[outputs, x])
    }

    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        outputs.sigmoid()
    }

    /// p (1 − p).
    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let p = self.mean(outputs);
        Some(p * (1.0 - p))
    }

    fn sample<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        Some(draws::uniform(outputs.graph(), outputs.shape()).less(self.mean(outputs)))
    }

    fn discrete(&self) -> Option<&dyn Discrete> {
        Some(self)
    }
}

impl Discrete for Bernoulli {
    fn levels(&self) -> usize {
        2
    }

    fn distributions(&self, outputs: &[f32], features: usize, _: &[u16], into: &mut Cumulative) {
        into.begin_weights(2);
        for &output in &outputs[..features] {
            let white = 1.0 / (1.0 + libm::exp(-f64::from(output)));
            into.add_weights([1.0 - white, white].into_iter());
        }
    }
}
