//! The beta-binomial: a level as a number of successes, whose probability is itself uncertain.
//!
//! With n = levels − 1 and k = n x, P(k) = C(n, k) B(k + α, n − k + β)/B(α, β), and C(n, k) is itself
//! 1/((n + 1) B(k + 1, n − k + 1)). α = β = 1 is the uniform distribution, large ones the binomial.

use std::sync::Arc;

use super::levels::{LEVELS, lower, raise};
use super::{Likelihood, Support, draws, part};
use crate::catalogue::{About, Kind, Piece};
use crate::graph::{Graph, Tensor};
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
    fn split(self, graph: &mut Graph, outputs: Tensor) -> [Tensor; 2] {
        [0, 1].map(|i| {
            let log = part(graph, outputs, i, 2);
            let log = graph.clamp(log, LOG_SHAPE.0, LOG_SHAPE.1);
            graph.call(Func::Exp, &[log])
        })
    }

    /// ln P of k successes, of shapes that broadcast.
    fn log_prob_of(self, graph: &mut Graph, [alpha, beta]: [Tensor; 2], k: Tensor) -> Tensor {
        let n = (self.levels - 1) as f32;
        let (most, one) = (graph.constant(n), graph.constant(1.0));
        let rest = graph.sub(most, k);
        let (successes, failures) = (graph.add(k, alpha), graph.add(rest, beta));
        let (ways, others) = (graph.add(k, one), graph.add(rest, one));
        let [seen, prior, ways] = [[successes, failures], [alpha, beta], [ways, others]]
            .map(|arguments| graph.call(Func::LogBeta, &arguments));
        let (ratio, constant) = (graph.sub(seen, prior), graph.constant((n + 1.0).ln()));
        let ways = graph.add(ways, constant);
        graph.sub(ratio, ways)
    }
}

impl Likelihood for BetaBinomial {
    fn outputs_per_feature(&self) -> usize {
        2
    }

    fn support(&self) -> Support {
        Support::Levels(self.levels)
    }

    fn log_prob(&self, graph: &mut Graph, outputs: Tensor, x: Tensor) -> Tensor {
        let shapes = self.split(graph, outputs);
        let k = graph.scale(x, (self.levels - 1) as f32);
        self.log_prob_of(graph, shapes, k)
    }

    /// α/(α + β).
    fn mean(&self, graph: &mut Graph, outputs: Tensor) -> Tensor {
        let [alpha, beta] = self.split(graph, outputs);
        let sum = graph.add(alpha, beta);
        graph.div(alpha, sum)
    }

    /// A level, chosen by the probabilities of all of them.
    fn sample(&self, graph: &mut Graph, outputs: Tensor) -> Option<Tensor> {
        let shapes = self.split(graph, outputs).map(|t| raise(graph, t));
        let mut shape = graph.shape(shapes[0]).to_vec();
        let axis = shape.len() - 2;
        shape[axis] = self.levels;
        let k = graph.coordinate(axis, &shape);
        let log_probs = self.log_prob_of(graph, shapes, k);
        let (level, most) = (draws::choose(graph, log_probs), graph.constant((self.levels - 1) as f32));
        let x = graph.div(level, most);
        Some(lower(graph, x))
    }
}
