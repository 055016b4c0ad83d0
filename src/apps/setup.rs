//! From a configuration to a model.

use std::sync::Arc;

use crate::config::{Likelihood as Choice, ModelConfig, ModelKind};
use crate::data::{Dataset, Values};
use crate::distributions::{Bernoulli, Gaussian, LearnedGaussian, Likelihood, SquaredError};
use crate::error::{Error, Result};
use crate::models::{Autoencoder, Model, Vae};

/// The model that a configuration describes, for data of so many features.
pub fn build_model(config: &ModelConfig, features: usize) -> Box<dyn Model> {
    let likelihood: Arc<dyn Likelihood> = match config.likelihood {
        Choice::Bernoulli => Arc::new(Bernoulli),
        Choice::Gaussian if config.kind == ModelKind::Ae => Arc::new(SquaredError),
        Choice::Gaussian => Arc::new(Gaussian { sigma: config.sigma as f32 }),
        Choice::GaussianLearned => Arc::new(LearnedGaussian),
    };
    let decoder = config.decoder_widths();
    let hidden = (config.hidden.as_slice(), decoder.as_slice());
    match config.kind {
        ModelKind::Vae => Box::new(Vae::new(features, config.latent, hidden, config.activation, likelihood)),
        ModelKind::Ae => Box::new(Autoencoder::new(features, config.latent, hidden, config.activation, likelihood)),
    }
}

/// Says so if data holds what the likelihood cannot: the Bernoulli wants values from 0 to 1.
pub(super) fn check_values(config: &ModelConfig, data: &Dataset) -> Result<()> {
    let (Choice::Bernoulli, Values::Floats(values)) = (config.likelihood, &data.values) else {
        return Ok(());
    };
    let Some(at) = values.iter().position(|value| !(0.0..=1.0).contains(value)) else {
        return Ok(());
    };
    let features = data.shape.features();
    Err(Error::invalid(format!(
        "the data {} holds {} in row {}, column {}, and the likelihood bernoulli is for values from 0 to 1: choose the \
         likelihood gaussian, or scale the data",
        data.name,
        values[at],
        at / features,
        at % features
    )))
}
