//! What one source of settings says: a file, or the command line.

use serde::Deserialize;

use super::first_stage::FirstStageOptions;
use super::{Config, DataOptions, DeviceOptions, ModelOptions, Named, Preset, TrainingOptions};
use crate::catalogue::{Piece, find};
use crate::error::{Error, Result};
use crate::models::{OwnTraining, StochasticLayers};
use crate::nn::{ACTIVATION, NETWORKS};

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

    /// Puts what is given in place of what was, and fits to it what nobody gave: the warm-up of the KL term into fewer epochs, of a
    /// model that is trained in a way of its own that, and what does not go with SWAG. `named` is what was given elsewhere.
    ///
    /// # Errors
    /// As for [`Layer::lay_over`].
    pub(crate) fn lay_over_and_fit(&self, config: &mut Config, named: &Named) -> Result<()> {
        self.lay_over(config)?;
        self.check_networks(config)?;
        let training = &self.training;
        let is_given = training.kl_warmup_epochs.is_some() || named.has("training", &["kl-warmup-epochs"]);
        if !is_given && (training.epochs.is_some() || !config.model.kind.is_variational) {
            config.fit_warm_up();
        }
        if let Some(own) = config.model.kind.training {
            self.fit_training(&own, config, named)?;
        }
        if config.training.swag > 0 {
            self.fit_swag(config, named);
        }
        Ok(())
    }

    /// Says so if networks or codes are given to a model that shapes its own.
    fn check_networks(&self, config: &Config) -> Result<()> {
        let (kind, given) = (&config.model.kind, &self.model);
        let all = [
            (given.encoder.is_some(), "encoder"),
            (given.hidden.is_some(), "hidden"),
            (given.activation.is_some(), "activation"),
            (given.latent.is_some(), "latent"),
        ];
        match all.into_iter().find(|(is_given, _)| *is_given && kind.layers == Some(StochasticLayers::TopDown)) {
            None => Ok(()),
            Some((_, name)) => Err(Error::invalid(format!(
                "`{name}` (--{name}) is given, and a model of `kind` (--model) {kind} has networks and codes of its own: leave it out, and give \
                 what you want as settings of the model, such as very-deep:width=32,activation=silu,channels=4"
            ))),
        }
    }

    /// Leaves out what picks other weights than SWAG does, where it was not given.
    fn fit_swag(&self, config: &mut Config, named: &Named) {
        let (training, given) = (&mut config.training, &self.training);
        if given.patience.is_none() && !named.has("training", &["patience"]) {
            training.patience = None;
        }
        if given.average.is_none() && !named.has("training", &["average"]) {
            training.average = 0.0;
        }
    }

    /// Trains a model as it is usual for it, in all that was not given; and without patience.
    fn fit_training(&self, own: &OwnTraining, config: &mut Config, named: &Named) -> Result<()> {
        let (model, given) = (&self.model, &self.training);
        let is_open = |is_given: bool, table: &str, keys: &[&str]| !is_given && !named.has(table, keys);
        let parts = [given.beta1, given.beta2, given.epsilon];
        let moves = given.optimiser.is_some() || parts.iter().any(Option::is_some);
        if is_open(moves, "training", &["optimiser", "beta1", "beta2", "epsilon"]) {
            config.training.optimiser = own.optimiser.parse()?;
        }
        if is_open(given.learning_rate.is_some(), "training", &["learning-rate"]) {
            config.training.learning_rate = own.learning_rate;
        }
        if is_open(given.patience.is_some(), "training", &["patience"]) {
            config.training.patience = None;
        }
        let bends = model.encoder.is_some() || model.decoder.is_some() || model.activation.is_some();
        let encoder = &mut config.model.encoder;
        let bent = |network: &Piece<_>| network.about.settings.iter().any(|setting| setting.name == ACTIVATION.name);
        if let (true, Some(activation), true) = (
            is_open(bends, "model", &["encoder", "decoder", "activation"]),
            own.activation,
            find(NETWORKS, encoder).is_ok_and(bent),
        ) {
            *encoder = encoder.clone().with(ACTIVATION.name, activation);
        }
        Ok(())
    }
}
