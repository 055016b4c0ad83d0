//! A field of a row: how its cells become numbers, and numbers cells again.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::shape::Shape;
use super::date::DateForm;
use super::scaling::Scaling;
use crate::error::{Error, Result};

/// A field of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// What people call it: the name of the column.
    pub name: String,
    /// What its values are.
    pub kind: FieldKind,
    /// What it is there for.
    pub role: Role,
    /// Whether all numbers of its column were whole. Then those that it gives are, too; it takes others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
}

/// What a field is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A model sees it and gives it a probability.
    Input,
    /// It is the class of a row.
    Label,
    /// A model is told it with every row, and gives it no probability.
    Condition,
    /// It is one of the factors that rows were made from.
    Factor,
    /// It says whether a row is for training, validation or testing.
    Split,
    /// It says by how much a row counts.
    Weight,
    /// It says which row it is, and is kept with what comes out.
    Identity,
    /// It is left out.
    Ignored,
}

/// What the values of a field are, and how they are scaled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    /// A picture or a vector `[height, width, channels]` of numbers that are taken as they are.
    Image(Shape),
    /// A picture or a vector `[height, width, channels]` of whole numbers v from 0 to `top`, seen as v/top.
    Levels {
        /// Its shape.
        shape: Shape,
        /// The largest number.
        top: u8,
    },
    /// A picture of numbers of which a model sees those v of channel c as (v − shift_c)/scale_c.
    Channels {
        /// What its numbers are.
        of: Box<FieldKind>,
        /// How each of its channels is scaled.
        scales: Vec<Scaling>,
    },
    /// Any number v, seen as (v − shift)/scale.
    Real(Scaling),
    /// A number v above 0, seen as (ln v − shift)/scale.
    Positive(Scaling),
    /// A whole number v from 0, seen as (ln(1 + v) − shift)/scale.
    Count(Scaling),
    /// One of some numbers in ascending order, of which the one at place k of n is seen as k/(n − 1).
    Ordinal(Vec<f64>),
    /// One of some classes, by name; seen as a one among zeros.
    Category(Vec<String>),
    /// A date of so many days v, written in a form, seen as (v − shift)/scale.
    Date(Scaling, DateForm),
    /// Any text, which no model sees.
    Text,
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// A date, as its days and the form in which it is written.
    Date(f64, DateForm),
    /// Nothing: it was not observed.
    Missing,
}

impl fmt::Display for Cell {
    /// A whole number as it is, another as the shortest text that reads as the same single-precision number; a text as it is;
    /// nothing where it is missing.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Cell::Number(value) if value.fract() != 0.0 && (*value as f32).is_finite() => {
                write!(f, "{}", *value as f32)
            }
            Cell::Number(value) => write!(f, "{value}"),
            Cell::Text(text) => f.write_str(text),
            Cell::Date(days, form) => f.write_str(&form.write(*days)),
            Cell::Missing => Ok(()),
        }
    }
}

impl Cell {
    /// Its number, or the days of a date.
    pub fn number(&self) -> Option<f64> {
        match self {
            Cell::Number(number) | Cell::Date(number, _) => Some(*number),
            Cell::Text(_) | Cell::Missing => None,
        }
    }
}

