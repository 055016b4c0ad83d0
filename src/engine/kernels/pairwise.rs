//! Sums of many numbers on the CPU, in a fixed tree (pairwise summation, Higham 1993): rounding errors grow with the logarithm
//! of how many there are, not with their number.
//!
//! Terms come one after the other. Like the digits of a binary counter, sums of equally many terms are added as soon as there are
//! two of them, so that the tree needs no more room than it is deep.

use super::simd::vectorised;

/// N sums side by side.
#[derive(Clone, Debug)]
pub(super) struct Pairwise<const N: usize> {
    /// The sum of 2^l terms at level l, where bit l of `count` is set.
    levels: [[f32; N]; 32],
    count: u32,
}

impl<const N: usize> Pairwise<N> {
    /// Sums of nothing.
    pub fn new() -> Pairwise<N> {
        Pairwise { levels: [[0.0; N]; 32], count: 0 }
    }

    /// Forgets all terms.
    pub fn clear(&mut self) {
        self.count = 0;
    }

    /// Adds a term to each sum.
    #[inline]
    pub fn push(&mut self, mut terms: [f32; N]) {
        let level = self.count.trailing_ones() as usize;
        for below in &self.levels[..level] {
            terms = add(*below, terms);
        }
        self.levels[level] = terms;
        self.count += 1;
    }

    /// The sums.
    pub fn total(&self) -> [f32; N] {
        let held = (0..32).filter(|level| self.count >> level & 1 == 1).map(|level| self.levels[level]);
        held.reduce(|less, more| add(more, less)).unwrap_or([0.0; N])
    }
}

fn add<const N: usize>(a: [f32; N], b: [f32; N]) -> [f32; N] {
    std::array::from_fn(|i| a[i] + b[i])
}

/// Terms that are added up side by side before they become one term of a [`Pairwise`].
pub(super) const PART: usize = 256;

/// Adds values to a sum, in parts of [`PART`].
pub(super) fn push_parts(sum: &mut Pairwise<1>, values: &[f32]) {
    /// Parts that are added up at the same time: one alone would wait for its own additions.
    const SIDE: usize = 3;
    for values in values.chunks(SIDE * PART) {
        let mut parts = [0.0; SIDE];
        sum_parts(values, &mut parts);
        parts[..values.len().div_ceil(PART)].iter().for_each(|&part| sum.push([part]));
    }
}

vectorised! {
    fn sum_parts(values: &[f32], parts: &mut [f32; 3]) = sums_of_parts;
}

/// What [`sum_lanes`] gives for each part.
#[inline(always)]
fn sums_of_parts(values: &[f32], parts: &mut [f32; 3]) {
    match values.as_chunks::<PART>() {
        ([a, b, c], []) => {
            let mut lanes = [[0.0f32; 8]; 3];
            for ((a, b), c) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0).zip(c.as_chunks::<8>().0) {
                for lane in 0..8 {
                    lanes[0][lane] += a[lane];
                    lanes[1][lane] += b[lane];
                    lanes[2][lane] += c[lane];
                }
            }
            *parts = lanes.map(sum_of_lanes);
        }
        _ => parts.iter_mut().zip(values.chunks(PART)).for_each(|(sum, part)| *sum = sum_lanes(part)),
    }
}

/// A sum in eight interleaved lanes and a fixed tree over them: for blocks of a few hundred.
#[inline(always)]
pub(super) fn sum_lanes(values: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 8];
    let chunks = values.chunks_exact(8);
    for (lane, value) in lanes.iter_mut().zip(chunks.remainder()) {
        *lane += value;
    }
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    sum_of_lanes(lanes)
}

#[inline(always)]
fn sum_of_lanes(lanes: [f32; 8]) -> f32 {
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))
}

/// Columns that are summed side by side.
const COLUMNS: usize = 64;

vectorised! {
    /// Adds up the columns of `rows` rows that lie `stride` words apart, as many columns as `out` has.
    pub(super) fn sum_columns(values: &[f32], stride: usize, rows: usize, out: &mut [f32]) = add_rows;
}

