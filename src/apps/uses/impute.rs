//! Blanks of a table, filled with what a trained model expects of them, or with draws, with bounds beside.

use serde::Serialize;

use super::filling::{Filling, Tally};
use super::parts::parts_of;
use super::write::write_file;
use crate::apps::Saved;
use crate::data::schema::{Cell, Field, FieldKind, some_of};
use crate::data::{Beside, Dataset, FilledRow, Output, Schema, Source, table_of};
use crate::error::{Error, Result};
use crate::training::BlankRow;

/// Rows that are filled at once, so that few draws are held.
const ROWS: usize = 256;
/// The first column of a file with several lines to a row.
const NUMBER: &str = "draw";
/// Draws that bounds are quantiles of, at least.
const OF_BOUNDS: usize = 500;

/// How a table is filled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TableFilling {
    /// How codes are drawn.
    pub filling: Filling,
    /// Lines that each row becomes, each filled by draws of its own (multiple imputation: Rubin 1987); 0 for one of means.
    pub draws: usize,
    /// The probability with which a number lies between its bounds, where bounds are wanted.
    pub interval: Option<f64>,
}

/// What was filled in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Filled {
    /// Rows that were read.
    pub rows: usize,
    /// Cells that were blank, and are no more.
    pub cells: usize,
    /// The columns that had such cells.
    pub columns: Vec<FilledColumn>,
    /// How the codes of its rows did.
    #[serde(flatten)]
    pub tally: Tally,
}

/// A column some of whose cells were blank.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FilledColumn {
    /// Its name.
    pub name: String,
    /// How many were.
    pub cells: usize,
}

impl Saved {
    /// Writes the file `from` again as `to`, each blank filled with its expectation given what is known of its row, by importance
    /// sampling: of a number the mean, of a class or a mark the likeliest; or with draws, each row becoming as many lines, numbered in a
    /// first column `draw`. With an interval, two columns for each column of numbers with blanks hold the quantiles of what is drawn
    /// between which that share of it lies. Columns that the model does not see stay as they are.
    ///
    /// # Errors
    /// If the model gives rows no likelihood or is given something with every row, the file is no table or lacks a column, a cell
    /// is not what its column should hold, or the file cannot be written.
    pub fn impute(&mut self, from: &str, to: &Output, how: TableFilling) -> Result<Filled> {
        self.session.model.can().density()?;
        let Source::Path(path) = Source::parse(from) else {
            return Err(Error::invalid("built-in data has no blanks: give a table with some"));
        };
        if !self.form.schema.is_table() {
            return Err(Error::invalid(format!(
                "{} was trained on pictures or vectors, and nothing says what is missing of them: blanks are filled in tables, and in \
                 pictures what --mask says, as --mask x,y,width,height",
                self.folder.display()
            )));
        }
        let table = table_of(&path)?;
        let lacking: Vec<&str> =
            self.form.schema.inputs().map(|field| field.name.as_str()).filter(|name| !table.has(name)).collect();
        if !lacking.is_empty() {
            return Err(Error::malformed(
                &path,
                format!(
                    "it has no column {}, which the model was trained on: its columns are {}",
                    some_of(&lacking),
                    some_of(&table.names)
                ),
            ));
        }
        // Columns that the model does not see may hold anything.
        let schema = Schema { fields: self.form.schema.inputs().cloned().collect() };
        let data = table.whole(&schema)?;
        let beside = Beside {
            number: (how.draws > 0).then_some(NUMBER),
            bounded: how.interval.map_or(vec![], |_| bounded(&schema, &data)),
        };
        let drawn = if how.interval.is_some() { how.draws.max(OF_BOUNDS) } else { how.draws };
        let mut tally = Tally::default();
        let cells = write_file(to.path(), |file| {
            let rows = parts_of("filling", &data, ROWS).flat_map(|part| {
                let filled =
                    self.session.fill(part.given(), how.filling.imputing((drawn, true), part.seed(how.filling.seed)));
                let filled = match filled {
                    Ok(filled) => filled,
                    Err(error) => return vec![Err(error)],
                };
                tally.add(&filled);
                let mut blank = filled.blank.into_iter().peekable();
                let rows = filled.means.chunks_exact(schema.width()).enumerate();
                rows.map(|(row, means)| Ok(made(&schema, means, blank.next_if(|of| of.row == row), &beside, how)))
                    .collect()
            });
            table.fill(&schema, to.kind(), &beside, rows, file)
        })?;
        let columns = schema.inputs().zip(&cells).filter(|(_, cells)| **cells > 0);
        let columns = columns.map(|(field, &cells)| FilledColumn { name: field.name.clone(), cells }).collect();
        Ok(Filled { rows: data.rows, cells: cells.iter().sum(), columns, tally })
    }
}

