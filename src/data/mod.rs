//! Data sets: what a model is trained on and tested on.
//!
//! A [`Source`] is where rows come from: the built-in [`sprites`] or a path. [`open`] reads it into memory, unless it is larger than
//! [`Options::memory`] (then its rows stay on disk, see [`Stored`]), and hands back [`Splits`]: training, validation and test rows that share no row. A [`Dataset`] is a matrix
//! `[rows, features]` stored as tightly as its values allow ([`Values`]), with labels and factors of variation where
//! they are known.
//!
//! One file per format, one list of formats ([`formats`]); nothing here knows of models or devices.
//!
//! ```
//! use elbo::data::{Options, Source, SpriteOptions, open};
//!
//! let mut options = Options { validation: 20, ..Options::default() };
//! options.sprites = SpriteOptions { resolution: 16, count: Some(100), ..SpriteOptions::default() };
//! let splits = open(&Source::parse("sprites"), &options)?;
//! assert_eq!((splits.train.rows, splits.train.shape().features()), (80, 256));
//! assert_eq!(splits.validation.map(|rows| rows.rows), Some(20));
//! assert_eq!(splits.test.map(|rows| rows.rows), Some(10));
//! # Ok::<(), elbo::error::Error>(())
//! ```

mod array;
mod black_and_white;
mod bytes;
mod cifar;
mod colour;
mod conditioned;
mod conditions;
mod dataset;
mod digits;
mod fingerprint;
mod format;
pub mod formats;
#[cfg(test)]
mod fuzz;
mod idx;
mod input;
pub mod known;
mod labelled;
mod labels;
mod layout;
mod levels;
mod memory;
mod names;
mod normalise;
mod npy;
mod npz;
mod options;
mod origin;
mod output;
mod pictures;
mod place;
mod progress;
mod range;
pub mod schema;
mod shape;
mod source;
mod splits;
pub mod sprites;
mod standardise;
mod stdin;
mod stored;
mod table;
mod units;
mod values;
mod weighed;
mod weights;

pub use crate::user_cache::cache_folder;
pub use array::{Array, Numbers};
pub use bytes::Bytes;
pub use conditions::{Condition, Conditions};
pub use dataset::Dataset;
pub use fingerprint::Fingerprint;
pub(crate) use formats::table_of;
pub use labelled::labelled_part;
pub use labels::{Factors, Labels};
pub use options::Options;
pub use origin::{ColumnGuess, Origin, Skipped};
pub use output::{FileKind, Frame, Keep, NEW_PICTURES, Output, PICTURES, PICTURES_OR_ROWS, PictureFolder, ROWS};
pub use pictures::{PictureOptions, PictureSize};
pub use place::Places;
pub(crate) use progress::tell;
pub use progress::{Reading, on_reading};
pub use range::RowRange;
pub use schema::Schema;
pub use shape::Shape;
pub use source::{Source, is_table, open, open_all, open_whole};
pub(crate) use splits::choose;
pub use splits::{Split, Splits};
pub use sprites::SpriteOptions;
pub use stored::Stored;
pub use table::Choices;
#[cfg(feature = "cli")]
pub(crate) use table::READER;
pub(crate) use table::{Beside, FilledRow, parquet_of};
pub use values::{Packing, PackingKind, Values};
pub use weights::Weights;
