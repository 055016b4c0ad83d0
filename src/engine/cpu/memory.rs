//! The words of buffers, where they lie in memory.
//!
//! A vector that lies across two lines of the cache takes two accesses, and lines that lie whole pages apart share the few places that
//! the first-level cache has for them. An allocator gives large pieces that begin sixteen bytes into a page, all of them alike:
//! an optimiser that goes through four of them at once then waits for its own lines. So buffers begin at a line each, and each at
//! another line of its page than the ones made before it.

use std::ops::{Deref, DerefMut, Range};

use bytemuck::allocation::try_zeroed_slice_box;

use crate::error::{Error, Result};
use crate::memory::asking;
use crate::program::Buffer;

/// Bytes of a line of the cache, and of a page.
const LINE: usize = 64;
const PAGE: usize = 4096;

/// Lines from the place in its page at which a buffer begins to that of the next: no divisor of a page's 64, so that as many buffers
/// begin at different ones.
const APART: usize = 11;

/// Words that begin at a line.
#[derive(Default)]
pub(super) struct Words {
    /// The words, with room in front of them and behind.
    all: Box<[u32]>,
    /// Where they lie in it.
    place: Range<usize>,
}

impl Words {
    /// So many zeros, at so many bytes from a page's beginning; nothing where the system does not give so much.
    fn zeros(words: usize, from_page: usize) -> Option<Words> {
        let all: Box<[u32]> = asking(|| try_zeroed_slice_box(words.checked_add(PAGE / 4)?).ok())?;
        // A vector of words begins at a whole word.
        let start = (from_page.wrapping_sub(all.as_ptr() as usize) % PAGE) / 4;
        Some(Words { all, place: start..start + words })
    }
}

impl Deref for Words {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        &self.all[self.place.clone()]
    }
}

impl DerefMut for Words {
    fn deref_mut(&mut self) -> &mut [u32] {
        &mut self.all[self.place.clone()]
    }
}

/// The words of buffers, by index. That of a buffer that is gone is used again.
#[derive(Default)]
pub(super) struct Memory {
    pub buffers: Vec<Words>,
    free: Vec<usize>,
    /// How many buffers were made.
    pub made: u64,
}

impl Memory {
    /// Makes a buffer of zeros; gives its index.
    ///
    /// # Errors
    /// If the system does not give so much.
    pub fn make(&mut self, buffer: &Buffer) -> Result<usize> {
        let zeros = Words::zeros(buffer.words, self.made as usize * APART * LINE % PAGE).ok_or_else(|| {
            Error::Device(format!(
                "the buffer {} needs {} MiB, which the system does not give: a smaller `batch`, narrower `hidden` layers or less data \
                 make it fit",
                buffer.name,
                buffer.bytes() >> 20
            ))
        })?;
        self.made += 1;
        Ok(match self.free.pop() {
            Some(index) => {
                self.buffers[index] = zeros;
                index
            }
            None => {
                self.buffers.push(zeros);
                self.buffers.len() - 1
            }
        })
    }

    /// Gives a buffer's memory back.
    pub fn give_up(&mut self, index: usize) {
        self.buffers[index] = Words::default();
        self.free.push(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_begin_at_lines_of_their_own() {
        let mut memory = Memory::default();
        let sizes = [1, 0, 5000, 3, 1 << 20, 1 << 20, 17];
        let buffer = |words: usize| Buffer { name: "some".to_string(), words };
        let made: Vec<usize> = (0..64).map(|i| memory.make(&buffer(sizes[i % sizes.len()])).unwrap()).collect();
        let mut lines: Vec<usize> = Vec::new();
        for (i, &index) in made.iter().enumerate() {
            let words = &mut memory.buffers[index];
            assert_eq!(words.len(), sizes[i % sizes.len()]);
            assert!(words.iter().all(|&word| word == 0));
            words.fill(7);
            let address = words.as_ptr() as usize;
            assert_eq!(address % LINE, 0, "buffer {i} begins within a line");
            lines.push(address % PAGE / LINE);
        }
        lines.sort_unstable();
        assert_eq!(lines, (0..PAGE / LINE).collect::<Vec<_>>());
        memory.give_up(made[2]);
        assert_eq!((memory.make(&buffer(4)).unwrap(), memory.made), (made[2], 65));
        assert_eq!(*memory.buffers[made[2]], [0; 4]);
        let error = memory.make(&buffer(usize::MAX / 8)).unwrap_err();
        assert!(error.to_string().contains("does not give"), "{error}");
    }
}
