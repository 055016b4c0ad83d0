//! The Gaussian whose variance is the decoder's to say, feature by feature.

use std::sync::Arc;

use super::{Likelihood, Support, part};
use crate::catalogue::{About, Kind, Piece};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// x ~ N(μ, σ²) with both from the decoder: the first half of its outputs are means, the second ln σ².
#[derive(Clone, Copy, Debug)]
pub struct LearnedGaussian;

pub(super) static PIECE: Piece<dyn Likelihood> = Piece {
    about: About {
        kind: Kind::Likelihood,
        id: "gaussian-learned",
        aliases: &[],
        name: "Gaussian with a standard deviation that the decoder says for every feature",
        formula: "ln p(x|z) = −½(ln 2π + ln σ²(z) + (x − μ(z))²/σ²(z))",
        source: "Kingma & Welling 2014, appendix C.2",
        settings: &[],
        example: "elbo train --likelihood gaussian-learned",
    },
    build: |_| Arc::new(LearnedGaussian),
};

/// ln σ² of data is kept in this range: σ between 0.002 and 150, or a constant pixel would earn any likelihood.
const LOG_VAR: (f32, f32) = (-12.0, 10.0);

impl LearnedGaussian {
    fn split(self, graph: &mut Graph, outputs: Tensor) -> [Tensor; 2] {
        let log_var = part(graph, outputs, 1, 2);
        [part(graph, outputs, 0, 2), graph.clamp(log_var, LOG_VAR.0, LOG_VAR.1)]
    }
}

impl Likelihood for LearnedGaussian {
    fn outputs_per_feature(&self) -> usize {
        2
    }

    fn support(&self) -> Support {
        Support::Real
    }

    fn log_prob(&self, graph: &mut Graph, outputs: Tensor, x: Tensor) -> Tensor {
        let [mu, log_var] = self.split(graph, outputs);
        graph.call(Func::GaussianLogProb, &[x, mu, log_var])
    }

    fn mean(&self, graph: &mut Graph, outputs: Tensor) -> Tensor {
        part(graph, outputs, 0, 2)
    }

    fn sample(&self, graph: &mut Graph, outputs: Tensor) -> Option<Tensor> {
        let [mu, log_var] = self.split(graph, outputs);
        let (stream, shape) = (graph.stream(), graph.shape(mu).to_vec());
        let eps = graph.normal(stream, &shape);
        Some(graph.call(Func::Reparameterise, &[mu, log_var, eps]))
    }
}
