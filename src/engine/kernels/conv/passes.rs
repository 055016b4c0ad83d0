//! The passes of products with patches on the CPU: rows of a convolution, and the gradient of its weights.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::buffers::{Buffer, Use};
use super::finish::Finish;
use super::panels::{Matrix, Panels};
use super::patch_product::{PatchProduct, Side};
use super::tile::{Multiply, Start, width};
use crate::kernels::matmul::each;
use crate::kernels::pairwise::sum_columns;
use crate::kernels::sharing::least;
use crate::kernels::{Args, Arithmetic, Matmul, Step, Words};

/// One run of a product.
pub(super) struct Run<'a> {
    pub of: &'a PatchProduct,
    pub args: &'a Args<'a>,
    pub step: &'a Step,
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (self.of.side, self.args.arithmetic()) {
            (Side::A, Arithmetic::Fast) => self.forward::<S, true>(simd),
            (Side::A, Arithmetic::Exact) => self.forward::<S, false>(simd),
            (Side::B, Arithmetic::Fast) => self.weights::<S, true>(simd),
            (Side::B, Arithmetic::Exact) => self.weights::<S, false>(simd),
        }
    }
}

/// Rows of patches that are in the cache at once, where each becomes a row of C.
const ROWS: usize = 48;

/// Rows of patches that are summed at once.
const TERMS: usize = 128;

/// Rows of patches that one part of a sum has at least, and how many parts there are at most.
const PART: usize = 1024;
const PARTS: usize = 16;

impl Run<'_> {
    /// C = P(x)·B, some rows after the other.
    #[inline(always)]
    fn forward<S: Simd, const FUSED: bool>(&self, simd: S) {
        let Matmul { m, n, k, a, b, .. } = self.of.product;
        let (rows, cols) = b.strides();
        let weights = Matrix { words: &self.args.read(1)[b.offset..], terms: k, columns: n, rows, cols };
        let mut room = Buffer::take(Use::Panels, weights.packed_words::<S>());
        let panels = weights.panels::<S>(&mut room);
        let finish = self.of.finish(self.args);
        let pictures = &self.args.read(0)[a.offset..];
        let blocks = m.div_ceil(ROWS);
        let block = |block: usize| {
            let range = block * ROWS..((block + 1) * ROWS).min(m);
            simd.vectorize(Rows::<FUSED> { run: self, panels, finish, pictures, range });
        };
        if m * n * k < least(1 << 18) { (0..blocks).for_each(block) } else { each(0..blocks, &block) }
    }

    /// C = A·P(x): a sum over all places, in parts that the shape alone decides, or column by column.
    #[inline(always)]
    fn weights<S: Simd, const FUSED: bool>(&self, simd: S) {
        let Matmul { m, n, k, ref row_sums, .. } = self.of.product;
        let parts = if FUSED { (k / PART).clamp(1, PARTS) } else { 1 };
        let groups = if parts > 1 { 1 } else { n.div_ceil(4 * width::<S>()).min(4) };
        let words = m * n + m;
        let mut partials = Buffer::take(Use::Partials, parts * words);
        let all = Words::of(&mut partials);
        let part = |task: usize| {
            let (part, group) = (task / groups, task % groups);
            let terms = k * part / parts..k * (part + 1) / parts;
            let width = width::<S>();
            let panels = n.div_ceil(width);
            let columns = panels * group / groups * width..(panels * (group + 1) / groups * width).min(n);
            let partial = all.behind(part * words);
            // SAFETY: the row sums are the first task's of a part.
            let sums = (group == 0 && row_sums.is_some()).then(|| unsafe { partial.part(m * n..words) });
            simd.vectorize(Terms::<FUSED> { run: self, terms, columns, partial, sums });
        };
        let tasks = parts * groups;
        if m * n * k < least(1 << 18) {
            (0..tasks).for_each(part)
        } else {
            each(0..tasks, &part)
        }
        let (first, rest) = partials.split_at_mut(words);
        for partial in rest.chunks_exact(words) {
            for (sum, more) in first.iter_mut().zip(partial) {
                *sum += more;
            }
        }
        let (elements, sums) = first.split_at(m * n);
        // SAFETY: all tasks are done, and this thread is the only one that writes.
        unsafe {
            self.of.finish(self.args).rows(0, elements, self.args, self.step);
            if let Some(store) = row_sums {
                crate::kernels::expr_cpu::store(sums, self.args, store.binding, &store.view, &[0]);
            }
        }
    }
}

