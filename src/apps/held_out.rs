//! What training does with rows that are held out, behind every epoch.

use crate::config::Config;
use crate::data::Dataset;
use crate::error::Result;
use crate::training::Trainer;
use crate::training::metrics::{EpochRecord, Split};

/// The record of held-out rows behind an epoch, of which `train` is the record. By the loss of validation rows the trainer is told how
/// good the epoch was, where the best is looked for.
///
/// # Errors
/// If the device fails.
pub(super) fn held_out(
    trainer: &mut Trainer,
    config: &Config,
    (split, rows): (Split, &Dataset),
    train: &EpochRecord,
) -> Result<EpochRecord> {
    let how = (config.training.batch, config.model.beta);
    let (mut record, _) = trainer.session.evaluate(split, rows, how)?;
    (record.epoch, record.steps) = (train.epoch, train.steps);
    if split == Split::Validation && config.training.patience.is_some() {
        trainer.judge(record.loss)?;
    }
    Ok(record)
}
