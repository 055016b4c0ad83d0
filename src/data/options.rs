//! How data is opened.

use std::path::PathBuf;

use super::pictures::options::PictureOptions;
use super::range::RowRange;
use super::schema::Schema;
use super::sprites::options::SpriteOptions;
use super::table::Choices;

/// How to open a source.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// Rows of the training set to hold out for validation. Where the source is a single file, or has no test rows of its
    /// own, a tenth is held out for testing, and 0 means another tenth.
    pub validation: usize,
    /// Decides which rows are held out and which sprites are drawn.
    pub seed: u64,
    /// What the built-in sprites look like.
    pub sprites: SpriteOptions,
    /// What people say of the columns of a table.
    pub columns: Choices,
    /// How pictures are read.
    pub pictures: PictureOptions,
    /// The bytes of memory that data may take, on the device as well; what is larger stays on disk, and is read as it is wanted.
    /// Without it, all data is read into memory.
    pub memory: Option<u64>,
    /// What rows are, where that is settled by a trained model: of tables nothing is guessed or scaled anew, and pictures are brought
    /// to its shape.
    pub schema: Option<Schema>,
    /// How many whole numbers pixels are among, from 0; chosen by what they are when not given, see [`Dataset`](super::Dataset).
    pub levels: Option<usize>,
    /// Whether columns of vectors that are not all from 0 to 1 are scaled to mean 0 and standard deviation 1.
    pub standardise: bool,
    /// Whether numbers that lie beside rows are wanted, so that it is an error if they do not fit.
    pub beside: bool,
    /// The rows that are read, of data that has no parts of its own; of other data, of those for training.
    pub rows: Option<RowRange>,
    /// Rows for validation that lie elsewhere.
    pub validation_data: Option<PathBuf>,
    /// Rows for testing that lie elsewhere.
    pub test_data: Option<PathBuf>,
}
