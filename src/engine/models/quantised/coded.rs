//! Rows of a model of quantised codes without loss: the indices of each under the prior, and its values under the likelihood given these.
//!
//! Which code a row has is certain, so that no bits come back: it takes −log₂ p(k) − log₂ p(x | k) bits, k being its indices. The prior is
//! asked index by index, by those who write as by those who read, so that both are told the same bits.

use super::vq_vae::VqVae;
use crate::distributions::Discrete;
use crate::distributions::choice::same;
use crate::graph::Tensor;
use crate::models::{CodedAs, Compress, IndexCodes, Rows};

impl Compress for VqVae {
    fn coded_as(&self) -> CodedAs<'_> {
        CodedAs::Indices(self)
    }

    fn values(&self) -> &dyn Discrete {
        self.likelihood.discrete().expect("it was asked for before the capability was given")
    }
}

impl IndexCodes for VqVae {
    fn sizes(&self) -> [usize; 2] {
        let grid = self.index_grid();
        [grid.indices(), grid.codes]
    }

    fn indices<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.grid.by_place(self.quantised(rows).indices()).reshape(&[rows.count(), self.index_grid().indices()])
    }

    fn next<'g>(&self, number: usize, given: Tensor<'g>) -> Tensor<'g> {
        let (graph, grid, [rows, width]) = (given.graph(), self.index_grid(), given.dims());
        let mut walk = match number.checked_sub(1) {
            None => self.prior.walk(graph, rows, grid),
            Some(last) => {
                let memory = (width > 1).then(|| given.slice(1, 1, width - 1));
                let mut walk = self.prior.resume(graph, rows, grid, (last, memory));
                walk.tell(same(graph.coordinate(1, &[rows, grid.codes]), given.slice(1, 0, 1)));
                walk
            }
        };
        let logits = walk.logits();
        walk.memory().map_or(logits, |memory| graph.concat(&[logits, memory], 1))
    }

    fn outputs<'g>(&self, indices: Tensor<'g>) -> Tensor<'g> {
        let (stages, codes) = (self.quantiser.stages(), self.quantiser.codes());
        let vectors = indices.shape().iter().product::<usize>() / stages;
        let by_place = indices.reshape(&[vectors, stages]);
        let chosen = |stage: usize| same(indices.graph().coordinate(1, &[vectors, codes]), by_place.slice(1, stage, 1));
        let each = (0..stages).map(|stage| self.quantiser.vectors(indices.graph(), stage, chosen(stage)));
        let sum = each.reduce(|sum, one| sum + one).expect("an encoding has an index");
        self.networks.decode(self.code_of(sum), None)
    }
}
