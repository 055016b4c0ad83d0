//! The uniform prior over indices: each is as likely as all others, whatever stands beside it.

use std::sync::Arc;

use super::{IndexLevel, IndexPrior, IndexWalk};
use crate::catalogue::{About, Kind, Piece};
use crate::graph::{Graph, Tensor};

#[derive(Clone, Copy, Debug)]
struct Uniform;

pub(super) static PIECE: Piece<dyn IndexPrior> = Piece {
    about: About {
        kind: Kind::Prior,
        id: "uniform",
        aliases: &[],
        name: "of quantised codes: every index is as likely, as while a codebook is learnt",
        formula: "ln p(k) = −N ln K, of N indices of K vectors",
        source: "van den Oord, Vinyals & Kavukcuoglu 2017, section 3.1",
        settings: &[],
        example: "elbo train --model vq-vae --prior uniform",
    },
    build: |_| Arc::new(Uniform),
};

impl IndexPrior for Uniform {
    fn is_learnt(&self) -> bool {
        false
    }

    fn log_prob<'g>(&self, chosen: Tensor<'g>, IndexLevel { grid, .. }: IndexLevel<'g>) -> Tensor<'g> {
        let rows = chosen.shape()[0] / grid.indices();
        let nats = grid.indices() as f32 * libm::logf(grid.codes as f32);
        chosen.graph().full(-nats, &[rows, 1])
    }

    fn walk<'g>(&self, graph: &'g Graph, rows: usize, level: IndexLevel<'g>) -> Box<dyn IndexWalk<'g> + 'g> {
        Box::new(Even(graph.full(0.0, &[rows, level.grid.codes])))
    }

    fn resume<'g>(
        &self,
        graph: &'g Graph,
        rows: usize,
        level: IndexLevel<'g>,
        _: (usize, Option<Tensor<'g>>),
    ) -> Box<dyn IndexWalk<'g> + 'g> {
        self.walk(graph, rows, level)
    }
}

/// The logits of every index.
struct Even<'g>(Tensor<'g>);

impl<'g> IndexWalk<'g> for Even<'g> {
    fn logits(&mut self) -> Tensor<'g> {
        self.0
    }

    fn tell(&mut self, _: Tensor<'g>) {}

    fn memory(&self) -> Option<Tensor<'g>> {
        None
    }
}
