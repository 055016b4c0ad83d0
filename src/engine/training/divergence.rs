//! Where the numbers of a trainer ran away, and how it goes on from before that.

use super::accumulator::GRADIENT_NORM;
use super::checkpoint::Checkpoint;
use super::runaway::Divergence;
use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::kernels::Step;
use crate::kernels::random::Shuffle;
use crate::program::SKIPPED;

impl Trainer {
    /// Says so if the loss or the gradient has run away by this step, of which the statistics were told.
    pub(super) fn watch(&mut self, number: u64) -> Result<()> {
        if !self.phases.is_one_loss() {
            return Ok(());
        }
        let told = |wanted: &str| {
            let name = |(name, _): &&(usize, f64)| self.phases.names[*name] == wanted;
            self.told.iter().find(name).map(|(_, value)| *value)
        };
        // A gradient that nothing was moved along leads nowhere.
        let is_skipped = told(SKIPPED) == Some(1.0);
        let (Some(loss), norm) = (told("loss"), told(GRADIENT_NORM).filter(|_| !is_skipped)) else { return Ok(()) };
        match self.state.extents.note(loss, norm) {
            None => Ok(()),
            Some(what) => Err(Error::Diverged(format!(
                "the {what} has run away by step {}, where it is {:.3e}",
                number + 1,
                if what == "loss" { loss } else { norm.unwrap_or(loss) }
            ))),
        }
    }

    /// The step at which the numbers of an epoch ran away, until training goes on from a checkpoint; `None` if they did not.
    pub fn divergence(&self) -> Option<Divergence> {
        self.diverged
    }

    /// Whether the state behind so many steps was sound, as the step that followed shows: with its weights, the loss and the gradient were
    /// where they had been. Of one that no step has followed, nothing is known.
    pub fn was_sound(&self, step: u64) -> bool {
        let outside = self.state.extents.steps_outside();
        let (last, first_outside) = match self.diverged {
            Some(at) => (at.step, at.since),
            None => (self.state.step, self.state.step + 1 - outside),
        };
        step < last && step + 1 < first_outside
    }

    /// The rows of the training data that the batch of a divergence holds, and those of the batch before it in its epoch, which led there;
    /// `None` where the order is not known from here, as of data that comes window by window.
    pub fn rows_of(&self, at: &Divergence) -> Option<Vec<usize>> {
        if self.feed.is_some() {
            return None;
        }
        let step = Step { seed: Step::seed_words(self.config.seed), epoch: at.epoch as u32 - 1, ..Step::default() };
        let order = Shuffle::new(&step, self.batches.count as u32);
        let positions = (at.batch.saturating_sub(1)..=at.batch).map(|batch| self.batches.at(batch));
        Some(positions.flat_map(|(first, rows)| first..first + rows).map(|at| order.at(at) as usize).collect())
    }

    /// Goes on from a checkpoint of this run as it never did: with a lower learning rate ([`SLOWED`](super::SLOWED)) and other noise, the
    /// run having gone back so many times by now.
    ///
    /// # Errors
    /// As for [`Trainer::resume`].
    pub fn retry(&mut self, checkpoint: &Checkpoint, retries: u64) -> Result<()> {
        self.resume(checkpoint)?;
        self.state.retries = retries;
        self.phases.retry(retries);
        Ok(())
    }
}
