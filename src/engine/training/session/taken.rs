//! Rows in memory, checked and laid out as programs take them.

use std::borrow::Cow;

use super::super::given::Given;
use super::super::programs::{Taken, known, observed};
use super::Session;
use crate::error::{Error, Result};

/// An input of a program: its name, its values and how many of them a row has.
pub(super) type Input<'a> = (String, &'a [f32], usize);

/// Rows that are fit for a program.
pub(super) struct Prepared<'a> {
    /// How many.
    pub rows: usize,
    taken: Taken,
    /// With zeros where nothing was observed.
    x: Cow<'a, [f32]>,
    y: &'a [f32],
    /// What was observed, where not all was.
    mask: Vec<f32>,
}

impl<'a> Prepared<'a> {
    /// Checks rows.
    ///
    /// # Errors
    /// If they are no whole rows, what must be known of them is missing, or one of their values is no number and may not be missing.
    pub fn new(given: Given<'a>, taken: Taken) -> Result<Prepared<'a>> {
        let (Given { x, y, .. }, Taken { width, condition, gaps, .. }) = (given, taken);
        if let Some(found) = given.width.filter(|&found| found != width) {
            return Err(Error::invalid(format!(
                "rows of {found} values were given, and rows of {width} were expected"
            )));
        }
        if !x.len().is_multiple_of(width) {
            return Err(Error::invalid(format!("{} values are not whole rows of {width}", x.len())));
        }
        let rows = x.len() / width;
        check_conditions(y, rows, condition)?;
        check_numbers("value", x, width, |value| gaps && value.is_nan())?;
        check_numbers("condition", y, condition, |_| false)?;
        let (x, mask) = match gaps {
            false => (x.into(), vec![]),
            true => {
                let guess = |at: usize| given.guess.map_or(0.0, |guess| guess[at]);
                let filled = x.iter().enumerate().map(|(at, &value)| if value.is_nan() { guess(at) } else { value });
                (filled.collect(), x.iter().map(|value| f32::from(u8::from(!value.is_nan()))).collect())
            }
        };
        Ok(Prepared { rows, taken, x, y, mask })
    }

    /// The inputs of a program of this name.
    pub fn inputs(&self, name: &str) -> [Input<'_>; 3] {
        let Taken { width, condition, .. } = self.taken;
        [(name.to_string(), &*self.x, width), (known(name), self.y, condition), (observed(name), &self.mask, width)]
    }
}

impl Session {
    /// Rows without what the model infers itself, and how programs of the model take them: those without gaps need no mask.
    pub(super) fn taken<'a>(&self, given: Given<'a>) -> (Given<'a>, Taken) {
        let condition = self.model.condition().given();
        let gaps = self.takes_gaps && given.x.iter().any(|value| value.is_nan());
        let given = Given { y: if condition == 0 { &[] } else { given.y }, ..given };
        let guessed = gaps && given.guess.is_some();
        (given, Taken { width: self.model.features(), condition, gaps, guessed })
    }

    /// Writes `chunk` rows from `start` on, of `rows` in all, into those inputs that are read by a program; gives how many there are,
    /// behind which stand zeros.
    pub(super) fn write_rows(
        &mut self,
        inputs: &[Input],
        (start, rows): (usize, usize),
        chunk: usize,
    ) -> Result<usize> {
        let live = chunk.min(rows - start);
        for (input, values, width) in inputs {
            let buffer = format!("input.{input}");
            if self.executor.words(&buffer).is_some() {
                let mut padded = vec![0.0; chunk * width];
                padded[..live * width].copy_from_slice(&values[start * width..][..live * width]);
                self.executor.write_f32(&buffer, &padded)?;
            }
        }
        Ok(live)
    }
}

impl Taken {
    /// The name of a program that takes such rows.
    pub(super) fn program(self, name: &str) -> String {
        match self {
            Taken { guessed: true, .. } => format!("{name}.guessed"),
            Taken { gaps: true, .. } => format!("{name}.gaps"),
            _ => name.to_string(),
        }
    }
}

/// Says so if one of these values, so many of each row, is no number, and may not be what it is.
fn check_numbers(what: &str, values: &[f32], width: usize, may_be: impl Fn(&f32) -> bool) -> Result<()> {
    match values.iter().position(|value| !value.is_finite() && !may_be(value)) {
        None => Ok(()),
        Some(at) => Err(Error::invalid(format!(
            "the {what} in row {}, column {} is {}, and a number was expected: leave such rows out, or fill them in",
            at / width,
            at % width,
            values[at]
        ))),
    }
}

/// Says so if these are not conditions of so many values for so many rows.
pub(super) fn check_conditions(y: &[f32], rows: usize, condition: usize) -> Result<()> {
    if y.len() == rows * condition {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the model is given {condition} values of condition with every row: give {} with these {rows} rows, not {}",
        rows * condition,
        y.len()
    )))
}
