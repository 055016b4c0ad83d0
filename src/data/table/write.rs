//! Tables that are written again, with their blanks filled.

use std::io::Write;

use csv::WriterBuilder;

use super::super::output::FileKind;
use super::super::schema::{Cell, Schema};
use super::Table;
use crate::error::{Error, Result};

/// What is written besides the columns of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beside {
    /// The name of a first column that numbers the lines of a row from 1, where rows have several.
    pub number: Option<&'static str>,
    /// The places, among the fields that a model sees, of those whose cells come with a lower and an upper bound.
    pub bounded: Vec<usize>,
}

/// A row without blanks.
#[derive(Clone, Debug)]
pub(crate) struct FilledRow {
    /// The cells of the fields that a model sees, of each line that the row becomes.
    pub lines: Vec<Vec<Cell>>,
    /// A lower and an upper bound of every bounded field, which are written where its cell was blank.
    pub bounds: Vec<[Cell; 2]>,
}

impl Beside {
    /// The names of its columns behind those of a table.
    fn names(&self, schema: &Schema) -> Vec<String> {
        let fields: Vec<_> = schema.inputs().collect();
        let names = |&at: &usize| ["low", "high"].map(|end| format!("{}.{end}", fields[at].name));
        self.bounded.iter().flat_map(names).collect()
    }
}

impl Table {
    /// Writes the file again as text, with the cells that it leaves blank filled from rows of a schema; all else stays as it is
    /// written, columns that no model sees included. Cells are separated as they were, but by tabs in a file that is called so, and not
    /// by tabs in another; numbers have a decimal comma where those of the file do. For Parquet, cells are separated by commas, and
    /// numbers are written as programs do. Gives how many cells of each field were filled.
    ///
    /// # Errors
    /// If a column is missing or has the name of one that is added, a row could not be made, or it cannot be written.
    pub fn fill(
        &self,
        schema: &Schema,
        kind: FileKind,
        beside: &Beside,
        rows: impl Iterator<Item = Result<FilledRow>>,
        to: &mut dyn Write,
    ) -> Result<Vec<usize>> {
        let failed = |error: csv::Error| Error::invalid(format!("the table cannot be written: {error}"));
        let places: Vec<usize> = schema.inputs().map(|field| self.find(&field.name)).collect::<Result<_>>()?;
        let more = beside.names(schema);
        if let Some(name) = beside.number.into_iter().chain(more.iter().map(String::as_str)).find(|name| self.has(name))
        {
            return Err(Error::malformed(
                &self.path,
                format!("it has a column {name}, which is the name of one that is added: give it another"),
            ));
        }
        let mut filled = vec![0; places.len()];
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
        let text = |cell: &Cell| match cell {
            Cell::Number(_) if with_commas => cell.to_string().replace('.', ","),
            cell => cell.to_string(),
        };
        let mut writer = WriterBuilder::new().delimiter(delimiter).from_writer(to);
        let named = |names: Vec<String>| beside.number.map(str::to_owned).into_iter().chain(names).chain(more.clone());
        if is_parquet {
            // There every column has a name.
            writer.write_record(named(self.names.clone())).map_err(failed)?;
        } else if self.has_header {
            let names = self.records().next().transpose()?.unwrap_or_default();
            writer.write_record(named(names.iter().map(str::to_owned).collect())).map_err(failed)?;
        }
        for (record, row) in self.rows().zip(rows) {
            let (record, FilledRow { lines, bounds }) = (record?, row?);
            let given: Vec<String> = match is_parquet {
                true => record.iter().map(|text| self.plain(text)).collect(),
                false => record.iter().map(str::to_string).collect(),
            };
            let blank: Vec<bool> = places.iter().map(|&place| self.text(&given[place]) == Cell::Missing).collect();
            for (number, line) in lines.iter().enumerate() {
                let mut cells = given.clone();
                for (at, (cell, &place)) in line.iter().zip(&places).enumerate() {
                    if blank[at] && *cell != Cell::Missing {
                        cells[place] = text(cell);
                        filled[at] += usize::from(number == 0);
                    }
                }
                for (&at, ends) in beside.bounded.iter().zip(&bounds) {
                    cells.extend(ends.iter().map(|end| if blank[at] { text(end) } else { String::new() }));
                }
                let number = beside.number.map(|_| (number + 1).to_string());
                writer.write_record(number.into_iter().chain(cells)).map_err(failed)?;
            }
        }
        writer.flush().map_err(|error| failed(error.into()))?;
        Ok(filled)
    }

    /// Whether it has a column of this name.
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name)
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
