//! Rows whose codes are indices: each index under the prior, given those before it, and then the values of the row.
//!
//! A stack gives back first what was pushed last. So the values of a batch are pushed before its indices, and of these the last one of every
//! row first: a reader pops the first index of every row, asks the prior what that means for the second, and has all when it comes to the
//! values.

use rayon::prelude::*;

use super::lanes::{LANES, LARGEST, Packed, batch, place_values, pop_values, push_values, spans, starts};
use super::rows::values;
use crate::coding::{Cumulative, Interval, Stack};
use crate::error::{Error, Result};
use crate::training::Session;

/// Packs levels `[rows, features]`.
///
/// # Errors
/// If the device fails, or the model's numbers are none.
pub fn pack(session: &mut Session, levels: &[u16], count: usize) -> Result<Packed> {
    let (features, [number, _]) = (session.model.features(), sizes(session)?);
    let rows = levels.len() / features;
    let indices = session.coding_indices(&values(levels, count))?;
    let (spans, mut stacks, mut batches) = (spans(rows), vec![Stack::default(); LANES], vec![]);
    let longest = spans.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
    for done in (0..longest).step_by(LARGEST) {
        let size = LARGEST.min(longest - done);
        let parts = batch(&spans, done, size);
        let of_parts = parts.iter().flat_map(|part| &indices[part.start * number..part.end * number]);
        let of_parts: Vec<f32> = of_parts.copied().collect();
        let outputs = session.coding_outputs(&of_parts)?;
        // Of every index the intervals of all rows of the batch.
        let mut intervals: Vec<Vec<Interval>> = Vec::with_capacity(number);
        walk(session, of_parts.len() / number, |index, logits| {
            let chosen: Vec<f32> = of_parts.iter().skip(index).step_by(number).copied().collect();
            let interval = |(of, logits, &chosen): (&mut Cumulative, &&[f32], &f32)| {
                of.set_logits(logits.iter().map(|&logit| f64::from(logit)));
                of.interval(chosen as u32)
            };
            let with_room =
                logits.par_iter().zip(&chosen).map_init(Cumulative::default, |of, (l, c)| interval((of, l, c)));
            intervals.push(with_room.collect());
            chosen
        })?;
        let discrete = session.model.can().compress()?.values();
        push_values(&mut stacks, &parts, discrete, &outputs, (levels, features));
        stacks.par_iter_mut().zip(&parts).zip(starts(&parts)).for_each(|((stack, part), first)| {
            let of_lane = intervals.iter().rev().flat_map(|of_rows| of_rows[first..][..part.len()].iter().rev());
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
        let count = parts.iter().map(ExactSizeIterator::len).sum();
        if count == 0 {
            continue;
        }
        let mut indices = vec![0.0; count * number];
        walk(session, count, |index, logits| {
            let popped = stacks.par_iter_mut().zip(&parts).zip(starts(&parts)).map(|((stack, part), first)| {
                let mut of = Cumulative::default();
                let pop = |logits: &&[f32]| {
                    of.set_logits(logits.iter().map(|&logit| f64::from(logit)));
                    stack.pop(&of) as f32
                };
                logits[first..][..part.len()].iter().map(pop).collect()
            });
            let chosen = popped.collect::<Vec<Vec<f32>>>().concat();
            indices.iter_mut().skip(index).step_by(number).zip(&chosen).for_each(|(place, one)| *place = *one);
            chosen
        })?;
        let outputs = session.coding_outputs(&indices)?;
        let discrete = session.model.can().compress()?.values();
        let found = pop_values(stacks, &parts, discrete, &outputs, features);
        place_values(&mut levels, &parts, &found, features);
    }
    opened.close()?;
    Ok(levels)
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
