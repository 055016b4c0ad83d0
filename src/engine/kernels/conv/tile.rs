//! Products of a few numbers with panels of vectors, on one thread of the CPU: what convolutions are made of.
//!
//! Vectors run across the columns of the result, two side by side; each number of a row multiplies both, and the sums of up to
//! twelve rows stay in registers for the whole length of the sum. Neither operand is copied: a panel may be the columns of a matrix
//! where they lie, and numbers are read by strides (the inner loop of Goto & van de Geijn 2008).

use pulp::Simd;

use crate::kernels::Words;

/// From what sums start.
#[derive(Clone, Copy)]
pub(super) enum Start<'a> {
    /// From 0.
    Zero,
    /// From what the result holds.
    Kept,
    /// Every row from these numbers, as many as there are columns.
    From(&'a [f32]),
}

/// `c(i, j) = start + Σ_t numbers(i, t) · panels(t, j)`.
pub(super) struct Multiply<'a> {
    /// Number (i, t) stands at `i·free + t·along`.
    pub numbers: &'a [f32],
    pub free: usize,
    pub along: usize,
    pub rows: usize,
    /// Column j of term t stands at `j / W · step + t·pitch + j % W`, W being [`width`]. Where the columns end, vectors are read to
    /// their end.
    pub panels: &'a [f32],
    pub pitch: usize,
    pub step: usize,
    pub columns: usize,
    pub terms: usize,
    /// Element (i, j) stands at `i·ldc + j`.
    pub c: Words<'a>,
    pub ldc: usize,
    pub start: Start<'a>,
}

/// Columns of a panel.
#[inline(always)]
pub(super) fn width<S: Simd>() -> usize {
    2 * S::F32_LANES
}

/// The most rows whose sums stay in registers.
#[inline(always)]
fn most_rows<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 12 } else { 6 }
}

impl Multiply<'_> {
    /// Computes it; with `FUSED` a multiplication and an addition are rounded once, otherwise each by itself.
    #[inline(always)]
    pub fn run<S: Simd, const FUSED: bool>(self, simd: S) {
        let Multiply { numbers, free, along, rows, panels, pitch, step, columns, terms, c, ldc, start } = self;
        if rows == 0 || columns == 0 {
            return;
        }
        let (width, lanes) = (width::<S>(), S::F32_LANES);
        assert!(
            terms == 0 || (rows - 1) * free + (terms - 1) * along < numbers.len(),
            "rows end before the product does"
        );
        let last = (columns - 1) / width * step + ((columns - 1) % width + 1).next_multiple_of(lanes);
        assert!(terms == 0 || last + (terms - 1) * pitch <= panels.len(), "panels end before the product does");
        assert!((rows - 1) * ldc + columns <= c.len(), "the result ends before the product does");
        for first in (0..columns).step_by(width) {
            let many = width.min(columns - first);
            let mut at = Tile {
                numbers: numbers.as_ptr(),
                free,
                along,
                // SAFETY: the columns begin within the panels, as was seen above, or nothing is read.
                panel: unsafe { panels.as_ptr().add(if terms == 0 { 0 } else { first / width * step }) },
                pitch,
                terms,
                c: c.from(&(first..c.len())),
                ldc,
                lanes: many,
                start: match start {
                    Start::From(row) => Start::From(&row[first..first + many]),
                    start => start,
                },
            };
            let mut left = rows;
            while left > 0 {
                let most = most_rows::<S>();
                // SAFETY: all rows, terms and columns of a tile are those of the product.
                let done = unsafe {
                    match (left, many > lanes) {
                        (12.., true) if most >= 12 => at.sums::<S, 12, 2, FUSED>(simd),
                        (12.., false) if most >= 12 => at.sums::<S, 12, 1, FUSED>(simd),
                        (6.., true) => at.sums::<S, 6, 2, FUSED>(simd),
                        (6.., false) => at.sums::<S, 6, 1, FUSED>(simd),
                        (3.., true) => at.sums::<S, 3, 2, FUSED>(simd),
                        (3.., false) => at.sums::<S, 3, 1, FUSED>(simd),
                        (_, true) => at.sums::<S, 1, 2, FUSED>(simd),
                        (_, false) => at.sums::<S, 1, 1, FUSED>(simd),
                    }
                };
                left -= done;
                if left > 0 {
                    // SAFETY: there are further rows.
                    unsafe {
                        at.numbers = at.numbers.add(done * free);
                        at.c = at.c.add(done * ldc);
                    }
                }
            }
        }
    }
}

/// Some rows and one panel.
struct Tile<'a> {
    numbers: *const f32,
    free: usize,
    along: usize,
    panel: *const f32,
    pitch: usize,
    terms: usize,
    c: *mut f32,
    ldc: usize,
    lanes: usize,
    start: Start<'a>,
}

