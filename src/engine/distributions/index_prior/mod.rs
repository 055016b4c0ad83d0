//! Priors over indices: which vectors of a codebook stand together in a row's code, before anything is seen.

mod pixelcnn;
mod uniform;

use crate::catalogue::Piece;
use crate::distributions::choice::draw;
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

/// The indices of rows that a prior is asked about: those of one level of codes.
#[derive(Clone, Copy, Debug)]
pub struct IndexLevel<'g> {
    /// What a level is called whose prior has parameters of its own, in the scope `prior.<name>`.
    pub name: Option<&'static str>,
    /// How the indices lie.
    pub grid: IndexGrid,
    /// What is known before any of them is; `None` where there is no level above.
    pub above: Option<Above<'g>>,
}

/// The indices of the level above.
#[derive(Clone, Copy, Debug)]
pub struct Above<'g> {
    /// How they lie: on a picture of half as many places along each axis, an odd one being rounded up.
    pub grid: IndexGrid,
    /// Each a one among zeros `[rows·P·M, K]`.
    pub chosen: Tensor<'g>,
}

/// The only level of a code.
impl From<IndexGrid> for IndexLevel<'_> {
    fn from(grid: IndexGrid) -> Self {
        IndexLevel { name: None, grid, above: None }
    }
}

/// p(k), a distribution over the indices of a row, or p(k | above) of one of its levels.
pub trait IndexPrior: std::fmt::Debug + Send + Sync {
    /// Whether it has learnt which indices stand together, so that it is worth drawing from.
    fn is_learnt(&self) -> bool;

    /// Why it cannot be over so many indices of a row, of all levels, and what to do, where it cannot.
    fn refusal(&self, indices: usize) -> Option<String> {
        let _ = indices;
        None
    }

    /// ln p(k), in nats, of indices, each a one among zeros `[rows·P·M, K]`. `[rows, 1]`
    fn log_prob<'g>(&self, chosen: Tensor<'g>, level: IndexLevel<'g>) -> Tensor<'g>;

    /// The indices of so many rows, none of which is known yet.
    fn walk<'g>(&self, graph: &'g Graph, rows: usize, level: IndexLevel<'g>) -> Box<dyn IndexWalk<'g> + 'g>;

    /// A walk as it was when its [`IndexWalk::memory`] was taken behind the logits of index `number`.
    fn resume<'g>(
        &self,
        graph: &'g Graph,
        rows: usize,
        level: IndexLevel<'g>,
        from: (usize, Option<Tensor<'g>>),
    ) -> Box<dyn IndexWalk<'g> + 'g>;

    /// Indices drawn from it, in their order, each a one among zeros `[rows, K]`. Logits are divided by the temperature; at 0 the likeliest
    /// index is taken each time.
    fn sample<'g>(&self, graph: &'g Graph, rows: usize, level: IndexLevel<'g>, temperature: f32) -> Vec<Tensor<'g>> {
        let mut walk = self.walk(graph, rows, level);
        let next = |_| {
            let chosen = draw(walk.logits(), temperature);
            walk.tell(chosen);
            chosen
        };
        (0..level.grid.indices()).map(next).collect()
    }
}

/// The indices of rows, one after the other: what each may be is asked for, and then which it is is told.
pub trait IndexWalk<'g> {
    /// The logits of the next index, of all that were told `[rows, K]`.
    fn logits(&mut self) -> Tensor<'g>;

    /// Says which index it is, a one among zeros `[rows, K]`.
    fn tell(&mut self, chosen: Tensor<'g>);

    /// Behind logits: what is known, and needed for those that follow, where that is anything `[rows, numbers]`.
    fn memory(&self) -> Option<Tensor<'g>>;
}
