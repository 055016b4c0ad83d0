//! A matrix product in a fixed order: every element of C is `((0 + a₀b₀) + a₁b₁) + …`, with k ascending and each multiplication and
//! each addition rounded by itself.
//!
//! An element has one accumulator. What may vary (the level of the instruction set, the sizes of blocks, the operand that vectors
//! run across, the threads) decides which elements are worked on at once, never the order within a sum, so that none of it changes a
//! bit. The terms of long sums come in blocks, between which accumulators stand in C.
//!
//! Vectors run across the free dimension of one operand, which is packed into panels. Of the other, a few rows at a time are read
//! where they lie, each number multiplying whole vectors (Goto and van de Geijn 2008).

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::pack::{give_back, pack, spread, take_buffers};
use super::tile::{Tile, rows, width};
use super::{Factor, Target};
use crate::kernels::simd::dispatch;

/// The most terms of a sum that are added before accumulators are put away.
const DEPTH: usize = 1024;

/// Words of the panels that are packed at once: half of a second-level cache.
const BLOCK: usize = 1 << 17;

/// C = A·B in this order. The words of C must be the caller's alone, see [`super::product`].
pub(super) fn product(c: Target, a: Factor, b: Factor) {
    dispatch(Product { c, a, b });
}

struct Product<'a> {
    c: Target,
    a: Factor<'a>,
    b: Factor<'a>,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Product { c, a, b } = self;
        // Vectors that run down C are written a number at a time.
        let is_across = cost::<S>(&b, &a) <= cost::<S>(&a, &b) + a.len * b.len;
        let (vectors, others, c) = if is_across { (b, a, c) } else { (a, b, c.transposed()) };
        let (width, panels) = (width::<S>(), vectors.len.div_ceil(width::<S>()));
        let mut buffers = take_buffers();
        let [packed, copied] = &mut buffers;
        for terms in parts(vectors.terms, DEPTH) {
            for block in parts(panels, BLOCK / (width * terms.len().max(1))) {
                let range = block.start * width..(block.end * width).min(vectors.len);
                let panels = pack::<S>(&vectors.part(range.clone(), terms.clone()), packed);
                for tile in parts(others.len, rows::<S>()) {
                    let rows = spread(others.part(tile.clone(), terms.clone()), copied);
                    for (p, first) in range.clone().step_by(width).enumerate() {
                        let (strides, is_first) = (c.strides, terms.start == 0);
                        // SAFETY: an element of C, which is the caller's.
                        let start = unsafe { c.start.add(tile.start * strides.0 + first * strides.1) };
                        let panel = &panels[p * width * terms.len()..];
                        let lanes = width.min(range.end - first);
                        Tile { panel, rows, lanes, c: Target { start, strides }, is_first }.run(simd);
                    }
                }
            }
        }
        give_back(buffers);
    }
}

/// About how many cycles a product takes whose vectors run across an operand: arithmetic, and packing.
#[inline(always)]
fn cost<S: Simd>(vectors: &Factor, others: &Factor) -> usize {
    let packing = if vectors.free == 1 { vectors.len / 4 } else { vectors.len };
    vectors.terms * (vectors.len.div_ceil(S::F32_LANES) * others.len + packing)
}

/// Ranges of about the same length, none longer than `most` nor shorter than 1; one that is empty, of nothing.
#[inline(always)]
fn parts(len: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    let count = len.div_ceil(most.max(1)).max(1);
    (0..count).map(move |part| part * len / count..(part + 1) * len / count)
}
