//! From the cells of a table to the numbers that a model sees.

use super::super::dataset::Dataset;
use super::super::labels::{Factors, Labels};
use super::super::memory;
use super::super::options::Options;
use super::super::origin::{Origin, Skipped};
use super::super::schema::{Cell, Field, FieldKind, Role, Schema};
use super::super::splits::{Dealt, Splits};
use super::super::weights::{Weights, wrong_weight};
use super::guess::Guess;
use super::told::Told;
use super::{Table, Tables};
use crate::error::{Error, Result};
use std::collections::HashMap;

/// The columns of a table as numbers, see [`Field::number`], field by field.
struct Columns(Vec<Vec<f64>>);

/// Reads tables as the schema says that the options give, or else as is guessed, scaled by the rows that are trained on.
///
/// # Errors
/// If a cell is not what its column should hold, or too many rows are held out.
pub(crate) fn open(Tables { train, validation, test }: &Tables, options: &Options) -> Result<Splits> {
    let rows = match options.rows {
        Some(range) => range.among(train.rows, &train.name())?,
        None => 0..train.rows,
    };
    let split = match &options.schema {
        Some(schema) => schema.of_role(Role::Split).next().map(|field| &field.name),
        None => options.columns.split.as_ref(),
    };
    let dealt = match (split, test) {
        (Some(column), _) => train.dealt(column, options.validation)?.within(&rows),
        (None, test) => {
            let own = match (validation, test) {
                (None, None) => Dealt::of_one(rows.len(), options.validation, options.seed, &train.name())?,
                _ => Dealt::new(rows.len(), (0, options.validation), options.seed, &train.name())?,
            };
            own.behind(rows.start)
        }
    };
    if dealt.train.is_empty() || validation.is_some() && !dealt.validation.is_empty() {
        return Err(Error::malformed(
            &train.path,
            "no rows are left to train on, or rows for validation come both from here and from elsewhere: say one of the two",
        ));
    }
    let mut origin = Origin::of(format!("a table of {} columns, {}", train.names.len(), train.spoken()));
    origin.skipped.extend(Skipped::new("columns of lists", train.lists.iter().cloned()));
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
    let own_validation = match validation {
        Some(table) => Some(table.whole(&schema)?),
        None => some(&dealt.validation)?,
    };
    let own_test = match test {
        Some(test) => Some(test.whole(&schema)?),
        None => some(&dealt.test)?,
    };
    let learnt = part(&dealt.train)?;
    if learnt.share_observed() == 0.0 {
        return Err(Error::malformed(&train.path, "every cell that could be learnt from is blank"));
    }
    Ok(Splits { train: learnt, validation: own_validation, test: own_test, origin })
}

