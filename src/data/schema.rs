//! What a row consists of: fields, each of a kind and with a part to play.
//!
//! A model sees a row as numbers `[width]`: those of its input fields, one field behind the other. A field says how its cells
//! become numbers and numbers become cells again ([`Field::encode`], [`Field::decode`]). What is learnt of the training rows for
//! that (the mean and the spread of a column, the names of classes) is part of the field, so that all later rows are read alike.

mod date;
mod field;
mod scaling;

pub use date::{DateForm, DateOrder};
pub(crate) use field::some_of;
pub use field::{Cell, Field, FieldKind, Role};
pub use scaling::Scaling;

use serde::{Deserialize, Serialize};

use super::shape::Shape;
use crate::error::{Error, Result};

/// The fields of a row, in the order in which they come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// The fields.
    pub fields: Vec<Field>,
}

/// A row that is one picture, or one vector, of numbers that are taken as they are.
impl From<Shape> for Schema {
    fn from(shape: Shape) -> Schema {
        let kind = FieldKind::Image(shape);
        Schema { fields: vec![Field { name: "x".to_string(), kind, role: Role::Input, whole: false }] }
    }
}

impl Schema {
    /// The fields that a model sees.
    pub fn inputs(&self) -> impl Iterator<Item = &Field> {
        self.of_role(Role::Input)
    }

    /// The fields with a part to play.
    pub fn of_role(&self, role: Role) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(move |field| field.role == role)
    }

    /// The shape of what a model sees: of a single picture its own, else that of a vector.
    pub fn shape(&self) -> Shape {
        let mut inputs = self.inputs();
        match (inputs.next(), inputs.next()) {
            (Some(field), None) => field.kind.shape().unwrap_or_else(|| Shape::vector(self.width())),
            _ => Shape::vector(self.width()),
        }
    }

    /// Numbers that a model sees of a row.
    pub fn width(&self) -> usize {
        self.inputs().map(|field| field.kind.width()).sum()
    }

    /// Whether rows are lines of a table, and not single pictures or vectors.
    pub fn is_table(&self) -> bool {
        !matches!(&self.fields[..], [field] if field.kind.shape().is_some())
    }

    /// Each input field with the columns of its numbers.
    pub fn spans(&self) -> impl Iterator<Item = (&Field, std::ops::Range<usize>)> {
        self.inputs().scan(0, |start, field| {
            let span = *start..*start + field.kind.width();
            *start = span.end;
            Some((field, span))
        })
    }

    /// The cells of the input fields that these numbers `[width]` stand for, see [`Field::exact`].
    pub fn exact(&self, row: &[f32]) -> Vec<Cell> {
        self.spans().map(|(field, span)| field.exact(&row[span])).collect()
    }

    /// The cells to write for the input fields, of these numbers `[width]`, see [`Field::decode`].
    pub fn decode(&self, row: &[f32]) -> Vec<Cell> {
        self.spans().map(|(field, span)| field.decode(&row[span])).collect()
    }

    /// The column of a model's numbers, for people: the name of its field, and of a class where it stands for one.
    pub fn column(&self, column: usize) -> String {
        let found = self.spans().find(|(_, span)| span.contains(&column));
        match found {
            Some((Field { name, kind: FieldKind::Category(classes), .. }, span)) => {
                format!("{name} = {}", classes[column - span.start])
            }
            Some((Field { name, .. }, _)) if self.is_table() => name.clone(),
            _ => column.to_string(),
        }
    }

    /// Says so if this is no schema of rows that a model can see.
    ///
    /// # Errors
    /// If there is no input field, if one is of no size or of too large a one, or if two have one name.
    pub fn check(&self) -> Result<()> {
        const MOST: usize = 16_777_216;
        let mut sizes = self.inputs().map(|field| field.kind.checked_width());
        let width = sizes.try_fold(0usize, |all, width| all.checked_add(width.filter(|&width| width > 0)?));
        if !matches!(width, Some(1..=MOST)) {
            return Err(Error::invalid(format!("its rows have no values, or more than {MOST}")));
        }
        let mut names: Vec<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::invalid(format!("two of its fields are called {}", pair[0])));
        }
        self.fields.iter().try_for_each(Field::check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, kind: FieldKind, role: Role) -> Field {
        Field { name: name.to_string(), kind, role, whole: false }
    }

    fn schema() -> Schema {
        let classes = ["red", "green", "blue"].map(String::from).to_vec();
        let scaling = Scaling { shift: 10.0, scale: 2.0 };
        Schema {
            fields: vec![
                field("id", FieldKind::Text, Role::Identity),
                field("age", FieldKind::Real(scaling), Role::Input),
                field("colour", FieldKind::Category(classes), Role::Input),
                field("visits", FieldKind::Count(Scaling { shift: 0.5, scale: 2.0 }), Role::Input),
            ],
        }
    }

    #[test]
    fn columns_lie_field_by_field() {
        let schema = schema();
        assert_eq!((schema.width(), schema.shape(), schema.is_table()), (5, Shape::vector(5), true));
        let spans: Vec<_> = schema.spans().map(|(field, span)| (field.name.as_str(), span)).collect();
        assert_eq!(spans, [("age", 0..1), ("colour", 1..4), ("visits", 4..5)]);
        assert_eq!([0, 2, 4].map(|column| schema.column(column)), ["age", "colour = green", "visits"]);
        let cells = schema.decode(&[-1.5, 0.2, 0.5, 0.3, 0.0]);
        // e^{0.5} − 1 is 0.65, and the nearest whole number 1.
        assert_eq!(cells, [Cell::Number(7.0), Cell::Text("green".into()), Cell::Number(1.0)]);
    }

    #[test]
    fn a_picture_keeps_its_shape() {
        let shape = Shape { height: 4, width: 3, channels: 2 };
        let schema = Schema::from(shape);
        assert_eq!((schema.shape(), schema.width(), schema.is_table()), (shape, 24, false));
        assert_eq!(schema.column(7), "7");
        schema.check().unwrap();
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        let refused = |schema: Schema| schema.check().unwrap_err().to_string();
        assert!(refused(Schema { fields: vec![] }).contains("no values"));
        assert!(refused(Shape { height: usize::MAX, width: 2, channels: 1 }.into()).contains("or more than"));
        let mut twice = schema();
        twice.fields[0].name = "age".to_string();
        assert!(refused(twice).contains("two of its fields are called age"));
        let mut wrong = schema();
        wrong.fields[1].kind = FieldKind::Real(Scaling { shift: 0.0, scale: f64::NAN });
        assert!(refused(wrong).contains("age"));
    }
}
