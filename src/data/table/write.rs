//! Tables that are written: rows that a model made, and files whose blanks are filled.

use std::io::Write;

use csv::WriterBuilder;

use super::super::schema::{Cell, Schema};
use super::Table;
use crate::error::{Error, Result};

/// Writes rows `[rows, width]` that a model made as lines of comma-separated cells below a line of names.
///
/// # Errors
/// If it cannot be written.
pub fn write_rows(schema: &Schema, rows: &[f32], to: &mut dyn Write) -> std::io::Result<()> {
    let mut writer = WriterBuilder::new().from_writer(to);
    writer.write_record(schema.inputs().map(|field| field.name.as_str()))?;
    for row in rows.chunks_exact(schema.width()) {
        writer.write_record(schema.decode(row).iter().map(Cell::to_string))?;
    }
    writer.flush()
}

impl Table {
    /// Writes the file again, with the cells that it leaves blank filled from rows `[rows, width]` of a schema; all else stays as
    /// it is written, columns that no model sees included. Gives how many cells that are.
    ///
    /// # Errors
    /// If a column is missing, or it cannot be written.
    pub fn fill(&self, schema: &Schema, rows: &[f32], to: &mut dyn Write) -> Result<usize> {
        let failed = |error: csv::Error| Error::invalid(format!("the table cannot be written: {error}"));
        let places: Vec<usize> = schema.inputs().map(|field| self.find(&field.name)).collect::<Result<_>>()?;
        let mut filled = 0;
        let mut writer = WriterBuilder::new().delimiter(self.delimiter).from_writer(to);
        if self.has_header {
            self.records().take(1).try_for_each(|names| writer.write_record(&names?).map_err(failed))?;
        }
        for (record, row) in self.rows().zip(rows.chunks_exact(schema.width())) {
            let record = record?;
            let mut cells: Vec<String> = record.iter().map(str::to_string).collect();
            for (cell, &place) in schema.decode(row).into_iter().zip(&places) {
                if self.text(&cells[place]) == Cell::Missing && cell != Cell::Missing {
                    cells[place] = cell.to_string();
                    filled += 1;
                }
            }
            writer.write_record(&cells).map_err(failed)?;
        }
        writer.flush().map_err(|error| failed(error.into()))?;
        Ok(filled)
    }
}
