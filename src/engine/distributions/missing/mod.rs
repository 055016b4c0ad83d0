//! Why values are missing: p(s | x), which values of a row are observed (s = 1), given all of them.
//!
//! Values are missing at random where what is missing has no say in that, and may then be ignored (Rubin 1976). Where it has, as
//! where large incomes are kept secret, what is learnt from the rest alone is wrong by as much, and the mechanism is learnt beside the
//! values: p(x, s) = p(x) p(s | x), a selection model (Little & Rubin 2002; Ipsen, Mattei & Frellsen 2021).

mod at_random;
mod linear;
mod model;
mod self_masking;

pub use linear::Linear;
pub use model::MissingModel;
pub use self_masking::{MissingSide, SelfMasking};

use crate::catalogue::Piece;
use crate::graph::Tensor;

/// Every mechanism; the first is the usual one.
pub static MISSING_MECHANISMS: &[&Piece<dyn MissingMechanism>] =
    &[&at_random::PIECE, &self_masking::PIECE, &linear::PIECE];

/// p(s | x), a Bernoulli for each value of a row.
pub trait MissingMechanism: std::fmt::Debug + Send + Sync {
    /// The logit of the probability that each value is observed, given all values of its row, those that are missing as well:
    /// `[n, values]` of `[n, values]`. `None` where values are missing at random, and nothing is to be learnt of it.
    fn logits<'g>(&self, x: Tensor<'g>) -> Option<Tensor<'g>>;
}
