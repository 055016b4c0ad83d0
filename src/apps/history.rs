//! What a training measured.

use crate::training::Best;
use crate::training::metrics::EpochRecord;

/// What a training measured, an entry for each epoch.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct History {
    /// Means over the training rows, as they were seen in the epoch.
    pub train: Vec<EpochRecord>,
    /// Means over the validation rows behind the epoch; empty where none were given.
    pub validation: Vec<EpochRecord>,
    /// The best epoch by the loss of the validation rows, which the model has the weights of, where
    /// [`patience`](crate::config::TrainingConfig::patience) was given.
    pub best: Option<Best>,
}

impl History {
    /// Leaves out what was measured behind so many epochs.
    pub(super) fn cut_to(&mut self, epochs: u64) {
        [&mut self.train, &mut self.validation].into_iter().for_each(|records| records.truncate(epochs as usize));
    }

    /// The records of the last epoch.
    pub(super) fn last(&self) -> Vec<EpochRecord> {
        self.train.last().into_iter().chain(self.validation.last()).cloned().collect()
    }
}
