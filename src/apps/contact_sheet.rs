//! A picture of what data holds.

use std::path::Path;

use super::pictures::{Captions, save_grid_with};
use crate::data::Dataset;
use crate::error::Result;

/// Draws rows from all over the training part, evenly spaced, in the format that the name of the file ends in; of a table with the names of
/// its columns.
///
/// # Errors
/// When the rows cannot be drawn, or the file cannot be written.
pub fn save_contact_sheet(path: &Path, data: &Dataset) -> Result<()> {
    const COLUMNS: usize = 10;
    const MOST: usize = 100;
    let count = data.rows.min(MOST);
    let rows: Vec<f32> = (0..count).flat_map(|i| data.row(i * data.rows / count)).collect();
    let shape = data.shape();
    let names: Vec<String> = match data.schema.is_table() {
        true => (0..shape.features()).map(|column| data.schema.column(column)).collect(),
        false => vec![],
    };
    save_grid_with(path, &rows, shape, COLUMNS, &Captions { rows: &[], columns: &names })
}