impl FieldKind {
    /// What people call it.
    pub fn name(&self) -> &'static str {
        match self {
            FieldKind::Image(_) | FieldKind::Levels { .. } | FieldKind::Channels { .. } => "image",
            FieldKind::Real(_) => "real",
            FieldKind::Positive(_) => "positive",
            FieldKind::Count(_) => "count",
            FieldKind::Ordinal(_) => "ordinal",
            FieldKind::Category(_) => "category",
            FieldKind::Date(..) => "date",
            FieldKind::Text => "text",
        }
    }

    /// The shape of a picture or a vector.
    pub fn shape(&self) -> Option<Shape> {
        match self {
            FieldKind::Image(shape) | FieldKind::Levels { shape, .. } => Some(*shape),
            FieldKind::Channels { of, .. } => of.shape(),
            _ => None,
        }
    }

    /// A text that stands by itself, as a cell of this kind; blank texts are missing.
    pub fn read(&self, text: &str) -> Cell {
        let text = text.trim();
        let own = || Cell::Text(text.to_owned());
        match self {
            _ if text.is_empty() => Cell::Missing,
            FieldKind::Category(_) | FieldKind::Text => own(),
            FieldKind::Date(_, form) => form.parse(text).map_or_else(own, |days| Cell::Date(days, *form)),
            _ => text.parse().map_or_else(|_| own(), Cell::Number),
        }
    }

    /// Numbers that a model sees of it.
    pub fn width(&self) -> usize {
        self.checked_width().unwrap_or(usize::MAX)
    }

    /// The same; `None` if it is more than can be counted.
    pub(super) fn checked_width(&self) -> Option<usize> {
        match self {
            FieldKind::Image(Shape { height, width, channels })
            | FieldKind::Levels { shape: Shape { height, width, channels }, .. } => {
                height.checked_mul(*width)?.checked_mul(*channels)
            }
            FieldKind::Channels { of, .. } => of.checked_width(),
            FieldKind::Category(classes) => Some(classes.len()),
            FieldKind::Text => Some(0),
            _ => Some(1),
        }
    }
}

impl FieldKind {
    /// Whether values can be scaled, or told apart, as it says.
    fn is_fit(&self) -> bool {
        let is_scale = |&Scaling { shift, scale }: &Scaling| shift.is_finite() && scale.is_finite() && scale > 0.0;
        match self {
            FieldKind::Image(_) | FieldKind::Text => true,
            FieldKind::Levels { top, .. } => *top > 0,
            FieldKind::Channels { of, scales } => {
                let channels = of.shape().map(|shape| shape.channels);
                !matches!(**of, FieldKind::Channels { .. })
                    && of.is_fit()
                    && channels == Some(scales.len())
                    && scales.iter().all(is_scale)
            }
            FieldKind::Real(scaling)
            | FieldKind::Positive(scaling)
            | FieldKind::Count(scaling)
            | FieldKind::Date(scaling, _) => is_scale(scaling),
            FieldKind::Ordinal(levels) => !levels.is_empty() && levels.iter().all(|level| level.is_finite()),
            FieldKind::Category(classes) => !classes.is_empty(),
        }
    }
}

impl Field {
    /// The number that a cell stands for, before it is scaled: of a class or a level its place; NaN where it is missing.
    ///
    /// # Errors
    /// If the cell is no value of this kind.
    pub fn number(&self, cell: &Cell) -> Result<f64> {
        let place = |at: Option<usize>, wanted: &dyn Fn() -> String| match at {
            Some(at) => Ok(at as f64),
            None => Err(self.refuse(cell, &wanted())),
        };
        match (&self.kind, cell) {
            (_, Cell::Missing) => Ok(f64::NAN),
            (kind, _) if kind.shape().is_some() || *kind == FieldKind::Text => Ok(f64::NAN),
            (FieldKind::Category(classes), _) => {
                let name = cell.to_string();
                let at = classes.iter().position(|class| *class == name);
                place(at, &|| format!("one of the classes {}", some_of(classes)))
            }
            (FieldKind::Ordinal(levels), Cell::Number(value)) => {
                let at = levels.iter().position(|level| level == value);
                place(at, &|| format!("one of the numbers {}", some_of(levels)))
            }
            (FieldKind::Real(_), Cell::Number(value)) if value.is_finite() => Ok(*value),
            (FieldKind::Positive(_), Cell::Number(value)) if *value > 0.0 && value.is_finite() => Ok(libm::log(*value)),
            (FieldKind::Count(_), Cell::Number(value)) if *value >= 0.0 && value.fract() == 0.0 => {
                Ok(libm::log1p(*value))
            }
            (FieldKind::Date(..), Cell::Date(days, _)) => Ok(*days),
            (kind, _) => Err(self.refuse(
                cell,
                match kind {
                    FieldKind::Positive(_) => "a number above 0",
                    FieldKind::Count(_) => "a whole number from 0",
                    FieldKind::Date(_, form) => return Err(self.refuse(cell, &format!("a date, as {}", form.spoken()))),
                    _ => "a number",
                },
            )),
        }
    }

