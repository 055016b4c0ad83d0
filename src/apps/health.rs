//! Whether a run is still worth keeping: its checkpoint is not replaced by what has come to nothing.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Error, Result};
use crate::training::Extent;
use crate::training::checkpoint::Checkpoint;
use crate::training::metrics::{EpochRecord, Split, read_epochs};

/// The losses of a run so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Health {
    splits: BTreeMap<&'static str, Losses>,
}

#[derive(Clone, Copy, Debug)]
struct Losses {
    extent: Extent,
    /// The epoch of the least.
    epoch: u64,
}

impl Health {
    /// Of a run that is gone on with: what its metrics tell of the epochs that are done.
    pub(super) fn read(path: &Path, epochs: u64) -> Health {
        let mut health = Health::default();
        for record in read_epochs(path).unwrap_or_default().iter().filter(|record| record.epoch <= epochs) {
            health.note(record);
        }
        health
    }

    /// Takes note of the records of an epoch.
    ///
    /// # Errors
    /// If a loss is no finite number, or is far outside what it was before.
    pub(super) fn check(&mut self, records: &[EpochRecord]) -> Result<()> {
        for record in records {
            let of = name(record.split);
            if !record.loss.is_finite() {
                return Err(diverged(&format!(
                    "the loss of the {of} rows is no finite number after epoch {}",
                    record.epoch
                )));
            }
            if let Some(Losses { extent, epoch }) =
                self.splits.get(of).filter(|known| known.extent.is_left_by(record.loss))
            {
                let cause = match record.split != Split::Train && self.is_learnt_by_heart(records) {
                    true => {
                        ", while that of the training rows is as low as ever: the model learns those by heart, and `patience` ends a run \
                         before it does"
                    }
                    false => "",
                };
                return Err(diverged(&format!(
                    "the loss of the {of} rows is {:.3e} after epoch {}, and was {:.3e} in epoch {epoch}{cause}",
                    record.loss, record.epoch, extent.least
                )));
            }
            self.note(record);
        }
        Ok(())
    }

    /// Whether the training rows' loss has fallen, and stays down.
    fn is_learnt_by_heart(&self, records: &[EpochRecord]) -> bool {
        let known = self.splits.get(name(Split::Train)).map(|known| known.extent);
        let now = records.iter().find(|record| record.split == Split::Train);
        known.zip(now).is_some_and(|(Extent { first, least }, now)| now.loss < least + (first - least) / 10.0)
    }

    fn note(&mut self, record: &EpochRecord) {
        let now = Losses { extent: Extent::of(record.loss), epoch: record.epoch };
        let losses = self.splits.entry(name(record.split)).or_insert(now);
        if record.loss < losses.extent.least {
            losses.extent.note(record.loss);
            losses.epoch = record.epoch;
        }
    }
}

/// Says so if a checkpoint that is to be written holds numbers that are not finite.
///
/// # Errors
/// If it does, with the first of the tensors.
pub(super) fn check_finite(checkpoint: &Checkpoint) -> Result<()> {
    spoilt(checkpoint).map_or(Ok(()), |name| Err(diverged(&format!("the weights `{name}` are not finite numbers"))))
}

/// Says so if one that was read does.
///
/// # Errors
/// If it does, with what helps.
pub(super) fn check_sound(checkpoint: &Checkpoint) -> Result<()> {
    spoilt(checkpoint).map_or(Ok(()), |name| {
        Err(Error::invalid(format!(
            "the weights `{name}` are not finite numbers, so nothing can come of them: give an earlier checkpoint, such as \
             checkpoint.previous.safetensors beside it"
        )))
    })
}

fn spoilt(checkpoint: &Checkpoint) -> Option<&str> {
    let is_spoilt = |values: &[f32]| !values.iter().all(|value| value.is_finite());
    checkpoint.tensors.iter().find(|(_, _, values)| is_spoilt(values)).map(|(name, ..)| name.as_str())
}

fn name(split: Split) -> &'static str {
    match split {
        Split::Train => "training",
        Split::Validation => "validation",
        Split::Test => "test",
    }
}

fn diverged(what: &str) -> Error {
    Error::Diverged(what.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(losses: &[f64]) -> Result<()> {
        told_beside(losses, |_| 1.0)
    }

    /// The test rows having these losses, and the training rows those of each epoch.
    fn told_beside(losses: &[f64], training: impl Fn(u64) -> f64) -> Result<()> {
        let mut health = Health::default();
        losses.iter().zip(1..).try_for_each(|(&loss, epoch)| {
            let of_training = EpochRecord::new(epoch, Split::Train, 0.0, 0.0, 0.0);
            health.check(&[
                EpochRecord { loss: training(epoch), ..of_training },
                EpochRecord { loss, ..EpochRecord::new(epoch, Split::Test, 0.0, 0.0, 0.0) },
            ])
        })
    }

    #[test]
    fn what_runs_away_is_noticed_and_what_goes_up_and_down_is_not() {
        for fine in [&[40.0, 90.0, 39.0, 4000.0][..], &[-5.0, 900.0, 3.0], &[0.0, 999.0], &[1e6, -3e6, 9e8]] {
            assert!(told(fine).is_ok(), "{fine:?}");
        }
        for (spoilt, expected) in [
            (
                &[40.0, 41.0, 4e27][..],
                "the loss of the test rows is 4.000e27 after epoch 3, and was 4.000e1 in epoch 1",
            ),
            (&[40.0, f64::NAN], "no finite number after epoch 2"),
            (&[f64::INFINITY], "no finite number after epoch 1"),
            (&[-2000.0, 0.0, 2.1e6], "after epoch 3, and was -2.000e3 in epoch 1"),
        ] {
            let said = told(spoilt).unwrap_err();
            assert!(matches!(said, Error::Diverged(_)) && said.to_string().contains(expected), "{said}");
        }
    }

    #[test]
    fn what_is_learnt_by_heart_is_told_apart() {
        let losses = [40.0, 20.0, 50_000.0];
        let said = |training: fn(u64) -> f64| told_beside(&losses, training).unwrap_err().to_string();
        // Falling to 10; the same, but back at half of the way; never fallen.
        let falling = |epoch: u64| [100.0, 10.0, 11.0][epoch as usize - 1];
        let rising = |epoch: u64| [100.0, 10.0, 55.0][epoch as usize - 1];
        assert!(said(falling).ends_with("`patience` ends a run before it does"), "{}", said(falling));
        assert!(!said(rising).contains("patience") && !said(|_| 1.0).contains("patience"));
    }

    #[test]
    fn a_checkpoint_of_what_is_not_finite_is_refused_by_name() {
        let mut checkpoint = Checkpoint::default();
        checkpoint.tensors.push(("good".into(), vec![2], vec![1.0, -2.0]));
        assert!(check_finite(&checkpoint).is_ok());
        checkpoint.tensors.push(("bad".into(), vec![2], vec![1.0, f32::NAN]));
        assert!(check_finite(&checkpoint).unwrap_err().to_string().contains("`bad`"));
    }
}
