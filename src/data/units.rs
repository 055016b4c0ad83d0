//! Numbers in the units of the data, and as a model sees them.

use super::schema::{Cell, Field, FieldKind, Schema};
use crate::error::{Error, Result};

impl Schema {
    /// What a model sees of numbers `[rows, width]` in the units of the data: whole numbers by the largest that they can be, columns by
    /// their mean and their spread; NaN stays NaN.
    ///
    /// # Errors
    /// If these are no whole rows, rows have columns that are no numbers, such as classes, or a number is none that its column can have.
    pub fn seen(&self, numbers: &[f32]) -> Result<Vec<f32>> {
        let (mut out, width) = (Vec::with_capacity(numbers.len()), self.numeric_width(numbers.len())?);
        for (row, numbers) in numbers.chunks(width).enumerate() {
            for (field, span) in self.spans() {
                for (&number, column) in numbers[span.clone()].iter().zip(span) {
                    let seen = field.seen(number).map_err(|error| {
                        Error::invalid(format!("row {row}, column {}: {error}", self.column(column)))
                    })?;
                    out.push(seen);
                }
            }
        }
        Ok(out)
    }

    /// The numbers in the units of the data that stand for what a model sees or makes `[rows, width]`; NaN stays NaN.
    ///
    /// # Errors
    /// If these are no whole rows, or rows have columns that are no numbers.
    pub fn in_units(&self, seen: &[f32]) -> Result<Vec<f32>> {
        let width = self.numeric_width(seen.len())?;
        let rows = seen.chunks(width);
        Ok(rows.flat_map(|row| self.spans().flat_map(|(field, span)| field.in_units(&row[span]))).collect())
    }

    /// The width of rows all of whose columns are numbers, of which so many values are whole rows.
    fn numeric_width(&self, values: usize) -> Result<usize> {
        let is_text =
            |field: &&Field| matches!(field.kind, FieldKind::Category(_) | FieldKind::Date(..) | FieldKind::Text);
        match self.inputs().find(is_text) {
            Some(Field { name, kind, .. }) => Err(Error::invalid(format!(
                "the column {name} of the rows that the model was trained on is of the kind {}, and all columns of an array are numbers: \
                 give a table to the program, as to `elbo encode` or `elbo reconstruct`",
                kind.name()
            ))),
            None if !values.is_multiple_of(self.width().max(1)) => {
                Err(Error::invalid(format!("{values} values are not whole rows of {}", self.width())))
            }
            None => Ok(self.width().max(1)),
        }
    }
}

impl Field {
    /// What is seen of one number of it.
    fn seen(&self, number: f32) -> Result<f32> {
        match self.top() {
            Some(top) if number.is_nan() || (0.0..=top).contains(&number) => Ok(number / top),
            Some(top) => {
                Err(Error::invalid(format!("there is {number}, and the model was trained on numbers from 0 to {top}")))
            }
            None if self.kind.shape().is_some() => Ok(number),
            None => {
                let cell = if number.is_nan() { Cell::Missing } else { Cell::Number(f64::from(number)) };
                let mut seen = [0.0];
                self.encode(self.number(&cell)?, &mut seen);
                Ok(seen[0])
            }
        }
    }

    /// The numbers that stand for what is seen of all of it.
    fn in_units(&self, seen: &[f32]) -> Vec<f32> {
        match self.top() {
            Some(top) => seen.iter().map(|value| value * top).collect(),
            None if self.kind.shape().is_some() => seen.to_vec(),
            None => vec![self.exact(seen).number().map_or(f32::NAN, |number| number as f32)],
        }
    }

    /// The largest number of a field of levels.
    fn top(&self) -> Option<f32> {
        match &self.kind {
            FieldKind::Levels { top, .. } => Some(f32::from(*top)),
            FieldKind::Channels { of, .. } => match &**of {
                FieldKind::Levels { top, .. } => Some(f32::from(*top)),
                _ => None,
            },
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Shape;
    use super::super::schema::{Role, Scaling};
    use super::*;

    fn schema(kinds: Vec<FieldKind>) -> Schema {
        let field = |(at, kind)| Field { name: format!("x{at}"), kind, role: Role::Input, whole: false };
        Schema { fields: kinds.into_iter().enumerate().map(field).collect() }
    }

    #[test]
    fn columns_are_scaled_there_and_back() {
        let scaling = |shift, scale| Scaling { shift, scale };
        let rows = schema(vec![FieldKind::Real(scaling(10.0, 2.0)), FieldKind::Ordinal(vec![1.0, 2.0, 5.0])]);
        let seen = rows.seen(&[13.0, 5.0, 10.0, f32::NAN]).unwrap();
        assert_eq!((&seen[..3], seen[3].is_nan()), (&[1.5, 1.0, 0.0][..], true));
        assert_eq!(rows.in_units(&[1.5, 1.0, -1.0, 0.4]).unwrap(), [13.0, 5.0, 8.0, 2.0]);
        let said = rows.seen(&[0.0, 1.0, 0.0, 3.0]).unwrap_err().to_string();
        assert!(said.starts_with("row 1, column x1: ") && said.contains('3'), "{said}");
    }

    #[test]
    fn levels_are_parts_of_the_largest() {
        let shape = Shape { height: 1, width: 1, channels: 2 };
        let levels = FieldKind::Levels { shape, top: 16 };
        let scales = vec![Scaling::NONE; 2];
        for kind in [levels.clone(), FieldKind::Channels { of: Box::new(levels), scales }] {
            let rows = schema(vec![kind]);
            assert_eq!(rows.seen(&[4.0, 16.0, 0.0, 1.0]).unwrap(), [0.25, 1.0, 0.0, 0.0625]);
            assert_eq!(rows.in_units(&[0.25, 1.0]).unwrap(), [4.0, 16.0]);
            assert!(rows.seen(&[17.0, 0.0]).unwrap_err().to_string().contains("from 0 to 16"));
            assert!(rows.seen(&[1.0]).unwrap_err().to_string().contains("not whole rows of 2"));
        }
        let plain = schema(vec![FieldKind::Image(shape)]);
        assert_eq!(plain.in_units(&plain.seen(&[-3.0, 700.0]).unwrap()).unwrap(), [-3.0, 700.0]);
    }

    #[test]
    fn classes_are_no_numbers() {
        let rows = schema(vec![FieldKind::Category(vec!["a".into(), "b".into()])]);
        let said = [rows.seen(&[0.0, 1.0]), rows.in_units(&[0.0, 1.0])].map(|found| found.unwrap_err().to_string());
        assert!(said.iter().all(|said| said.contains("the column x0") && said.contains("category")), "{said:?}");
    }
}