    /// The numbers that its classes stand for, by name; none of other kinds.
    pub fn classes(&self) -> HashMap<&str, f64> {
        match &self.kind {
            FieldKind::Category(classes) => classes.iter().enumerate().map(|(at, name)| (&**name, at as f64)).collect(),
            _ => HashMap::new(),
        }
    }

    /// Writes what a model sees of a number, as [`Field::number`] gives it, into `out` `[width]`.
    pub fn encode(&self, number: f64, out: &mut [f32]) {
        out.fill(if number.is_nan() { f32::NAN } else { 0.0 });
        if number.is_nan() {
            return;
        }
        match &self.kind {
            FieldKind::Image(_) | FieldKind::Levels { .. } | FieldKind::Channels { .. } | FieldKind::Text => {}
            FieldKind::Real(scaling)
            | FieldKind::Positive(scaling)
            | FieldKind::Count(scaling)
            | FieldKind::Date(scaling, _) => {
                out[0] = scaling.apply(number) as f32;
            }
            FieldKind::Ordinal(levels) => out[0] = number as f32 / (levels.len() - 1).max(1) as f32,
            FieldKind::Category(_) => out[number as usize] = 1.0,
        }
    }

    /// The same field, scaled so that these numbers, as [`Field::number`] gives them, have mean 0 and standard deviation 1.
    pub fn scaled_by(&self, numbers: impl Iterator<Item = f64> + Clone) -> Field {
        let kind = match &self.kind {
            FieldKind::Real(_) => FieldKind::Real(Scaling::of(numbers)),
            FieldKind::Positive(_) => FieldKind::Positive(Scaling::of(numbers)),
            FieldKind::Count(_) => FieldKind::Count(Scaling::of(numbers)),
            FieldKind::Date(_, form) => FieldKind::Date(Scaling::of(numbers), *form),
            other => other.clone(),
        };
        Field { kind, ..self.clone() }
    }

    /// The cell to write for these numbers `[width]`, which a model made: [`Field::exact`], and of a column of whole numbers the nearest that it
    /// can hold.
    pub fn decode(&self, x: &[f32]) -> Cell {
        match (self.exact(x), &self.kind) {
            // The least whole number above 0 is 1.
            (Cell::Number(number), FieldKind::Positive(_)) if self.whole => Cell::Number(number.round().max(1.0)),
            // 0 is added as it makes the 0 below 0 one above it.
            (Cell::Number(number), _) if self.whole => Cell::Number(number.round() + 0.0),
            (cell, _) => cell,
        }
    }

    /// The cell that these numbers `[width]` stand for: of probabilities of classes, the likeliest; missing where they are NaN. What is measured,
    /// or was given, is told by it.
    pub fn exact(&self, x: &[f32]) -> Cell {
        if x.iter().any(|x| x.is_nan()) {
            return Cell::Missing;
        }
        let first = || f64::from(x[0]);
        match &self.kind {
            FieldKind::Image(_) | FieldKind::Levels { .. } | FieldKind::Channels { .. } | FieldKind::Text => {
                Cell::Missing
            }
            FieldKind::Real(scaling) => Cell::Number(scaling.invert(first())),
            FieldKind::Date(scaling, form) => Cell::Date(scaling.invert(first()), *form),
            FieldKind::Positive(scaling) => Cell::Number(libm::exp(scaling.invert(first()))),
            FieldKind::Count(scaling) => Cell::Number(libm::expm1(scaling.invert(first())).round().max(0.0)),
            FieldKind::Ordinal(levels) => {
                let last = levels.len() - 1;
                Cell::Number(levels[((first() * last as f64).round().max(0.0) as usize).min(last)])
            }
            FieldKind::Category(classes) => {
                let likeliest = (0..x.len()).reduce(|best, class| if x[class] > x[best] { class } else { best });
                likeliest.map_or(Cell::Missing, |class| Cell::Text(classes[class].clone()))
            }
        }
    }

