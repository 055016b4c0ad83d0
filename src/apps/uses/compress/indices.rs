//! Rows whose codes are indices: each index under the prior, given those before it, and then the values of the row.
//!
//! A stack gives back first what was pushed last. So the values of a batch are pushed before its indices, and of these the last one of every
//! row first: a reader pops the first index of every row, asks the prior what that means for the second, and has all when it comes to the
//! values.

use rayon::prelude::*;

use super::lanes::{Decoded, batch, of_lanes, places, spans};
use super::packed::{LANES, LARGEST, Packed};
use super::rows::values;
use crate::coding::{Cumulative, Interval, Stack};
use crate::error::{Error, Result};
use crate::training::Session;

/// Packs levels `[rows, features]`.
///
/// # Errors
/// If the device fails, or the model's numbers are none.
pub fn pack(session: &mut Session, levels: &[u16]) -> Result<Packed> {
    let (features, [number, _]) = (session.model.features(), sizes(session)?);
    let rows = levels.len() / features;
    let count = session.model.can().compress()?.values().levels();
    let indices = session.coding_indices(&values(levels, count))?;
    let (spans, mut stacks, mut batches) = (spans(rows), vec![Stack::default(); LANES], vec![]);
    let longest = spans.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
    for done in (0..longest).step_by(LARGEST) {
        let size = LARGEST.min(longest - done);
        let parts = batch(&spans, done, size);
        let places = places(&parts);
        let of_parts = parts.iter().flat_map(|part| &indices[part.start * number..part.end * number]);
        let of_parts: Vec<f32> = of_parts.copied().collect();
        let outputs = session.coding_outputs(&of_parts)?;
        // Of every index the intervals of all rows of the batch.
        let mut intervals: Vec<Vec<Interval>> = Vec::with_capacity(number);
        walk(session, of_parts.len() / number, |index, logits| {
            let chosen: Vec<f32> = of_parts.iter().skip(index).step_by(number).copied().collect();
            let interval = |of: &mut Cumulative, (logits, &chosen): (&&[f32], &f32)| {
                set_choice(of, logits);
                of.at(0).interval(chosen as u32)
            };
            intervals.push(logits.par_iter().zip(&chosen).map_init(Cumulative::default, interval).collect());
            chosen
        })?;
        let values = session.model.can().compress()?.values();
        let of_lanes = of_lanes(&outputs, of_parts.len() / number, &places);
        stacks.par_iter_mut().zip(&parts).zip(&places).zip(of_lanes).for_each(|(((stack, part), place), outputs)| {
            let levels = &levels[part.start * features..part.end * features];
            Decoded { values, outputs, features }.push(stack, levels);
            let of_lane = intervals.iter().rev().flat_map(|of_rows| of_rows[place.clone()].iter().rev());
            of_lane.for_each(|interval| stack.push(0, interval));
        });
        batches.push(size as u8);
    }
    Ok(Packed::of(batches, stacks))
}

/// The levels `[rows, features]` that were packed.
///
/// # Errors
/// If they were packed by another model or on other numbers, or the device fails.
pub fn unpack(session: &mut Session, packed: Packed, rows: usize) -> Result<Vec<u16>> {
    let (features, [number, _], spans) = (session.model.features(), sizes(session)?, spans(rows));
    let mut levels = vec![0u16; rows * features];
    let mut opened = packed.open()?;
    for (done, size) in std::mem::take(&mut opened.batches) {
        let (stacks, parts) = (&mut opened.stacks, batch(&spans, done, size));
        let places = places(&parts);
        let count = places.last().map_or(0, |last| last.end);
        if count == 0 {
            continue;
        }
        let mut indices = vec![0.0; count * number];
        walk(session, count, |index, logits| {
            let popped = stacks.par_iter_mut().zip(&places).map(|(stack, place)| {
                let mut of = Cumulative::default();
                let pop = |logits: &&[f32]| {
                    set_choice(&mut of, logits);
                    stack.pop(&of.at(0)) as f32
                };
                logits[place.clone()].iter().map(pop).collect()
            });
            let chosen = popped.collect::<Vec<Vec<f32>>>().concat();
            indices.iter_mut().skip(index).step_by(number).zip(&chosen).for_each(|(place, one)| *place = *one);
            chosen
        })?;
        let outputs = session.coding_outputs(&indices)?;
        let values = session.model.can().compress()?.values();
        let of_lanes = of_lanes(&outputs, count, &places);
        let found = stacks.par_iter_mut().zip(&parts).zip(of_lanes).map(|((stack, part), outputs)| {
            let mut levels = vec![0; part.len() * features];
            Decoded { values, outputs, features }.pop(stack, &mut levels);
            levels
        });
        for (part, found) in parts.iter().zip(found.collect::<Vec<Vec<u16>>>()) {
            levels[part.start * features..part.end * features].copy_from_slice(&found);
        }
    }
    opened.close()?;
    Ok(levels)
}

/// The distribution of one index, of its logits.
fn set_choice(of: &mut Cumulative, logits: &[f32]) {
    of.begin_weights(logits.len());
    of.add_logits(logits.iter().map(|&logit| f64::from(logit)));
}

/// How many indices a row has, and how many there are to choose from.
fn sizes(session: &Session) -> Result<[usize; 2]> {
    Ok(session.model.can().compress()?.coded_as().indices()?.sizes())
}

/// Goes through the indices of so many rows: `choose` is given the number of an index and its logits of every row, and says which each row
/// has.
fn walk(session: &mut Session, rows: usize, mut choose: impl FnMut(usize, &[&[f32]]) -> Vec<f32>) -> Result<()> {
    let [number, codes] = sizes(session)?;
    let mut given = vec![0.0; rows];
    for index in 0..number {
        let found = session.coding_next(index, &given, given.len() / rows)?;
        if found.iter().any(|value| !value.is_finite()) {
            return Err(Error::invalid(
                "what the prior says of an index is no number: was the model trained to the end?",
            ));
        }
        let (logits, memory): (Vec<&[f32]>, Vec<&[f32]>) =
            found.chunks_exact(found.len() / rows).map(|row| row.split_at(codes)).unzip();
        let chosen = choose(index, &logits);
        given = chosen.iter().zip(memory).flat_map(|(&one, memory)| [&[one][..], memory].concat()).collect();
    }
    Ok(())
}
