//! Early stopping: the best epoch so far, by the loss of rows that are held out, and its weights.

use std::collections::BTreeMap;

use super::checkpoint::{Checkpoint, NamedTensor};
use super::session::Session;
use crate::error::{Error, Result};

/// What stands in a checkpoint before the names of the best weights.
const PREFIX: &str = "best.";

/// The best epoch of a run so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// Epochs that were done when it ended; the first is 1.
    pub epoch: u64,
    /// Steps that were done then.
    pub step: u64,
    /// The loss of the held-out rows then.
    pub loss: f64,
}

impl Best {
    /// Whether a loss is better than the best so far; one that is no number never is.
    pub(super) fn is_beaten(best: Option<Best>, loss: f64) -> bool {
        loss.is_finite() && best.is_none_or(|best| loss < best.loss)
    }

    /// Whether `patience` epochs have passed since the best one, `epoch` being done; where none was any good, since the start.
    pub(super) fn is_out_of_patience(best: Option<Best>, epoch: u64, patience: u64) -> bool {
        epoch.saturating_sub(best.map_or(0, |best| best.epoch)) >= patience
    }

    /// As words for a checkpoint's metadata; the loss as its bits.
    pub(super) fn to_metadata(self) -> [(String, String); 3] {
        [
            ("best_epoch".to_string(), self.epoch.to_string()),
            ("best_step".to_string(), self.step.to_string()),
            ("best_loss".to_string(), format!("{:016x}", self.loss.to_bits())),
        ]
    }

    /// What [`Best::to_metadata`] wrote, if it did, or the name of the entry that is missing or is no number.
    pub(super) fn from_metadata(metadata: &BTreeMap<String, String>) -> std::result::Result<Option<Best>, String> {
        if !metadata.contains_key("best_epoch") {
            return Ok(None);
        }
        let entry = |name: &str, base: u32| -> std::result::Result<u64, String> {
            metadata.get(name).and_then(|v| u64::from_str_radix(v, base).ok()).ok_or_else(|| name.to_string())
        };
        let loss = f64::from_bits(entry("best_loss", 16)?);
        Ok(Some(Best { epoch: entry("best_epoch", 10)?, step: entry("best_step", 10)?, loss }))
    }
}

impl Checkpoint {
    /// The best epoch of the run, if it was looked for.
    ///
    /// # Errors
    /// If an entry of it is missing or no number.
    pub fn best(&self) -> Result<Option<Best>> {
        Best::from_metadata(&self.metadata).map_err(|entry| {
            Error::invalid(format!("the checkpoint's entry `{entry}` is missing or no number: it is damaged"))
        })
    }

    /// Adds the weights of the best epoch.
    pub(super) fn add_best(&mut self, weights: &[NamedTensor]) {
        let named =
            weights.iter().map(|(name, shape, values)| (format!("{PREFIX}{name}"), shape.clone(), values.clone()));
        self.tensors.extend(named);
    }

    /// The weights of the best epoch, by the names that they have otherwise.
    pub(super) fn best_weights(&self) -> Vec<NamedTensor> {
        let named = |(name, shape, values): &NamedTensor| {
            Some((name.strip_prefix(PREFIX)?.to_string(), shape.clone(), values.clone()))
        };
        self.tensors.iter().filter_map(named).collect()
    }

    /// The weights that a run is used with: those of its best epoch, in place of the last and standing where that epoch ended; the
    /// checkpoint as it is where no best epoch was looked for.
    ///
    /// # Errors
    /// As for [`Checkpoint::best`].
    pub fn into_best(mut self) -> Result<Checkpoint> {
        let Some(best) = self.best()? else { return Ok(self) };
        let weights = self.best_weights();
        let is_replaced = |name: &str| name.starts_with(PREFIX) || weights.iter().any(|(known, ..)| known == name);
        self.tensors.retain(|(name, ..)| !is_replaced(name));
        self.tensors.extend(weights);
        for (key, value) in [("epoch", best.epoch), ("step", best.step), ("batch", 0), ("sums_rows", 0)] {
            self.set_metadata(key, value);
        }
        self.set_metadata("sums", "");
        for (key, _) in best.to_metadata() {
            self.metadata.remove(&key);
        }
        Ok(self)
    }
}

