//! What makes indices of encodings, and vectors of indices.

use super::assignment::Assignment;
use super::book::Encodings;
use crate::graph::{Graph, Tensor};

/// How encodings become one of finitely many vectors.
pub(super) trait Quantiser: std::fmt::Debug + Send + Sync {
    /// K, what an index chooses from.
    fn codes(&self) -> usize;

    /// Indices of an encoding, one behind the other: of several, what they choose is added up.
    fn stages(&self) -> usize {
        1
    }

    /// What encodings become; in training what learns from them does. `window` is how many steps are looked back for vectors in use.
    fn quantise<'g>(&self, encodings: Encodings<'g>, window: usize) -> Quantised<'g>;

    /// What an index of a stage adds, of ones among zeros `[n, K]`. `[n, D]`
    fn vectors<'g>(&self, graph: &'g Graph, stage: usize, chosen: Tensor<'g>) -> Tensor<'g>;
}

/// What encodings become.
#[derive(Clone, Debug)]
pub(super) struct Quantised<'g> {
    /// What each stage chose.
    pub stages: Vec<Assignment<'g>>,
    /// The vectors `[n, D]`.
    pub vectors: Tensor<'g>,
    /// What the gradient of the vectors passes to `[n, D]`.
    pub smooth: Tensor<'g>,
    /// How far encodings lie from what they chose, squared and summed over stages, with the gradient of the encodings `[n, D]`; and with
    /// that of the vectors, where they are learnt by it. `None` where nothing draws them to each other.
    pub drawn: Option<Drawn<'g>>,
    /// Vectors of all stages that were chosen within the last `window` steps `[1, 1]`; in training only.
    pub used: Option<Tensor<'g>>,
}

/// What draws encodings and vectors to each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawn<'g> {
    /// Σ (z − sg e)² `[n, D]`.
    pub encodings: Tensor<'g>,
    /// Σ (sg z − e)² `[n, D]`.
    pub vectors: Option<Tensor<'g>>,
}

impl<'g> Quantised<'g> {
    /// The vectors, their gradient being that of what they were made of (straight-through) `[n, D]`.
    pub fn through(&self) -> Tensor<'g> {
        self.smooth + (self.vectors - self.smooth).detach()
    }

    /// What the stages chose, behind each other `[n, stages·K]`.
    pub fn chosen(&self) -> Tensor<'g> {
        let all: Vec<Tensor> = self.stages.iter().map(|stage| stage.chosen).collect();
        self.vectors.graph().concat(&all, 1)
    }

    /// Which vector each stage chose, counted from 0 `[n, stages]`.
    pub fn indices(&self) -> Tensor<'g> {
        let index = |stage: &Assignment<'g>| {
            let places = stage.chosen.graph().coordinate(1, stage.chosen.shape());
            (stage.chosen * places).sum_rows()
        };
        let all: Vec<Tensor> = self.stages.iter().map(index).collect();
        self.vectors.graph().concat(&all, 1)
    }

    /// The perplexity of a stage, the mean over all of them `[1, 1]`; weights as for [`Assignment::perplexity`].
    pub fn perplexity(&self, weights: Tensor<'g>) -> Tensor<'g> {
        let each = self.stages.iter().map(|stage| stage.perplexity(weights));
        let sum = each.reduce(|sum, one| sum + one).expect("an encoding has an index");
        sum * (1.0 / self.stages.len() as f32)
    }
}
