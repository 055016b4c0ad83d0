//! Tables that are written again, with their blanks filled.

use std::io::Write;

use csv::WriterBuilder;

use super::super::output::{FileKind, Output};
use super::super::schema::{Cell, Schema};
use super::Table;
use crate::error::{Error, Result};
use crate::files::write_atomically;

impl Table {
    /// Writes the file again, with the cells that it leaves blank filled from rows `[rows, width]` of a schema; all else stays as
    /// it is written, columns that no model sees included; cells are separated as they were, but by tabs in a file that is called so,
    /// and not by tabs in another. Gives how many cells that are.
    ///
    /// # Errors
    /// If a column is missing, or it cannot be written.
    pub fn fill(&self, schema: &Schema, rows: &[f32], to: &Output) -> Result<usize> {
        let delimiter = match (to.kind(), self.delimiter) {
            (FileKind::Tsv, _) => b'\t',
            (_, b'\t') => b',',
            (_, own) => own,
        };
        let mut text = Vec::new();
        let filled = self.fill_text(schema, rows, delimiter, &mut text)?;
        write_atomically(to.path(), |file| file.write_all(&text))?;
        Ok(filled)
    }

    fn fill_text(&self, schema: &Schema, rows: &[f32], delimiter: u8, to: &mut dyn Write) -> Result<usize> {
        let failed = |error: csv::Error| Error::invalid(format!("the table cannot be written: {error}"));
        let places: Vec<usize> = schema.inputs().map(|field| self.find(&field.name)).collect::<Result<_>>()?;
        let mut filled = 0;
        let mut writer = WriterBuilder::new().delimiter(delimiter).from_writer(to);
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
