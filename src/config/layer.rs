//! What one source of settings says: a file, or the command line.

use serde::Deserialize;

use super::first_stage::FirstStageOptions;
use super::{Config, DataOptions, DeviceOptions, ModelOptions, Preset, TrainingOptions};
use crate::error::Result;

/// What is given of [`Config`]; all that is not stays `None`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Layer {
    /// Settings that go well together, from which the others depart
    #[cfg_attr(feature = "cli", arg(long, value_name = "NAME", display_order = 0))]
    pub preset: Option<Preset>,
    /// What is learnt from.
    #[cfg_attr(feature = "cli", command(flatten))]
    pub data: DataOptions,
    /// What learns.
    #[cfg_attr(feature = "cli", command(flatten))]
    pub model: ModelOptions,
    /// How it learns.
    #[cfg_attr(feature = "cli", command(flatten))]
    pub training: TrainingOptions,
    /// Where it is computed.
    #[cfg_attr(feature = "cli", command(flatten))]
    pub device: DeviceOptions,
    /// What it stands on, where it is a second stage; of files only.
    #[cfg_attr(feature = "cli", arg(skip))]
    pub(super) first_stage: Option<FirstStageOptions>,
}

impl Layer {
    /// Puts what is given in place of what was; the preset has been seen to.
    ///
    /// # Errors
    /// If something is given, and what is short for it as well.
    pub fn lay_over(&self, config: &mut Config) -> Result<()> {
        self.data.lay_over(&mut config.data)?;
        self.model.lay_over(&mut config.model)?;
        self.training.lay_over(&mut config.training)?;
        self.device.lay_over(&mut config.device)?;
        if let Some(first) = &self.first_stage {
            config.first_stage = Some(first.made()?);
        }
        config.name_pieces();
        Ok(())
    }
}
