//! A product of which one operand is patches of pictures: a convolution, or the gradient of its weights.
//!
//! The patches are never stored. On a GPU the operand computes where each of its elements stands; on the CPU a few rows of it at a
//! time are taken out of the pictures into a buffer that stays in the cache.

use std::ops::Range;

use super::Window;
use super::finish::Finish;
use super::pictures::gather;
use crate::kernels::{Args, Arithmetic, Matmul};

/// Which operand is the patches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first, a row of C for each place: a convolution.
    A,
    /// The second, summed over all places: the gradient of a convolution's weights.
    B,
}

/// The product. Its operand on the side of the patches is the pictures, `[pictures·h·w, C]` without gaps, from its offset on.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchProduct {
    pub(super) product: Matmul,
    pub(super) window: Window,
    pub(super) side: Side,
    fast: Finish,
    exact: Finish,
}

impl PatchProduct {
    /// A product of which one operand is patches.
    ///
    /// # Panics
    /// If their sizes differ, or sums of the rows of patches are wanted.
    pub fn new(product: Matmul, window: Window, side: Side) -> PatchProduct {
        let (rows, columns) = match side {
            Side::A => (product.m, product.k),
            Side::B => (product.k, product.n),
        };
        assert!(
            columns == window.width() && rows.is_multiple_of(window.rows()),
            "{rows}×{columns} patches of {window:?}"
        );
        assert!(side == Side::B || product.row_sums.is_none(), "nobody asks for the sums of patches");
        let [fast, exact] = [true, false].map(|may_start| Finish::new(&product, may_start && side == Side::A));
        PatchProduct { product, window, side, fast, exact }
    }

    /// Words of a picture.
    pub(super) fn picture(&self) -> usize {
        self.window.pixels() * self.window.channels
    }

    /// Takes some rows of patches out of the pictures, into rows that begin so many words apart.
    #[inline(always)]
    pub(super) fn gather(&self, pictures: &[f32], rows: Range<usize>, out: &mut [f32], pitch: usize) {
        let (places, mut row) = (self.window.rows(), rows.start);
        while row < rows.end {
            let (picture, place) = (row / places, row % places);
            let many = (places - place).min(rows.end - row);
            let from = &pictures[picture * self.picture()..][..self.picture()];
            gather(&self.window, from, place..place + many, &mut out[(row - rows.start) * pitch..], pitch);
            row += many;
        }
    }

    /// What becomes of the elements in the arithmetic of a call.
    pub(super) fn finish(&self, args: &Args) -> &Finish {
        if args.arithmetic() == Arithmetic::Fast { &self.fast } else { &self.exact }
    }
}
