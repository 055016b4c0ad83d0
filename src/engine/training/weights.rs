//! A session's parameters as named tensors, on their way into a checkpoint and out of it.

use super::checkpoint::{Checkpoint, NamedTensor};
use super::session::{Session, write};
use crate::error::{Error, Result};
use crate::program::{Parameter, ParameterSet};

impl Session {
    /// The values of all parameters, as all but training reads them: those that are trained, those that are assigned, then the
    /// frozen ones.
    ///
    /// # Errors
    /// If the device fails.
    pub fn values(&mut self) -> Result<Vec<NamedTensor>> {
        let mut all = Vec::new();
        for set in self.layout.read() {
            all.extend(self.tensors(&set, &set.values(), "")?);
        }
        Ok(all)
    }

    /// A flat buffer of a set as named tensors.
    ///
    /// # Errors
    /// If there is no such buffer, or the device fails.
    pub fn tensors(&mut self, set: &ParameterSet, buffer: &str, prefix: &str) -> Result<Vec<NamedTensor>> {
        if set.parameters.is_empty() {
            return Ok(vec![]);
        }
        Ok(named(set, &self.executor.read_f32(buffer)?, prefix))
    }

    /// Writes a flat buffer of a set from a checkpoint's tensors.
    ///
    /// # Errors
    /// If a tensor is missing or has another shape: the checkpoint is of another architecture. Nothing is written then.
    pub fn restore(&mut self, set: &ParameterSet, buffer: &str, prefix: &str, checkpoint: &Checkpoint) -> Result<()> {
        let flat = flat(set, prefix, checkpoint)?;
        write(&mut *self.executor, set, buffer, &flat)
    }

    /// Writes the frozen parameters from a checkpoint's tensors.
    ///
    /// # Errors
    /// As for [`Session::restore`].
    pub fn freeze(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let frozen = self.layout.frozen.clone();
        self.restore(&frozen, &frozen.values(), "", checkpoint)
    }

    /// Writes the values of all parameters, as all but training reads them, from a checkpoint's tensors.
    ///
    /// # Errors
    /// As for [`Session::restore`].
    pub fn restore_values(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.layout.read().iter().try_for_each(|set| self.restore(set, &set.values(), "", checkpoint))
    }
}

/// The flat buffer of a set as named tensors.
pub(super) fn named(set: &ParameterSet, flat: &[f32], prefix: &str) -> Vec<NamedTensor> {
    let named = |p: &Parameter| (format!("{prefix}{}", p.name), p.shape.clone(), flat[p.offset..][..p.len()].to_vec());
    set.parameters.iter().map(named).collect()
}

/// The flat buffer of a set, from a checkpoint's tensors.
pub(super) fn flat(set: &ParameterSet, prefix: &str, checkpoint: &Checkpoint) -> Result<Vec<f32>> {
    let mut flat = vec![0.0; set.words()];
    for p in &set.parameters {
        let name = format!("{prefix}{}", p.name);
        let found = checkpoint.tensors.iter().find(|t| t.0 == name);
        match found {
            Some((_, shape, values)) if *shape == p.shape => flat[p.offset..][..p.len()].copy_from_slice(values),
            Some((_, shape, _)) => {
                return Err(Error::invalid(format!(
                    "the checkpoint is of another architecture: {name} has shape {shape:?}, and the model wants {:?}; \
                     use the config.toml that stands beside the checkpoint",
                    p.shape
                )));
            }
            None => {
                return Err(Error::invalid(format!(
                    "the checkpoint is of another architecture: it has no {name}; use the config.toml that stands \
                     beside the checkpoint"
                )));
            }
        }
    }
    Ok(flat)
}
