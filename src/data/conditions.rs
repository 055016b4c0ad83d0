//! What is known of every row besides its values, as a model is given it: a class, known factors, or any numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::labels::{Factors, Labels};
use super::values::Values;

/// Where the conditions of a data set come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// The class of each row, a one among zeros
    #[default]
    Labels,
    /// The known factors of each row, each from 0 to 1 over the values it takes
    Factors,
    /// The numbers that lie beside the data, as digits.conditions.npy beside digits.npy
    Vectors,
}

/// The conditions of all rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Conditions {
    /// The numbers, `[rows, width]`.
    pub values: Values,
    /// Numbers per row.
    pub width: usize,
    /// What people call the classes that the numbers stand for, `[width]`; empty where they stand for no classes.
    pub classes: Vec<String>,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Condition::Labels => "labels",
            Condition::Factors => "factors",
            Condition::Vectors => "vectors",
        })
    }
}

impl Conditions {
    /// Each class as a one among zeros `[rows, classes]`.
    pub fn of_labels(labels: &Labels) -> Conditions {
        let words = labels.classes.div_ceil(32);
        let mut bits = vec![0u32; labels.values.len() * words];
        for (row, &class) in bits.chunks_exact_mut(words.max(1)).zip(&labels.values) {
            row[class as usize / 32] |= 1 << (class % 32);
        }
        Conditions { values: Values::Bits(bits), width: labels.classes, classes: labels.names.clone() }
    }

    /// Each factor's value by its place among those it takes, from 0 to 1 `[rows, factors]`; of a factor that never
    /// varies, 0.
    pub fn of_factors(factors: &Factors) -> Conditions {
        let width = factors.sizes.len();
        let scaled = factors.values.iter().enumerate().map(|(i, &value)| {
            let largest = factors.sizes[i % width] - 1;
            if largest == 0 { 0.0 } else { value as f32 / largest as f32 }
        });
        Conditions { values: Values::Floats(scaled.collect()), width, classes: vec![] }
    }

    /// The conditions of some rows, in that order.
    pub(super) fn select(&self, rows: &[usize]) -> Conditions {
        Conditions { values: self.values.select(rows, self.width), width: self.width, classes: self.classes.clone() }
    }
}