impl Session {
    /// The values of all parameters that training changes, as all but training reads them.
    pub(super) fn learnt(&mut self) -> Result<Vec<NamedTensor>> {
        let sets = self.layout.learnt();
        Ok(sets.iter().map(|set| self.tensors(set, &set.values(), "")).collect::<Result<Vec<_>>>()?.concat())
    }

    /// Writes what [`Session::learnt`] gave.
    pub(super) fn restore_learnt(&mut self, weights: &[NamedTensor]) -> Result<()> {
        let checkpoint = Checkpoint { tensors: weights.to_vec(), ..Checkpoint::default() };
        self.layout.learnt().iter().try_for_each(|set| self.restore(set, &set.values(), "", &checkpoint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Losses of epochs, and the epochs at which a run of this patience has seen its best and ends.
    #[test]
    fn patience_by_hand() {
        let run = |losses: &[f64], patience: u64| {
            let mut best: Option<Best> = None;
            for (epoch, &loss) in (1..).zip(losses) {
                if Best::is_beaten(best, loss) {
                    best = Some(Best { epoch, step: 10 * epoch, loss });
                }
                if Best::is_out_of_patience(best, epoch, patience) {
                    return (best.map(|best| best.epoch), Some(epoch));
                }
            }
            (best.map(|best| best.epoch), None)
        };
        let losses = [5.0, 4.0, 4.5, 4.0, 3.0, 3.5, f64::NAN, 2.0];
        assert_eq!(run(&losses, 1), (Some(2), Some(3)), "one epoch that is no better");
        assert_eq!(run(&losses, 2), (Some(2), Some(4)), "as good is no better");
        assert_eq!(run(&losses, 3), (Some(8), None));
        assert_eq!(run(&losses[3..], 2), (Some(2), Some(4)), "no number is no better");
        assert_eq!(run(&[f64::NAN, f64::INFINITY, 1.0], 2), (None, Some(2)), "none was any good");
        assert_eq!(run(&[f64::NAN, 7.0, 8.0, 6.0], 2), (Some(4), None));
    }

    #[test]
    fn the_best_weights_stand_in_for_the_last() {
        let tensor = |name: &str, value: f32| (name.to_string(), vec![1], vec![value]);
        let last = vec![tensor("w", 1.0), tensor("frozen", 2.0), tensor("adam.mean.w", 3.0)];
        let mut checkpoint = Checkpoint { tensors: last, ..Checkpoint::default() };
        [("epoch", 9), ("step", 90), ("batch", 4)].iter().for_each(|(key, value)| checkpoint.set_metadata(key, value));
        checkpoint.set_metadata("sums", "0000");
        checkpoint.set_metadata("sums_rows", 64);
        assert_eq!(checkpoint.clone().into_best().unwrap(), checkpoint, "none was looked for");
        checkpoint.add_best(&[tensor("w", 7.0)]);
        checkpoint.metadata.extend(Best { epoch: 6, step: 60, loss: 0.5 }.to_metadata());
        let best = checkpoint.clone().into_best().unwrap();
        let tensors = vec![tensor("frozen", 2.0), tensor("adam.mean.w", 3.0), tensor("w", 7.0)];
        assert_eq!(best.tensors, tensors);
        let state = super::super::State::from_metadata(&best.metadata).unwrap();
        assert_eq!((state.epoch, state.step, state.batch, state.best), (6, 60, 0, None));
        assert!(state.sums.is_empty());
        checkpoint.metadata.remove("best_step");
        assert!(checkpoint.into_best().unwrap_err().to_string().contains("`best_step`"));
    }
}
