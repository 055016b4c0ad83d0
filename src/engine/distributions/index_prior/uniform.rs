//! The uniform prior over indices: each is as likely as all others, whatever stands beside it.

use std::sync::Arc;

use super::{IndexGrid, IndexPrior};
use crate::catalogue::{About, Kind, Piece};
use crate::distributions::choice::draw;
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

    fn log_prob<'g>(&self, chosen: Tensor<'g>, grid: IndexGrid) -> Tensor<'g> {
        let rows = chosen.shape()[0] / grid.indices();
        let nats = grid.indices() as f32 * libm::logf(grid.codes as f32);
        chosen.graph().full(-nats, &[rows, 1])
    }

    fn sample<'g>(&self, graph: &'g Graph, rows: usize, grid: IndexGrid, _: f32) -> Vec<Tensor<'g>> {
        let even = graph.full(0.0, &[rows, grid.codes]);
        (0..grid.indices()).map(|_| draw(even, 1.0)).collect()
    }
}
