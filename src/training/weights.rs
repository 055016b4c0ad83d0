//! A session's parameters as named tensors, on their way into a checkpoint and out of it.

use super::checkpoint::{Checkpoint, NamedTensor};
use super::session::Session;
use crate::error::{Error, Result};
use crate::program::{Parameter, ParameterSet};

impl Session {
    /// A flat buffer of the trained parameters as named tensors.
    pub fn tensors(&mut self, buffer: &str, prefix: &str) -> Result<Vec<NamedTensor>> {
        let set = self.set.clone();
        self.tensors_of(&set, buffer, prefix)
    }

    /// The values of all parameters: those that are trained, then those that are frozen.
    ///
    /// # Errors
    /// If the device fails.
    pub fn values(&mut self) -> Result<Vec<NamedTensor>> {
        let [set, frozen] = [self.set.clone(), self.frozen.clone()];
        let mut all = self.tensors_of(&set, &set.values(), "")?;
        all.extend(self.tensors_of(&frozen, &frozen.values(), "")?);
        Ok(all)
    }

    fn tensors_of(&mut self, set: &ParameterSet, buffer: &str, prefix: &str) -> Result<Vec<NamedTensor>> {
        if set.parameters.is_empty() {
            return Ok(vec![]);
        }
        let flat = self.executor.read_f32(buffer)?;
        let named =
            |p: &Parameter| (format!("{prefix}{}", p.name), p.shape.clone(), flat[p.offset..][..p.len()].to_vec());
        Ok(set.parameters.iter().map(named).collect())
    }

    /// Writes a flat buffer of the trained parameters from a checkpoint's tensors.
    ///
    /// # Errors
    /// If a tensor is missing or has another shape: the checkpoint is of another architecture. Nothing is written then.
    pub fn restore(&mut self, buffer: &str, prefix: &str, checkpoint: &Checkpoint) -> Result<()> {
        if self.set.parameters.is_empty() {
            return Ok(());
        }
        let flat = flat(&self.set, prefix, checkpoint)?;
        self.executor.write_f32(buffer, &flat)
    }

    /// Writes the frozen parameters from a checkpoint's tensors. A program that reads them must be loaded.
    ///
    /// # Errors
    /// As for [`Session::restore`].
    pub fn freeze(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        if self.frozen.parameters.is_empty() {
            return Ok(());
        }
        let flat = flat(&self.frozen, "", checkpoint)?;
        self.executor.write_f32(&self.frozen.values(), &flat)
    }

    /// Writes the values of all parameters, trained and frozen, from a checkpoint's tensors.
    ///
    /// # Errors
    /// As for [`Session::restore`].
    pub fn restore_values(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let values = self.set.values();
        self.restore(&values, "", checkpoint)?;
        self.freeze(checkpoint)
    }
}

/// The flat buffer of a set, from a checkpoint's tensors.
fn flat(set: &ParameterSet, prefix: &str, checkpoint: &Checkpoint) -> Result<Vec<f32>> {
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
