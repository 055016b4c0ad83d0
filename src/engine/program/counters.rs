//! What an executor has made and waited for since it was opened.
//!
//! Made to be subtracted: two readings with steps between them say what those steps cost besides their kernels. In the
//! steady state every figure but [`Counters::steps`], [`Counters::submits`] and [`Counters::encoders`] should stand still
//! (and [`Counters::uploaded`], where data streams), and [`Counters::waits`] move only where the host is far ahead of the device.

use std::ops::Sub;

/// What an executor has now. It goes back to what it was when a program is unloaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Objects {
    /// Programs that are loaded.
    pub programs: u64,
    /// Buffers that have a name, and those that carry the sizes of calls.
    pub buffers: u64,
    /// Bind groups; the CPU executor has none.
    pub bind_groups: u64,
    /// Pipelines that loaded programs use, each counted once.
    pub pipelines: u64,
}

/// Totals since an executor was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Steps run.
    pub steps: u64,
    /// Pieces of work handed to the device at once; a step at a time on the CPU executor.
    pub submits: u64,
    /// Command encoders made; the CPU executor has none.
    pub encoders: u64,
    /// Buffers made, those for reading back included.
    pub buffers: u64,
    /// Bind groups made.
    pub bind_groups: u64,
    /// Pipelines that programs were loaded with, each counted once.
    pub pipelines: u64,
    /// Bytes that the host wrote into buffers.
    pub uploaded: u64,
    /// Times the host stopped until the device had done something. The CPU executor works in the call that runs a step,
    /// so that there is nothing to wait for.
    pub waits: u64,
}

impl Sub for Counters {
    type Output = Counters;

    /// What happened since an earlier reading of the same executor.
    fn sub(self, earlier: Counters) -> Counters {
        Counters {
            steps: self.steps - earlier.steps,
            submits: self.submits - earlier.submits,
            encoders: self.encoders - earlier.encoders,
            buffers: self.buffers - earlier.buffers,
            bind_groups: self.bind_groups - earlier.bind_groups,
            pipelines: self.pipelines - earlier.pipelines,
            uploaded: self.uploaded - earlier.uploaded,
            waits: self.waits - earlier.waits,
        }
    }
}
