//! Training shared among several trainers, each of which takes a part of every batch: on threads of one process, or in processes of their own
//! ([`Ranks`](super::Ranks)).
//!
//! Every trainer has the whole data set, the same settings and the same seed. Which rows a batch has, what they draw and what they weigh
//! follows from their place in the whole batch, so that the sum of the parts' gradients is the gradient that one trainer has of the whole.
//! A step is several programs then: one or more for gradients ([`lower_in_parts`](crate::program::lower_in_parts)), and behind a reduction
//! one that clips them and moves parameters along them, which does the same everywhere.
//!
//! The first trainer leads, and the others follow: before each batch it tells them what to run, with which numbers, so that whatever decides
//! the course of a training (clocks, signals, losses, checkpoints) decides in one place. What the others decide for themselves is which
//! kernels are used, if that is not settled by `deterministic`; it changes the last bits of gradients, before the sum. Devices of
//! several kinds also move parameters differently in the last bits.

use std::thread::JoinHandle;

use super::order::Order;
use crate::error::{Error, Result};
use crate::program::PartRows;

/// What all trainers that share a training do together; each calls the same, in the same order, and may have to wait for the others.
pub trait Reduce: Send {
    /// Replaces numbers by their sums over all trainers, each of which gives as many; all get the same bits. All-reduce.
    ///
    /// # Errors
    /// If another trainer cannot be reached, or has failed.
    fn sum(&mut self, values: &mut [f32]) -> Result<()>;

    /// Replaces words by those of the first trainer; all give as many.
    ///
    /// # Errors
    /// As for [`Reduce::sum`].
    fn broadcast(&mut self, words: &mut [u32]) -> Result<()>;

    /// Tells the others that this trainer has failed and why, so that they do not wait for it.
    fn fail(&mut self, why: &str);
}

/// The reduction of a trainer that is the only one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Reduce for Alone {
    fn sum(&mut self, _values: &mut [f32]) -> Result<()> {
        Ok(())
    }

    fn broadcast(&mut self, _words: &mut [u32]) -> Result<()> {
        Ok(())
    }

    fn fail(&mut self, _why: &str) {}
}

/// A trainer's part in a shared training.
pub struct Share {
    /// Which part of each batch is its own, counted from 0. The first leads.
    pub part: usize,
    /// How many parts there are.
    pub parts: usize,
    /// What adds up gradients and losses over all of them.
    pub reduce: Box<dyn Reduce>,
}

/// How the parameters of several trainers stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The first alone was given others.
    Apart,
    /// All have been moved alike for an epoch: devices of several kinds may differ in the last bits.
    Moved,
    /// All were given those of the first in this epoch, and have been moved alike since.
    Level,
}

/// How a trainer that has a part stands.
pub(super) struct Shared {
    pub share: Share,
    /// Its rows of a batch.
    pub rows: PartRows,
    /// Room for what it gives to a sum, kept so that no step makes it anew.
    pub given: Vec<f32>,
    /// Whether this trainer has been asked to stop, and whether one of the others was.
    pub wants_to_stop: bool,
    pub all_stop: bool,
    /// Whether one of the others was, where this one has stopped for it.
    pub has_stopped: bool,
    /// How the parameters of the trainers that follow stand to those of the first.
    pub standing: Standing,
    /// The threads on which trainers follow, where they do so in this process.
    pub followers: Vec<JoinHandle<()>>,
}

impl Shared {
    /// A part of batches of so many rows.
    ///
    /// # Errors
    /// If such a batch has no such part.
    pub fn new(share: Share, batch: usize) -> Result<Shared> {
        let Share { part, parts, .. } = share;
        if part >= parts {
            return Err(Error::invalid(format!("part {part} of {parts} was asked for: parts are counted from 0")));
        }
        if PartRows::of(batch, (parts - 1, parts)).own() == 0 {
            let rows = batch.div_ceil(parts);
            return Err(Error::invalid(format!(
                "a batch of {batch} rows does not share out among {parts} devices: with {rows} each, the last has none: give a `batch` of \
                 {}, or fewer devices",
                rows * parts
            )));
        }
        let rows = PartRows::of(batch, (part, parts));
        Ok(Shared {
            share,
            rows,
            given: vec![],
            wants_to_stop: false,
            all_stop: false,
            has_stopped: false,
            standing: Standing::Apart,
            followers: vec![],
        })
    }
}

/// Where the first trainer ends, there is nothing more to follow.
impl Drop for Shared {
    fn drop(&mut self) {
        if self.share.part == 0 {
            // One that has failed knows that already.
            let _ = Order::End.tell(&mut *self.share.reduce);
            // A thread that has panicked has said so.
            self.followers.drain(..).for_each(|thread| _ = thread.join());
        }
    }
}
