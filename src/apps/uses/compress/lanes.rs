//! How the rows of a chunk are dealt to the stacks of bits that they are packed into, and their values on these.
//!
//! Networks want many rows at once. So every one of some lanes has a stack and takes a batch of rows at a time, as many as all others do, and
//! those of all lanes are worked on together.

use std::ops::Range;

use super::packed::LANES;
use crate::coding::{Cumulative, Stack};
use crate::distributions::Discrete;

/// The rows of each lane: as many each, or one more.
pub fn spans(rows: usize) -> Vec<Range<usize>> {
    (0..LANES).map(|lane| lane * rows / LANES..(lane + 1) * rows / LANES).collect()
}

/// Of every lane the rows of a batch, from what was done before.
pub fn batch(spans: &[Range<usize>], done: usize, rows: usize) -> Vec<Range<usize>> {
    let part = |span: &Range<usize>| {
        let start = (span.start + done).min(span.end);
        start..(start + rows).min(span.end)
    };
    spans.iter().map(part).collect()
}

/// Where the rows of each lane stand in a batch.
pub fn places(parts: &[Range<usize>]) -> Vec<Range<usize>> {
    let each = parts.iter().scan(0, |before, part| {
        let start = *before;
        *before += part.len();
        Some(start..*before)
    });
    each.collect()
}

/// Of what is known of so many rows, `[rows, …]`, that of each lane's.
pub fn of_lanes<'a>(all: &'a [f32], rows: usize, lanes: &[Range<usize>]) -> Vec<&'a [f32]> {
    let width = all.len() / rows.max(1);
    lanes.iter().map(|lane| &all[lane.start * width..lane.end * width]).collect()
}

/// What the decoder says of the values of a lane's rows.
#[derive(Clone, Copy)]
pub struct Decoded<'a> {
    /// How its outputs are read.
    pub values: &'a dyn Discrete,
    /// Its outputs `[rows, outputs]`.
    pub outputs: &'a [f32],
    /// Values of a row.
    pub features: usize,
}

impl Decoded<'_> {
    /// Outputs of a row, of so many levels of all.
    fn width(&self, levels: usize) -> usize {
        self.outputs.len() / (levels / self.features).max(1)
    }

    /// Pushes the levels `[rows, features]` of a lane's rows on its stack, of each row those of the last stage first: who pops them knows the stages
    /// before.
    pub fn push(&self, stack: &mut Stack, levels: &[u16]) {
        let (mut of, width) = (Cumulative::default(), self.width(levels.len()));
        let (stages, mut staged) = (self.values.stages(), vec![0; self.features]);
        for (levels, outputs) in levels.chunks_exact(self.features).zip(self.outputs.chunks_exact(width.max(1))) {
            transpose(levels, stages, &mut staged);
            for stage in self.stages().rev() {
                self.values.distributions(outputs, self.features, &staged[..stage.start], &mut of);
                of.push(&staged[stage], stack);
            }
        }
    }

    /// Pops the levels `[rows, features]` of a lane's rows from its stack, the last that was pushed first.
    pub fn pop(&self, stack: &mut Stack, levels: &mut [u16]) {
        let (mut of, width) = (Cumulative::default(), self.width(levels.len()));
        let (each, mut staged) = (self.features / self.values.stages(), vec![0; self.features]);
        let of_rows = levels.chunks_exact_mut(self.features).zip(self.outputs.chunks_exact(width.max(1)));
        for (levels, outputs) in of_rows.rev() {
            for stage in self.stages() {
                self.values.distributions(outputs, self.features, &staged[..stage.start], &mut of);
                of.pop(stack, &mut staged[stage]);
            }
            transpose(&staged, each, levels);
        }
    }

    /// Where the levels of each stage stand among those of a row, stage by stage.
    fn stages(&self) -> impl DoubleEndedIterator<Item = Range<usize>> {
        let each = self.features / self.values.stages();
        (0..self.values.stages()).map(move |stage| stage * each..(stage + 1) * each)
    }
}

/// `[…, columns]` as `[columns, …]`.
fn transpose(levels: &[u16], columns: usize, into: &mut [u16]) {
    let height = levels.len() / columns;
    for (i, row) in levels.chunks_exact(columns).enumerate() {
        row.iter().enumerate().for_each(|(column, &level)| into[column * height + i] = level);
    }
}
