//! Matrix products on one thread of the CPU, over strided operands.

mod exact;
mod pack;
mod tile;

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use crate::kernels::Arithmetic;

/// An operand: its free dimension, which is one of C's, and that of the sum.
#[derive(Clone, Copy)]
pub(super) struct Factor<'a> {
    words: &'a [f32],
    /// Length of the free dimension.
    len: usize,
    /// Length of the sums.
    terms: usize,
    /// Words from one index of the free dimension to the next.
    free: usize,
    /// Words from one term to the next.
    along: usize,
}

impl<'a> Factor<'a> {
    /// An operand whose first element is the first of these words, of so many indices and terms that lie so far apart.
    ///
    /// # Panics
    /// If it is longer than the words are.
    pub fn new(words: &'a [f32], (len, free): (usize, usize), (terms, along): (usize, usize)) -> Factor<'a> {
        let last = (len.max(1) - 1) * free + (terms.max(1) - 1) * along;
        assert!(len * terms == 0 || last < words.len(), "an operand ends before the product does");
        Factor { words, len, terms, free, along }
    }

    /// Some of it.
    fn part(&self, range: Range<usize>, terms: Range<usize>) -> Factor<'a> {
        let first = range.start * self.free + terms.start * self.along;
        Factor { words: &self.words[first..], len: range.len(), terms: terms.len(), ..*self }
    }
}

/// A matrix to write.
#[derive(Clone, Copy)]
pub(super) struct Target {
    /// Its first word.
    pub start: *mut f32,
    /// Words from one row to the next, and from one column to the next.
    pub strides: (usize, usize),
}

impl Target {
    fn transposed(self) -> Target {
        Target { strides: (self.strides.1, self.strides.0), ..self }
    }
}

/// C = A·B: as many rows as `a` is long and as many columns as `b` is.
///
/// # Safety
/// `c` must be the words of such a matrix, which nothing else touches meanwhile.
pub(super) unsafe fn product(arithmetic: Arithmetic, c: Target, a: Factor, b: Factor) {
    assert_eq!(a.terms, b.terms, "the operands' sums are of one length");
    match arithmetic {
        // SAFETY: the caller's.
        Arithmetic::Fast => unsafe { fast(c, a, b) },
        Arithmetic::Exact => exact::product(c, a, b),
    }
}

/// In the order and with the operations that are fastest here.
///
/// # Safety
/// As for [`product`].
unsafe fn fast(c: Target, a: Factor, b: Factor) {
    let signed = |stride: usize| stride as isize;
    // SAFETY: the operands lie within their words, as was found when they were made; C is the caller's.
    unsafe {
        let factor =
            |f: Factor| MatRef::from_raw_parts(f.words.as_ptr(), f.len, f.terms, signed(f.free), signed(f.along));
        let c = MatMut::from_raw_parts_mut(c.start, a.len, b.len, signed(c.strides.0), signed(c.strides.1));
        matmul(c, Accum::Replace, factor(a), factor(b).transpose(), 1.0, Par::Seq);
    }
}
