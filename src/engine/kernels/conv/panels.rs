//! A matrix as panels of vectors: where it lies, if it can be read so, or packed.

use pulp::Simd;

use super::tile::width;

/// Panels that a product reads, see [`super::tile::Multiply`].
#[derive(Clone, Copy)]
pub(super) struct Panels<'a> {
    pub words: &'a [f32],
    pub pitch: usize,
    pub step: usize,
}

/// A matrix `[terms, columns]`, of which element (t, j) stands at `t·rows + j·cols` of the words; one of the two is 1.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub words: &'a [f32],
    pub terms: usize,
    pub columns: usize,
    pub rows: usize,
    pub cols: usize,
}

/// Words of a page: rows that lie whole pages apart share the few lines of one set of the first-level cache.
const PAGE: usize = 1024;

impl Matrix<'_> {
    /// Words that packing takes.
    #[inline(always)]
    pub fn packed_words<S: Simd>(&self) -> usize {
        if self.reads_as_it_lies::<S>() { 0 } else { self.columns.next_multiple_of(width::<S>()) * self.terms }
    }

    #[inline(always)]
    fn reads_as_it_lies<S: Simd>(&self) -> bool {
        self.cols == 1 && self.columns.is_multiple_of(S::F32_LANES) && !self.rows.is_multiple_of(PAGE)
    }

    /// Its panels, packed into `into` where it cannot be read as it lies; what is beyond the columns is 0.
    #[inline(always)]
    pub fn panels<'p, S: Simd>(&'p self, into: &'p mut [f32]) -> Panels<'p> {
        let wide = width::<S>();
        if self.reads_as_it_lies::<S>() {
            return Panels { words: self.words, pitch: self.rows, step: wide };
        }
        for (first, panel) in (0..self.columns).step_by(wide).zip(into.chunks_exact_mut(wide * self.terms)) {
            let many = wide.min(self.columns - first);
            if many < wide {
                panel.fill(0.0);
            }
            if self.cols == 1 {
                for (t, panel) in panel.chunks_exact_mut(wide).enumerate() {
                    panel[..many].copy_from_slice(&self.words[t * self.rows + first..][..many]);
                }
            } else {
                // A few terms at a time, so that lines are read once.
                const RUN: usize = 16;
                for (run, panel) in panel.chunks_mut(wide * RUN).enumerate() {
                    let terms = panel.len() / wide;
                    for j in 0..many {
                        let from = &self.words[(first + j) * self.cols + run * RUN * self.rows..];
                        for t in 0..terms {
                            panel[t * wide + j] = from[t * self.rows];
                        }
                    }
                }
            }
        }
        Panels { words: into, pitch: wide, step: wide * self.terms }
    }
}
