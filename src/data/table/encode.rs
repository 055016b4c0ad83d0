//! From the cells of a table to the numbers that a model sees.

use std::collections::HashMap;

use super::super::dataset::{Dataset, Labels};
use super::super::memory;
use super::super::options::Options;
use super::super::origin::Origin;
use super::super::schema::{Cell, Field, FieldKind, Role, Schema};
use super::super::splits::{Dealt, Splits};
use super::guess::Guess;
use super::{Table, Tables, spoken};
use crate::error::{Error, Result};

/// The columns of a table as numbers, see [`Field::number`], field by field.
struct Columns(Vec<Vec<f64>>);

/// Reads tables as the schema says that the options give, or else as is guessed, scaled by the rows that are trained on.
///
/// # Errors
/// If a cell is not what its column should hold, or too many rows are held out.
pub(crate) fn open(Tables { train, test }: &Tables, options: &Options) -> Result<Splits> {
    let dealt = match test {
        None => Dealt::of_one(train.rows, options.validation, options.seed, &train.name())?,
        Some(_) => Dealt::new(train.rows, (0, options.validation), options.seed, &train.name())?,
    };
    let mut origin =
        Origin::of(format!("a table of {} columns, separated by {}", train.names.len(), spoken(train.delimiter)));
    let (schema, columns) = match &options.schema {
        Some(schema) => (schema.clone(), train.columns(schema)?),
        None => {
            let guesses = train.guess(&options.columns)?;
            let schema = Schema::of_guesses(&guesses);
            let columns = train.columns(&schema)?;
            origin.columns = guesses.into_iter().map(Guess::told).collect();
            (schema.scaled_by(&columns, &dealt.train), columns)
        }
    };
    schema.check().map_err(|error| Error::malformed(&train.path, error))?;
    let part = |rows: &[usize]| train.dataset(&schema, &columns, rows);
    let some = |rows: &[usize]| (!rows.is_empty()).then(|| part(rows)).transpose();
    let own_test = match test {
        Some(test) => Some(test.whole(&schema)?),
        None => some(&dealt.test)?,
    };
    let learnt = part(&dealt.train)?;
    if learnt.share_observed() == 0.0 {
        return Err(Error::malformed(&train.path, "every cell that could be learnt from is blank"));
    }
    Ok(Splits { train: learnt, validation: some(&dealt.validation)?, test: own_test, origin })
}

/// Reads all rows of the table for testing, where there is one, or else of the other, as the schema says that the options give, or
/// else as is guessed, scaled by themselves.
///
/// # Errors
/// As for [`open`].
pub(crate) fn open_whole(Tables { train, test }: &Tables, options: &Options) -> Result<Dataset> {
    let table = test.as_ref().unwrap_or(train);
    match &options.schema {
        Some(schema) => table.whole(schema),
        None => {
            let schema = Schema::of_guesses(&table.guess(&options.columns)?);
            let (columns, rows) = (table.columns(&schema)?, (0..table.rows).collect::<Vec<_>>());
            table.dataset(&schema.scaled_by(&columns, &rows), &columns, &rows)
        }
    }
}

impl Schema {
    /// The same, its fields scaled by some rows of their columns.
    fn scaled_by(&self, columns: &Columns, rows: &[usize]) -> Schema {
        let fields = self.fields.iter().zip(&columns.0);
        let scaled = fields.map(|(field, column)| match field.role {
            Role::Input => field.scaled_by(rows.iter().map(|&row| column[row])),
            _ => field.clone(),
        });
        Schema { fields: scaled.collect() }
    }
}

impl Table {
    /// All of its rows, as a schema says.
    ///
    /// # Errors
    /// If a column is missing, or a cell is not what its column should hold.
    pub fn whole(&self, schema: &Schema) -> Result<Dataset> {
        let rows: Vec<usize> = (0..self.rows).collect();
        self.dataset(schema, &self.columns(schema)?, &rows)
    }

    /// The columns of a schema's fields. Of a field that no model sees the column may be missing.
    fn columns(&self, schema: &Schema) -> Result<Columns> {
        let place = |field: &Field| match (field.role, self.find(&field.name)) {
            (_, Ok(place)) => Ok(Some(place)),
            (Role::Input, Err(error)) => Err(error),
            (_, Err(_)) => Ok(None),
        };
        let places: Vec<Option<usize>> = schema.fields.iter().map(place).collect::<Result<_>>()?;
        let mut columns: Vec<Vec<f64>> =
            places.iter().map(|place| Vec::with_capacity(place.map_or(0, |_| self.rows))).collect();
        // Where there are thousands of classes, they are not looked through for every cell.
        let classes: Vec<HashMap<&str, f64>> = schema.fields.iter().map(Field::classes).collect();
        for (row, record) in self.rows().enumerate() {
            let record = record?;
            let fields = schema.fields.iter().zip(&classes).zip(&places).zip(&mut columns);
            for (((field, classes), place), column) in fields {
                let Some(text) = place.and_then(|place| record.get(place)) else { continue };
                let cell = self.cell(field, text);
                let number = match &cell {
                    Cell::Text(class) if classes.contains_key(&**class) => Ok(classes[&**class]),
                    _ => field.number(&cell),
                };
                let wrong = |error| Error::malformed(&self.path, format!("line {}: {error}", self.line(row)));
                column.push(number.map_err(wrong)?);
            }
        }
        Ok(Columns(columns))
    }

    /// A text as a cell of a field.
    fn cell(&self, field: &Field, text: &str) -> Cell {
        match field.kind {
            FieldKind::Category(_) | FieldKind::Text => self.text(text),
            _ => self.number(text),
        }
    }

    /// Some rows, as a schema says.
    fn dataset(&self, schema: &Schema, Columns(columns): &Columns, rows: &[usize]) -> Result<Dataset> {
        let (width, mut start) = (schema.width(), 0);
        let what = || format!("{} rows of {width} numbers each, a class being a one among zeros,", rows.len());
        let bytes = rows.len() as u128 * width as u128 * size_of::<f32>() as u128;
        memory::check(
            &self.path,
            bytes,
            memory::memory(),
            what,
            "--ignore columns of many classes, or give fewer rows",
        )?;
        let mut values = vec![0.0; rows.len() * width];
        let mut labels = None;
        for (field, column) in schema.fields.iter().zip(columns) {
            match (field.role, &field.kind) {
                (Role::Input, kind) => {
                    let span = start..start + kind.width();
                    for (out, &row) in values.chunks_exact_mut(width).zip(rows) {
                        field.encode(column[row], &mut out[span.clone()]);
                    }
                    start = span.end;
                }
                (Role::Label, FieldKind::Category(names)) if !column.is_empty() => {
                    labels = Some(self.labels(field, names, column, rows)?);
                }
                _ => {}
            }
        }
        Ok(Dataset { labels, ..Dataset::with_gaps(self.name(), values, schema.clone())? })
    }

    fn labels(&self, field: &Field, names: &[String], column: &[f64], rows: &[usize]) -> Result<Labels> {
        let class = |&row: &usize| match column[row].is_nan() {
            false => Ok(column[row] as u32),
            true => Err(Error::malformed(
                &self.path,
                format!(
                    "line {} has no {}, which is the class of each row: leave such lines out, or write a class for them",
                    self.line(row),
                    field.name
                ),
            )),
        };
        let values = rows.iter().map(class).collect::<Result<_>>()?;
        Ok(Labels { values, classes: names.len(), names: names.to_vec() })
    }
}
