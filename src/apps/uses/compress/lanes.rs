//! The rows of a chunk, packed into a few stacks of bits and unpacked again.
//!
//! The decoder wants many codes at once, and a code is only known when those before it have been pushed. So every one of some lanes
//! takes a batch of rows: it pops their codes from the bits that it has (z ~ q(z | x)), then pushes their values (p(x | z)) and codes
//! (p(z)). At first a lane has no bits, and what its first row asks for is lent. From then on a batch is as large as the bits that the
//! lane has allow, so that next to nothing is lent beyond what one row takes: batches grow from one row on to the largest.

use rayon::prelude::*;

use super::rows::values;
use crate::coding::{CodeBins, Cumulative, PriorBins, Stack};
use crate::distributions::Discrete;
use crate::error::{Error, Result};
use crate::training::Session;

/// Stacks that are worked on side by side.
const LANES: usize = 4;
/// Rows of a batch of a lane, at most.
const LARGEST: usize = 64;
/// Bits beyond what rows took so far that a batch should find.
const MARGIN: f64 = 1.1;

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

fn damaged(why: &str) -> Error {
    Error::invalid(format!("the compressed file is damaged: {why}"))
}

/// The rows of each lane: as many each, or one more.
fn spans(rows: usize) -> Vec<std::ops::Range<usize>> {
    (0..LANES).map(|lane| lane * rows / LANES..(lane + 1) * rows / LANES).collect()
}

/// Of every lane the rows of a batch, from what was done before.
fn batch(spans: &[std::ops::Range<usize>], done: usize, rows: usize) -> Vec<std::ops::Range<usize>> {
    let part = |span: &std::ops::Range<usize>| {
        let start = (span.start + done).min(span.end);
        start..(start + rows).min(span.end)
    };
    spans.iter().map(part).collect()
}

/// How many rows of a batch stand before those of each lane.
fn starts(parts: &[std::ops::Range<usize>]) -> Vec<usize> {
    let before = parts.iter().scan(0, |before, part| {
        let start = *before;
        *before += part.len();
        Some(start)
    });
    before.collect()
}

/// Packs levels `[rows, features]`.
///
/// # Errors
/// If the device fails, or the model's numbers are none.
pub fn pack(session: &mut Session, levels: &[u16], count: usize) -> Result<Packed> {
    let (features, latent) = (session.model.features(), session.latent()?);
    let rows = levels.len() / features;
    let posterior = session.coding_posterior(&values(levels, count))?;
    check_posterior(&posterior, latent)?;
    let (bins, spans) = (CodeBins::get(), spans(rows));
    let mut stacks = vec![Stack::default(); LANES];
    let (mut batches, mut done, longest) = (Vec::new(), 0, spans.iter().map(ExactSizeIterator::len).max().unwrap_or(0));
    // Bits that the codes of all rows so far took, of every lane.
    let (mut taken, mut size) = (0.0, 1);
    while done < longest {
        let parts = batch(&spans, done, size);
        let drawn: Vec<(Vec<u32>, f64)> = stacks
            .par_iter_mut()
            .zip(&parts)
            .map(|(stack, part)| {
                let (mut codes, before) = (Vec::with_capacity(part.len() * latent), stack.balance());
                for row in part.clone() {
                    codes.extend(moments(&posterior, row, latent).map(|[m, d]| stack.pop(&bins.gaussian(m, d))));
                }
                (codes, before - stack.balance())
            })
            .collect();
        taken += drawn.iter().map(|(_, bits)| bits).sum::<f64>();
        let z: Vec<f32> = drawn.iter().flat_map(|(codes, _)| codes).map(|&bin| bins.middle(bin)).collect();
        let outputs = session.coding_outputs(&z)?;
        let discrete = session.model.can().compress()?.values();
        let width = outputs.len() / (z.len() / latent).max(1);
        let starts = starts(&parts);
        stacks.par_iter_mut().zip(&parts).zip(&drawn).zip(&starts).for_each(|(((stack, part), (codes, _)), &first)| {
            let mut of = Cumulative::default();
            for (place, row) in part.clone().enumerate() {
                let outputs = &outputs[(first + place) * width..][..width];
                for feature in 0..features {
                    discrete.distribution(outputs, feature, features, &mut of);
                    stack.push(u32::from(levels[row * features + feature]), &of);
                }
            }
            codes.iter().for_each(|&bin| stack.push(bin, &PriorBins));
        });
        batches.push(size as u8);
        done += size;
        // As many rows as the lane with the fewest bits can pay for.
        let of_row = MARGIN * taken / done.min(longest) as f64 / LANES as f64;
        let least = stacks.iter().map(Stack::bits).min().unwrap_or(0) as f64;
        size = ((least / of_row.max(1.0)) as usize).clamp(1, LARGEST);
    }
    let lanes = stacks.into_iter().map(|stack| {
        let lent = stack.lent() as u32;
        let (state, words) = stack.into_parts();
        Lane { lent, state, words }
    });
    Ok(Packed { batches, lanes: lanes.collect() })
}