/// The places of fields of numbers some of whose cells are blank.
fn bounded(schema: &Schema, data: &Dataset) -> Vec<usize> {
    let mut blank = vec![false; schema.width()];
    for row in 0..data.rows {
        data.row(row).iter().zip(&mut blank).for_each(|(value, blank)| *blank |= value.is_nan());
    }
    let is_bounded = |(field, span): &(&Field, std::ops::Range<usize>)| {
        !matches!(field.kind, FieldKind::Category(_)) && blank[span.clone()].contains(&true)
    };
    schema.spans().enumerate().filter(|(_, of)| is_bounded(of)).map(|(at, _)| at).collect()
}

/// The lines of a row and its bounds.
fn made(schema: &Schema, means: &[f32], blank: Option<BlankRow>, beside: &Beside, how: TableFilling) -> FilledRow {
    let nothing = || vec![[Cell::Missing, Cell::Missing]; beside.bounded.len()];
    let Some(BlankRow { draws, .. }) = blank else {
        return FilledRow { lines: vec![schema.decode(means); how.draws.max(1)], bounds: nothing() };
    };
    let draws: Vec<Vec<Cell>> = draws.chunks_exact(schema.width()).map(|draw| schema.decode(draw)).collect();
    let bounds = match how.interval {
        Some(share) => beside.bounded.iter().map(|&at| ends(draws.iter().map(|draw| &draw[at]), share)).collect(),
        None => nothing(),
    };
    let lines = match how.draws {
        0 => vec![schema.decode(means)],
        count => draws.into_iter().take(count).collect(),
    };
    FilledRow { lines, bounds }
}

/// The cells between which so large a share of others lies, as much of the rest being below as above; each is one of them.
fn ends<'a>(cells: impl Iterator<Item = &'a Cell>, share: f64) -> [Cell; 2] {
    let mut sorted: Vec<&Cell> = cells.filter(|cell| cell.number().is_some()).collect();
    sorted.sort_by(|a, b| a.number().unwrap_or(0.0).total_cmp(&b.number().unwrap_or(0.0)));
    let Some(last) = sorted.len().checked_sub(1) else { return [Cell::Missing, Cell::Missing] };
    let outside = 0.5 * (1.0 - share) * sorted.len() as f64;
    // Which roundings do not move below a whole number.
    let left_out = ((outside + 1e-9).floor() as usize).min(last / 2);
    [sorted[left_out].clone(), sorted[last - left_out].clone()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_leave_as_many_out_below_as_above() {
        let cells: Vec<Cell> = (0..100).rev().map(|value| Cell::Number(f64::from(value))).collect();
        let of = |share| ends(cells.iter(), share).map(|cell| cell.number().unwrap());
        assert_eq!([of(0.9), of(0.5), of(0.999)], [[5.0, 94.0], [25.0, 74.0], [0.0, 99.0]]);
        assert_eq!(ends(cells[..1].iter(), 0.01), [Cell::Number(99.0), Cell::Number(99.0)]);
        assert_eq!(ends([Cell::Missing].iter(), 0.9), [Cell::Missing, Cell::Missing]);
    }
}
