//! Weights behind the last epochs of a run, of which SWAG has the mean used in place of the weights, and the spread kept beside.

use super::checkpoint::Checkpoint;
use super::session::{Session, flat_values, write};
use super::swag::Swag;
use super::trainer::Trainer;
use crate::config::TrainingConfig;
use crate::error::{Error, Result};
use crate::models::minimises_one_loss;
use crate::program::ParameterSet;

/// Makes a session ready for SWAG, where settings ask for it.
///
/// # Errors
/// If the model keeps state that follows its weights, or its networks minimise losses against each other.
pub(super) fn prepare(session: &mut Session, config: &TrainingConfig) -> Result<()> {
    if config.swag == 0 {
        return Ok(());
    }
    if let Some(state) = session.layout.assigned.parameters.first() {
        return Err(Error::invalid(format!(
            "`swag` draws weights around the mean of those that were passed through, and this model keeps state that follows each of them ({}), as \
             batch normalisation, spectral normalisation and codebooks do: of other weights it would be another. Leave `swag` out, or choose a \
             network without, such as one with norm=layer or norm=group",
            state.name
        )));
    }
    if !minimises_one_loss(&*session.model) {
        return Err(Error::invalid(
            "`swag` takes the weights at the end of a run as draws from where its loss is low, and the networks of this model minimise losses \
             against each other: leave it out",
        ));
    }
    session.swag = Some(Swag::new(config.swag, &session.layout.groups));
    Ok(())
}

impl Trainer {
    /// Takes the weights at the end of an epoch: into the mean that is used in place of them and the spread around it, or, in epochs before
    /// those that SWAG takes, as what is used themselves. Without SWAG, nothing.
    pub(super) fn take_iterate(&mut self) -> Result<()> {
        let is_taken = self.state.epoch > self.config.epochs_before_swag();
        let Session { executor, layout, swag: Some(swag), .. } = &mut self.session else { return Ok(()) };
        if !is_taken {
            swag.clear();
            return self.use_weights();
        }
        let weights = flat_values(&mut **executor, &layout.groups)?;
        let means: Vec<ParameterSet> = layout.groups.iter().map(ParameterSet::averages).collect();
        let mut mean = flat_values(&mut **executor, &means)?;
        swag.take(&mut mean, &weights);
        means.iter().zip(&mean).try_for_each(|(set, mean)| write(&mut **executor, set, &set.values(), mean))
    }

    /// Has weights used as they are now, where SWAG has taken none yet.
    pub(super) fn use_weights(&mut self) -> Result<()> {
        let Session { executor, layout, swag: Some(swag), .. } = &mut self.session else { return Ok(()) };
        if swag.taken() > 0 {
            return Ok(());
        }
        let weights = flat_values(&mut **executor, &layout.groups)?;
        let mut all = layout.groups.iter().zip(&weights);
        all.try_for_each(|(set, weights)| write(&mut **executor, set, &set.averages().values(), weights))
    }

    /// Takes up the spread that a checkpoint holds.
    pub(super) fn restore_spread(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        match self.config.swag {
            0 => Ok(()),
            columns => self.session.restore_swag(columns, checkpoint),
        }
    }
}

impl Session {
    /// Takes up the spread of weights around their mean that a checkpoint holds, of at most so many columns.
    ///
    /// # Errors
    /// If it holds none, or one of another architecture.
    pub fn restore_swag(&mut self, columns: usize, checkpoint: &Checkpoint) -> Result<()> {
        self.swag = Some(Swag::read(columns, &self.layout.groups, checkpoint)?);
        Ok(())
    }

    /// Writes the spread of weights around their mean into a checkpoint, where there is one.
    pub(crate) fn write_swag(&self, checkpoint: &mut Checkpoint) {
        if let Some(swag) = &self.swag {
            swag.write(&self.layout.groups, checkpoint);
        }
    }
}
