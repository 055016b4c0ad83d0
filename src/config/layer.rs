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

    /// Puts what is given in place of what was, and fits to it what nobody gave: the warm-up of the KL term into fewer epochs, and of a
    /// model that has an optimiser and a learning rate of its own those. `warms_up` says whether the warm-up was given elsewhere.
    ///
    /// # Errors
    /// As for [`Layer::lay_over`].
    pub fn lay_over_and_fit(&self, config: &mut Config, warms_up: bool) -> Result<()> {
        self.lay_over(config)?;
        let training = &self.training;
        let is_given = training.kl_warmup_epochs.is_some() || warms_up;
        if !is_given && (training.epochs.is_some() || !config.model.kind.is_variational) {
            config.fit_warm_up();
        }
        self.fit_training(config);
        Ok(())
    }

    /// Trains a model that has an optimiser and a learning rate of its own by these, where they are still the preset's and were not given,
    /// and without patience that was not given.
    fn fit_training(&self, config: &mut Config) {
        let (Some(own), preset) = (config.model.kind.training, config.preset.config().training) else { return };
        let given = &self.training;
        let parts = [given.beta1, given.beta2, given.epsilon];
        let optimiser = given.optimiser.is_some() || parts.iter().any(Option::is_some);
        if let (true, Ok(spec)) = (!optimiser && config.training.optimiser == preset.optimiser, own.optimiser.parse()) {
            config.training.optimiser = spec;
        }
        if given.learning_rate.is_none() && config.training.learning_rate == preset.learning_rate {
            config.training.learning_rate = own.learning_rate;
        }
        if given.patience.is_none() {
            config.training.patience = None;
        }
    }
}
