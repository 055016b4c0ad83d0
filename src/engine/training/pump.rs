//! An epoch as a pump: each call sends what fits and takes in what has come back, and none waits for the
//! device (a shared training waits for the others, and data on disk for the disk). An event loop calls it as it
//! pleases, a thread calls it until it is done ([`Trainer::epoch`]).

use std::ops::ControlFlow;
use std::time::Instant;

use super::accumulator::Sums;
use super::pace::Pace;
use super::reduce::Standing;
use super::running::{Pump, Running};
use super::state::State;
use super::trainer::{Progress, Trainer};
use crate::error::Result;
use crate::program::RING_SLOTS;

impl Trainer {
    /// Goes on with the epoch without waiting: sends steps if the device takes more, takes in those that are done, and tells `progress`,
    /// which may break off.
    ///
    /// # Errors
    /// If the loss or a gradient is not finite or has run away ([`Trainer::divergence`]), or the device fails; the epoch is broken off then.
    pub fn pump(&mut self, progress: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<Pump> {
        let first = self.state.batch as usize;
        let mut run = self.running.take().unwrap_or_else(|| Running {
            started: Instant::now(),
            first,
            sent: first,
            records: Vec::new(),
            stop: false,
            pace: Pace::new(),
        });
        let sends = !self.all_is_sent(&run) && self.session.executor.has_room()?;
        if sends {
            let alone = run.stop || self.is_shared();
            let count = if alone { 1 } else { self.submit.min(self.batches.len() - run.sent) };
            self.launch(run.sent..run.sent + count)?;
            run.sent += count;
            self.longest = self.longest.max(count);
        }
        let done = self.state.step;
        self.digest(run.sent, &mut run.records)?;
        run.pace.finished(self.state.step - done);
        if sends {
            let measured = || run.pace.next(self.submit).min(2 * self.longest);
            self.submit = self.config.steps_per_submit.unwrap_or_else(measured).min(RING_SLOTS);
        }
        let wanted = self.report(&mut run.records, run.started, run.first, progress);
        run.stop |= wanted || self.is_asked_to_stop();
        if !self.all_is_sent(&run) {
            self.running = Some(run);
            return Ok(if sends { Pump::Working } else { Pump::Waiting });
        }
        if self.state.batch < run.sent as u64 {
            self.running = Some(run);
            return Ok(Pump::Waiting);
        }
        if run.sent < self.batches.len() {
            self.has_stopped();
            return Ok(Pump::Stopped);
        }
        let record = self.record(run.started.elapsed().as_secs_f64(), run.sent - run.first);
        self.state = State { epoch: self.state.epoch + 1, batch: 0, sums: Sums::default(), ..self.state };
        self.stand(Standing::Moved);
        Ok(Pump::Finished(Box::new(record)))
    }

    /// Whether nothing more is to be sent. A checkpoint stands between iterations: gradients that are half gathered are not kept.
    fn all_is_sent(&self, run: &Running) -> bool {
        run.sent >= self.batches.len() || run.stop && self.phases.is_between_iterations(run.sent)
    }
}
