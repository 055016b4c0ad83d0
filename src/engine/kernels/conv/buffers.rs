//! Memory that a thread keeps between calls, so that a step allocates nothing.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};

thread_local! {
    static KEPT: Cell<[Vec<f32>; 5]> = const { Cell::new([const { Vec::new() }; 5]) };
}

/// What a buffer is for: each is taken once at a time on a thread.
#[derive(Clone, Copy)]
pub(in crate::engine::kernels) enum Use {
    Panels,
    Patches,
    Sums,
    Partials,
    Registers,
}

/// Words of a cache line.
const LINE: usize = 16;

/// Words that begin at a cache line and hold whatever they hold. The thread keeps them when they are let go.
///
/// No closure is called with them: behind one stands a function that is not compiled for the vectors of the one around it.
pub(in crate::engine::kernels) struct Buffer {
    what: Use,
    all: Vec<f32>,
    first: usize,
    words: usize,
}

impl Buffer {
    /// So many words.
    pub fn take(what: Use, words: usize) -> Buffer {
        let mut kept = KEPT.take();
        let mut all = std::mem::take(&mut kept[what as usize]);
        KEPT.set(kept);
        if all.len() < words + LINE {
            all.resize(words + LINE, 0.0);
        }
        let first = all.as_ptr().align_offset(4 * LINE);
        Buffer { what, all, first, words }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut kept = KEPT.take();
        kept[self.what as usize] = std::mem::take(&mut self.all);
        KEPT.set(kept);
    }
}

impl Deref for Buffer {
    type Target = [f32];

    #[inline(always)]
    fn deref(&self) -> &[f32] {
        &self.all[self.first..self.first + self.words]
    }
}

impl DerefMut for Buffer {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.all[self.first..self.first + self.words]
    }
}
