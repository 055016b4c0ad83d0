//! When the numbers of a training have run away, and going back to the last good state where that lies in memory.

use super::diagnosis::{Oddities, given_up};
use super::health::{Health, check_finite};
use crate::config::Config;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::training::Trainer;
use crate::training::checkpoint::Checkpoint;
use crate::training::metrics::EpochRecord;

/// Steps between two states that are kept in memory: to read one back from the device takes as long as some steps.
const APART: u64 = 500;

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

/// Whether numbers that ran away did so for another reason than the state behind so many steps: it was sound, and they were not led there from
/// it before.
pub(super) fn is_worth_another(trainer: &Trainer, step: u64, went_back_to: Option<u64>) -> bool {
    trainer.was_sound(step) && went_back_to != Some(step)
}

/// The last good states of a training without a folder, held in memory.
pub(super) struct Retreat {
    states: Option<States<(Checkpoint, Health)>>,
    health: Health,
    every: u64,
    most: u64,
}

/// A state that was kept, and one before it that is known to have been sound.
struct States<T> {
    last: (u64, T),
    sound: Option<(u64, T)>,
    /// The step of the state that it went back to last.
    went_back_to: Option<u64>,
}

impl<T> States<T> {
    /// Keeps a state, the one before it being sound or not.
    fn keep(&mut self, step: u64, state: T, was_sound: bool) {
        let before = std::mem::replace(&mut self.last, (step, state));
        if was_sound {
            self.sound = Some(before);
        }
    }

    /// The state to go back to: the last, or the sound one before it, which is then the last, as what came between never was.
    fn back(&mut self, is_last: bool) -> &T {
        if let Some(sound) = self.sound.take_if(|_| !is_last) {
            self.last = sound;
        }
        self.went_back_to = Some(self.last.0);
        &self.last.1
    }
}

impl Retreat {
    /// Of a training that is about to start.
    ///
    /// # Errors
    /// If the device fails.
    pub(super) fn new(trainer: &mut Trainer, config: &Config) -> Result<Retreat> {
        let (every, most) = (config.training.checkpoint_every as u64, config.training.retries as u64);
        let health = Health::default();
        let states = match most {
            0 => None,
            _ => {
                let last = (trainer.state.step, (trainer.checkpoint()?, health.clone()));
                Some(States { last, sound: None, went_back_to: None })
            }
        };
        Ok(Retreat { states, health, every, most })
    }

    /// Looks at what an epoch came to, and keeps the state behind it, every
    /// [`checkpoint_every`](crate::config::TrainingConfig::checkpoint_every) epochs and not more often than every 500 steps.
    ///
    /// # Errors
    /// If numbers have run away, or the device fails.
    pub(super) fn keep(&mut self, trainer: &mut Trainer, records: &[EpochRecord]) -> Result<()> {
        check_epoch(&mut self.health, trainer, records)?;
        let Some(states) = &mut self.states else { return Ok(()) };
        let (step, before) = (trainer.state.step, states.last.0);
        let is_due = trainer.state.epoch.is_multiple_of(self.every) && step >= before + APART;
        if !is_due || trainer.state.extents.are_left() || trainer.is_done() {
            return Ok(());
        }
        let now = trainer.checkpoint()?;
        if check_finite(&now).is_ok() {
            states.keep(step, (now, self.health.clone()), trainer.was_sound(before));
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
        let Some(states) = self.states.as_mut().filter(|_| retries < self.most) else {
            let before = self.states.as_ref().map(|states| &states.last.1.0);
            return Err(given_up(&why, &Oddities::of(trainer, run.1, before), retries, run, ""));
        };
        let is_last = is_worth_another(trainer, states.last.0, states.went_back_to);
        let (state, health) = states.back(is_last);
        trainer.retry(state, retries + 1)?;
        self.health = health.clone();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::States;

    #[test]
    fn what_never_was_is_not_gone_back_to() {
        let mut states = States { last: (0, "start"), sound: None, went_back_to: None };
        states.keep(500, "good", true);
        states.keep(1000, "spoilt", true);
        // The last was not sound: the one before it is what there is now.
        assert_eq!(*states.back(false), "good");
        assert_eq!((states.last, states.sound, states.went_back_to), ((500, "good"), None, Some(500)));
        // Step 1000 is passed anew, and numbers run away before another state is kept.
        assert_eq!(*states.back(true), "good");
        // What is kept then stands upon the good one.
        states.keep(1500, "better", true);
        assert_eq!((states.last, states.sound), ((1500, "better"), Some((500, "good"))));
        // One that was not sound is not kept as such.
        states.keep(2000, "doubtful", false);
        assert_eq!(states.sound, Some((500, "good")));
        assert_eq!(*states.back(true), "doubtful");
        assert_eq!(states.went_back_to, Some(2000));
    }
}
