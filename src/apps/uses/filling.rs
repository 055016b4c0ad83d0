//! How gaps are filled, of tables and of pictures, and how well the codes of the rows did.

use serde::Serialize;

use crate::training::{Imputed, Imputing, RELIABLE_FROM};

/// How codes are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filling {
    /// Codes of each row that are weighed.
    pub samples: usize,
    /// How often codes are drawn anew with the gaps filled, see [`Imputing::rounds`].
    pub rounds: usize,
    /// Decides what is drawn by chance.
    pub seed: u64,
}

impl Filling {
    /// The same for some of the rows, with so many draws of each, of values or of codes.
    pub(super) fn imputing(self, (draws, noise): (usize, bool), seed: u64) -> Imputing {
        Imputing { samples: self.samples, rounds: self.rounds, draws, noise, seed }
    }
}

/// How the codes of rows with gaps did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Tally {
    /// Rows that had gaps.
    pub rows_with_gaps: usize,
    /// Rows of which nothing was known: they are filled from the prior.
    pub empty_rows: usize,
    /// How many codes of a row count, a mean over rows with gaps, of which something was known.
    pub effective_samples: f64,
    /// Rows with gaps of which fewer than ten codes count.
    pub unreliable_rows: usize,
}

impl Tally {
    pub(super) fn add(&mut self, filled: &Imputed) {
        for row in &filled.blank {
            self.rows_with_gaps += 1;
            if row.is_empty {
                self.empty_rows += 1;
                continue;
            }
            let count = (self.rows_with_gaps - self.empty_rows) as f64;
            self.effective_samples += (row.effective_samples - self.effective_samples) / count;
            self.unreliable_rows += usize::from(row.effective_samples < RELIABLE_FROM);
        }
    }
}
