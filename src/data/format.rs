//! What a format of files is, and what it finds.

use std::path::Path;

use super::dataset::Dataset;
use super::options::Options;
use super::origin::Origin;
use super::table::Tables;
use crate::error::Result;

/// What a format finds in a path.
#[derive(Debug)]
pub(crate) enum Found {
    /// Rows that are numbers already.
    Rows(Box<Parts>),
    /// Rows of cells, of which somebody has to say what they are.
    Tables(Box<Tables>),
}

/// Rows that are numbers.
#[derive(Debug)]
pub(crate) struct Parts {
    /// The rows to train on; all rows, if they come without a split of their own.
    pub(crate) train: Dataset,
    /// The rows to choose settings by, if they come apart.
    pub(crate) validation: Option<Dataset>,
    /// The test rows, if they come apart.
    pub(crate) test: Option<Dataset>,
    /// What is said of them besides.
    pub(crate) origin: Origin,
    /// Whether they are vectors whose columns are yet to be scaled.
    pub(crate) is_unscaled: bool,
}

impl Parts {
    /// Rows that come as one.
    pub(crate) fn whole(train: Dataset, origin: Origin) -> Parts {
        Parts { train, validation: None, test: None, origin, is_unscaled: false }
    }
}

impl From<Parts> for Found {
    fn from(parts: Parts) -> Found {
        Found::Rows(Box::new(parts))
    }
}

impl From<Tables> for Found {
    fn from(tables: Tables) -> Found {
        Found::Tables(Box::new(tables))
    }
}

#[cfg(test)]
impl Found {
    /// The rows, which are no table.
    pub(crate) fn rows(self) -> Parts {
        match self {
            Found::Rows(parts) => *parts,
            Found::Tables(tables) => panic!("{tables:?}"),
        }
    }
}

/// One file format.
pub(crate) trait Format: Sync {
    /// What people call it.
    fn name(&self) -> &'static str;

    /// Whether a file that starts with `head` (up to [`HEAD`](super::input::HEAD) bytes) is in this format.
    fn claims_file(&self, path: &Path, head: &[u8]) -> bool;

    /// Reads a file that was claimed.
    fn read_file(&self, path: &Path, options: &Options) -> Result<Found>;

    /// Whether it is one of tables, whose columns differ in what they are.
    fn is_of_tables(&self) -> bool {
        false
    }

    /// Whether a folder is in this format.
    fn claims_folder(&self, folder: &Path) -> bool;

    /// Reads a folder that was claimed.
    fn read_folder(&self, folder: &Path, options: &Options) -> Result<Found>;

    /// Reads a data set that is named as if it were a file or a folder, and is neither; `None` if there is none of that name.
    fn read_named(&self, _: &Path, _: &Options) -> Option<Result<Found>> {
        None
    }

    /// What is looked for in a folder, for the message when nothing is found.
    fn looks_for(&self) -> String;

    /// Whether its rows are brought to the size that is asked for.
    fn takes_size(&self) -> bool {
        false
    }
}
