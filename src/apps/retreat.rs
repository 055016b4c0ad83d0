//! When the numbers of a training have run away, and going back to the last good state where that lies in memory.

use super::diagnosis::{given_up, odd_value};
use super::health::{Health, check_finite};
use crate::config::Config;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::training::Trainer;
use crate::training::checkpoint::Checkpoint;
use crate::training::metrics::EpochRecord;

/// Steps between two states that are kept in memory: to read one back from the device takes as long as some steps.
const APART: u64 = 500;

/// What is odd in the rows of the steps in which numbers ran away, if anything.
pub(super) fn odd_rows(trainer: &Trainer, data: &Dataset) -> Option<String> {
    odd_value(data, &trainer.rows_of(&trainer.divergence()?)?)
}

/// Says so if the numbers behind an epoch have run away: losses of any part of the data, or the last steps of a training, which no others
/// follow.
///
/// # Errors
/// [`Error::Diverged`] if they have.
pub(super) fn check_epoch(health: &mut Health, trainer: &Trainer, records: &[EpochRecord]) -> Result<()> {
    health.check(records)?;
    match trainer.is_done() && trainer.state.extents.are_left() {
        true => Err(Error::Diverged(format!(
            "the loss or the gradient has run away by step {}, the last",
            trainer.state.step
        ))),
        false => Ok(()),
    }
}

/// The last good states of a training without a folder, held in memory.
pub(super) struct Retreat {
    /// The last that was kept, and its step.
    last: Option<(u64, Checkpoint)>,
    /// One before it, which is known to have been sound.
    sound: Option<Checkpoint>,
    health: Health,
    every: u64,
    most: u64,
    /// The step of the state that it went back to last.
    went_back_to: Option<u64>,
}

impl Retreat {
    /// Of a training that is about to start.
    ///
    /// # Errors
    /// If the device fails.
    pub(super) fn new(trainer: &mut Trainer, config: &Config) -> Result<Retreat> {
        let (every, most) = (config.training.checkpoint_every as u64, config.training.retries as u64);
        let last = (most > 0).then(|| Ok::<_, Error>((trainer.state.step, trainer.checkpoint()?))).transpose()?;
        Ok(Retreat { last, sound: None, health: Health::default(), every, most, went_back_to: None })
    }

    /// Looks at what an epoch came to, and keeps the state behind it, every
    /// [`checkpoint_every`](crate::config::TrainingConfig::checkpoint_every) epochs and not more often than every 500 steps.
    ///
    /// # Errors
    /// If numbers have run away, or the device fails.
    pub(super) fn keep(&mut self, trainer: &mut Trainer, records: &[EpochRecord]) -> Result<()> {
        check_epoch(&mut self.health, trainer, records)?;
        let Some((step, _)) = self.last else { return Ok(()) };
        let is_due = trainer.state.epoch.is_multiple_of(self.every) && trainer.state.step >= step + APART;
        if !is_due || trainer.state.extents.are_left() || trainer.is_done() {
            return Ok(());
        }
        let now = trainer.checkpoint()?;
        if check_finite(&now).is_ok() {
            let before = self.last.replace((trainer.state.step, now));
            self.sound = before.filter(|_| trainer.was_sound(step)).map(|(_, state)| state).or(self.sound.take());
        }
        Ok(())
    }

    /// Goes back, where numbers have run away and it was not done too often: to the last state that was kept, or to the one before it
    /// where that was not sound or has led there before.
    ///
    /// # Errors
    /// The error that it is given if it is another, or its explanation where nothing is left to try.
    pub(super) fn go_back(&mut self, error: Error, trainer: &mut Trainer, run: (&Config, &Dataset)) -> Result<()> {
        let Error::Diverged(why) = error else { return Err(error) };
        let retries = trainer.state.retries;
        let Some((step, last)) = self.last.as_ref().filter(|_| retries < self.most) else {
            return Err(given_up(&why, odd_rows(trainer, run.1).as_deref(), retries, run, ""));
        };
        let is_last = trainer.was_sound(*step) && self.went_back_to != Some(*step);
        let state = self.sound.as_ref().filter(|_| !is_last).unwrap_or(last);
        trainer.retry(state, retries + 1)?;
        self.went_back_to = Some(trainer.state.step);
        Ok(())
    }
}
