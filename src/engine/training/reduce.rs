//! Training shared among several trainers, each of which takes a part of every batch: on other threads, processes or machines.
//!
//! Every trainer has the whole data set, the same settings and the same seed. Which rows a batch has, what they draw and what they weigh
//! follows from their place in the whole batch, so that the sum of the parts' gradients is the gradient that one trainer has of the whole.
//! A step is two programs then: one for gradients, and behind the reduction one that clips them and moves parameters along them, which
//! does the same everywhere.
//!
//! What must be equal in all trainers may not be decided by a clock. Such are the batches of an iteration, at which a run ends early, and
//! the order of reductions: a shared training sends one batch at a time whatever its pace, reduces at the end of each iteration and nowhere
//! else, and stops where a reduction has told all of them that one is to stop. What else a clock decides is no matter between trainers
//! (how often progress is shown), or may be settled by `deterministic` (which kernels are used; it changes a gradient's last bits, before
//! the sum, and no more).

use crate::error::{Error, Result};

/// Adds up numbers over all trainers that share a training.
pub trait Reduce: Send {
    /// Replaces numbers by their sums over all trainers, each of which calls this with as many; all get the same bits. It may wait for the
    /// others.
    ///
    /// # Errors
    /// If another trainer cannot be reached, or has failed.
    fn sum(&mut self, values: &mut [f32]) -> Result<()>;
}

/// The reduction of a trainer that is the only one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Reduce for Alone {
    fn sum(&mut self, _values: &mut [f32]) -> Result<()> {
        Ok(())
    }
}

/// A trainer's part in a shared training.
pub struct Share {
    /// Which part of each batch is its own, counted from 0.
    pub part: usize,
    /// How many parts there are.
    pub parts: usize,
    /// What adds up gradients and losses over all of them.
    pub reduce: Box<dyn Reduce>,
}

impl Share {
    /// The rows of a part of a batch.
    ///
    /// # Errors
    /// If a batch of so many rows has no such parts.
    pub(super) fn rows_of(&self, batch: usize) -> Result<usize> {
        let Share { part, parts, .. } = *self;
        if part >= parts || batch < parts || !batch.is_multiple_of(parts) {
            return Err(Error::invalid(format!(
                "part {part} of {parts} of a batch of {batch} rows was asked for: parts are counted from 0, and a shared `batch` is a \
                 multiple of their number"
            )));
        }
        Ok(batch / parts)
    }
}

/// How a trainer that has a part stands.
pub(super) struct Shared {
    pub share: Share,
    /// Rows of its part of a batch.
    pub rows: usize,
    /// Whether this trainer has been asked to stop, and whether all know that one was.
    pub wants_to_stop: bool,
    pub all_stop: bool,
}

impl Shared {
    /// A part of batches of so many rows.
    pub fn new(share: Share, batch: usize) -> Result<Shared> {
        Ok(Shared { rows: share.rows_of(batch)?, share, wants_to_stop: false, all_stop: false })
    }

    /// The row of a batch at which its part begins.
    pub fn first_row(&self) -> u32 {
        (self.share.part * self.rows) as u32
    }
}
