//! The innermost loop of a product: some rows of one operand times one panel of the other, in registers.

use pulp::{Simd, WithSimd};

use super::{Factor, Target};

/// Lanes of a panel. Where registers are few, two vectors share each number that multiplies them. Where they are many, one vector
/// and more rows are as good, and processors that add beside multiplying keep up better with that.
#[inline(always)]
pub(super) fn width<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { S::F32_LANES } else { 2 * S::F32_LANES }
}

/// The most rows of a tile. Registers are left for the vectors of the panel, the number that multiplies them, and a product.
#[inline(always)]
pub(super) fn rows<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 16 } else { 6 }
}

/// Some elements of C.
pub(super) struct Tile<'a> {
    /// Begins with the panel that is multiplied.
    pub panel: &'a [f32],
    /// The rows that multiply it.
    pub rows: Factor<'a>,
    /// Lanes of the panel that are elements.
    pub lanes: usize,
    /// The elements, by row and by lane.
    pub c: Target,
    /// Whether these are the first terms of the sums; otherwise they are added to what C holds.
    pub is_first: bool,
}

impl Tile<'_> {
    /// Computes them. The elements must be words of this thread alone.
    #[inline(always)]
    pub fn run<S: Simd>(self, simd: S) {
        macro_rules! of {
            ($([$vectors:literal; $($rows:literal)*])*) => {
                match (self.lanes.div_ceil(S::F32_LANES), self.rows.len) {
                    $($(($vectors, $rows) => simd.vectorize(Sums::<$rows, $vectors>(self)),)*)*
                    (_, rows) => unreachable!("a tile of {rows} rows"),
                }
            };
        }
        of!([1; 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16] [2; 1 2 3 4 5 6]);
    }
}

/// A tile of so many rows and vectors.
struct Sums<'a, const ROWS: usize, const VECTORS: usize>(Tile<'a>);

impl<const ROWS: usize, const VECTORS: usize> WithSimd for Sums<'_, ROWS, VECTORS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Tile { panel, rows, lanes, c, is_first } = self.0;
        let at = |row: usize, lane: usize| row * c.strides.0 + lane * c.strides.1;
        let mut elements = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
        if !is_first {
            for (row, vectors) in elements.iter_mut().enumerate() {
                for (lane, element) in bytemuck::cast_slice_mut(vectors)[..lanes].iter_mut().enumerate() {
                    // SAFETY: an element of C.
                    *element = unsafe { *c.start.add(at(row, lane)) };
                }
            }
        }
        // A copy whose address is never taken, so that it stays in registers.
        let mut sums = elements;
        let (panel, _) = S::as_simd_f32s(panel);
        let (panel, _) = panel.as_chunks::<VECTORS>();
        for (k, vectors) in panel[..rows.terms].iter().enumerate() {
            for (row, sums) in sums.iter_mut().enumerate() {
                // SAFETY: the operand was found to hold all terms of its rows.
                let number = unsafe { *rows.words.as_ptr().add(row * rows.free + k * rows.along) };
                let number = simd.splat_f32s(number);
                for (sum, &vector) in sums.iter_mut().zip(vectors) {
                    *sum = simd.add_f32s(*sum, simd.mul_f32s(number, vector));
                }
            }
        }
        elements = sums;
        if c.strides.1 == 1 {
            for (row, vectors) in elements.iter().enumerate() {
                let vectors: &[f32] = bytemuck::cast_slice(vectors);
                // SAFETY: elements of C, which belong to this thread.
                let c = unsafe { std::slice::from_raw_parts_mut(c.start.add(at(row, 0)), lanes) };
                if lanes == VECTORS * S::F32_LANES {
                    c[..VECTORS * S::F32_LANES].copy_from_slice(vectors);
                } else {
                    c.copy_from_slice(&vectors[..lanes]);
                }
            }
            return;
        }
        for lane in 0..lanes {
            for (row, vectors) in elements.iter().enumerate() {
                // SAFETY: likewise.
                unsafe { *c.start.add(at(row, lane)) = bytemuck::cast_slice(vectors)[lane] };
            }
        }
    }
}
