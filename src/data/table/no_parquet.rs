//! What stands in for Parquet where the program was built without it.

use std::io;
use std::path::Path;

use crate::error::{Error, Result};

const WITHOUT: &str = "this program was built without Parquet: build it with the feature `parquet`, or use CSV";

/// Says so.
pub(super) fn read(path: &Path) -> Result<(String, Vec<String>)> {
    Err(Error::malformed(path, WITHOUT))
}

/// Says so.
pub(crate) fn write(_: &[u8]) -> io::Result<Vec<u8>> {
    Err(io::Error::other(WITHOUT))
}
