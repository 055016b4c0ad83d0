//! Data sets: what a model is trained on and tested on.
//!
//! A [`Source`] is where rows come from: the built-in [`sprites`] or a path. [`open`] reads it whole into memory
//! and hands back [`Splits`]: training, validation and test rows that share no row. A [`Dataset`] is a matrix
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

mod black_and_white;
mod cifar;
mod conditions;
mod dataset;
mod digits;
pub mod formats;
mod idx;
mod input;
pub mod known;
mod labelled;
mod names;
mod npy;
mod origin;
mod pictures;
mod progress;
pub mod schema;
mod source;
mod splits;
pub mod sprites;
mod table;
mod values;

pub use crate::user_cache::cache_folder;
pub use conditions::{Condition, Conditions};
pub use dataset::{Dataset, Factors, Labels, Shape};
pub use labelled::labelled_part;
pub use origin::{ColumnGuess, Origin, Skipped};
pub use pictures::{PictureOptions, PictureSize};
pub use progress::{Reading, on_reading};
pub use schema::Schema;
pub use source::{Options, Source, is_table, open, open_whole};
pub(crate) use splits::choose;
pub use splits::{Split, Splits};
pub use sprites::SpriteOptions;
pub(crate) use table::table_of;
pub use table::{Choices, write_rows};
pub use values::{Packing, PackingKind, Values};
