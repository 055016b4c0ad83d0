//! Rows whose codes are real numbers: bits-back coding.
//!
//! What networks are given is only known when the steps before have been done. So a lane takes a batch of rows through each step. At first it
//! has no bits, and what its first row asks for is lent. From then on a batch is as large as the bits that the lane has allow, so that next to
//! nothing is lent beyond what one row takes: batches grow from one row on to the largest.

use rayon::prelude::*;

use super::lanes::{batch, of_lanes, places, spans};
use super::packed::{LANES, LARGEST, Packed};
use super::steps::{Coder, LaneRows, Plan};
use crate::coding::Stack;
use crate::error::Result;
use crate::models::{CodingStep, Variable};
use crate::training::Session;

/// Bits beyond what rows took so far that a batch should find.
const MARGIN: f64 = 1.1;

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
        let parts = batch(&spans, done, size);
        let places = places(&parts);
        let count = places.last().map_or(0, |last| last.end);
        let mut lanes: Vec<LaneRows> = parts
            .iter()
            .map(|part| LaneRows::new(part.len(), &levels[part.start * plan.features..part.end * plan.features]))
            .collect();
        let before: Vec<f64> = stacks.iter().map(Stack::balance).collect();
        let mut least = before.clone();
        for (step, known) in plan.steps.iter().zip(&of_rows) {
            let computed = if known.is_none() { plan.outputs(session, step, &lanes)? } else { vec![] };
            let outputs = match known {
                Some(known) => of_lanes(known, rows, &parts),
                None => of_lanes(&computed, count, &places),
            };
            let values = session.model.can().compress()?.values();
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
    Ok(Packed::of(batches, stacks))
}

/// What networks say of a step of all rows, where it is given nothing else.
fn of_rows(session: &mut Session, plan: &Plan, step: &CodingStep, levels: &[u16]) -> Result<Option<Vec<f32>>> {
    if step.given != [Variable::Row] {
        return Ok(None);
    }
    let all = LaneRows::new(levels.len() / plan.features, levels);
    plan.outputs(session, step, &[all]).map(Some)
}

/// The levels `[rows, features]` that were packed.
///
/// # Errors
/// If they were packed by another model or on other numbers, or the device fails.
pub fn unpack(session: &mut Session, plan: &Plan, packed: Packed, rows: usize) -> Result<Vec<u16>> {
    let spans = spans(rows);
    let mut levels = vec![0u16; rows * plan.features];
    let mut opened = packed.open()?;
    for (done, size) in std::mem::take(&mut opened.batches) {
        let parts = batch(&spans, done, size);
        let places = places(&parts);
        let count = places.last().map_or(0, |last| last.end);
        if count == 0 {
            continue;
        }
        let mut lanes: Vec<LaneRows> = parts.iter().map(|part| LaneRows::new(part.len(), &[])).collect();
        for step in plan.steps.iter().rev() {
            let computed = plan.outputs(session, step, &lanes)?;
            let outputs = of_lanes(&computed, count, &places);
            let values = session.model.can().compress()?.values();
            opened.stacks.par_iter_mut().zip(&mut lanes).zip(&outputs).for_each(|((stack, lane), &outputs)| {
                plan.undo(stack, lane, Coder { what: step.what, outputs, values });
            });
        }
        for (part, lane) in parts.iter().zip(&lanes) {
            levels[part.start * plan.features..part.end * plan.features].copy_from_slice(&lane.levels);
        }
    }
    opened.close()?;
    Ok(levels)
}
