//! What a setting of a piece is given: a number, several of them, or a word.

use std::fmt;

use serde::Serialize;

/// What a setting is given.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number, or several in a row.
    Numbers(Vec<f64>),
    /// A name.
    Word(String),
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Numbers(vec![number])
    }
}

impl From<&[usize]> for Value {
    fn from(numbers: &[usize]) -> Value {
        Value::Numbers(numbers.iter().map(|&number| number as f64).collect())
    }
}

impl From<&str> for Value {
    fn from(word: &str) -> Value {
        Value::Word(word.to_string())
    }
}

impl From<&Value> for Value {
    fn from(value: &Value) -> Value {
        value.clone()
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Value::Numbers(numbers) => {
                let written: Vec<String> = numbers.iter().map(f64::to_string).collect();
                f.write_str(if written.is_empty() { "empty".into() } else { written.join(",") }.as_str())
            }
            Value::Word(word) => f.write_str(word),
        }
    }
}

/// What a setting is where it is not given, as a piece declares it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Usual {
    /// A number.
    Number(f64),
    /// Several numbers in a row.
    Numbers(&'static [f64]),
    /// A name.
    Word(&'static str),
}

impl From<Usual> for Value {
    fn from(usual: Usual) -> Value {
        match usual {
            Usual::Number(number) => number.into(),
            Usual::Numbers(numbers) => Value::Numbers(numbers.to_vec()),
            Usual::Word(word) => word.into(),
        }
    }
}

impl fmt::Display for Usual {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        Value::from(*self).fmt(f)
    }
}
