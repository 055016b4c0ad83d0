//! What a trained model is used for, with files on both sides: one file per use.
//!
//! Rows are worked on part by part ([`parts`]), and what comes out is written by the ending of its file's name ([`write`](write)).

mod aggregate;
mod augment;
mod compress;
mod decode;
mod dimensions;
mod draws;
mod encode;
mod filling;
mod ids;
mod impute;
#[cfg(feature = "pictures")]
mod inpaint;
mod interpolate;
mod latent;
mod made;
#[cfg(feature = "maps")]
mod map;
#[cfg(feature = "pictures")]
mod mask;
mod parts;
mod paths;
#[cfg(feature = "pictures")]
mod reconstruct;
mod score;
mod sure;
mod traverse;
mod write;

pub use augment::{Augmented, Few, MeasuredGain, Repeat};
pub use compress::{Beside, Compressed, Plain, Reader as CompressedReader, beside, compress_to, decompress_to};
pub use decode::Decoded;
pub use dimensions::Dimension;
pub use draws::Draws;
pub use encode::Encoded;
pub use filling::{Filling, Tally};
pub use impute::{Filled, FilledColumn, TableFilling};
#[cfg(feature = "pictures")]
pub use inpaint::{Inpainted, PictureFilling};
pub use interpolate::End;
pub use latent::{LatentOut, LatentReport, Neighbour, Related};
#[cfg(feature = "maps")]
pub use map::{MapKind, Mapped, Mapping};
#[cfg(feature = "pictures")]
pub use mask::Mask;
pub use paths::Way;
#[cfg(feature = "pictures")]
pub use reconstruct::{Cleaned, Rebuilt, Sureness};
pub use score::{Detection, ScoreKind, Scored, Scoring, Strange};
pub use sure::{SureColumn, TableSureness};
pub use traverse::Traversal;

#[cfg(feature = "report")]
pub(super) use dimensions::{Coded, coded, quantiles};
#[cfg(feature = "report")]
pub(super) use latent::{Known, known};
#[cfg(feature = "report")]
pub(super) use write::{ending, write_file};
