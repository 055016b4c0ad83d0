//! Operands as a product reads them: panels of vectors, and rows that do not fight over the cache.

use std::cell::Cell;

use bytemuck::{Pod, Zeroable};
use pulp::Simd;

use super::Factor;
use super::tile::width;

/// Words of a cache line.
const LINE: usize = 16;

/// Words of a page. What lies whole pages apart shares the few lines of one set of the first-level cache.
const PAGE: usize = 1024;

/// A cache line, so that what is packed is aligned.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// What a thread packs into.
#[derive(Default)]
pub(super) struct Buffer(Vec<Line>);

/// Those of a thread: for panels, and for rows.
pub(super) type Buffers = [Buffer; 2];

impl Buffer {
    /// So many words, whatever they hold.
    fn words(&mut self, count: usize) -> &mut [f32] {
        if LINE * self.0.len() < count {
            self.0.resize(count.div_ceil(LINE), Line::zeroed());
        }
        &mut bytemuck::cast_slice_mut(&mut self.0)[..count]
    }
}

thread_local! {
    // Kept between products, so that a step allocates nothing.
    static BUFFERS: Cell<Buffers> = const { Cell::new([Buffer(Vec::new()), Buffer(Vec::new())]) };
}

/// Takes this thread's buffers, which [`give_back`] keeps for the next product.
pub(super) fn take_buffers() -> Buffers {
    BUFFERS.take()
}

/// See [`take_buffers`].
pub(super) fn give_back(buffers: Buffers) {
    BUFFERS.set(buffers);
}

/// An operand in panels: term by term, the elements of as many indices as a panel is wide. Of the last panel there are whole
/// vectors; what is beyond the end is 0.
#[inline(always)]
pub(super) fn pack<'p, S: Simd>(from: &Factor, into: &'p mut Buffer) -> &'p [f32] {
    let lanes = S::F32_LANES;
    let panels = into.words(from.len.next_multiple_of(lanes) * from.terms);
    for first in (0..from.len).step_by(width::<S>()) {
        let len = width::<S>().min(from.len - first);
        let panel = &mut panels[first * from.terms..][..len.next_multiple_of(lanes) * from.terms];
        let words = &from.words[first * from.free..];
        // As many lanes as the compiler knows of are copied by vectors.
        match len.div_ceil(lanes) {
            1 => fill(Factor { words, len, ..*from }, panel, lanes),
            _ => fill(Factor { words, len, ..*from }, panel, 2 * lanes),
        }
    }
    panels
}

/// One panel of as many lanes.
#[inline(always)]
fn fill(from: Factor, panel: &mut [f32], lanes: usize) {
    if from.free == 1 && from.len == lanes {
        for (k, panel) in panel.chunks_exact_mut(lanes).enumerate() {
            panel.copy_from_slice(&from.words[k * from.along..][..lanes]);
        }
        return;
    }
    // Line by line of what is read.
    for (part, panel) in panel.chunks_mut(lanes * LINE).enumerate() {
        for lane in 0..from.len {
            let words = &from.words[lane * from.free + part * LINE * from.along..];
            for (k, panel) in panel.chunks_exact_mut(lanes).enumerate() {
                panel[lane] = words[k * from.along];
            }
        }
        panel.chunks_exact_mut(lanes).for_each(|panel| panel[from.len..].fill(0.0));
    }
}

/// Rows as they are, or a copy of them if they would push each other out of the cache.
#[inline(always)]
pub(super) fn spread<'r>(rows: Factor<'r>, into: &'r mut Buffer) -> Factor<'r> {
    if rows.along != 1 || !rows.free.is_multiple_of(PAGE) {
        return rows;
    }
    let free = rows.terms.next_multiple_of(PAGE) + LINE;
    let copied = into.words(rows.len * free);
    for (row, copied) in copied.chunks_exact_mut(free).enumerate() {
        copied[..rows.terms].copy_from_slice(&rows.words[row * rows.free..][..rows.terms]);
    }
    Factor { words: copied, free, ..rows }
}
