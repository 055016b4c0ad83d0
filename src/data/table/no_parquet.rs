//! What stands in for Parquet where the program was built without it.

use std::io;
use std::path::Path;

use crate::error::{Error, Result};

/// What would be in a file.
pub(super) struct Read {
    pub text: String,
    pub lists: Vec<String>,
}

const WITHOUT: &str = "this program was built without Parquet: build it with the feature `parquet`, or use CSV";

/// Says so.
pub(super) fn read(path: &Path) -> Result<Read> {
    Err(Error::malformed(path, WITHOUT))
}

/// Says so.
pub(crate) fn write(_: &[u8]) -> io::Result<Vec<u8>> {
    Err(io::Error::other(WITHOUT))
}
