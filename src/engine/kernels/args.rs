//! What one CPU call works on, and how.

use std::marker::PhantomData;

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

// SAFETY: kernels split what they write by rows between threads; see `write`.
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

    /// A binding's words as f32, to write.
    ///
    /// # Safety
    /// Two threads must not write the same element, and none may read what another writes.
    #[allow(clippy::mut_from_ref, reason = "threads of one call write disjoint rows of one binding")]
    pub unsafe fn write(&self, binding: usize) -> &mut [f32] {
        let (pointer, len) = self.slices[binding];
        // SAFETY: valid by `new`; disjointness is the caller's.
        unsafe { std::slice::from_raw_parts_mut(pointer.cast::<f32>(), len) }
    }
}