#[inline(always)]
fn add_rows(values: &[f32], stride: usize, rows: usize, out: &mut [f32]) {
    /// Rows that are added up in sequence.
    const RUN: usize = 32;
    let mut sums = Pairwise::<COLUMNS>::new();
    for (block, out) in out.chunks_mut(COLUMNS).enumerate() {
        sums.clear();
        for first in (0..rows).step_by(RUN) {
            let mut part = [0.0f32; COLUMNS];
            for row in first..(first + RUN).min(rows) {
                let from = &values[row * stride + block * COLUMNS..][..out.len()];
                match <&[f32; COLUMNS]>::try_from(from) {
                    Ok(from) => part.iter_mut().zip(from).for_each(|(sum, value)| *sum += value),
                    Err(_) => part.iter_mut().zip(from).for_each(|(sum, value)| *sum += value),
                }
            }
            sums.push(part);
        }
        out.copy_from_slice(&sums.total()[..out.len()]);
    }
}

/// The sum of `count` words, the first of which is at `start`, that lie `stride` apart.
pub(super) fn sum_strided(values: &[f32], start: usize, stride: usize, count: usize) -> f32 {
    const BLOCK: usize = 256;
    let (mut sum, mut block) = (Pairwise::<1>::new(), [0.0f32; BLOCK]);
    for first in (0..count).step_by(BLOCK) {
        let len = BLOCK.min(count - first);
        for (i, value) in block[..len].iter_mut().enumerate() {
            *value = values[start + (first + i) * stride];
        }
        sum.push([sum_lanes(&block[..len])]);
    }
    sum.total()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers around 0.1, whose sum in sequence loses digits.
    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|i| 0.1 + (i * 7919 % 1009) as f32 * 1e-6).collect()
    }

    fn exact(values: impl Iterator<Item = f32>) -> f64 {
        values.map(f64::from).sum()
    }

    #[test]
    fn terms_are_added_two_by_two() {
        let mut sum = Pairwise::<2>::new();
        assert_eq!(sum.total(), [0.0; 2]);
        for count in 1..=40u32 {
            sum.push([count as f32, -2.0 * count as f32]);
            let whole = (count * (count + 1) / 2) as f32;
            assert_eq!(sum.total(), [whole, -2.0 * whole], "{count} terms");
        }
        sum.clear();
        sum.push([5.0, 7.0]);
        assert_eq!(sum.total(), [5.0, 7.0]);
    }

    #[test]
    fn parts_side_by_side_are_parts_one_by_one() {
        let values = numbers(2000);
        for count in [1, 255, 256, 257, 767, 768, 769, 1024, 1700, 2000] {
            let [mut together, mut apart] = [Pairwise::<1>::new(), Pairwise::<1>::new()];
            push_parts(&mut together, &values[..count]);
            values[..count].chunks(PART).for_each(|part| apart.push([sum_lanes(part)]));
            assert_eq!(together.total(), apart.total(), "{count} terms");
            assert!(together.total()[0] > values[1..count].iter().sum::<f32>(), "{count} terms");
        }
    }

    #[test]
    fn a_long_sum_keeps_its_digits() {
        const COUNT: usize = 300_001;
        let values = numbers(COUNT);
        let apart = |found: f32| (f64::from(found) / exact(values.iter().copied()) - 1.0).abs();
        assert!(apart(sum_strided(&values, 0, 1, COUNT)) < 2e-7);
        // In sequence it does not.
        assert!(apart(values.iter().sum::<f32>()) > 1e-5, "{:e}", apart(values.iter().sum::<f32>()));
    }

    #[test]
    fn columns_and_strides_are_what_they_are() {
        for (rows, columns, stride) in [(1, 1, 1), (33, 64, 64), (1000, 67, 70), (257, 130, 131), (70_001, 3, 5)] {
            let values = numbers(rows * stride);
            let mut out = vec![f32::NAN; columns];
            sum_columns(&values, stride, rows, &mut out);
            for (column, &found) in out.iter().enumerate() {
                let exact = exact((0..rows).map(|row| values[row * stride + column]));
                let strided = sum_strided(&values, column, stride, rows);
                for found in [found, strided] {
                    assert!((f64::from(found) / exact - 1.0).abs() < 5e-7, "{rows}×{columns}: {found} is not {exact}");
                }
            }
        }
    }
}
