//! Going back to the last good state where the numbers of a training run away.

use crate::error::{Error, Result};
use crate::training::Trainer;
use crate::training::checkpoint::Checkpoint;

use super::diagnosis::{given_up, odd_value};
use super::health::check_finite;
use crate::config::Config;
use crate::data::Dataset;

/// What is odd in the rows of the steps in which numbers ran away, if anything.
pub(super) fn odd_rows(trainer: &Trainer, data: &Dataset) -> Option<String> {
    odd_value(data, &trainer.rows_of(&trainer.divergence()?)?)
}

/// The last good state of a training without a folder, held in memory.
pub(super) struct Retreat {
    good: Option<Checkpoint>,
    every: u64,
    most: u64,
}

impl Retreat {
    /// Of a training that is about to start.
    ///
    /// # Errors
    /// If the device fails.
    pub(super) fn new(trainer: &mut Trainer, config: &Config) -> Result<Retreat> {
        let (every, most) = (config.training.checkpoint_every as u64, config.training.retries as u64);
        let good = (most > 0).then(|| trainer.checkpoint()).transpose()?;
        Ok(Retreat { good, every, most })
    }

    /// Keeps the state behind an epoch, every [`checkpoint_every`](crate::config::TrainingConfig::checkpoint_every) epochs.
    ///
    /// # Errors
    /// If the device fails.
    pub(super) fn keep(&mut self, trainer: &mut Trainer) -> Result<()> {
        let is_spoilt = trainer.state.extents.are_left();
        if self.good.is_some() && !is_spoilt && trainer.state.epoch.is_multiple_of(self.every) && !trainer.is_done() {
            let now = trainer.checkpoint()?;
            if check_finite(&now).is_ok() {
                self.good = Some(now);
            }
        }
        Ok(())
    }

    /// Goes back, where numbers have run away and it was not done too often.
    ///
    /// # Errors
    /// The error that it is given if it is another, or its explanation where nothing is left to try.
    pub(super) fn go_back(&self, error: Error, trainer: &mut Trainer, run: (&Config, &Dataset)) -> Result<()> {
        let Error::Diverged(why) = error else { return Err(error) };
        let retries = trainer.state.retries;
        match self.good.as_ref().filter(|_| retries < self.most) {
            Some(good) => trainer.retry(good, retries + 1),
            None => Err(given_up(&why, odd_rows(trainer, run.1).as_deref(), retries, run, "")),
        }
    }
}
