//! Tables: files whose lines are rows and whose columns have names, separated by commas, semicolons, tabs or bars; or Parquet files,
//! which are read into such lines ([`parquet`]).
//!
//! What a column holds is guessed ([`facts`]) unless it is said, and becomes a [`Schema`]; what the schema says becomes the numbers
//! that a model sees ([`encode`]). A table keeps its text, so that a file with blanks can be written again with the blanks filled.

mod choices;
mod column;
mod delimited;
mod encode;
mod facts;
mod guess;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(not(feature = "parquet"))]
#[path = "table/no_parquet.rs"]
mod parquet;
mod told;
mod write;

use std::path::{Path, PathBuf};

use csv::{ReaderBuilder, StringRecord};

use super::input::{self, Input};
use super::place::Places;
use super::schema::{Cell, DateForm};
use crate::error::{Error, Result};

pub use choices::Choices;
pub(crate) use delimited::Delimited;
pub(crate) use encode::{open, open_whole};
pub(crate) use parquet::write as parquet_of;
pub(crate) use write::{Beside, FilledRow};

/// The name of the thread that reads a Parquet file. The reader behind panics at some damaged files; that ends this thread only, and is
/// told as an error.
#[cfg(feature = "parquet")]
pub(crate) const READER: &str = "parquet reader";

/// The first bytes of Parquet files.
pub(super) const PARQUET: &[u8] = b"PAR1";

/// What people write for a cell that is not known.
const MISSING: [&str; 13] = ["", "na", "n/a", "#n/a", "nan", "-nan", "null", "none", "nil", "?", "-", ".", "missing"];
/// The separators that are looked for, in this order.
const DELIMITERS: [u8; 4] = [b'\t', b';', b'|', b','];
/// More than memory should hold of one file.
const MAX_BYTES: u64 = 1 << 34;

/// Tables, of which one may be kept for testing.
#[derive(Debug)]
pub(crate) struct Tables {
    /// The rows to train on; all rows, if they come without a split of their own.
    pub train: Table,
    /// The rows to choose settings by, if they come apart.
    pub validation: Option<Table>,
    /// The test rows, if they come apart.
    pub test: Option<Table>,
}

/// A table, as its file has it.
#[derive(Debug)]
pub(crate) struct Table {
    pub path: PathBuf,
    text: String,
    delimiter: u8,
    /// Whether the first line is one of names.
    has_header: bool,
    /// The names of its columns.
    pub names: Vec<String>,
    /// How many rows it has.
    pub rows: usize,
    /// The line in its file that each row starts in, from 1; in Parquet, the numbers of rows.
    places: Places,
    /// Columns of lists, which are left out.
    lists: Vec<String>,
}

impl Table {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, has no rows, or rows of different lengths.
    pub fn read(path: &Path) -> Result<Table> {
        if input::head(path)?.starts_with(PARQUET) {
            return Table::of_parquet(path, parquet::read(path)?);
        }
        let bytes = Input::open(path)?.up_to(MAX_BYTES)?;
        if bytes.len() as u64 == MAX_BYTES {
            return Err(Error::malformed(path, format!("this has {MAX_BYTES} bytes or more: give a part of it")));
        }
        Table::of_text(path, decoded(bytes))
    }

    /// A table as people write them.
    fn of_text(path: &Path, text: String) -> Result<Table> {
        let delimiter = delimiter(&text);
        Table::of(path, text, delimiter, false)
    }

    /// What was found in a Parquet file: texts, below a line of names whatever these are.
    fn of_parquet(path: &Path, (text, lists): (String, Vec<String>)) -> Result<Table> {
        let table = Table::of(path, text, b',', true)?;
        let rows =
            u32::try_from(table.rows).map_err(|_| Error::malformed(path, "it has more rows than can be told apart"))?;
        Ok(Table { places: Places::Rows((0..rows).collect()), lists, ..table })
    }