    fn refuse(&self, cell: &Cell, wanted: &str) -> Error {
        Error::invalid(format!("the column {} holds {cell}, and {wanted} was expected", self.name))
    }

    /// Says so if it is none that could be encoded.
    pub(super) fn check(&self) -> Result<()> {
        let is_fit = self.kind.is_fit();
        match is_fit {
            true => Ok(()),
            false => {
                Err(Error::invalid(format!("the scaling, levels or classes of its field {} make no sense", self.name)))
            }
        }
    }
}

/// The first few of some values, for people.
pub(crate) fn some_of<T: fmt::Display>(values: &[T]) -> String {
    const SHOWN: usize = 8;
    let names: Vec<String> = values.iter().take(SHOWN).map(T::to_string).collect();
    match values.len().saturating_sub(SHOWN) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: FieldKind) -> Field {
        Field { name: "a".to_string(), kind, role: Role::Input, whole: false }
    }

    fn encoded(kind: FieldKind, cell: Cell) -> Result<Vec<f32>> {
        let field = field(kind);
        let mut out = vec![9.0; field.kind.width()];
        field.encode(field.number(&cell)?, &mut out);
        Ok(out)
    }

    const SCALING: Scaling = Scaling { shift: 3.0, scale: 2.0 };

    #[test]
    fn cells_become_numbers_as_their_kind_says() {
        let e = std::f64::consts::E;
        let classes = ["a", "b", "1"].map(String::from).to_vec();
        for (kind, cell, expected) in [
            (FieldKind::Real(SCALING), Cell::Number(4.0), vec![0.5]),
            (FieldKind::Positive(SCALING), Cell::Number(e), vec![-1.0]),
            (FieldKind::Count(SCALING), Cell::Number(0.0), vec![-1.5]),
            (FieldKind::Ordinal(vec![1.0, 2.0, 4.0]), Cell::Number(2.0), vec![0.5]),
            (FieldKind::Category(classes.clone()), Cell::Text("b".into()), vec![0.0, 1.0, 0.0]),
            (FieldKind::Category(classes.clone()), Cell::Number(1.0), vec![0.0, 0.0, 1.0]),
            (FieldKind::Text, Cell::Text("x".into()), vec![]),
        ] {
            assert_eq!(encoded(kind.clone(), cell.clone()).unwrap(), expected, "{kind:?}");
            if !expected.is_empty() && cell != Cell::Number(1.0) {
                let (found, cell) = (field(kind).decode(&expected), &cell);
                let is_near = |a: f64, b: f64| (a - b).abs() <= 1e-12 * b.abs();
                match (&found, cell) {
                    (Cell::Number(found), Cell::Number(value)) => assert!(is_near(*found, *value), "{found}, {value}"),
                    _ => assert_eq!(found, *cell),
                }
            }
        }
        let gap = encoded(FieldKind::Category(classes), Cell::Missing).unwrap();
        assert!(gap.len() == 3 && gap.iter().all(|x| x.is_nan()));
    }

    #[test]
    fn counts_come_back_whole_and_exact() {
        let counts = field(FieldKind::Count(Scaling { shift: 4.2, scale: 1.7 }));
        for count in [0.0, 1.0, 7.0, 100.0, 9_999.0, 50_000.0] {
            let mut x = [0.0];
            counts.encode(counts.number(&Cell::Number(count)).unwrap(), &mut x);
            assert_eq!(counts.decode(&x), Cell::Number(count));
        }
        assert_eq!(counts.decode(&[-9.0]), Cell::Number(0.0), "no count is below 0");
    }

    #[test]
    fn numbers_of_a_column_of_whole_ones_come_back_whole() {
        // 3 + 2·x, and e^(3 + 2·x).
        let whole = |kind| Field { whole: true, ..field(kind) };
        let of = |field: &Field, x: f32| field.decode(&[x]).to_string();
        let (ages, prices) = (whole(FieldKind::Real(SCALING)), whole(FieldKind::Positive(SCALING)));
        assert_eq!([0.2, 0.3, -1.6, -5.0].map(|x| of(&ages, x)), ["3", "4", "0", "-7"]);
        assert_eq!([0.0, -1.5, -9.0].map(|x| of(&prices, x)), ["20", "1", "1"]);
        assert_eq!(of(&field(FieldKind::Real(SCALING)), 0.2), "3.4");
        // What is measured is not rounded.
        assert_eq!([0.2, -5.0].map(|x| ages.exact(&[x]).to_string()), ["3.4", "-7"]);
        assert!(prices.exact(&[-9.0]).number().is_some_and(|price| price < 1e-6));
        // Other numbers are taken as they are.
        let mut x = [0.0];
        ages.encode(ages.number(&Cell::Number(4.5)).unwrap(), &mut x);
        assert_eq!(x, [0.75]);
        // What was written before there was a word for it is read as it was.
        let written = serde_json::to_string(&field(FieldKind::Real(SCALING))).unwrap();
        assert!(!written.contains("whole"), "{written}");
        assert_eq!(serde_json::from_str::<Field>(&written).unwrap(), field(FieldKind::Real(SCALING)));
        let written = serde_json::to_string(&ages).unwrap();
        assert_eq!(serde_json::from_str::<Field>(&written).unwrap(), ages);
    }

    #[test]
    fn what_is_none_of_a_kind_is_refused_by_name() {
        let classes: Vec<String> = (0..20).map(|class| format!("c{class}")).collect();
        for (kind, cell, expected) in [
            (FieldKind::Real(SCALING), Cell::Text("old".into()), "column a holds old, and a number was expected"),
            (FieldKind::Real(SCALING), Cell::Number(f64::INFINITY), "a number was expected"),
            (FieldKind::Positive(SCALING), Cell::Number(0.0), "holds 0, and a number above 0"),
            (FieldKind::Count(SCALING), Cell::Number(1.5), "holds 1.5, and a whole number from 0"),
            (FieldKind::Count(SCALING), Cell::Number(-1.0), "a whole number from 0"),
            (FieldKind::Ordinal(vec![1.0, 2.0]), Cell::Number(3.0), "one of the numbers 1, 2"),
            (FieldKind::Category(classes), Cell::Text("c99".into()), "c7 and 12 more"),
        ] {
            let message = encoded(kind, cell).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn scaled_numbers_have_mean_0_and_deviation_1() {
        // Mean 5, deviation √((9 + 1 + 1 + 9)/4) = √5.
        let values = [2.0, 4.0, f64::NAN, 6.0, 8.0];
        let scaling = Scaling::of(values.into_iter());
        assert_eq!(scaling.shift, 5.0);
        assert!((scaling.scale - 5f64.sqrt()).abs() < 1e-12);
        assert!((scaling.invert(scaling.apply(7.25)) - 7.25).abs() < 1e-12);
        assert_eq!(Scaling::of([3.0, 3.0].into_iter()), Scaling { shift: 3.0, scale: 1.0 });
        assert_eq!(Scaling::of([f64::NAN].into_iter()), Scaling::NONE);
        assert_eq!(Scaling::of([0.1 + 0.2, 0.3].into_iter()).scale, 1.0, "roundings are no spread");
    }

    #[test]
    fn numbers_are_printed_short() {
        assert_eq!(Cell::Number(0.1 + 0.2).to_string(), "0.3");
        // Which single precision has no room for.
        assert_eq!(Cell::Number(20_230_101.0).to_string(), "20230101");
        assert_eq!(Cell::Number(1e300).to_string().len(), 301);
        assert_eq!(Cell::Missing.to_string(), "");
    }
}
