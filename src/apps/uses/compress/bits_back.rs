//! Rows whose codes are real numbers: bits-back coding.
//!
//! A code is only known when those before it have been pushed. So a lane pops the codes of a batch from the bits that it has (z ~ q(z | x)),
//! then pushes their values (p(x | z)) and codes (p(z)). At first a lane has no bits, and what its first row asks for is lent. From then on a
//! batch is as large as the bits that the lane has allow, so that next to nothing is lent beyond what one row takes: batches grow from one
//! row on to the largest.

use rayon::prelude::*;

use super::lanes::{LANES, LARGEST, Packed, batch, place_values, pop_values, push_values, spans, starts};
use super::rows::values;
use crate::coding::{CodeBins, PriorBins, Stack};
use crate::error::{Error, Result};
use crate::training::Session;

/// Bits beyond what rows took so far that a batch should find.
const MARGIN: f64 = 1.1;

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
        push_values(&mut stacks, &parts, discrete, &outputs, (levels, features));
        let codes = drawn.iter().map(|(codes, _)| codes);
        stacks
            .iter_mut()
            .zip(codes)
            .for_each(|(stack, codes)| codes.iter().for_each(|&bin| stack.push(bin, &PriorBins)));
        batches.push(size as u8);
        done += size;
        // As many rows as the lane with the fewest bits can pay for.
        let of_row = MARGIN * taken / done.min(longest) as f64 / LANES as f64;
        let least = stacks.iter().map(Stack::bits).min().unwrap_or(0) as f64;
        size = ((least / of_row.max(1.0)) as usize).clamp(1, LARGEST);
    }
    Ok(Packed::of(batches, stacks))
}

/// The levels `[rows, features]` that were packed.
///
/// # Errors
/// If they were packed by another model or on other numbers, or the device fails.
pub fn unpack(session: &mut Session, packed: Packed, rows: usize, count: usize) -> Result<Vec<u16>> {
    let (features, latent) = (session.model.features(), session.latent()?);
    let (bins, spans) = (CodeBins::get(), spans(rows));
    let mut levels = vec![0u16; rows * features];
    let mut opened = packed.open()?;
    for (done, size) in std::mem::take(&mut opened.batches) {
        let stacks = &mut opened.stacks;
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
        let found = pop_values(stacks, &parts, discrete, &outputs, features);
        let posterior = session.coding_posterior(&values(&found.concat(), count))?;
        check_posterior(&posterior, latent)?;
        stacks.par_iter_mut().zip(&parts).zip(&codes).zip(starts(&parts)).for_each(
            |(((stack, part), codes), first)| {
                for place in (0..part.len()).rev() {
                    let of_row = moments(&posterior, first + place, latent).zip(&codes[place * latent..][..latent]);
                    of_row.rev().for_each(|([m, d], &bin)| stack.push(bin, &bins.gaussian(m, d)));
                }
            },
        );
        place_values(&mut levels, &parts, &found, features);
    }
    opened.close()?;
    Ok(levels)
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