    /// A table of this text, whose cells are separated so. Where nobody says that it has one, a line of names is looked for.
    fn of(path: &Path, text: String, delimiter: u8, is_headed: bool) -> Result<Table> {
        let mut table = Table {
            path: path.to_owned(),
            text,
            delimiter,
            has_header: is_headed,
            names: vec![],
            rows: 0,
            places: Places::Lines(vec![]),
            lists: vec![],
        };
        let mut records = table.records();
        let Some(first) = records.next().transpose()? else {
            return Err(Error::malformed(
                path,
                "this table is empty: a line of names and one or more rows were expected",
            ));
        };
        let width = first.len();
        // A line of names has no number in it.
        let has_header = is_headed || !first.iter().any(|text| matches!(table.number(text), Cell::Number(_)));
        let line = |record: &StringRecord| record.position().map_or(0, csv::Position::line) as u32;
        let mut lines = if has_header { vec![] } else { vec![line(&first)] };
        for record in records {
            let record = record?;
            if record.len() != width {
                let line = line(&record);
                return Err(Error::malformed(
                    path,
                    format!(
                        "line {line} has {} cells, and the first {width}: every line needs as many, separated by {}; put \
                         cells that hold the separator in quotes",
                        record.len(),
                        spoken(delimiter)
                    ),
                ));
            }
            lines.push(line(&record));
        }
        if lines.is_empty() {
            return Err(Error::malformed(path, "this table has a line of names and no rows"));
        }
        let name = |(i, text): (usize, &str)| match text.trim() {
            name if has_header && !name.is_empty() => name.to_string(),
            _ => format!("column {}", i + 1),
        };
        let names: Vec<String> = first.iter().enumerate().map(name).collect();
        let mut sorted: Vec<&String> = names.iter().collect();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::malformed(
                path,
                format!("two columns are called {}: give each a name of its own", pair[0]),
            ));
        }
        (table.has_header, table.names, table.rows) = (has_header, names, lines.len());
        table.places = Places::Lines(lines);
        Ok(table)
    }

    /// Its file's name.
    pub fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Its lines, that of names included.
    fn records(&self) -> impl Iterator<Item = Result<StringRecord>> {
        records(&self.text, self.delimiter)
            .map(|record| record.map_err(|error| Error::malformed(&self.path, format!("this is no table: {error}"))))
    }

    /// Its rows.
    fn rows(&self) -> impl Iterator<Item = Result<StringRecord>> {
        self.records().skip(usize::from(self.has_header))
    }

    /// A text as a cell of numbers: a number, nothing, or a text that is neither.
    fn number(&self, text: &str) -> Cell {
        match self.text(text) {
            Cell::Text(text) => match text.parse::<f64>() {
                Ok(number) => Cell::Number(number),
                // With a comma for a point, where it does not separate cells.
                Err(_) if self.delimiter != b',' && text.matches(',').count() == 1 => {
                    text.replace(',', ".").parse().map_or(Cell::Text(text), Cell::Number)
                }
                Err(_) => Cell::Text(text),
            },
            cell => cell,
        }
    }

    /// A text as a cell of dates of a form.
    fn date(&self, text: &str, form: DateForm) -> Cell {
        match self.text(text) {
            Cell::Text(text) => form.parse(&text).map_or(Cell::Text(text), |days| Cell::Date(days, form)),
            cell => cell,
        }
    }

    /// A text as a cell of texts: itself without blanks around it, or nothing.
    fn text(&self, text: &str) -> Cell {
        let text = text.trim();
        match MISSING.iter().any(|missing| missing.eq_ignore_ascii_case(text)) {
            true => Cell::Missing,
            false => Cell::Text(text.to_string()),
        }
    }

    /// Where a row lies, for people.
    fn place(&self, row: usize) -> String {
        self.places.of(row)
    }

    /// What separates its cells, for people.
    fn spoken(&self) -> String {
        match self.places {
            Places::Lines(_) => format!("separated by {}", spoken(self.delimiter)),
            _ => "in Parquet".to_owned(),
        }
    }
}

/// A file's text: UTF-8, or what its byte order mark says, or else Windows' Latin.
fn decoded(bytes: Vec<u8>) -> String {
    if let Some((encoding, length)) = encoding_rs::Encoding::for_bom(&bytes) {
        return encoding.decode_without_bom_handling(&bytes[length..]).0.into_owned();
    }
    String::from_utf8(bytes)
        .unwrap_or_else(|error| encoding_rs::WINDOWS_1252.decode_without_bom_handling(error.as_bytes()).0.into_owned())
}

/// The lines of a text, cut at a separator.
fn records(text: &str, delimiter: u8) -> impl Iterator<Item = csv::Result<StringRecord>> {
    let mut reader = ReaderBuilder::new();
    reader.delimiter(delimiter).has_headers(false).flexible(true).from_reader(text.as_bytes()).into_records()
}

/// The separator that cuts all of the first lines into as many cells, or else the one that cuts the first into the most. A comma
/// comes last: it may stand for a decimal point.
fn delimiter(text: &str) -> u8 {
    const LINES: usize = 20;
    // Cells in the first line, and whether all lines have as many.
    let cells = |delimiter: u8| -> (bool, usize) {
        let mut lengths = records(text, delimiter).take(LINES).map_while(|record| Some(record.ok()?.len()));
        let first = lengths.next().unwrap_or(0);
        (first > 1 && lengths.all(|length| length == first), first)
    };
    let alike = DELIMITERS.into_iter().find(|&delimiter| cells(delimiter).0);
    alike.or_else(|| DELIMITERS.into_iter().max_by_key(|&delimiter| cells(delimiter).1)).unwrap_or(b',')
}

/// A separator, for people.
fn spoken(delimiter: u8) -> &'static str {
    match delimiter {
        b';' => "semicolons",
        b'\t' => "tabs",
        b'|' => "bars",
        _ => "commas",
    }
}

#[cfg(test)]
mod tests;
