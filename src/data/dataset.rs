//! A data set: rows of numbers with a shape, and what is known about each row.
//!
//! `values` is `[rows, features]`, the numbers of the input fields of a row behind each other (see [`Schema`]). A picture lies in
//! memory as `[height, width, channels]`. Vectors are pictures of height 1 with one channel.

use super::conditions::Conditions;
use super::labels::{Factors, Labels};
use super::place::Places;
use super::schema::Schema;
use super::shape::Shape;
use super::values::{PackingKind, Values, pack_bits, select};
use super::weights::Weights;
use crate::error::{Error, Result};

/// Rows of numbers, held in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// What people call it: `sprites`, or the name of the file or folder it came from.
    pub name: String,
    /// The numbers, `[rows, features]`.
    pub values: Values,
    /// How many rows there are.
    pub rows: usize,
    /// What a row consists of.
    pub schema: Schema,
    /// The class of every row, if known.
    pub labels: Option<Labels>,
    /// The generative factors of every row, if known.
    pub factors: Option<Factors>,
    /// What a model is given of every row besides its values, if it is given anything.
    pub conditions: Option<Conditions>,
    /// Which values were observed, where not all were: [`Values::Bits`] `[rows, features]`, 1 for those that were. A value that
    /// was not is stored as 0, and read as NaN.
    pub observed: Option<Values>,
    /// What its rows weigh in means over rows, where they do not all count alike.
    pub weights: Option<Weights>,
    /// Where its rows lie in what they come from; `None` where row `i` is row `i`. See [`Dataset::place`].
    pub places: Option<Places>,
}

impl Dataset {
    /// A data set without labels or factors; the number of rows follows from the sizes.
    ///
    /// # Errors
    /// When there is not one whole row, when the values are not whole rows, or when a float is not finite.
    pub fn new(name: impl Into<String>, values: Values, schema: impl Into<Schema>) -> Result<Self> {
        let (name, schema) = (name.into(), schema.into());
        let (shape, features) = (schema.shape(), schema.width());
        let stride = values.stride(features);
        if stride == 0 || values.len() == 0 || !values.len().is_multiple_of(stride) {
            return Err(Error::invalid(format!(
                "the data set {name} has {} stored values, which is not one or more whole rows of {shape}",
                values.len()
            )));
        }
        if let Values::Floats(floats) = &values
            && let Some(at) = floats.iter().position(|value| !value.is_finite())
        {
            return Err(Error::invalid(format!(
                "the data set {name} holds {} in row {}, column {}: every value must be a finite number; \
                 remove the row or fill in the value",
                floats[at],
                at / features,
                at % features
            )));
        }
        let rows = values.len() / stride;
        Ok(Self {
            name,
            rows,
            values,
            schema,
            labels: None,
            factors: None,
            conditions: None,
            observed: None,
            weights: None,
            places: None,
        })
    }

