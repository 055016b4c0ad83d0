//! Pieces that models are put together from, each under the name by which a user asks for it.
//!
//! A factor of a model (its networks, likelihood, posterior, prior, objective) is a trait; each of its forms is one file that ends in
//! one static [`Piece`], and the factor's list names them all. The command line, the configuration, `elbo models` and the
//! tests walk the lists, so a form that stands in its list is known everywhere.
//!
//! A user chooses a piece by a [`Spec`]: `gaussian`, or with settings `gaussian:sigma=0.5`.

mod about;
mod piece;
mod setting;
mod settings;
mod spec;
mod value;

pub use about::{About, Kind};
pub use piece::{Piece, build, find, rename};
pub use setting::{Bounds, Setting};
pub use settings::Settings;
pub use spec::Spec;
pub use value::{Usual, Value};
