//! Collects what is wrong with a configuration, so that people hear of everything at once.

use std::fmt::Display;
use std::ops::RangeInclusive;

use crate::error::{Error, Result};

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    /// Notes `problem` if it is one.
    pub(super) fn note(&mut self, is_wrong: bool, problem: impl Display) {
        if is_wrong {
            self.0.push(problem.to_string());
        }
    }

    /// A whole number must lie in `range`.
    pub(super) fn within(&mut self, key: &str, value: u64, range: RangeInclusive<u64>) {
        let (least, most) = (range.start(), range.end());
        self.note(!range.contains(&value), format!("`{key}` is {value}: give a whole number from {least} to {most}"));
    }

    /// A number must be positive and finite, also when rounded to 32 bits, in which everything is computed.
    pub(super) fn positive(&mut self, key: &str, value: f64, example: &str) {
        let rounded = value as f32;
        let is_wrong = !(rounded.is_finite() && rounded > 0.0);
        self.note(is_wrong, format!("`{key}` is {value}: give a positive number, such as {example}"));
    }

    /// A number must be at least 0, and at most what `f32` can hold.
    pub(super) fn not_negative(&mut self, key: &str, value: f64, example: &str) {
        let is_wrong = !((value as f32).is_finite() && value >= 0.0);
        self.note(is_wrong, format!("`{key}` is {value}: give 0 or a positive number, such as {example}"));
    }

    /// All problems as one error.
    pub(super) fn into_result(self) -> Result<()> {
        match self.0.as_slice() {
            [] => Ok(()),
            [only] => Err(Error::invalid(only)),
            all => Err(Error::invalid(format!("{} settings cannot be used:\n  - {}", all.len(), all.join("\n  - ")))),
        }
    }
}