impl Tile<'_> {
    /// # Safety
    /// So many rows, terms and lanes lie within what the pointers are of, the panel's vectors to their end.
    #[inline(always)]
    unsafe fn sums<S: Simd, const ROWS: usize, const VECTORS: usize, const FUSED: bool>(&self, simd: S) -> usize {
        let wide = VECTORS * S::F32_LANES;
        let zero = simd.splat_f32s(0.0);
        let mut elements = [[zero; VECTORS]; ROWS];
        match self.start {
            Start::Zero => {}
            Start::From(row) => {
                // SAFETY: a row of starting values has as many lanes.
                let first = unsafe { load::<S, VECTORS>(row.as_ptr(), self.lanes, zero) };
                elements = [first; ROWS];
            }
            Start::Kept => {
                for (row, elements) in elements.iter_mut().enumerate() {
                    // SAFETY: a row of the result, which has as many lanes.
                    *elements = unsafe { load::<S, VECTORS>(self.c.add(row * self.ldc), self.lanes, zero) };
                }
            }
        }
        // A copy whose address is never taken, so that it stays in registers.
        let mut sums = elements;
        let (mut numbers, mut panel) = (self.numbers, self.panel);
        for _ in 0..self.terms {
            let mut vectors = [zero; VECTORS];
            for (v, vector) in vectors.iter_mut().enumerate() {
                // SAFETY: whole vectors of the panel are there.
                *vector = unsafe { panel.add(v * S::F32_LANES).cast::<S::f32s>().read_unaligned() };
            }
            for (row, sums) in sums.iter_mut().enumerate() {
                // SAFETY: a number of the operand.
                let number = simd.splat_f32s(unsafe { *numbers.add(row * self.free) });
                for (sum, &vector) in sums.iter_mut().zip(&vectors) {
                    *sum = if FUSED {
                        simd.mul_add_f32s(number, vector, *sum)
                    } else {
                        simd.add_f32s(*sum, simd.mul_f32s(number, vector))
                    };
                }
            }
            numbers = numbers.wrapping_add(self.along);
            panel = panel.wrapping_add(self.pitch);
        }
        elements = sums;
        for (row, sums) in elements.iter().enumerate() {
            // SAFETY: a row of the result.
            let c = unsafe { self.c.add(row * self.ldc) };
            if self.lanes == wide {
                for (v, sum) in sums.iter().enumerate() {
                    // SAFETY: whole vectors of the result are there.
                    unsafe { c.add(v * S::F32_LANES).cast::<S::f32s>().write_unaligned(*sum) };
                }
            } else {
                // SAFETY: as many lanes as there are columns.
                unsafe { c.copy_from_nonoverlapping(sums.as_ptr().cast(), self.lanes) };
            }
        }
        ROWS
    }
}

/// So many numbers as vectors, with zeros behind them.
///
/// # Safety
/// The numbers must be there.
#[inline(always)]
unsafe fn load<S: Simd, const VECTORS: usize>(from: *const f32, lanes: usize, zero: S::f32s) -> [S::f32s; VECTORS] {
    let mut vectors = [zero; VECTORS];
    // SAFETY: the numbers are there, and as many lanes.
    unsafe { vectors.as_mut_ptr().cast::<f32>().copy_from_nonoverlapping(from, lanes.min(VECTORS * S::F32_LANES)) };
    vectors
}

#[cfg(test)]
mod tests {
    use pulp::WithSimd;

    use super::*;
    use crate::kernels::simd::dispatch;

    struct Case {
        size: [usize; 3],
        kept: bool,
    }

    impl WithSimd for Case {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let [rows, columns, terms] = self.size;
            let (free, along, pitch, ldc) = (terms + 1, 1, columns.next_multiple_of(width::<S>()) + 3, columns + 2);
            let number = |i: usize| ((i * 7919) % 101) as f32 - 50.0;
            let numbers: Vec<f32> = (0..rows * free).map(number).collect();
            let panels: Vec<f32> = (0..(terms + 1) * pitch).map(|i| number(i + 17)).collect();
            let bias: Vec<f32> = (0..columns).map(|i| number(i + 3)).collect();
            let before: Vec<f32> = (0..rows * ldc).map(|i| number(i + 5)).collect();
            let [mut fused, mut apart] = [before.clone(), before.clone()];
            let start = if self.kept { Start::Kept } else { Start::From(&bias) };
            let of = |c| {
                let (numbers, panels, step) = (&numbers[..], &panels[..], width::<S>());
                Multiply { numbers, free, along, rows, panels, pitch, step, columns, terms, c, ldc, start }
            };
            of(Words::of(&mut fused)).run::<S, true>(simd);
            of(Words::of(&mut apart)).run::<S, false>(simd);
            for i in 0..rows * ldc {
                let (row, column) = (i / ldc, i % ldc);
                let exact = if column >= columns {
                    before[i]
                } else {
                    let products = (0..terms).map(|t| numbers[row * free + t] * panels[t * pitch + column]);
                    (if self.kept { before[i] } else { bias[column] }) + products.sum::<f32>()
                };
                // Whole numbers below 2²⁴ are exact in any order.
                assert_eq!([fused[i], apart[i]], [exact; 2], "{:?} at {row}, {column}", self.size);
            }
        }
    }

    #[test]
    fn sums_of_all_sizes() {
        for rows in [1, 2, 3, 5, 11, 12, 13, 29] {
            for columns in [1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 70] {
                for terms in [0, 1, 5, 19] {
                    for kept in [false, true] {
                        dispatch(Case { size: [rows, columns, terms], kept });
                    }
                }
            }
        }
    }
}
