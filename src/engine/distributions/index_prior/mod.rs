//! Priors over indices: which vectors of a codebook stand together in a row's code, before anything is seen.

mod pixelcnn;
mod uniform;

use crate::catalogue::Piece;
use crate::graph::{Graph, Tensor};

/// Every prior over indices.
pub static INDEX_PRIORS: &[&Piece<dyn IndexPrior>] = &[&uniform::PIECE, &pixelcnn::PIECE];

/// The indices of a row's code: so many at each pixel of a small picture, row by row, those of a pixel behind each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexGrid {
    /// Height and width of the picture; `[1, 1]` where each index sees all of a row.
    pub image: [usize; 2],
    /// M, indices at each place.
    pub depth: usize,
    /// K, what an index chooses from.
    pub codes: usize,
}

impl IndexGrid {
    /// P, places.
    pub fn places(self) -> usize {
        self.image.iter().product()
    }

    /// Indices of a row.
    pub fn indices(self) -> usize {
        self.places() * self.depth
    }
}

/// p(k), a distribution over the indices of a row.
pub trait IndexPrior: std::fmt::Debug + Send + Sync {
    /// Whether it has learnt which indices stand together, so that it is worth drawing from.
    fn is_learnt(&self) -> bool;

    /// Why it cannot be over such indices, and what to do, where it cannot.
    fn refusal(&self, grid: IndexGrid) -> Option<String> {
        let _ = grid;
        None
    }

    /// ln p(k), in nats, of indices, each a one among zeros `[rows·P·M, K]`. `[rows, 1]`
    fn log_prob<'g>(&self, chosen: Tensor<'g>, grid: IndexGrid) -> Tensor<'g>;

    /// Indices drawn from it, in their order, each a one among zeros `[rows, K]`. Logits are divided by the temperature; at 0 the likeliest
    /// index is taken each time.
    fn sample<'g>(&self, graph: &'g Graph, rows: usize, grid: IndexGrid, temperature: f32) -> Vec<Tensor<'g>>;
}
