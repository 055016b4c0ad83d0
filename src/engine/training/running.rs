//! An epoch under way, and how it stands.

use std::time::Instant;

use super::metrics::{EpochRecord, StepRecord};
use super::pace::Pace;

/// How an epoch stands after a call of the pump.
#[derive(Debug)]
pub enum Pump {
    /// There is more to send: call again.
    Working,
    /// Nothing is to be done until the device has done something: call again then.
    Waiting,
    /// It was broken off; the state says where to go on.
    Stopped,
    /// It is done, and this is its record.
    Finished(Box<EpochRecord>),
}

/// An epoch under way.
#[derive(Debug)]
pub(super) struct Running {
    pub started: Instant,
    /// The batch that it began with, and the one that is sent next.
    pub first: usize,
    pub sent: usize,
    /// Steps that have finished and were not shown yet.
    pub records: Vec<StepRecord>,
    pub stop: bool,
    pub pace: Pace,
}
