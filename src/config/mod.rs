//! Everything that decides how a training run goes, in one place: [`Config`].
//!
//! A configuration is put together in layers, the later ones over the earlier: a [`Preset`], then a TOML file, then the
//! command line. The same words are used everywhere: the key `learning-rate` is the option `--learning-rate`.
//!
//! ```toml
//! preset = "classic"        # where all that is not said here comes from
//!
//! [data]
//! source = "mnist"          # a path, or "sprites"
//!
//! [model]
//! encoder = "mlp:400"
//! latent = 20
//!
//! [training]
//! epochs = 10
//! learning-rate = 1e-3
//!
//! [device]
//! device = "auto"
//! ```
//!
//! Each setting is declared once, in the file of its table: what it is, its option and key, what it usually is, and its bounds. A
//! [`Layer`] is what one source says, be it a file or the command line.
//!
//! [`Config::validate`] finds what makes no sense before anything is computed, all of it at once. What can only be known
//! once the data has been read (that there are enough rows, say) is checked where it is read.

mod augment;
mod chosen;
mod data;
#[cfg(all(test, feature = "cli"))]
mod declared;
mod device;
mod file;
mod first_stage;
mod keys;
mod layer;
mod options;
mod preset;
#[cfg(test)]
mod tests;
mod training;

use serde::Serialize;

pub use crate::models::{Architecture, ModelConfig, ModelOptions};
pub use crate::nn::Activation;
pub use augment::Augment;
pub use chosen::Chosen;
pub use data::{Binarise, DataConfig, DataOptions};
pub use device::{DeviceChoice, DeviceConfig, DeviceList, DeviceOptions};
pub(crate) use file::Named;
#[cfg(feature = "cli")]
pub(crate) use file::names_preset;
pub use first_stage::FirstStage;
pub use layer::Layer;
pub use options::{Keyword, Takes, keywords};
pub use preset::Preset;
pub use training::{Schedule, TrainingConfig, TrainingOptions};

use crate::error::Result;
use crate::problems::Problems;

/// The name of the file in a run's folder that holds its settings.
pub const FILE_NAME: &str = "config.toml";

/// All settings of `elbo train`. The default is the preset [`Preset::Sprites`].
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Config {
    /// Where the settings come from that nobody gave.
    pub preset: Preset,
    /// What is learnt from.
    pub data: DataConfig,
    /// What learns.
    pub model: ModelConfig,
    /// How it learns.
    pub training: TrainingConfig,
    /// Where it is computed.
    pub device: DeviceConfig,
    /// What it stands on, where it is a second stage.
    pub first_stage: Option<FirstStage>,
}

impl Config {
    /// Writes pieces in the one way that a file has them, so that equal settings are equal.
    pub(crate) fn name_pieces(&mut self) {
        self.model.name_pieces();
        self.training.name_pieces();
        if let Some(first) = &mut self.first_stage {
            first.model.name_pieces();
        }
    }

    /// Looks for settings that make no sense, alone or together.
    ///
    /// # Errors
    /// When there are any: [`crate::error::Error::Invalid`], with all of them and what to do.
    pub fn validate(&self) -> Result<()> {
        let mut problems = Problems::default();
        self.data.check(&mut problems);
        self.model.check(self.training.batch, &mut problems);
        self.training.check(&mut problems);
        problems.all(self.device.out_of_bounds());
        self.data.check_kind(&self.model.kind, &mut problems);
        self.training.check_kind(&self.model.kind, &self.preset.config().training, &mut problems);
        problems.note(
            self.model.kind.stands_on_vae && self.first_stage.is_none(),
            format!(
                "`kind` is {0}, a model over the codes of a VAE, and there is no VAE: train one first, and \
                 give its run as `first-stage`",
                self.model.kind
            ),
        );
        let (weights, optimiser) = (&self.model.network_weights.id, &self.training.optimiser.id);
        problems.note(
            weights != "point" && optimiser == "adamw",
            format!(
                "the `optimiser` adamw draws every parameter towards 0, and of the `network-weights` {weights} that makes the spread of \
                 every weight wide: use adam, the prior of the weights does what decay does"
            ),
        );
        problems.note(
            weights != "point" && self.training.members > 1,
            format!(
                "`members` is {}, and of the `network-weights` {weights} every model is a distribution of models already: leave one of the two \
                 out",
                self.training.members
            ),
        );
        problems.note(
            weights != "point" && self.training.swag > 0,
            format!("`swag` is a distribution of the weights, and `network-weights` {weights} another: leave one of the two out"),
        );
        problems.note(
            self.training.corrupt.is_some() && self.first_stage.is_some(),
            "`corrupt` is about rows of data, and a second stage learns from codes: leave it out, or give it to the first stage",
        );
        problems.note(
            self.model.explains_gaps() && self.first_stage.is_some(),
            "`missing-mechanism` is about rows of data, and a second stage learns from codes, of which none is missing: leave it out, or give \
             it to the first stage",
        );
        if let Some(first) = &self.first_stage {
            first.check(&self.model, self.training.batch, &mut problems);
        }
        problems.into_result()
    }

    /// The settings that a run which was begun with others would have to change to be one of these: what changes no number may change,
    /// as may how many epochs and members there are and the place that the same data lies in.
    pub(crate) fn changes_of_run(&self, before: &Config) -> Vec<String> {
        let mut same = self.clone();
        same.data.source.clone_from(&before.data.source);
        same.device = before.device.clone();
        let (ours, theirs) = (&mut same.training, &before.training);
        ours.epochs = theirs.epochs;
        ours.members = theirs.members;
        // How long to wait may change; whether the best weights are kept may not.
        if theirs.patience.is_some() && ours.patience.is_some() {
            ours.patience = theirs.patience;
        }
        ours.log_every = theirs.log_every;
        ours.checkpoint_every = theirs.checkpoint_every;
        ours.checkpoint_minutes = theirs.checkpoint_minutes;
        ours.retries = theirs.retries;
        ours.steps_per_submit = theirs.steps_per_submit;
        before.differences(&same)
    }

    /// Fits the warm-up of the KL term into a run of fewer epochs than it was meant for: a quarter of it at most, and nothing where there
    /// is no KL term.
    pub(crate) fn fit_warm_up(&mut self) {
        let training = &mut self.training;
        if !self.model.kind.is_variational {
            training.kl_warmup_epochs = 0;
        } else if training.kl_cycle_epochs == 0 {
            training.kl_warmup_epochs = training.kl_warmup_epochs.min(training.epochs / 4);
        }
    }

    /// A name for the run, such as `vae-sprites` or `ae-mnist`: the kind of the model and the last part of the source.
    pub fn run_name(&self) -> String {
        let source = std::path::Path::new(&self.data.source);
        let stem = source.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or("data".into());
        let safe: String =
            stem.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
        match &self.first_stage {
            None => format!("{}-{safe}", self.model.kind.about.id),
            Some(first) => format!("{}-on-{}-{safe}", self.model.kind.about.id, first.model.kind.about.id),
        }
    }
}
