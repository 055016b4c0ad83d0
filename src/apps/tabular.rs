//! Rows of a table in a file.

use std::path::Path;

use crate::data::{Schema, write_rows};
use crate::error::Result;
use crate::files::write_atomically;

/// Writes rows `[rows, width]` as a CSV file, in the units of their columns.
///
/// # Errors
/// If it cannot be written.
pub fn save_rows(path: &Path, schema: &Schema, rows: &[f32]) -> Result<()> {
    write_atomically(path, |file| write_rows(schema, rows, file))
}
