//! The Laplace distribution: absolute errors, which a few values far off do not rule.

use std::sync::Arc;

use super::{Likelihood, Support, draws, part};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// x ~ Laplace(output, scale), with one fixed scale.
#[derive(Clone, Copy, Debug)]
pub struct Laplace {
    /// The scale b, the mean of |x − μ|.
    pub scale: f32,
}

/// x ~ Laplace(μ, b) with both from the decoder: the first half of its outputs are means, the second ln b.
#[derive(Clone, Copy, Debug)]
pub struct LearnedLaplace;

pub(super) static PIECE: Piece<dyn Likelihood> = Piece {
    about: About {
        kind: Kind::Likelihood,
        id: "laplace",
        aliases: &["l1"],
        name: "Laplace with a fixed scale: absolute error over the scale",
        formula: "ln p(x|z) = −ln 2b − |x − μ(z)|/b",
        source: "Laplace 1774, first law of errors",
        settings: &[Setting {
            name: "scale",
            default: 1.0,
            bounds: Bounds::Positive,
            meaning: "b, the mean absolute error, in the units of the data; smaller makes reconstructions sharper",
        }],
        example: "elbo train --likelihood laplace:scale=0.1",
    },
    build: |settings| Arc::new(Laplace { scale: settings.get("scale") as f32 }),
};

pub(super) static LEARNED: Piece<dyn Likelihood> = Piece {
    about: About {
        kind: Kind::Likelihood,
        id: "laplace-learned",
        aliases: &[],
        name: "Laplace with a scale that the decoder says for every feature",
        formula: "ln p(x|z) = −ln 2b(z) − |x − μ(z)|/b(z)",
        source: "Laplace 1774, first law of errors",
        settings: &[],
        example: "elbo train --likelihood laplace-learned",
    },
    build: |_| Arc::new(LearnedLaplace),
};

/// ln b is kept in this range: b between 0.002 and 150, or a constant pixel would earn any likelihood.
const LOG_SCALE: (f32, f32) = (-6.0, 5.0);

/// −ln 2b − |x − μ|/b of ln b.
fn log_prob(graph: &mut Graph, x: Tensor, mu: Tensor, log_scale: Tensor) -> Tensor {
    let residual = graph.sub(x, mu);
    let (size, minus) = (graph.call(Func::Abs, &[residual]), graph.neg(log_scale));
    let precision = graph.call(Func::Exp, &[minus]);
    let (error, constant) = (graph.mul(size, precision), graph.constant(std::f32::consts::LN_2));
    let normaliser = graph.add(log_scale, constant);
    let sum = graph.add(error, normaliser);
    graph.neg(sum)
}

/// μ + b(E − E′): the difference of two exponentials is a Laplace.
fn sample(graph: &mut Graph, mu: Tensor, log_scale: Tensor) -> Tensor {
    let shape = graph.shape(mu).to_vec();
    let pair = [0; 2].map(|_| draws::exponential(graph, &shape));
    let (difference, scale) = (graph.sub(pair[0], pair[1]), graph.call(Func::Exp, &[log_scale]));
    let noise = graph.mul(difference, scale);
    graph.add(mu, noise)
}

impl Likelihood for Laplace {
    fn outputs_per_feature(&self) -> usize {
        1
    }

    fn support(&self) -> Support {
        Support::Real
    }

    fn log_prob(&self, graph: &mut Graph, outputs: Tensor, x: Tensor) -> Tensor {
        let log_scale = graph.constant(self.scale.ln());
        log_prob(graph, x, outputs, log_scale)
    }

    fn mean(&self, _: &mut Graph, outputs: Tensor) -> Tensor {
        outputs
    }

    fn sample(&self, graph: &mut Graph, outputs: Tensor) -> Option<Tensor> {
        let log_scale = graph.constant(self.scale.ln());
        Some(sample(graph, outputs, log_scale))
    }
}

impl LearnedLaplace {
    fn split(self, graph: &mut Graph, outputs: Tensor) -> [Tensor; 2] {
        let log_scale = part(graph, outputs, 1, 2);
        [part(graph, outputs, 0, 2), graph.clamp(log_scale, LOG_SCALE.0, LOG_SCALE.1)]
    }
}

impl Likelihood for LearnedLaplace {
    fn outputs_per_feature(&self) -> usize {
        2
    }

    fn support(&self) -> Support {
        Support::Real
    }

    fn log_prob(&self, graph: &mut Graph, outputs: Tensor, x: Tensor) -> Tensor {
        let [mu, log_scale] = self.split(graph, outputs);
        log_prob(graph, x, mu, log_scale)
    }

    fn mean(&self, graph: &mut Graph, outputs: Tensor) -> Tensor {
        part(graph, outputs, 0, 2)
    }

    fn sample(&self, graph: &mut Graph, outputs: Tensor) -> Option<Tensor> {
        let [mu, log_scale] = self.split(graph, outputs);
        Some(sample(graph, mu, log_scale))
    }
}