    /// A data set of numbers `[rows, features]` some of which may be NaN: those were not observed.
    ///
    /// # Errors
    /// As for [`Dataset::new`], where a float is infinite.
    pub fn with_gaps(name: impl Into<String>, mut values: Vec<f32>, schema: impl Into<Schema>) -> Result<Self> {
        let (name, schema) = (name.into(), schema.into());
        if !values.iter().any(|value| value.is_nan()) {
            return Dataset::new(name, Values::Floats(values), schema);
        }
        let features = schema.width();
        let mask: Vec<u8> = values.iter().map(|value| u8::from(!value.is_nan())).collect();
        values.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = 0.0);
        let data = Dataset::new(name, Values::Floats(values), schema)?;
        Ok(Dataset { observed: Some(Values::Bits(pack_bits(&mask, features))), ..data })
    }

    /// The share of values that were observed.
    pub fn share_observed(&self) -> f64 {
        match &self.observed {
            Some(Values::Bits(words)) => {
                let ones: u64 = words.iter().map(|word| u64::from(word.count_ones())).sum();
                ones as f64 / (self.rows * self.shape().features()) as f64
            }
            _ => 1.0,
        }
    }

    /// The shape of one row.
    pub fn shape(&self) -> Shape {
        self.schema.shape()
    }

    /// Rows that are shuffled among each other: all of them, or as many as memory holds of data that stays on disk.
    pub fn window(&self) -> usize {
        match &self.values {
            Values::Stored(stored) => stored.window(),
            _ => self.rows,
        }
    }

    /// Row `i` as the model sees it, `[features]`; NaN for a value that was not observed.
    ///
    /// # Panics
    /// When there is no row `i`.
    pub fn row(&self, i: usize) -> Vec<f32> {
        let mut out = vec![0.0; self.shape().features()];
        self.copy_row(i, &mut out);
        out
    }

    /// Writes row `i` as the model sees it into `out`, `[features]`; NaN for a value that was not observed.
    ///
    /// # Panics
    /// When there is no row `i`, or `out` is not one row long.
    pub fn copy_row(&self, i: usize, out: &mut [f32]) {
        assert!(i < self.rows, "row {i} of {}", self.rows);
        assert_eq!(out.len(), self.shape().features(), "one row of values");
        self.values.copy_row(i, out);
        if let Some(observed) = &self.observed {
            let mut mask = vec![0.0; out.len()];
            observed.copy_row(i, &mut mask);
            out.iter_mut().zip(mask).filter(|(_, seen)| *seen == 0.0).for_each(|(value, _)| *value = f32::NAN);
        }
    }

    /// The rows named by `rows`, in that order, with all that is known of them.
    ///
    /// # Panics
    /// When one of them does not exist.
    pub fn subset(&self, rows: &[usize]) -> Self {
        Self {
            name: self.name.clone(),
            values: self.values.select(rows, self.shape().features()),
            rows: rows.len(),
            schema: self.schema.clone(),
            labels: self
                .labels
                .as_ref()
                .map(|labels| Labels { values: select(&labels.values, rows, 1), ..labels.clone() }),
            factors: self.factors.as_ref().map(|factors| Factors {
                values: select(&factors.values, rows, factors.sizes.len()),
                ..factors.clone()
            }),
            conditions: self.conditions.as_ref().map(|conditions| conditions.select(rows)),
            observed: self.observed.as_ref().map(|observed| observed.select(rows, self.shape().features())),
            weights: self.weights.as_ref().map(|weights| weights.select(rows)),
            places: Some(self.places_of(rows)),
        }
    }

    /// Where row `i` lies, for people: `row 50`, `line 52`, or the name of a file.
    ///
    /// # Panics
    /// When there is no row `i`.
    pub fn place(&self, i: usize) -> String {
        self.places.as_ref().map_or_else(|| format!("row {i}"), |places| places.of(i))
    }

    /// The places of some rows.
    pub(super) fn places_of(&self, rows: &[usize]) -> Places {
        match &self.places {
            Some(places) => places.select(rows),
            None => Places::Rows(rows.iter().map(|&row| row as u32).collect()),
        }
    }

    /// One line for people: rows, shape, classes, storage.
    pub fn describe(&self) -> String {
        let mut text = format!("{}: {} rows of {}", self.name, self.rows, self.shape());
        if let Some(labels) = &self.labels {
            text += &format!(", {} classes", labels.classes);
        }
        if let Some(factors) = &self.factors {
            let known: Vec<String> =
                factors.names.iter().zip(&factors.sizes).map(|(name, size)| format!("{name} {size}")).collect();
            text += &format!(", factors {}", known.join(" × "));
        }
        if self.observed.is_some() {
            text += &format!(", {:.1} % of the values missing", 100.0 * (1.0 - self.share_observed()));
        }
        if self.weights.is_some() {
            text += ", weighed row by row";
        }
        text + &format!(", {}, {}", self.storage(), human_bytes(self.values.byte_len()))
    }

    /// How a value is stored, for people.
    pub fn storage(&self) -> &'static str {
        match self.values.kind() {
            PackingKind::Bits => "one bit a value",
            PackingKind::Bytes => "one byte a value",
            PackingKind::Floats => "four bytes a value",
        }
    }

    /// Whether its values stay on disk.
    pub fn is_stored(&self) -> bool {
        matches!(self.values, Values::Stored(_))
    }
}

