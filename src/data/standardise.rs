//! Vectors whose columns differ in their units: each column is scaled to mean 0 and standard deviation 1 over the training rows.
//!
//! They become rows of a table whose columns are called x0, x1 and so on, so that the scales are the run's, later rows are scaled alike,
//! and what a model makes is in the units of the file.

use super::dataset::Dataset;
use super::schema::{Field, FieldKind, Role, Scaling, Schema};
use super::shape::Shape;
use super::splits::Splits;
use crate::error::Result;

/// Whether rows are vectors whose numbers are not all from 0 to 1.
pub(super) fn are_unscaled(shape: Shape, numbers: &[f32]) -> bool {
    (shape.height, shape.channels) == (1, 1) && !numbers.iter().all(|number| (0.0..=1.0).contains(number))
}

/// Whether a schema is one of columns that were scaled here.
pub(super) fn is_of_columns(schema: &Schema) -> bool {
    schema.fields.iter().all(|field| matches!(field.kind, FieldKind::Real(_)) && field.role == Role::Input)
}

/// The same rows with columns scaled by the training rows, or as a schema says.
///
/// # Errors
/// If rows have more or fewer numbers than the schema.
pub(super) fn standardised(splits: Splits, schema: Option<&Schema>) -> Result<Splits> {
    let schema = schema.cloned().unwrap_or_else(|| schema_of(&splits.train));
    let part = |data: Option<Dataset>| data.map(|data| scaled(&data, &schema)).transpose();
    Ok(Splits {
        train: scaled(&splits.train, &schema)?,
        validation: part(splits.validation)?,
        test: part(splits.test)?,
        origin: splits.origin,
    })
}

/// Columns with the scales that these rows have.
fn schema_of(data: &Dataset) -> Schema {
    let width = data.shape().features();
    let rows: Vec<Vec<f32>> = (0..data.rows).map(|row| data.row(row)).collect();
    let field = |column: usize| Field {
        name: format!("x{column}"),
        kind: FieldKind::Real(Scaling::of(rows.iter().map(|row| f64::from(row[column])))),
        role: Role::Input,
        whole: false,
    };
    Schema { fields: (0..width).map(field).collect() }
}

/// Rows as a schema of columns says.
pub(super) fn scaled(data: &Dataset, schema: &Schema) -> Result<Dataset> {
    if data.shape().features() != schema.width() {
        // What it is held against says what is wrong.
        return Ok(data.clone());
    }
    let mut values = Vec::with_capacity(data.rows * schema.width());
    for row in 0..data.rows {
        let numbers = data.row(row);
        for ((field, span), number) in schema.spans().zip(numbers) {
            let mut out = [0.0];
            field.encode(f64::from(number), &mut out[..span.len()]);
            values.push(out[0]);
        }
    }
    let scaled = Dataset::with_gaps(data.name.clone(), values, schema.clone())?;
    Ok(Dataset { values: scaled.values, schema: scaled.schema, observed: scaled.observed, ..data.clone() })
}

#[cfg(test)]
mod tests {
    use super::super::Values;
    use super::super::origin::Origin;
    use super::*;

    #[test]
    fn columns_are_scaled_by_the_training_rows_and_later_ones_alike() {
        // Columns 2, 4, 6 and 100, 100, 103: means 4 and 101, deviations √(8/3) and √2.
        let rows = |values: &[f32]| Dataset::new("a", Values::Floats(values.to_vec()), Shape::vector(2)).unwrap();
        let (train, test) = (rows(&[2.0, 100.0, 4.0, 100.0, 6.0, 103.0]), rows(&[4.0, 103.0]));
        let splits = Splits { train, validation: None, test: Some(test), origin: Origin::default() };
        let found = standardised(splits, None).unwrap();
        let near = |found: &[f32], expected: [f64; 2]| {
            found.iter().zip(expected).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-6)
        };
        let (a, b) = ((8.0f64 / 3.0).sqrt(), 2.0f64.sqrt());
        assert!(near(&found.train.row(0), [-2.0 / a, -1.0 / b]), "{:?}", found.train.row(0));
        assert!(near(&found.test.as_ref().unwrap().row(0), [0.0, 2.0 / b]));
        let schema = &found.train.schema;
        assert!(is_of_columns(schema) && schema.is_table());
        assert!(near(&scaled(&rows(&[4.0, 101.0]), schema).unwrap().row(0), [0.0, 0.0]));
        assert_eq!(
            schema.decode(&[0.0, 0.0]),
            [super::super::schema::Cell::Number(4.0), super::super::schema::Cell::Number(101.0)]
        );
    }

    #[test]
    fn pictures_and_parts_of_1_are_left_as_they_are() {
        let shape = Shape::vector(2);
        assert!(are_unscaled(shape, &[0.0, 1.5]) && are_unscaled(shape, &[-0.1, 1.0]));
        assert!(!are_unscaled(shape, &[0.0, 1.0]));
        assert!(!are_unscaled(Shape { height: 2, width: 1, channels: 1 }, &[0.0, 1.5]));
    }
}