/// Reads all rows of the table for testing, where there is one, or else of the other, as the schema says that the options give, or
/// else as is guessed, scaled by themselves.
///
/// # Errors
/// As for [`open`].
pub(crate) fn open_whole(Tables { train, test, .. }: &Tables, options: &Options) -> Result<Dataset> {
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
            Role::Input | Role::Condition => field.scaled_by(rows.iter().map(|&row| column[row])),
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
        if !schema.is_table() {
            let shape = schema.shape();
            let (rows, what) = match shape.is_picture() {
                true => ("pictures", "pictures or an array"),
                false => ("vectors", "an array"),
            };
            return Err(Error::malformed(
                &self.path,
                format!("this is a table, and the model was trained on {rows} of {shape}: give {what}"),
            ));
        }
        let place = |field: &Field| match (field.role, self.find(&field.name)) {
            (_, Ok(place)) => Ok(Some(place)),
            (Role::Input | Role::Condition, Err(error)) => Err(error),
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
                let wrong = |error| Error::malformed(&self.path, format!("{}: {error}", self.place(row)));
                column.push(number.map_err(wrong)?);
            }
        }
        Ok(Columns(columns))
    }

    /// A text as a cell of a field.
    fn cell(&self, field: &Field, text: &str) -> Cell {
        match field.kind {
            FieldKind::Category(_) | FieldKind::Text => self.text(text),
            FieldKind::Date(_, form) => self.date(text, form),
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
            crate::memory::total(),
            what,
            "--ignore columns of many classes, or give fewer rows",
        )?;
        let mut values = vec![0.0; rows.len() * width];
        let (mut labels, mut told, mut factors, mut weights) = (None, Told::new(rows.len(), schema), vec![], None);
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
                (Role::Condition, _) => {
                    self.check_known(field, column, rows, "told to the model with each row")?;
                    told.add(field, rows.iter().map(|&row| column[row]));
                }
                (Role::Weight, _) if !column.is_empty() => weights = Some(self.weights(field, column, rows)?),
                (Role::Factor, FieldKind::Category(names)) if !column.is_empty() => {
                    self.check_known(field, column, rows, "a factor of each row")?;
                    factors.push((field.name.clone(), names.len(), column));
                }
                _ => {}
            }
        }
        let places = Some(self.places.select(rows));
        let factors = (!factors.is_empty()).then(|| Factors {
            names: factors.iter().map(|(name, ..)| name.clone()).collect(),
            sizes: factors.iter().map(|(_, size, _)| *size).collect(),
            values: rows.iter().flat_map(|&row| factors.iter().map(move |(.., column)| column[row] as u32)).collect(),
        });
        Ok(Dataset {
            labels,
            places,
            factors,
            weights,
            conditions: told.conditions(),
            ..Dataset::with_gaps(self.name(), values, schema.clone())?
        })
    }

    fn labels(&self, field: &Field, names: &[String], column: &[f64], rows: &[usize]) -> Result<Labels> {
        self.check_known(field, column, rows, "the class of each row")?;
        let values = rows.iter().map(|&row| column[row] as u32).collect();
        Ok(Labels { values, classes: names.len(), names: names.to_vec() })
    }

    fn weights(&self, field: &Field, column: &[f64], rows: &[usize]) -> Result<Weights> {
        self.check_known(field, column, rows, "by how much each row counts")?;
        let wrong = |error: &dyn std::fmt::Display| Error::malformed(&self.path, error.to_string());
        for &row in rows {
            if let Some(expected) = wrong_weight(column[row]) {
                let (place, name, weight) = (self.place(row), &field.name, column[row]);
                return Err(wrong(&format!("{place}: the column {name} holds {weight}, and {expected}")));
            }
        }
        let given: Vec<f64> = rows.iter().map(|&row| column[row]).collect();
        Weights::new(&given).map_err(|_| {
            let (name, count) = (&field.name, rows.len());
            wrong(&format!(
                "the column {name} is 0 in all {count} rows of a part of the data, so that none of them counts: give one of them a \
                 weight, or leave `weight` out"
            ))
        })
    }

    /// Says so if a cell is blank that may not be.
    fn check_known(&self, field: &Field, column: &[f64], rows: &[usize], what: &str) -> Result<()> {
        match rows.iter().find(|&&row| column[row].is_nan()) {
            None => Ok(()),
            Some(&row) => Err(Error::malformed(
                &self.path,
                format!(
                    "{} has no {}, which is {what}: leave such rows out, or write something for them",
                    self.place(row),
                    field.name
                ),
            )),
        }
    }

    /// The rows of each part, as a column says.
    fn dealt(&self, column: &str, validation: usize) -> Result<Dealt> {
        let place = self.find(column)?;
        let mut dealt = Dealt { train: vec![], validation: vec![], test: vec![] };
        for (row, record) in self.rows().enumerate() {
            let record = record?;
            let text = record.get(place).unwrap_or_default().trim().to_lowercase();
            let part = match text.as_str() {
                "train" | "training" => &mut dealt.train,
                "val" | "valid" | "validation" | "dev" => &mut dealt.validation,
                "test" | "testing" => &mut dealt.test,
                _ => {
                    return Err(Error::malformed(
                        &self.path,
                        format!(
                            "{}: the column {column} holds {text}, and train, validation or test was expected",
                            self.place(row)
                        ),
                    ));
                }
            };
            part.push(row);
        }
        if dealt.train.is_empty() {
            return Err(Error::malformed(&self.path, format!("the column {column} says train of no row")));
        }
        if validation > 0 {
            return Err(Error::malformed(
                &self.path,
                format!(
                    "{validation} rows are to be held out for validation, and the column {column} says which are: leave `validation` out"
                ),
            ));
        }
        Ok(dealt)
    }
}
