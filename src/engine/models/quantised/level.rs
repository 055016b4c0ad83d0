//! A level of codes: how numbers are encodings, and what becomes of those.

use std::sync::Arc;

use super::book::Encodings;
use super::grid::Grid;
use super::quantiser::{Quantised, Quantiser};
use crate::distributions::{Above, IndexGrid, IndexLevel};
use crate::graph::{Graph, Tensor};

/// One level of codes.
#[derive(Clone, Debug)]
pub(super) struct Level {
    /// The scope of all that it learns, where that has one.
    pub name: Option<&'static str>,
    pub grid: Grid,
    pub quantiser: Arc<dyn Quantiser>,
}

/// What becomes of rows at a level: the encodings that the encoder gives, and what they are quantised to.
#[derive(Clone, Debug)]
pub(super) struct Coded<'g> {
    pub encodings: Encodings<'g>,
    pub quantised: Quantised<'g>,
}

impl Level {
    /// Numbers of a row's code.
    pub fn width(&self) -> usize {
        self.grid.encodings() * self.grid.dimensions
    }

    /// What its prior is over.
    pub fn index_grid(&self) -> IndexGrid {
        let depth = self.grid.groups * self.quantiser.stages();
        IndexGrid { image: self.grid.image, depth, codes: self.quantiser.codes() }
    }

    /// What its prior is asked about, given the level above it.
    pub fn prior_level<'g>(&self, above: Option<Above<'g>>) -> IndexLevel<'g> {
        IndexLevel { name: self.name, grid: self.index_grid(), above }
    }

    /// Does `work` in the scope of what the level learns.
    fn scope<T>(&self, graph: &Graph, work: impl FnOnce() -> T) -> T {
        match self.name {
            Some(name) => graph.scope(name, work),
            None => work(),
        }
    }

    /// What becomes of numbers `[rows, width]` of rows with a weight each `[rows, 1]`, one of so many batches of an epoch.
    pub fn code<'g>(&self, numbers: Tensor<'g>, weights: Tensor<'g>, window: usize) -> Coded<'g> {
        let (z, each) = (self.grid.apart(numbers), self.grid.encodings());
        let weights = (weights * (1.0 / each as f32)).repeat_rows(each);
        let encodings = Encodings { z, weights, each };
        let quantised = self.scope(numbers.graph(), || self.quantiser.quantise(encodings, window));
        Coded { encodings, quantised }
    }

    /// Σ over the encodings of each row `[rows, 1]`.
    pub fn over_rows<'g>(&self, t: Tensor<'g>) -> Tensor<'g> {
        let rows = t.shape()[0] / self.grid.encodings();
        t.reshape(&[rows, t.shape().iter().product::<usize>() / rows]).sum_rows()
    }

    /// The indices of rows, counted from 0, in the order of encodings `[rows, indices]`.
    pub fn indices<'g>(&self, coded: &Coded<'g>) -> Tensor<'g> {
        self.of_rows(coded.quantised.indices())
    }

    /// The same in the order in which the prior is asked about them.
    pub fn indices_by_place<'g>(&self, coded: &Coded<'g>) -> Tensor<'g> {
        self.of_rows(self.grid.by_place(coded.quantised.indices()))
    }

    fn of_rows<'g>(&self, indices: Tensor<'g>) -> Tensor<'g> {
        let count = self.index_grid().indices();
        indices.reshape(&[indices.shape().iter().product::<usize>() / count, count])
    }

    /// The indices of rows in the order of the prior, each a one among zeros `[rows·indices, K]`.
    pub fn chosen_by_place<'g>(&self, coded: &Coded<'g>) -> Tensor<'g> {
        let (by_place, codes) = (self.grid.by_place(coded.quantised.chosen()), self.quantiser.codes());
        by_place.reshape(&[by_place.shape().iter().product::<usize>() / codes, codes])
    }

    /// The codes `[rows, width]` of indices in the order of the prior, each a one among zeros `[rows·indices, K]`.
    pub fn code_of<'g>(&self, chosen: Tensor<'g>) -> Tensor<'g> {
        let (stages, [all, codes]) = (self.quantiser.stages(), chosen.dims());
        let by_vector = chosen.reshape(&[all / stages, stages * codes]);
        let added =
            |stage: usize| self.quantiser.vectors(chosen.graph(), stage, by_vector.slice(1, stage * codes, codes));
        let sum = self.scope(chosen.graph(), || (0..stages).map(added).reduce(|sum, one| sum + one));
        self.grid.together(self.grid.by_group(sum.expect("an encoding has an index")))
    }
}
