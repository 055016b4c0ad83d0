//! Rows as levels, and back.

use std::ops::Range;

use crate::apps::Saved;
use crate::data::{Dataset, PackingKind, Shape};
use crate::error::{Error, Result};

/// What rows look like outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plain {
    /// How many.
    pub rows: usize,
    /// Their shape.
    pub shape: Shape,
    /// How many values a feature can take.
    pub levels: usize,
    /// How they were stored.
    pub kind: PackingKind,
}

/// The levels that a model's likelihood knows.
pub struct Levels {
    /// How many.
    pub count: usize,
}

impl Levels {
    /// Those of a model, of rows that may be compressed.
    pub fn of(saved: &Saved, data: &Dataset) -> Result<Levels> {
        let count = saved.session.model.can().compress()?.values().levels();
        if data.observed.is_some() {
            return Err(Error::invalid(format!(
                "the data {} has missing values, which cannot be compressed without loss: fill them in first",
                data.name
            )));
        }
        Ok(Levels { count })
    }

    /// The levels of some rows `[rows, features]`.
    pub fn read(&self, data: &Dataset, rows: Range<usize>) -> Result<Vec<u16>> {
        let (features, top) = (data.shape().features(), (self.count - 1) as f32);
        let (mut row, mut all) = (vec![0.0; features], Vec::with_capacity(rows.len() * features));
        for i in rows {
            data.copy_row(i, &mut row);
            for (column, &value) in row.iter().enumerate() {
                let level = (value * top).round();
                // Back again it must be the very same number.
                if !(0.0..=top).contains(&level) || level / top != value {
                    return Err(Error::invalid(format!(
                        "row {i} of {} holds {value} in column {column}, and the model knows {} evenly spaced values from 0 to 1: \
                         {}",
                        data.name,
                        self.count,
                        match self.count {
                            2 =>
                                "it is for black and white; give such rows, or let `--binarise` draw greys as black or white",
                            _ => "train one with as many levels as the data has",
                        }
                    )));
                }
                all.push(level as u16);
            }
        }
        Ok(all)
    }
}

/// Levels as a model sees them.
pub fn values(levels: &[u16], count: usize) -> Vec<f32> {
    let top = (count - 1) as f32;
    levels.iter().map(|&level| f32::from(level) / top).collect()
}
