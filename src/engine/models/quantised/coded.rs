//! Rows of a model of quantised codes without loss: the indices of each under the prior, and its values under the likelihood given these.
//!
//! Which code a row has is certain, so that no bits come back: it takes −log₂ p(k) − log₂ p(x | k) bits, k being its indices. The prior is
//! asked index by index, by those who write as by those who read, so that both are told the same bits. Of several levels the indices of the
//! top come first; those of a level are asked for given all of the level above, which the memory carries in front of what the prior keeps.

use super::level::Level;
use super::vq_vae::VqVae;
use crate::distributions::choice::same;
use crate::distributions::{Above, Discrete};
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

impl VqVae {
    /// The levels in the order in which they are coded, the top first, each with the number of its first index.
    fn in_order(&self) -> Vec<(&Level, usize)> {
        let numbered = self.levels().into_iter().rev().scan(0, |number, level| {
            let first = *number;
            *number += level.index_grid().indices();
            Some((level, first))
        });
        numbered.collect()
    }
}

impl IndexCodes for VqVae {
    fn sizes(&self) -> [usize; 2] {
        [self.index_count(), self.bottom.index_grid().codes]
    }

    fn indices<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let coded = self.coded(rows);
        let each = self.levels().into_iter().zip(&coded).map(|(level, coded)| level.indices_by_place(coded));
        let each: Vec<Tensor> = each.rev().collect();
        rows.x.graph().concat(&each, 1)
    }

    fn next<'g>(&self, number: usize, given: Tensor<'g>) -> Tensor<'g> {
        let (graph, [rows, width], levels) = (given.graph(), given.dims(), self.in_order());
        let at = levels.iter().rposition(|(_, first)| *first <= number).expect("the first index is of a level");
        let ((level, first), last) = (levels[at], given.slice(1, 0, 1));
        let some = |from: usize, to: usize| (to > from).then(|| given.slice(1, from, to - from));
        // Behind the index before this one stand those before it, of all levels but the lowest, and then what the walk keeps.
        let upper = levels.last().map_or(0, |(_, first)| *first);
        let told = number.saturating_sub(1).min(upper);
        let of_upper = (1..=upper).contains(&number).then_some(last);
        let known: Vec<Tensor> = [some(1, 1 + told), of_upper].into_iter().flatten().collect();
        let known = (!known.is_empty()).then(|| graph.concat(&known, 1));
        let above = at.checked_sub(1).map(|above| {
            let ((level, from), known) = (levels[above], known.expect("all of the level above were told"));
            Above { grid: level.index_grid(), chosen: one_hot(known.slice(1, from, first - from), level) }
        });
        let asked = level.prior_level(above);
        let mut walk = match (number - first).checked_sub(1) {
            None => self.prior.walk(graph, rows, asked),
            Some(before) => {
                let mut walk = self.prior.resume(graph, rows, asked, (before, some(1 + told, width)));
                walk.tell(one_hot(last, level));
                walk
            }
        };
        let logits = walk.logits();
        let all: Vec<Tensor> = [Some(logits), known, walk.memory()].into_iter().flatten().collect();
        graph.concat(&all, 1)
    }

    fn outputs<'g>(&self, indices: Tensor<'g>) -> Tensor<'g> {
        let of_level = |(level, first): &(&Level, usize)| {
            level.code_of(one_hot(indices.slice(1, *first, level.index_grid().indices()), level))
        };
        let codes: Vec<Tensor> = self.in_order().iter().rev().map(of_level).collect();
        VqVae::outputs(self, indices.graph().concat(&codes, 1))
    }
}

/// Indices of a level `[rows, n]` as ones among zeros `[rows·n, K]`.
fn one_hot<'g>(indices: Tensor<'g>, level: &Level) -> Tensor<'g> {
    let all = indices.shape().iter().product();
    same(indices.graph().coordinate(1, &[all, level.quantiser.codes()]), indices.reshape(&[all, 1]))
}
