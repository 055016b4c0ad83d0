//! A sample: points in a space of some dimensions.

use rand::seq::index;

use crate::error::{Error, Result};
use crate::evaluation::generator;
use crate::kernels::Step;
use crate::kernels::random::normal4;

/// A sample of at least two finite points, `[rows, dimensions]`, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    values: Vec<f32>,
    dimensions: usize,
}

impl Points {
    /// Checks and keeps `[rows, dimensions]` values.
    ///
    /// # Errors
    /// When there are no dimensions, fewer than two whole rows, or values that are not finite.
    pub fn new(values: Vec<f32>, dimensions: usize) -> Result<Points> {
        if dimensions == 0 || !values.len().is_multiple_of(dimensions) || values.len() / dimensions < 2 {
            return Err(Error::invalid(format!(
                "{} numbers are not two or more points of {dimensions} dimensions, as a comparison of samples needs",
                values.len()
            )));
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::invalid(format!(
                "dimension {} of point {} is {}: only finite points can be compared; was the model trained to the end?",
                at % dimensions,
                at / dimensions,
                values[at]
            )));
        }
        Ok(Points { values, dimensions })
    }

    /// Draws from N(0, I); each `stream` of a seed gives others.
    ///
    /// # Errors
    /// As of [`Points::new`].
    pub fn standard_normal(rows: usize, dimensions: usize, seed: u64, stream: u32) -> Result<Points> {
        let step = Step { seed: Step::seed_words(seed), ..Step::default() };
        let count = rows * dimensions;
        let values =
            (0..count.div_ceil(4) as u32).flat_map(|block| normal4(&step, stream, block)).take(count).collect();
        Points::new(values, dimensions)
    }

    /// How many points there are.
    pub fn rows(&self) -> usize {
        self.values.len() / self.dimensions
    }

    /// How many dimensions each has.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// One point after another, each `[dimensions]`.
    pub fn iter(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.dimensions)
    }

    /// At most `most` of the points, by chance.
    pub fn some(&self, most: usize, seed: u64) -> Points {
        if self.rows() <= most {
            return self.clone();
        }
        let chosen = index::sample(&mut generator(seed, *b"points\0\0"), self.rows(), most);
        let row = |at: usize| &self.values[at * self.dimensions..(at + 1) * self.dimensions];
        Points { values: chosen.into_iter().flat_map(row).copied().collect(), dimensions: self.dimensions }
    }

    /// An error unless both have the same number of dimensions.
    pub(super) fn same_dimensions(&self, other: &Points) -> Result<()> {
        if self.dimensions != other.dimensions {
            return Err(Error::invalid(format!(
                "points of {} and of {} dimensions cannot be compared: both samples must lie in one space",
                self.dimensions, other.dimensions
            )));
        }
        Ok(())
    }
}
