//! How a run goes on after its device has failed or its numbers have run away: from a checkpoint in its folder.

use std::time::Instant;

use super::super::devices::Team;
use super::super::diagnosis::{Oddities, given_up};
use super::super::folder::PREVIOUS;
use super::super::health::Health;
use super::super::retreat::is_worth_another;
use super::super::setup::build_trainer;
use super::super::stages::freeze;
use super::super::tuning;
use super::TrainRun;
use crate::error::{Error, Result};
use crate::training::Rates;
use crate::training::checkpoint::Checkpoint;
use crate::training::metrics::{METRICS, MetricsWriter, RetryRecord};

impl TrainRun {
    /// Has its devices opened anew where one fails while the run trains, from where the run then goes on; without that, it ends.
    pub fn reopening(&mut self, open: impl FnMut() -> Result<Team> + 'static) {
        self.reopening = Some(Box::new(open));
    }

    /// Opens the device anew, as it has failed, and goes on from the last checkpoint; but not twice from the same. Says what was done.
    pub(super) fn reopen(&mut self, why: &str) -> Result<String> {
        let (step, folder) = (self.saved.1, self.folder.display().to_string());
        let ended = |why: &str| {
            Error::Device(format!(
                "{why}\nThe run is kept as it was at step {step}. To go on: elbo train --resume {folder}, on another --device if need be"
            ))
        };
        let is_again = self.reopened_at == Some(step);
        let Some(open) = self.reopening.as_mut().filter(|_| !is_again) else { return Err(ended(why)) };
        let mut team = open().map_err(|error| ended(&format!("{why}\nIt does not open again: {error}")))?;
        team.replay_choices(tuning::read(&self.folder)?);
        let device = team.describe();
        let mut trainer = build_trainer(&self.config, &self.data.train, team)?;
        freeze(&self.config, &self.data.train, &mut trainer.session)?;
        trainer.retry(&Checkpoint::load(&self.stands_on)?, self.trainer.state.retries)?;
        (self.trainer, self.device) = (trainer, device.clone());
        self.reopened_at = Some(step);
        self.take_up_figures()?;
        Ok(format!("{why}\nGoing on from step {step}, on {device}"))
    }

    /// Takes up the figures where the run stands, leaving out those of what is about to be done again.
    fn take_up_figures(&mut self) -> Result<()> {
        let state = &self.trainer.state;
        self.saved = (Instant::now(), state.step);
        self.metrics = MetricsWriter::resume(&self.folder, (state.epoch, state.step, state.retries))?;
        self.health = Health::read(&self.folder.join(METRICS), state.epoch);
        Ok(())
    }

    /// Goes back to the last checkpoint, as numbers have run away; to the one before it where the last was not sound, or has led there
    /// twice. Goes on from there with a lower learning rate and other noise.
    pub(super) fn go_back(&mut self, why: String) -> Result<RetryRecord> {
        let (state, at) = (&self.trainer.state, self.trainer.divergence());
        let (retries, step) = (state.retries, at.map_or(state.step, |at| at.step));
        let epoch = at.map_or(state.epoch, |at| at.epoch);
        let before = Checkpoint::load(&self.stands_on).ok();
        let odd = Oddities::of(&mut self.trainer, &self.data.train, before.as_ref());
        if retries >= self.config.training.retries as u64 {
            let run = (&self.config, &self.data.train);
            return Err(given_up(&why, &odd, retries, run, " The last checkpoint is as it was"));
        }
        let previous = self.folder.join(PREVIOUS);
        let is_last = is_worth_another(&self.trainer, self.saved.1, self.went_back_to);
        if !is_last && previous.is_file() {
            self.stands_on = previous;
        }
        self.trainer.retry(&Checkpoint::load(&self.stands_on)?, retries + 1)?;
        let state = &self.trainer.state;
        let record = RetryRecord {
            retry: retries + 1,
            step,
            epoch,
            back_to: state.step,
            slowed: Rates::slowed(retries + 1),
            why: odd.beside(&why),
        };
        self.went_back_to = Some(state.step);
        self.take_up_figures()?;
        self.metrics.retry(&record)?;
        Ok(record)
    }
}
