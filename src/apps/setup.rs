//! From a configuration to a model.

use std::sync::Arc;

use crate::config::{Likelihood as Choice, ModelConfig, ModelKind};
use crate::distributions::{Bernoulli, Gaussian, LearnedGaussian, Likelihood};
use crate::models::{Autoencoder, Model, Vae};

/// The model that a configuration describes, for data of so many features.
pub fn build_model(config: &ModelConfig, features: usize) -> Box<dyn Model> {
    let likelihood: Arc<dyn Likelihood> = match config.likelihood {
        Choice::Bernoulli => Arc::new(Bernoulli),
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
