//! What changes from one replay of a program to the next.
//!
//! A [`Step`] travels to every kernel as immediates (128 bytes, the size every Vulkan driver grants), never as a
//! write into a buffer that recorded work reads. The second half of the block belongs to the call: its sizes.

use bytemuck::{Pod, Zeroable};

/// How many scalars (β, learning rates…) one program may name.
pub const SCALARS: usize = 8;

/// How many words of sizes one call may carry.
pub const DIMS: usize = 16;

/// The part of the immediates that is the same for all calls of one step.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct Step {
    /// Key of the random generator: low and high word of the seed.
    pub seed: [u32; 2],
    /// Counter of the random generator: no two steps of a run share it.
    pub step: u32,
    /// Slot of the statistics ring that this step writes.
    pub slot: u32,
    /// Live rows of the batch, of all its parts together; rows from here on are padding and weigh nothing.
    pub rows: u32,
    /// Epoch, which chooses the order of the data.
    pub epoch: u32,
    /// Position within the epoch of the batch's first row.
    pub position: u32,
    /// The row of the batch at which this part of it begins, where several executors work on one batch: what rows draw, weigh and are
    /// is decided by their place in the whole batch. 0 where it is the whole.
    pub row_offset: u32,
    /// The program's named scalars, in the program's order.
    pub scalars: [f32; 8],
}

impl Step {
    /// The 64-bit seed, as the two words the generator is keyed with.
    pub fn seed_words(seed: u64) -> [u32; 2] {
        [seed as u32, (seed >> 32) as u32]
    }
}
