//! Rows of a table in a file.

use std::path::Path;

use crate::data::{Schema, write_rows};
use crate::error::{Error, Result};
use crate::files::write_atomically;

/// Writes rows `[rows, width]` as a CSV file, in the units of their columns.
///
/// # Errors
/// If it is called something else than a CSV file, or cannot be written.
pub fn save_rows(path: &Path, schema: &Schema, rows: &[f32]) -> Result<()> {
    if !path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) {
        return Err(Error::invalid(format!(
            "{} is to hold rows of a table, which are written as CSV: give it a name that ends in .csv",
            path.display()
        )));
    }
    write_atomically(path, |file| write_rows(schema, rows, file))
}
