//! Tables that are written again, with their blanks filled.

use std::io::Write;

use csv::WriterBuilder;

use super::super::output::{FileKind, Output};
use super::super::schema::{Cell, Schema};
use super::{Table, parquet_of};
use crate::error::{Error, Result};
use crate::files::write_atomically;

impl Table {
    /// Writes the file again, with the cells that it leaves blank filled from rows `[rows, width]` of a schema; all else stays as
    /// it is written, columns that no model sees included. Cells are separated as they were, but by tabs in a file that is called so,
    /// and not by tabs in another; numbers have a decimal comma where those of the file do; in Parquet numbers are numbers and blanks are nulls. Gives how many cells were filled.
    ///
    /// # Errors
    /// If a column is missing, or it cannot be written.
    pub fn fill(&self, schema: &Schema, rows: &[f32], to: &Output) -> Result<usize> {
        let mut text = Vec::new();
        let filled = self.fill_text(schema, rows, to.kind(), &mut text)?;
        if to.kind() == FileKind::Parquet {
            text = parquet_of(&text).map_err(Error::io("write", to.path()))?;
        }
        write_atomically(to.path(), |file| file.write_all(&text))?;
        Ok(filled)
    }

    fn fill_text(&self, schema: &Schema, rows: &[f32], kind: FileKind, to: &mut dyn Write) -> Result<usize> {
        let failed = |error: csv::Error| Error::invalid(format!("the table cannot be written: {error}"));
        let places: Vec<usize> = schema.inputs().map(|field| self.find(&field.name)).collect::<Result<_>>()?;
        let mut filled = 0;
        let is_parquet = kind == FileKind::Parquet;
        let with_commas = !is_parquet && self.delimiter != b',' && self.has_decimal_commas(&places)?;
        let delimiter = match (kind, self.delimiter) {
            (FileKind::Tsv, _) => b'\t',
            (FileKind::Parquet, _) => b',',
            // Decimal commas are told from those between cells only where these are others.
            (_, b'\t') => {
                if with_commas {
                    b';'
                } else {
                    b','
                }
            }
            (_, own) => own,
        };
        let mut writer = WriterBuilder::new().delimiter(delimiter).from_writer(to);
        if is_parquet {
            // There every column has a name.
            writer.write_record(&self.names).map_err(failed)?;
        } else if self.has_header {
            self.records().take(1).try_for_each(|names| writer.write_record(&names?).map_err(failed))?;
        }
        for (record, row) in self.rows().zip(rows.chunks_exact(schema.width())) {
            let record = record?;
            let mut cells: Vec<String> = match is_parquet {
                true => record.iter().map(|text| self.plain(text)).collect(),
                false => record.iter().map(str::to_string).collect(),
            };
            for (cell, &place) in schema.decode(row).into_iter().zip(&places) {
                if self.text(&cells[place]) == Cell::Missing && cell != Cell::Missing {
                    let is_number = matches!(cell, Cell::Number(_));
                    let text = cell.to_string();
                    cells[place] = if is_number && with_commas { text.replace('.', ",") } else { text };
                    filled += 1;
                }
            }
            writer.write_record(&cells).map_err(failed)?;
        }
        writer.flush().map_err(|error| failed(error.into()))?;
        Ok(filled)
    }

    /// Whether numbers in these columns have a comma where others have a point, as the first of them with either says.
    fn has_decimal_commas(&self, places: &[usize]) -> Result<bool> {
        for record in self.rows() {
            let record = record?;
            for text in places.iter().filter_map(|&place| record.get(place)) {
                if text.contains([',', '.']) && matches!(self.number(text), Cell::Number(_)) {
                    return Ok(text.contains(','));
                }
            }
        }
        Ok(false)
    }

    /// A cell as programs write it: nothing where it is blank, a point where people have a decimal comma.
    fn plain(&self, text: &str) -> String {
        match self.text(text) {
            Cell::Text(text) if text.contains(',') => match self.number(&text) {
                Cell::Number(_) => text.replace(',', "."),
                _ => text,
            },
            Cell::Text(text) => text,
            _ => String::new(),
        }
    }
}
