//! The beta-binomial: a level as a number of successes, whose probability is itself uncertain.
//!
//! With n = levels − 1 and k = n x, P(k) = C(n, k) B(k + α, n − k + β)/B(α, β), and C(n, k) is itself
//! 1/((n + 1) B(k + 1, n − k + 1)). α = β = 1 is the uniform distribution, large ones the binomial.

use std::sync::Arc;

use super::levels::{LEVELS, lower, raise};
use super::{Discrete, Likelihood, Support, draws};
use crate::catalogue::{About, Kind, Piece};
use crate::coding::Cumulative;
use crate::graph::Tensor;
use crate::kernels::Func;

/// n x ~ BetaBinomial(n, α, β) with both from the decoder: the first half of its outputs are ln α, the second ln β.
#[derive(Clone, Copy, Debug)]
pub struct BetaBinomial {
    /// How many values a feature can take, n + 1.
    pub levels: usize,
}

pub(super) static PIECE: Piece<dyn Likelihood> = Piece {
    about: About {
        kind: Kind::Likelihood,
        id: "beta-binomial",
        aliases: &[],
        name: "Beta-binomial: a probability of each grey value",
        formula: "P(x|z) = C(n, k) B(k + α(z), n − k + β(z))/B(α(z), β(z)), k = n x, n = levels − 1",
        source: "Skellam 1948",
        settings: &[LEVELS],
        example: "elbo train --likelihood beta-binomial",
    },
    build: |settings| Arc::new(BetaBinomial { levels: settings.whole("levels") }),
};

/// ln α and ln β are kept in this range: α from 0.0025, where both ends take nearly all, to 400, close to a binomial.
const LOG_SHAPE: (f32, f32) = (-6.0, 6.0);

impl BetaBinomial {
    fn shapes<'g>(self, outputs: Tensor<'g>) -> [Tensor<'g>; 2] {
        outputs.split().map(|log| log.clamp(LOG_SHAPE.0, LOG_SHAPE.1).exp())
    }

    /// ln P of k successes, of shapes that broadcast.
    fn log_prob_of<'g>(self, [alpha, beta]: [Tensor<'g>; 2], k: Tensor<'g>) -> Tensor<'g> {
        let n = (self.levels - 1) as f32;
        let log_beta = |a, b| k.graph().call(Func::LogBeta, &[a, b]);
        let rest = n - k;
        let ratio = log_beta(k + alpha, rest + beta) - log_beta(alpha, beta);
        ratio - (log_beta(k + 1.0, rest + 1.0) + libm::logf(n + 1.0))
    }
}

impl Likelihood for BetaBinomial {
    fn outputs(&self, features: usize) -> usize {
        2 * features
    }

    fn support(&self) -> Support {
        Support::Levels(self.levels)
    }

    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.log_prob_of(self.shapes(outputs), x * (self.levels - 1) as f32)
    }

    /// α/(α + β).
    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        let [alpha, beta] = self.shapes(outputs);
        alpha / (alpha + beta)
    }

    /// αβ(α + β + n)/(n (α + β)² (α + β + 1)).
    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let ([alpha, beta], n) = (self.shapes(outputs), (self.levels - 1) as f32);
        let all = alpha + beta;
        Some(alpha / all * (beta / all) * ((all + n) / (all + 1.0)) * (1.0 / n))
    }

    /// A level, chosen by the probabilities of all of them.
    fn sample<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let shapes = self.shapes(outputs).map(raise);
        let mut shape = shapes[0].shape().to_vec();
        let axis = shape.len() - 2;
        shape[axis] = self.levels;
        let log_probs = self.log_prob_of(shapes, outputs.graph().coordinate(axis, &shape));
        Some(lower(draws::choose(log_probs) / (self.levels - 1) as f32))
    }

    fn discrete(&self) -> Option<&dyn Discrete> {
        Some(self)
    }
}

impl Discrete for BetaBinomial {
    fn levels(&self) -> usize {
        self.levels
    }

    fn distributions(&self, outputs: &[f32], features: usize, _: &[u16], into: &mut Cumulative) {
        let log = |at: usize| f64::from(outputs[at]).clamp(f64::from(LOG_SHAPE.0), f64::from(LOG_SHAPE.1));
        let (n, mut logs) = ((self.levels - 1) as f64, Vec::with_capacity(self.levels));
        into.begin_weights(self.levels);
        for feature in 0..features {
            let [alpha, beta] = [feature, features + feature].map(|at| libm::exp(log(at)));
            // P(k + 1)/P(k) = (n − k)(k + α)/((k + 1)(n − k − 1 + β)), in logarithms.
            let ratio = |k: f64| libm::log((n - k) * (k + alpha)) - libm::log((k + 1.0) * (n - k - 1.0 + beta));
            let all = std::iter::successors(Some((0.0, 0.0)), |&(k, log)| Some((k + 1.0, log + ratio(k))));
            logs.clear();
            logs.extend(all.map(|(_, log)| log).take(self.levels));
            into.add_logits(logs.iter().copied());
        }
    }
}
