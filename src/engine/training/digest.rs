//! What comes back of the steps that were sent, and the records that are made of it.

use std::ops::ControlFlow;
use std::time::Instant;

use super::accumulator::{GRADIENT_NORM, Means, Sums};
use super::metrics::{EpochRecord, Split, StepRecord};
use super::runaway::Divergence;
use super::trainer::{Progress, Trainer};
use crate::error::Result;

impl Trainer {
    /// Takes in the statistics of those of the first `sent` steps of the epoch that have come back.
    pub(super) fn digest(&mut self, sent: usize, records: &mut Vec<StepRecord>) -> Result<()> {
        self.phases.collect(&mut *self.session.executor, false)?;
        while self.state.batch < sent as u64 {
            let (batch, number) = (self.state.batch as usize, self.state.step);
            let outside = self.state.extents.steps_outside();
            self.told.clear();
            let told = &mut self.told;
            self.diverged =
                Some(Divergence { step: number + 1, since: number + 1 - outside, epoch: self.state.epoch + 1, batch });
            if !self.phases.take((batch, number), &mut |name, value| told.push((name, value)))? {
                self.diverged = None;
                break;
            }
            self.watch(number)?;
            self.diverged = None;
            let (_, rows) = self.batches.at(batch);
            self.told.iter().for_each(|&(name, value)| self.state.sums.add(name, rows, value));
            if number.is_multiple_of(self.config.log_every as u64) {
                records.push(self.step_record(number));
            }
            self.state.step += 1;
            self.state.batch += 1;
        }
        Ok(())
    }

    /// The record of a step, of the statistics that were told of it.
    fn step_record(&self, number: u64) -> StepRecord {
        let mut sums = Sums::default();
        self.told.iter().for_each(|&(name, value)| sums.add(name, 1, value));
        let means = Means { names: &self.phases.names, sums: &sums };
        let of = |name: &str| means.get(name).unwrap_or(0.0);
        StepRecord {
            step: number + 1,
            epoch: self.state.epoch + 1,
            loss: of("loss"),
            reconstruction: of("reconstruction"),
            kl: of("kl"),
            beta: Some(self.phases.rates().beta(number)),
            learning_rate: Some(self.phases.rates().learning_rate(number)),
            gradient_norm: means.get(GRADIENT_NORM),
            samples_per_second: None,
            parts: means.parts(),
        }
    }

    pub(super) fn report(
        &self,
        records: &mut Vec<StepRecord>,
        started: Instant,
        first: usize,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> bool {
        let done = self.state.batch as usize;
        let rate = ((done - first) * self.batches.rows) as f64 / started.elapsed().as_secs_f64().max(1e-9);
        for record in records.iter_mut() {
            record.samples_per_second = Some(rate);
        }
        let means = Means { names: &self.phases.names, sums: &self.state.sums };
        let now = Progress { batch: done, batches: self.batches.len(), means, steps: records };
        let flow = progress(now);
        records.clear();
        flow.is_break()
    }

    pub(super) fn record(&self, seconds: f64, steps: usize) -> EpochRecord {
        let means = Means { names: &self.phases.names, sums: &self.state.sums };
        let mut record = EpochRecord::of(self.state.epoch + 1, Split::Train, &means);
        let last = self.state.step.saturating_sub(1);
        record.bits_per_dimension = self.session.bits_per_dimension(&record, self.black_and_white, self.share_observed);
        record.beta = Some(self.phases.rates().beta(last));
        record.learning_rate = Some(self.phases.rates().learning_rate(last));
        record.gradient_norm = means.get(GRADIENT_NORM);
        record.seconds = Some(seconds);
        record.samples_per_second = Some((steps * self.batches.rows) as f64 / seconds.max(1e-9));
        record.steps = Some(self.state.step);
        record.retries = Some(self.state.retries).filter(|retries| *retries > 0);
        record
    }
}
