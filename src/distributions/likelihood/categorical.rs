//! The categorical distribution: a free probability of every level, whose order it does not know.

use std::sync::Arc;

use super::levels::{LEVELS, log_softmax, lower, pick, raise, stack, total};
use super::{Likelihood, Support, draws};
use crate::catalogue::{About, Kind, Piece};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// (levels − 1) x ~ Categorical(softmax of the decoder's outputs): the first `features` outputs are the logits of level 0,
/// and so on.
#[derive(Clone, Copy, Debug)]
pub struct Categorical {
    /// How many values a feature can take.
    pub levels: usize,
}

pub(super) static PIECE: Piece<dyn Likelihood> = Piece {
    about: About {
        kind: Kind::Likelihood,
        id: "categorical",
        aliases: &["softmax"],
        name: "Categorical: a free probability of each level; the decoder has an output for each level of each feature",
        formula: "ln P(x|z) = a_k(z) − ln Σ_j e^{a_j(z)}, k = (levels − 1) x",
        source: "van den Oord, Kalchbrenner & Kavukcuoglu 2016, pixels as discrete variables",
        settings: &[LEVELS],
        example: "elbo train --binary --likelihood categorical:levels=2",
    },
    build: |settings| Arc::new(Categorical { levels: settings.whole("levels") }),
};

impl Likelihood for Categorical {
    fn outputs_per_feature(&self) -> usize {
        self.levels
    }

    fn support(&self) -> Support {
        Support::Levels(self.levels)
    }

    fn log_prob(&self, graph: &mut Graph, outputs: Tensor, x: Tensor) -> Tensor {
        let (logits, level) = (stack(graph, outputs, self.levels), graph.scale(x, (self.levels - 1) as f32));
        let (log_probs, level) = (log_softmax(graph, logits), raise(graph, level));
        pick(graph, log_probs, level)
    }

    /// Σ_k P(k) k/(levels − 1).
    fn mean(&self, graph: &mut Graph, outputs: Tensor) -> Tensor {
        let logits = stack(graph, outputs, self.levels);
        let log_probs = log_softmax(graph, logits);
        let probs = graph.call(Func::Exp, &[log_probs]);
        let shape = graph.shape(probs).to_vec();
        let level = graph.coordinate(shape.len() - 2, &shape);
        let weighted = graph.mul(probs, level);
        let sum = total(graph, weighted);
        graph.scale(sum, 1.0 / (self.levels - 1) as f32)
    }

    fn sample(&self, graph: &mut Graph, outputs: Tensor) -> Option<Tensor> {
        let logits = stack(graph, outputs, self.levels);
        let (level, most) = (draws::choose(graph, logits), graph.constant((self.levels - 1) as f32));
        let x = graph.div(level, most);
        Some(lower(graph, x))
    }
}
