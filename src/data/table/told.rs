//! Columns that a model is told with every row, as its condition: numbers scaled as their fields say, classes as a one among zeros.

use super::super::conditions::Conditions;
use super::super::schema::{Field, Role, Schema};
use super::super::values::Values;
use crate::error::{Error, Result};

/// The conditions of rows, column by column.
pub(super) struct Told {
    rows: usize,
    width: usize,
    start: usize,
    values: Vec<f32>,
}

impl Told {
    /// That of so many rows, to be filled with the columns of a schema.
    pub fn new(rows: usize, schema: &Schema) -> Told {
        let width = schema.of_role(Role::Condition).map(|field| field.kind.width()).sum();
        Told { rows, width, start: 0, values: vec![0.0; rows * width] }
    }

    /// The next column, as [`Field::number`] gives it.
    pub fn add(&mut self, field: &Field, numbers: impl Iterator<Item = f64>) {
        let end = self.start + field.kind.width();
        for (row, number) in self.values.chunks_exact_mut(self.width).zip(numbers) {
            field.encode(number, &mut row[self.start..end]);
        }
        self.start = end;
    }

    /// All of them; `None` where there are none.
    pub fn conditions(self) -> Option<Conditions> {
        debug_assert_eq!(self.values.len(), self.rows * self.width);
        (self.width > 0).then(|| Conditions { values: Values::Floats(self.values), width: self.width, classes: vec![] })
    }
}

impl Schema {
    /// The condition that stands for the cells of the columns that a model is told, in their order.
    ///
    /// # Errors
    /// If there are more or fewer cells than such columns, or one is not what its column should hold.
    pub fn condition(&self, cells: &[String]) -> Result<Vec<f32>> {
        let fields: Vec<&Field> = self.of_role(Role::Condition).collect();
        if cells.len() != fields.len() {
            let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            return Err(Error::invalid(format!(
                "--condition has {} values, and the model is told {}: give one for each, in this order",
                cells.len(),
                names.join(", ")
            )));
        }
        let mut values = vec![];
        for (field, text) in fields.iter().zip(cells) {
            let number = field.number(&field.kind.read(text))?;
            if number.is_nan() {
                return Err(Error::invalid(format!("--condition says nothing of {}", field.name)));
            }
            let mut out = vec![0.0; field.kind.width()];
            field.encode(number, &mut out);
            values.extend(out);
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::schema::{FieldKind, Scaling};
    use super::*;

    #[test]
    fn what_is_told_is_scaled_as_its_column_is() {
        let field = |name: &str, kind| Field { name: name.into(), kind, role: Role::Condition, whole: false };
        let schema = Schema {
            fields: vec![
                field("age", FieldKind::Real(Scaling { shift: 50.0, scale: 10.0 })),
                field("colour", FieldKind::Category(vec!["red".into(), "blue".into()])),
            ],
        };
        let mut told = Told::new(2, &schema);
        told.add(&schema.fields[0], [40.0, 65.0].into_iter());
        told.add(&schema.fields[1], [1.0, 0.0].into_iter());
        let Values::Floats(values) = told.conditions().unwrap().values else { panic!() };
        assert_eq!(values, [-1.0, 0.0, 1.0, 1.5, 1.0, 0.0]);
        let of = |cells: [&str; 2]| schema.condition(&cells.map(String::from));
        assert_eq!(of(["65", "red"]).unwrap(), [1.5, 1.0, 0.0]);
        for (cells, said) in [
            (["old", "red"], "age holds old"),
            (["65", "mauve"], "colour holds mauve"),
            (["", "red"], "nothing of age"),
        ] {
            let message = of(cells).unwrap_err().to_string();
            assert!(message.contains(said), "{message}");
        }
        assert!(schema.condition(&["65".to_string()]).unwrap_err().to_string().contains("age, colour"));
        assert!(Told::new(3, &Schema { fields: vec![] }).conditions().is_none());
    }
}