/// The levels `[rows, features]` that were packed.
///
/// # Errors
/// If they were packed by another model or on other numbers, or the device fails.
pub fn unpack(session: &mut Session, packed: Packed, rows: usize, count: usize) -> Result<Vec<u16>> {
    let (features, latent) = (session.model.features(), session.latent()?);
    let (bins, spans) = (CodeBins::get(), spans(rows));
    let mut levels = vec![0u16; rows * features];
    let lent: Vec<u64> = packed.lanes.iter().map(|lane| u64::from(lane.lent)).collect();
    let stack = |lane: Lane| Stack::of(lane.state, lane.words).ok_or_else(|| damaged("a lane has no state"));
    let mut stacks: Vec<Stack> = packed.lanes.into_iter().map(stack).collect::<Result<_>>()?;
    // Where each batch begins, the last being the first to be unpacked.
    let mut plan = Vec::with_capacity(packed.batches.len());
    packed.batches.iter().fold(0, |done, &size| {
        plan.push((done, usize::from(size)));
        done + usize::from(size)
    });
    for (done, size) in plan.into_iter().rev() {
        let parts = batch(&spans, done, size);
        let codes: Vec<Vec<u32>> = stacks
            .par_iter_mut()
            .zip(&parts)
            .map(|(stack, part)| {
                let mut codes = vec![0; part.len() * latent];
                codes.iter_mut().rev().for_each(|bin| *bin = stack.pop(&PriorBins));
                codes
            })
            .collect();
        let z: Vec<f32> = codes.iter().flatten().map(|&bin| bins.middle(bin)).collect();
        if z.is_empty() {
            continue;
        }
        let outputs = session.coding_outputs(&z)?;
        let discrete = session.model.can().compress()?.values();
        let width = outputs.len() / (z.len() / latent);
        let starts = starts(&parts);
        let found: Vec<Vec<u16>> = stacks
            .par_iter_mut()
            .zip(&parts)
            .zip(&starts)
            .map(|((stack, part), &first)| {
                let outputs = &outputs[first * width..][..part.len() * width];
                pop_values(stack, discrete, outputs, (part.len(), features))
            })
            .collect();
        let posterior = session.coding_posterior(&values(&found.concat(), count))?;
        check_posterior(&posterior, latent)?;
        stacks.par_iter_mut().zip(&parts).zip(&codes).zip(&starts).for_each(|(((stack, part), codes), &first)| {
            for place in (0..part.len()).rev() {
                let of_row = moments(&posterior, first + place, latent).zip(&codes[place * latent..][..latent]);
                of_row.rev().for_each(|([m, d], &bin)| stack.push(bin, &bins.gaussian(m, d)));
            }
        });
        for (part, found) in parts.iter().zip(found) {
            levels[part.start * features..part.end * features].copy_from_slice(&found);
        }
    }
    // What is left must be what was lent: numbers that differ in one bit anywhere would leave something else.
    if stacks.iter().zip(lent).any(|(stack, lent)| !stack.is_as_before(lent)) {
        return Err(Error::invalid(
            "the rows cannot be unpacked: the model computes other numbers here than where they were compressed, or the file was made \
             by another version",
        ));
    }
    Ok(levels)
}

/// The levels of rows of so many features, the last popped first.
fn pop_values(
    stack: &mut Stack,
    discrete: &dyn Discrete,
    outputs: &[f32],
    (rows, features): (usize, usize),
) -> Vec<u16> {
    let mut levels = vec![0; rows * features];
    let mut of = Cumulative::default();
    let width = outputs.len() / rows.max(1);
    for row in (0..rows).rev() {
        for feature in (0..features).rev() {
            discrete.distribution(&outputs[row * width..][..width], feature, features, &mut of);
            levels[row * features + feature] = stack.pop(&of) as u16;
        }
    }
    levels
}

/// Mean and deviation of each dimension of a row's code.
fn moments(
    posterior: &[f32],
    row: usize,
    latent: usize,
) -> impl DoubleEndedIterator<Item = [f32; 2]> + ExactSizeIterator {
    let (means, deviations) = posterior[row * 2 * latent..][..2 * latent].split_at(latent);
    means.iter().zip(deviations).map(|(&mean, &deviation)| [mean, deviation])
}

fn check_posterior(posterior: &[f32], latent: usize) -> Result<()> {
    let is_fit = |row: &[f32]| {
        row[..latent].iter().all(|mean| mean.is_finite()) && row[latent..].iter().all(|d| *d > 0.0 && d.is_finite())
    };
    match posterior.chunks_exact(2 * latent).position(|row| !is_fit(row)) {
        None => Ok(()),
        Some(row) => Err(Error::invalid(format!(
            "the code of row {row} of a chunk is no number: was the model trained to the end?"
        ))),
    }
}
