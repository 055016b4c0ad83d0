//! The pictures of a run: image grids, reconstructions, loss curves and the map of the latent space, all as PNG.
//!
//! Everything is drawn in memory and written through [`crate::files::write_atomically`]. The typeface travels in the
//! program, so pictures look the same on a machine that has no fonts at all.

mod axes;
mod canvas;
mod curves;
mod grid;
mod latent_map;
mod loss;
mod palette;
mod pca;
mod plot;
mod reconstructions;
mod scatter;
mod tiles;

pub use grid::save_grid;
pub use latent_map::save_latent_map;
pub use loss::{EpochPoint, save_loss};
pub use reconstructions::save_reconstructions;
pub use tiles::ImageShape;
