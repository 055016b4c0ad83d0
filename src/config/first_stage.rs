//! What a second stage stands on: the table `[first-stage]`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Architecture, Config, ModelConfig, ModelOptions};
use crate::catalogue::{Spec, build};
use crate::data::Shape;
use crate::distributions::{LIKELIHOODS, Support};
use crate::error::{Error, Result};
use crate::nn::NETWORKS;
use crate::problems::Problems;

/// The likelihood of codes where none is chosen: a Gaussian whose σ is learnt, as in Dai & Wipf 2019.
pub(super) const OF_CODES: &str = "gaussian-shared";

/// A trained model that is frozen, and on whose codes another is trained.
///
/// A run keeps it with its own checkpoint, so that it is opened again without the run that it was taken from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FirstStage {
    /// The folder of the run that it was taken from.
    pub run: String,
    /// That run's seed, by which rows are split into training and test rows, so that no test row has been seen.
    pub seed: u64,
    /// Its model.
    pub model: ModelConfig,
}

/// What a file says of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FirstStageOptions {
    run: String,
    seed: u64,
    model: ModelOptions,
}

impl FirstStageOptions {
    /// The keys of the table, in the order of its fields.
    pub const KEYS: [&str; 3] = ["run", "seed", "model"];

    /// What is meant.
    ///
    /// # Errors
    /// If something is given, and what is short for it as well.
    pub fn made(&self) -> Result<FirstStage> {
        let mut model = ModelConfig::default();
        self.model.lay_over(&mut model)?;
        Ok(FirstStage { run: self.run.clone(), seed: self.seed, model })
    }
}

impl FirstStage {
    /// The model of a run, as a second stage would stand on it.
    ///
    /// # Errors
    /// If the folder cannot be named from elsewhere, or the run is a second stage itself.
    pub fn of(run: &Path, config: &Config) -> Result<FirstStage> {
        if config.first_stage.is_some() {
            return Err(Error::invalid(format!(
                "{} is a second stage itself, and a third is not supported: give the run that it stands on, or another",
                run.display()
            )));
        }
        let run = std::path::absolute(run).map_err(Error::io("find", run))?;
        Ok(FirstStage {
            run: run.to_string_lossy().into_owned(),
            seed: config.training.seed,
            model: config.model.clone(),
        })
    }

    /// Notes what is wrong with it, and with the model `second` that stands on it.
    pub(super) fn check(&self, second: &ModelConfig, batch: usize, problems: &mut Problems) {
        self.model.check(batch.max(2), problems);
        problems.note(
            self.model.explains_gaps(),
            format!(
                "{} has learnt why values are missing (`missing-mechanism` is {}), which a second stage does not pass on: give another run",
                self.run, self.model.missing_mechanism
            ),
        );
        problems.note(
            !second.kind.is_variational,
            format!(
                "a second stage takes the place of a prior, and a model of `kind` {} has none: leave it out",
                second.kind
            ),
        );
        let Ok(likelihood) = build(LIKELIHOODS, &second.likelihood) else { return };
        problems.note(
            second.kind.is_variational && likelihood.support() != Support::Real,
            format!(
                "a second stage is about codes, which are any numbers, and the likelihood `{}` is not for those: leave it \
                 out, or choose one for any values, such as {OF_CODES}",
                second.likelihood
            ),
        );
    }
}

impl Config {
    /// The usual settings of a second stage on a trained model: those of a preset, but for the data, which is the model's
    /// own, as many dimensions as the model has, a likelihood of codes, and a network of codes where the preset's is for pictures.
    pub(super) fn standing_on(mut self, first: &FirstStage, of: &Config) -> Config {
        self.data = of.data.clone();
        self.model.kind = Architecture::default();
        self.model.latent = first.model.latent;
        self.model.likelihood = Spec::new(OF_CODES);
        let codes = Shape::vector(first.model.latent);
        if !build(NETWORKS, &self.model.encoder).is_ok_and(|network| network.refusal(codes, codes).is_none()) {
            self.model.encoder = ModelConfig::default().encoder;
        }
        self.first_stage = Some(first.clone());
        self
    }

    /// What decides how rows are split, and which are made up: the seed, or that of the run which a second stage stands on.
    pub fn data_seed(&self) -> u64 {
        self.first_stage.as_ref().map_or(self.training.seed, |first| first.seed)
    }

    /// What rows of data are learnt by: the model, or the one that it stands on.
    pub fn model_of_rows(&self) -> &ModelConfig {
        self.first_stage.as_ref().map_or(&self.model, |first| &first.model)
    }
}
