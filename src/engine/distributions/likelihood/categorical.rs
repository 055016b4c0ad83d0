//! The categorical distribution: a free probability of every level, whose order it does not know.

use std::sync::Arc;

use super::discrete::of_feature;
use super::levels::{LEVELS, log_softmax, lower, pick, raise, stack, total};
use super::{Discrete, Likelihood, Support, draws};
use crate::catalogue::{About, Kind, Piece};
use crate::coding::Cumulative;
use crate::graph::Tensor;

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
    fn outputs(&self, features: usize) -> usize {
        self.levels * features
    }

    fn support(&self) -> Support {
        Support::Levels(self.levels)
    }

    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let level = x * (self.levels - 1) as f32;
        pick(log_softmax(stack(outputs, self.levels)), raise(level))
    }

    /// Σ_k P(k) k/(levels − 1).
    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        let probs = log_softmax(stack(outputs, self.levels)).exp();
        let level = probs.graph().coordinate(probs.shape().len() - 2, probs.shape());
        total(probs * level) * (1.0 / (self.levels - 1) as f32)
    }

    /// Σ_k P(k) (k/(levels − 1) − E\[x\])².
    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let probs = log_softmax(stack(outputs, self.levels)).exp();
        let level = probs.graph().coordinate(probs.shape().len() - 2, probs.shape()) * (1.0 / (self.levels - 1) as f32);
        Some(total(probs * (level - raise(total(probs * level))).square()))
    }

    fn sample<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let level = draws::choose(stack(outputs, self.levels));
        Some(lower(level / (self.levels - 1) as f32))
    }

    fn discrete(&self) -> Option<&dyn Discrete> {
        Some(self)
    }
}

impl Discrete for Categorical {
    fn levels(&self) -> usize {
        self.levels
    }

    fn distributions(&self, outputs: &[f32], features: usize, _: &[u16], into: &mut Cumulative) {
        into.begin_weights(self.levels);
        (0..features).for_each(|feature| into.add_logits(of_feature(outputs, feature, features)));
    }
}