/// Some rows of a convolution.
struct Rows<'a, const FUSED: bool> {
    run: &'a Run<'a>,
    panels: Panels<'a>,
    finish: &'a Finish,
    pictures: &'a [f32],
    range: Range<usize>,
}

impl<const FUSED: bool> WithSimd for Rows<'_, FUSED> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Rows { run: &Run { of, args, step }, panels, finish, pictures, range } = self;
        let (rows, n, k) = (range.len(), of.product.n, of.product.k);
        // Rows do not push each other out of the cache.
        let free = k.next_multiple_of(16) + 16;
        let (mut patches, mut c) = (Buffer::take(Use::Patches, rows * free), Buffer::take(Use::Sums, rows * n));
        of.gather(pictures, range.clone(), &mut patches, free);
        let start = finish.start(args).map_or(Start::Zero, Start::From);
        let Panels { words, pitch, step: panel } = panels;
        Multiply {
            numbers: &patches,
            free,
            along: 1,
            rows,
            panels: words,
            pitch,
            step: panel,
            columns: n,
            terms: k,
            c: Words::of(&mut c),
            ldc: n,
            start,
        }
        .run::<S, FUSED>(simd);
        // SAFETY: these rows belong to this thread.
        unsafe { finish.rows(range.start, &c, args, step) };
    }
}

/// Some terms of the gradient of weights, for some columns.
struct Terms<'a, const FUSED: bool> {
    run: &'a Run<'a>,
    terms: Range<usize>,
    columns: Range<usize>,
    /// Where they go; other columns are other tasks'.
    partial: Words<'a>,
    sums: Option<&'a mut [f32]>,
}

impl<const FUSED: bool> WithSimd for Terms<'_, FUSED> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Terms { run: &Run { of, args, .. }, terms, columns, partial, mut sums } = self;
        let Matmul { m, n, a, b, .. } = of.product;
        let (free, along) = a.strides();
        let pictures = &args.read(1)[b.offset..];
        let pitch = n.next_multiple_of(width::<S>()) + 16;
        if let Some(sums) = &mut sums {
            sums.fill(0.0);
        }
        let mut patches = Buffer::take(Use::Patches, TERMS * pitch);
        let mut is_first = true;
        for first in terms.clone().step_by(TERMS) {
            let some = first..(first + TERMS).min(terms.end);
            of.gather(pictures, some.clone(), &mut patches, pitch);
            let numbers = &args.read(0)[a.offset + first * along..];
            if let Some(sums) = &mut sums {
                add_row_sums(numbers, (free, along), some.len(), sums);
            }
            Multiply {
                numbers,
                free,
                along,
                rows: m,
                panels: &patches[columns.start..],
                pitch,
                step: width::<S>(),
                columns: columns.len(),
                terms: some.len(),
                c: partial.behind(columns.start),
                ldc: n,
                start: if is_first { Start::Zero } else { Start::Kept },
            }
            .run::<S, FUSED>(simd);
            is_first = false;
        }
    }
}

/// Adds the sums of some terms of each row of A.
#[inline(always)]
fn add_row_sums(numbers: &[f32], (free, along): (usize, usize), terms: usize, sums: &mut [f32]) {
    if free == 1 {
        const COLUMNS: usize = 64;
        let mut part = [0.0; COLUMNS];
        for (block, sums) in sums.chunks_mut(COLUMNS).enumerate() {
            let part = &mut part[..sums.len()];
            sum_columns(&numbers[block * COLUMNS..], along, terms, part);
            sums.iter_mut().zip(part).for_each(|(sum, more)| *sum += *more);
        }
        return;
    }
    for (row, sum) in sums.iter_mut().enumerate() {
        *sum += (0..terms).map(|t| numbers[row * free + t * along]).sum::<f32>();
    }
}
