//! The bytes of a chunk: how its rows were dealt to batches, and what is on each stack of bits.

use super::container::damaged;
use crate::coding::Stack;
use crate::error::{Error, Result};

/// Stacks that are worked on side by side.
pub const LANES: usize = 4;
/// Rows of a batch of a lane, at most.
pub const LARGEST: usize = 64;

/// A chunk as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// Rows of each lane in each batch; of the last those that are left.
    batches: Vec<u8>,
    lanes: Vec<Lane>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Lane {
    /// Words that were lent to it.
    lent: u32,
    state: u64,
    words: Vec<u32>,
}

impl Packed {
    /// What was pushed in batches of so many rows of each lane.
    pub fn of(batches: Vec<u8>, stacks: Vec<Stack>) -> Packed {
        let lanes = stacks.into_iter().map(|stack| {
            let lent = stack.lent() as u32;
            let (state, words) = stack.into_parts();
            Lane { lent, state, words }
        });
        Packed { batches, lanes: lanes.collect() }
    }

    /// The stacks, to be popped.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn open(self) -> Result<Opened> {
        let lent = self.lanes.iter().map(|lane| u64::from(lane.lent)).collect();
        let stack = |lane: Lane| Stack::of(lane.state, lane.words).ok_or_else(|| damaged("a lane has no state"));
        let stacks = self.lanes.into_iter().map(stack).collect::<Result<_>>()?;
        let mut batches = Vec::with_capacity(self.batches.len());
        self.batches.iter().fold(0, |done, &size| {
            batches.push((done, usize::from(size)));
            done + usize::from(size)
        });
        batches.reverse();
        Ok(Opened { stacks, batches, lent })
    }

    /// Bits that lanes began with, which carry nothing.
    pub fn lent_bits(&self) -> u64 {
        self.lanes.iter().map(|lane| 32 * u64::from(lane.lent)).sum()
    }

    /// As bytes: the number of batches, their rows, and of each lane what was lent, how many words it has, its state and the words.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = (self.batches.len() as u32).to_le_bytes().to_vec();
        out.extend(&self.batches);
        for Lane { lent, state, words } in &self.lanes {
            out.extend(lent.to_le_bytes());
            out.extend((words.len() as u32).to_le_bytes());
            out.extend(state.to_le_bytes());
            words.iter().for_each(|word| out.extend(word.to_le_bytes()));
        }
        out
    }

    /// What [`Packed::to_bytes`] made of so many rows.
    ///
    /// # Errors
    /// If it is damaged.
    pub fn from_bytes(bytes: &[u8], rows: usize) -> Result<Packed> {
        let mut left = bytes;
        let mut take = |count: usize| -> Result<&[u8]> {
            let (taken, rest) = left.split_at_checked(count).ok_or_else(|| damaged("a chunk is too short"))?;
            left = rest;
            Ok(taken)
        };
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |number, &byte| number << 8 | u64::from(byte));
        let count = number(take(4)?) as usize;
        let batches = take(count)?.to_vec();
        let most = rows.div_ceil(LANES);
        let planned: usize = batches.iter().map(|&rows| usize::from(rows)).sum();
        if batches.iter().any(|&rows| !(1..=LARGEST).contains(&usize::from(rows))) || planned < most {
            return Err(damaged("its batches do not hold its rows"));
        }
        let mut lanes = Vec::with_capacity(LANES);
        for _ in 0..LANES {
            let lent = number(take(4)?) as u32;
            let words = number(take(4)?) as usize;
            let state = number(take(8)?);
            let words = take(words.checked_mul(4).ok_or_else(|| damaged("a chunk is too short"))?)?;
            lanes.push(Lane { lent, state, words: words.chunks_exact(4).map(|word| number(word) as u32).collect() });
        }
        if left.is_empty() { Ok(Packed { batches, lanes }) } else { Err(damaged("a chunk is too long")) }
    }
}

/// A chunk that is unpacked.
pub struct Opened {
    /// The stack of each lane.
    pub stacks: Vec<Stack>,
    /// Rows of each lane before each batch, and those of the batch, the last one the first.
    pub batches: Vec<(usize, usize)>,
    lent: Vec<u64>,
}

impl Opened {
    /// Says so if anything is left but what was lent: numbers that differ in one bit anywhere leave something else.
    pub fn close(self) -> Result<()> {
        match self.stacks.iter().zip(self.lent).all(|(stack, lent)| stack.is_as_before(lent)) {
            true => Ok(()),
            false => Err(Error::invalid(
                "the rows cannot be unpacked: the model computes other numbers here than where they were compressed, or the file was made \
                 by another version",
            )),
        }
    }
}
