//! What one CPU call works on, and how.

use std::marker::PhantomData;
use std::ops::Range;

/// In which order the CPU adds up the terms of a matrix product. All else that it computes is the same in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arithmetic {
    /// As is fastest on this processor, with fused operations where it has them.
    #[default]
    Fast,
    /// Term by term, each multiplication and each addition rounded by itself: the same bits on every processor.
    Exact,
}

/// The slices bound to a call, by binding index, as the CPU reference sees them.
///
/// Words are shared between threads of one call: each writes its own rows. What makes this sound is checked when the
/// program is built: a slice that a call writes overlaps no other slice of that call.
pub struct Args<'a> {
    slices: &'a [(*mut u32, usize)],
    arithmetic: Arithmetic,
    memory: PhantomData<&'a mut [u32]>,
}

// SAFETY: kernels split what they write by rows between threads; see `Words`.
unsafe impl Sync for Args<'_> {}

impl<'a> Args<'a> {
    /// # Safety
    /// Each pair must be valid words that nothing else touches while the `Args` lives, and a slice that the kernel
    /// writes must not overlap any other.
    pub unsafe fn new(slices: &'a [(*mut u32, usize)]) -> Args<'a> {
        Args { slices, arithmetic: Arithmetic::Fast, memory: PhantomData }
    }

    /// The same for a call that is to compute so.
    pub fn computed(self, arithmetic: Arithmetic) -> Args<'a> {
        Args { arithmetic, ..self }
    }

    /// How the call is to compute.
    pub fn arithmetic(&self) -> Arithmetic {
        self.arithmetic
    }

    /// Some of the bindings, in this order.
    pub fn select<'b>(&self, bindings: &[usize], room: &'b mut [(*mut u32, usize); 8]) -> Args<'b>
    where
        'a: 'b,
    {
        for (slot, &binding) in room.iter_mut().zip(bindings) {
            *slot = self.slices[binding];
        }
        Args { slices: &room[..bindings.len()], ..*self }
    }

    /// How many bindings there are.
    pub fn len(&self) -> usize {
        self.slices.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.slices.is_empty()
    }

    /// A binding's words as f32.
    pub fn read(&self, binding: usize) -> &[f32] {
        let (pointer, len) = self.slices[binding];
        // SAFETY: valid by `new`; u32 and f32 have the same size and alignment, and every bit pattern is an f32.
        unsafe { std::slice::from_raw_parts(pointer.cast::<f32>(), len) }
    }

    /// A binding's words.
    pub fn words(&self, binding: usize) -> &[u32] {
        let (pointer, len) = self.slices[binding];
        // SAFETY: valid by `new`.
        unsafe { std::slice::from_raw_parts(pointer, len) }
    }

    /// Some of a binding's words as f32, of whose others threads may write some meanwhile.
    ///
    /// # Safety
    /// Nothing writes these words while the result lives.
    ///
    /// # Panics
    /// If the binding has not so many.
    pub unsafe fn part(&self, binding: usize, range: Range<usize>) -> &[f32] {
        let place = self.write(binding).from(&range);
        // SAFETY: these lie within the binding, whose words are valid by `new`; that nothing writes them is the caller's promise.
        unsafe { std::slice::from_raw_parts(place, range.len()) }
    }

    /// A binding's words as f32, to write.
    pub fn write(&self, binding: usize) -> Words<'_> {
        let (pointer, len) = self.slices[binding];
        Words { start: pointer.cast::<f32>(), len, memory: PhantomData }
    }
}

/// Where words lie that the threads of one call write between them. It is no slice of all of them, since two threads must not have the
/// same words at once: each takes its own.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    start: *mut f32,
    len: usize,
    memory: PhantomData<&'a mut [f32]>,
}

// SAFETY: a place alone touches no memory; whoever takes words of it answers for that.
unsafe impl Send for Words<'_> {}
// SAFETY: likewise.
unsafe impl Sync for Words<'_> {}

impl<'a> Words<'a> {
    /// These words.
    pub fn of(words: &'a mut [f32]) -> Words<'a> {
        Words { start: words.as_mut_ptr(), len: words.len(), memory: PhantomData }
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Those from one on.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn behind(self, first: usize) -> Words<'a> {
        Words { start: self.from(&(first..self.len)), len: self.len - first, ..self }
    }

    /// Where some of them begin.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn from(self, range: &Range<usize>) -> *mut f32 {
        assert!(range.start <= range.end && range.end <= self.len, "words {range:?} of a binding of {}", self.len);
        // SAFETY: within the binding, or at its end.
        unsafe { self.start.add(range.start) }
    }

    /// Some of them.
    ///
    /// # Safety
    /// Nothing else touches these words while the result lives.
    ///
    /// # Panics
    /// If there are not so many.
    pub unsafe fn part(self, range: Range<usize>) -> &'a mut [f32] {
        // SAFETY: they lie within the binding; that they are the caller's is its promise.
        unsafe { std::slice::from_raw_parts_mut(self.from(&range), range.len()) }
    }

    /// All of them.
    ///
    /// # Safety
    /// As for [`Words::part`].
    pub unsafe fn all(self) -> &'a mut [f32] {
        // SAFETY: the caller's.
        unsafe { self.part(0..self.len) }
    }

    /// Writes one of them.
    ///
    /// # Safety
    /// Nothing else touches this word meanwhile.
    ///
    /// # Panics
    /// If there are not so many.
    pub unsafe fn set(self, at: usize, value: f32) {
        // SAFETY: it lies within the binding; that it is the caller's is its promise.
        unsafe { self.from(&(at..at + 1)).write(value) };
    }
}
