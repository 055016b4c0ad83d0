//! Distributions of the weights of networks: a point, or one that is learnt.

mod gaussian;
mod point;
mod prior;

pub use gaussian::{GaussianWeights, Noise, SPREAD, Scope};
pub use point::PointWeights;
pub use prior::WeightPrior;

use crate::catalogue::Piece;
use crate::graph::{Around, Tensor};

/// Every distribution of weights.
pub static WEIGHT_DISTRIBUTIONS: &[&Piece<dyn WeightDistribution>] = &[&point::PIECE, &gaussian::PIECE];

/// A draw of the weights that a parameter holds.
#[derive(Clone, Copy, Debug)]
pub struct WeightDraw<'g> {
    /// The weights, of the parameter's shape.
    pub weights: Tensor<'g>,
    /// KL(q(w) ‖ p(w)) of all of them together, in nats, in closed form or of this draw. `[1, 1]`
    pub kl: Tensor<'g>,
    /// How the weights lie around their mean, where rows are to have draws of their own in layers that know how.
    pub around: Option<Around<Tensor<'g>>>,
}

/// q(w), what is known of the weights of networks.
///
/// A parameter of a model holds its mean, by which everything but training works; what else it takes are parameters of its own, which a
/// draw declares.
pub trait WeightDistribution: std::fmt::Debug + Send + Sync {
    /// A draw of the weights that the parameter of a full name holds, `mean` being the parameter; `None` where they are a point. It is to
    /// be asked for within [`Graph::transform_parameters`](crate::graph::Graph::transform_parameters), so that all rows have it in common.
    fn draw<'g>(&self, name: &str, mean: Tensor<'g>) -> Option<WeightDraw<'g>>;

    /// Whether a model is refused in which rows cannot have draws of their own of all weights of which a draw says how they lie around their
    /// mean.
    fn is_of_rows_alone(&self) -> bool {
        false
    }

    /// Whether all weights are points, whatever the model.
    fn is_point(&self) -> bool {
        false
    }
}
