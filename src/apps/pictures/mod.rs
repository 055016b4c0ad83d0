//! The pictures of a run: image grids, reconstructions, loss curves, maps of the latent space and what codes mean, all as
//! PNG.
//!
//! Everything is drawn in memory and written through [`crate::files::write_own`]. The typeface travels in the
//! program, so pictures look the same on a machine that has no fonts at all.

mod axes;
mod canvas;
mod captions;
mod curves;
mod grid;
mod latent_map;
mod loss;
mod manifold;
#[cfg(feature = "report")]
mod natural;
mod palette;
mod plane;
mod plot;
mod prior_map;
mod rate_distortion;
mod reconstructions;
mod rows;
mod scatter;
mod stacks;
mod strange;
mod tiles;

pub use captions::Captions;
pub use grid::{save_grid, save_grid_with};
pub use latent_map::{save_latent_map, save_points};
pub use loss::{EpochPoint, save_loss};
pub use manifold::Manifold;
pub use prior_map::save_prior_map;
pub use rate_distortion::save_rate_distortion;
pub use reconstructions::save_reconstructions;
pub use rows::{Film, NamedRows};
pub use stacks::{Paint, amount_at, save_stacks};
pub use strange::save_strange;
#[cfg(feature = "report")]
pub(super) use {
    axes::Axis,
    curves::{bulk, visible},
    latent_map::{over, strip},
    natural::Natural,
    plane::Plane,
    scatter::Scatter,
};
