//! What a piece can be given: numbers, lists of them, words, each within its bounds.

use std::fmt;

use serde::Serialize;

use super::value::{Usual, Value};

/// What a piece takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// Its name behind the colon of a [`Spec`](super::Spec).
    pub name: &'static str,
    /// What it is where it is not given.
    pub default: Usual,
    /// What it may be.
    pub bounds: Bounds,
    /// What it means, in the words of the paper.
    pub meaning: &'static str,
}

/// What a setting may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bounds {
    /// A number above 0.
    Positive,
    /// 0 or more.
    NotNegative,
    /// Any finite number.
    Any,
    /// From one number to another, both included.
    Within(f64, f64),
    /// 0 or more, and less than a number.
    Below(f64),
    /// Above 0, and at most a number.
    PositiveTo(f64),
    /// Above 0, and less than a number.
    PositiveBelow(f64),
    /// A whole number from one to another.
    Whole(u64, u64),
    /// One to so many numbers, each within bounds of its own.
    UpTo(usize, &'static Bounds),
    /// One of some words.
    OneOf(&'static [&'static str]),
}

impl Bounds {
    /// Whether a value is allowed; numbers also when rounded to 32 bits, in which everything is computed.
    pub fn allow(self, value: impl Into<Value>) -> bool {
        match (self, value.into()) {
            (Bounds::OneOf(words), Value::Word(word)) => words.contains(&word.as_str()),
            (Bounds::UpTo(most, each), Value::Numbers(numbers)) => {
                (1..=most).contains(&numbers.len()) && numbers.iter().all(|&number| each.allow_number(number))
            }
            (_, Value::Numbers(numbers)) => matches!(numbers[..], [number] if self.allow_number(number)),
            (_, Value::Word(_)) => false,
        }
    }

    fn allow_number(self, value: f64) -> bool {
        let rounded = value as f32;
        rounded.is_finite()
            && match self {
                Bounds::Positive => rounded > 0.0,
                Bounds::NotNegative => value >= 0.0,
                Bounds::Any => true,
                Bounds::Within(low, high) => (low..=high).contains(&value),
                Bounds::Below(end) => value >= 0.0 && rounded < end as f32,
                Bounds::PositiveTo(end) => rounded > 0.0 && value <= end,
                Bounds::PositiveBelow(end) => value > 0.0 && rounded < end as f32,
                Bounds::Whole(low, high) => value.fract() == 0.0 && (low as f64..=high as f64).contains(&value),
                Bounds::UpTo(..) | Bounds::OneOf(_) => false,
            }
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Bounds::Positive => write!(f, "a positive number"),
            Bounds::NotNegative => write!(f, "0 or a positive number"),
            Bounds::Any => write!(f, "a finite number"),
            Bounds::Within(low, high) => write!(f, "a number from {low} to {high}"),
            Bounds::Below(end) => write!(f, "a number from 0 to below {end}"),
            Bounds::PositiveTo(end) => write!(f, "a number from above 0 to {end}"),
            Bounds::PositiveBelow(end) => write!(f, "a number from above 0 to below {end}"),
            Bounds::Whole(low, high) => write!(f, "a whole number from {low} to {high}"),
            Bounds::UpTo(most, each) => write!(f, "1 to {most} numbers, each {each}"),
            Bounds::OneOf(words) => write!(f, "one of {}", words.join(", ")),
        }
    }
}