/// A size for people, in powers of 1000.
fn human_bytes(bytes: usize) -> String {
    let bytes = bytes as f64;
    match bytes {
        ..1e3 => format!("{bytes} B"),
        ..1e6 => format!("{:.1} kB", bytes / 1e3),
        ..1e9 => format!("{:.1} MB", bytes / 1e6),
        _ => format!("{:.1} GB", bytes / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { height: 1, width: 3, channels: 1 };

    fn numbered(rows: u8) -> Dataset {
        let values = (0..rows).flat_map(|row| [row, 10 + row, 20 + row]).collect();
        let mut data = Dataset::new("numbered", Values::Bytes(values), SHAPE).unwrap();
        data.labels = Some(Labels {
            values: (0..u32::from(rows)).collect(),
            classes: usize::from(rows),
            names: (0..rows).map(|row| row.to_string()).collect(),
        });
        data.factors = Some(Factors {
            names: vec!["tens".into(), "ones".into()],
            sizes: vec![10, 10],
            values: (0..u32::from(rows)).flat_map(|row| [row / 10, row % 10]).collect(),
        });
        data
    }

    #[test]
    fn a_subset_keeps_rows_labels_and_factors_together() {
        let part = numbered(15).subset(&[12, 0, 7]);
        assert_eq!(part.rows, 3);
        assert_eq!(part.values, Values::Bytes(vec![12, 22, 32, 0, 10, 20, 7, 17, 27]));
        assert_eq!(part.labels.as_ref().unwrap().values, [12, 0, 7]);
        assert_eq!(part.labels.as_ref().unwrap().classes, 15);
        assert_eq!(part.factors.unwrap().values, [1, 2, 0, 0, 0, 7]);
    }

    #[test]
    fn a_subset_of_bits_keeps_whole_rows() {
        let shape = Shape { height: 5, width: 7, channels: 1 };
        let data = Dataset::new("bits", Values::Bits(vec![1, 2, 3, 4]), shape).unwrap();
        assert_eq!(data.rows, 2);
        assert_eq!(data.subset(&[1]).values, Values::Bits(vec![3, 4]));
        assert_eq!(data.subset(&[1]).row(0)[33], 0.0);
        assert_eq!(data.subset(&[1]).row(0)[34], 1.0);
    }

    #[test]
    fn partial_rows_and_nothing_are_refused() {
        for bytes in [0, 2, 4] {
            let found = Dataset::new("odd", Values::Bytes(vec![0; bytes]), SHAPE);
            assert!(found.unwrap_err().to_string().contains("whole rows of 3"));
        }
        let empty = Shape { width: 0, ..SHAPE };
        assert!(Dataset::new("odd", Values::Bytes(vec![0]), empty).is_err());
    }

    #[test]
    fn a_float_that_is_not_finite_is_found() {
        let values = Values::Floats(vec![0.0, 1.0, 2.0, 3.0, f32::NAN, 5.0]);
        let message = Dataset::new("odd", values, SHAPE).unwrap_err().to_string();
        assert!(message.contains("NaN in row 1, column 1"), "{message}");
    }

    #[test]
    fn the_description_says_what_a_person_asks_first() {
        assert_eq!(
            numbered(15).describe(),
            "numbered: 15 rows of 3, 15 classes, factors tens 10 × ones 10, one byte a value, 45 B"
        );
        assert_eq!(human_bytes(47_040_000), "47.0 MB");
    }
}
