//! Rows of a data set, part by part, telling how far it has come.

use crate::data::{Dataset, tell};
use crate::training::{Given, part_of_seed};

/// Rows that are worked on at once.
pub const PART: usize = 4096;

/// Some rows that stand behind each other.
pub struct Part {
    /// The first of them.
    pub start: usize,
    /// How many parts stand before it.
    number: u64,
    /// How many.
    pub rows: usize,
    x: Vec<f32>,
    y: Vec<f32>,
}

impl Part {
    /// The rows with what is known of them.
    pub fn given(&self) -> Given<'_> {
        Given::new(&self.x, &self.y)
    }

    /// Their values `[rows, features]`.
    pub fn values(&self) -> &[f32] {
        &self.x
    }

    /// Changes their values.
    pub fn change(&mut self, change: impl FnOnce(&mut [f32])) {
        change(&mut self.x);
    }

    /// A seed of its own for each part, so that no two draw the same numbers.
    pub fn seed(&self, seed: u64) -> u64 {
        part_of_seed(seed, self.number)
    }
}

/// Says how far something has come, of more than one part.
pub fn say(what: &'static str, done: usize, of: usize) {
    if of > PART {
        tell(what, done, of);
    }
}

/// All rows; `what` is done with them, as `encoding`.
pub fn parts<'a>(what: &'static str, data: &'a Dataset) -> impl Iterator<Item = Part> + 'a {
    parts_of(what, data, PART)
}

/// All rows, so many at once.
pub fn parts_of<'a>(what: &'static str, data: &'a Dataset, size: usize) -> impl Iterator<Item = Part> + 'a {
    first_parts(what, data, data.rows, size)
}

/// The first rows, so many at once.
pub fn first_parts<'a>(
    what: &'static str,
    data: &'a Dataset,
    rows: usize,
    size: usize,
) -> impl Iterator<Item = Part> + 'a {
    let last = data.rows.min(rows);
    (0..last)
        .step_by(size)
        .map(move |start| {
            // Said when the part is asked for: all before it is done.
            say(what, start, last);
            let end = last.min(start + size);
            let (x, y) = data.gather(start..end);
            Part { start, number: (start / size) as u64, rows: end - start, x, y }
        })
        .chain(std::iter::from_fn(move || {
            say(what, last, last);
            None
        }))
}
