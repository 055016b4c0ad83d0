//! The rows of a chunk, packed into a few stacks of bits and unpacked again.
//!
//! Networks want many rows at once, and what they are given is only known when the steps before have been done. So every one of some lanes
//! takes a batch of rows through each step. At first a lane has no bits, and what its first row asks for is lent. From then on a batch is as large
//! as the bits that the lane has allow, so that next to nothing is lent beyond what one row takes: batches grow from one row on to the
//! largest.

use std::ops::Range;

use rayon::prelude::*;

use super::packed::{LANES, LARGEST, Lane, Packed, damaged};
use super::steps::{Coder, LaneRows, Plan};
use crate::coding::Stack;
use crate::error::{Error, Result};
use crate::models::{CodingStep, Variable};
use crate::training::Session;

/// Bits beyond what rows took so far that a batch should find.
const MARGIN: f64 = 1.1;

/// The rows of each lane: as many each, or one more.
fn spans(rows: usize) -> Vec<Range<usize>> {
    (0..LANES).map(|lane| lane * rows / LANES..(lane + 1) * rows / LANES).collect()
}

/// Of every lane the rows of a batch, from what was done before.
fn batch(spans: &[Range<usize>], done: usize, rows: usize) -> Vec<LaneRows> {
    let part = |span: &Range<usize>| {
        let start = (span.start + done).min(span.end);
        LaneRows::new(start..(start + rows).min(span.end), vec![])
    };
    spans.iter().map(part).collect()
}

/// How many rows of a batch stand before those of each lane.
fn starts(lanes: &[LaneRows]) -> Vec<usize> {
    let before = lanes.iter().scan(0, |before, lane| {
        let start = *before;
        *before += lane.rows.len();
        Some(start)
    });
    before.collect()
}

/// What networks say of a step, of which row each lane's begin.
struct Outputs<'a> {
    all: &'a [f32],
    width: usize,
    firsts: Vec<usize>,
}

impl<'a> Outputs<'a> {
    /// Of each lane those of its rows.
    fn of_lanes(self, lanes: &[LaneRows]) -> Vec<&'a [f32]> {
        let Outputs { all, width, firsts } = self;
        lanes.iter().zip(firsts).map(|(lane, first)| &all[first * width..][..lane.rows.len() * width]).collect()
    }
}

/// Packs levels `[rows, features]`.
///
/// # Errors
/// If the device fails, or the model's numbers are none.
pub fn pack(session: &mut Session, plan: &Plan, levels: &[u16]) -> Result<Packed> {
    let rows = levels.len() / plan.features;
    let spans = spans(rows);
    // What follows from rows alone is computed for all of them at once.
    let of_rows: Vec<Option<Vec<f32>>> =
        plan.steps.iter().map(|step| of_rows(session, plan, step, levels)).collect::<Result<_>>()?;
    let mut stacks = vec![Stack::default(); LANES];
    let (mut batches, mut done, longest) = (Vec::new(), 0, spans.iter().map(ExactSizeIterator::len).max().unwrap_or(0));
    // Bits that all rows so far took from what was there, of every lane.
    let (mut taken, mut size) = (0.0, 1);
    while done < longest {
        let mut lanes = batch(&spans, done, size);
        for lane in &mut lanes {
            lane.levels = levels[lane.rows.start * plan.features..lane.rows.end * plan.features].to_vec();
        }
        let before: Vec<f64> = stacks.iter().map(Stack::balance).collect();
        let mut least = before.clone();
        for (step, known) in plan.steps.iter().zip(&of_rows) {
            let computed = if known.is_none() { plan.outputs(session, step, &lanes)? } else { vec![] };
            let firsts = match known {
                Some(_) => lanes.iter().map(|lane| lane.rows.start).collect(),
                None => starts(&lanes),
            };
            let compress = session.model.can().compress()?;
            let (values, width) = (compress.values(), plan.width(step, compress.outputs_width()));
            let outputs = Outputs { all: known.as_ref().unwrap_or(&computed), width, firsts }.of_lanes(&lanes);
            stacks.par_iter_mut().zip(&mut lanes).zip(&outputs).for_each(|((stack, lane), &outputs)| {
                plan.code(stack, lane, Coder { what: step.what, outputs, values });
            });
            least.iter_mut().zip(&stacks).for_each(|(least, stack)| *least = least.min(stack.balance()));
        }
        taken += before.iter().zip(&least).map(|(before, least)| before - least).sum::<f64>();
        batches.push(size as u8);
        done += size;
        // As many rows as the lane with the fewest bits can pay for.
        let of_row = MARGIN * taken / done.min(longest) as f64 / LANES as f64;
        let fewest = stacks.iter().map(Stack::bits).min().unwrap_or(0) as f64;
        size = ((fewest / of_row.max(1.0)) as usize).clamp(1, LARGEST);
    }
    let lanes = stacks.into_iter().map(|stack| {
        let lent = stack.lent() as u32;
        let (state, words) = stack.into_parts();
        Lane { lent, state, words }
    });
    Ok(Packed { batches, lanes: lanes.collect() })
}

/// What networks say of a step of all rows, where it is given nothing else.
fn of_rows(session: &mut Session, plan: &Plan, step: &CodingStep, levels: &[u16]) -> Result<Option<Vec<f32>>> {
    if step.given != [Variable::Row] {
        return Ok(None);
    }
    let all = LaneRows::new(0..levels.len() / plan.features, levels.to_vec());
    plan.outputs(session, step, &[all]).map(Some)
}

/// The levels `[rows, features]` that were packed.
///
/// # Errors
/// If they were packed by another model or on other numbers, or the device fails.
pub fn unpack(session: &mut Session, plan: &Plan, packed: Packed, rows: usize) -> Result<Vec<u16>> {
    let spans = spans(rows);
    let mut levels = vec![0u16; rows * plan.features];
    let lent: Vec<u64> = packed.lanes.iter().map(|lane| u64::from(lane.lent)).collect();
    let stack = |lane: Lane| Stack::of(lane.state, lane.words).ok_or_else(|| damaged("a lane has no state"));
    let mut stacks: Vec<Stack> = packed.lanes.into_iter().map(stack).collect::<Result<_>>()?;
    // Where each batch begins, the last being the first to be unpacked.
    let mut batches = Vec::with_capacity(packed.batches.len());
    packed.batches.iter().fold(0, |done, &size| {
        batches.push((done, usize::from(size)));
        done + usize::from(size)
    });
    for (done, size) in batches.into_iter().rev() {
        let mut lanes = batch(&spans, done, size);
        if lanes.iter().all(|lane| lane.rows.is_empty()) {
            continue;
        }
        let firsts = starts(&lanes);
        for step in plan.steps.iter().rev() {
            let computed = plan.outputs(session, step, &lanes)?;
            let compress = session.model.can().compress()?;
            let (values, width) = (compress.values(), plan.width(step, compress.outputs_width()));
            let outputs = Outputs { all: &computed, width, firsts: firsts.clone() }.of_lanes(&lanes);
            stacks.par_iter_mut().zip(&mut lanes).zip(&outputs).for_each(|((stack, lane), &outputs)| {
                plan.undo(stack, lane, Coder { what: step.what, outputs, values });
            });
        }
        for LaneRows { rows, levels: found, .. } in &lanes {
            levels[rows.start * plan.features..rows.end * plan.features].copy_from_slice(found);
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
