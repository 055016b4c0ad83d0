//! What a trained model is used for, with files on both sides: one file per use.
//!
//! Rows are worked on part by part ([`parts`]), and what comes out is written by the ending of its file's name ([`write`](write)).

mod compress;
mod decode;
mod dimensions;
mod encode;
mod ids;
mod interpolate;
mod latent;
mod made;
mod parts;
mod paths;
mod score;
mod temperature;
mod traverse;
mod write;

pub use compress::{Beside, Compressed, Plain, Reader as CompressedReader, beside, compress_to, decompress_to};
pub use decode::Decoded;
pub use dimensions::Dimension;
pub use encode::Encoded;
pub use interpolate::End;
pub use latent::{LatentReport, Neighbour, Related};
pub use paths::Way;
pub use score::{Detection, ScoreKind, Scored, Scoring, Strange};
pub use traverse::Traversal;

#[cfg(feature = "report")]
pub(super) use dimensions::{Coded, coded, quantiles};
#[cfg(feature = "report")]
pub(super) use latent::{Known, known};
#[cfg(feature = "report")]
pub(super) use write::{ending, write_file};
