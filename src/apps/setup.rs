//! From a configuration to a model.

use std::sync::Arc;

use crate::catalogue::build;
use crate::config::{ModelConfig, ModelKind};
use crate::data::{Dataset, Values};
use crate::distributions::{LIKELIHOODS, Likelihood, SquaredError, Support};
use crate::error::{Error, Result};
use crate::models::{Autoencoder, Model, Vae};

/// The model that a configuration describes, for data of so many features.
///
/// # Errors
/// If a piece does not exist, or is given what it does not take.
pub fn build_model(config: &ModelConfig, features: usize) -> Result<Box<dyn Model>> {
    let decoder = config.decoder_widths();
    let hidden = (config.hidden.as_slice(), decoder.as_slice());
    let (latent, activation) = (config.latent, config.activation);
    Ok(match config.kind {
        ModelKind::Vae => Box::new(Vae::new(features, latent, hidden, activation, config.parts()?)),
        ModelKind::Ae => {
            let likelihood: Arc<dyn Likelihood> = match config.likelihood.id.as_str() {
                "gaussian" => Arc::new(SquaredError),
                _ => build(LIKELIHOODS, &config.likelihood)?,
            };
            Box::new(Autoencoder::new(features, latent, hidden, activation, likelihood))
        }
    })
}

/// Says so if data holds what the likelihood gives no probability.
pub(super) fn check_values(config: &ModelConfig, data: &Dataset) -> Result<()> {
    let support = build(LIKELIHOODS, &config.likelihood)?.support();
    let fits = |value: f32| match support {
        Support::Real => true,
        Support::Unit | Support::Binary => (0.0..=1.0).contains(&value),
        Support::Levels(n) => {
            let level = value * (n - 1) as f32;
            (0.0..=1.0).contains(&value) && (level - level.round()).abs() < 1e-3
        }
    };
    // Packed pixels are k/255 or 0 and 1: only some numbers of levels can miss them.
    let levels = matches!(support, Support::Levels(_));
    if !levels && !matches!(data.values, Values::Floats(_)) {
        return Ok(());
    }
    let wrong = (0..data.rows).find_map(|row| {
        let values = data.row(row);
        values.iter().position(|&value| !fits(value)).map(|column| (row, column, values[column]))
    });
    let Some((row, column, value)) = wrong else { return Ok(()) };
    let (likelihood, wanted) = (&config.likelihood, wanted(support));
    Err(Error::invalid(format!(
        "the data {} holds {value} in row {row}, column {column}, and the likelihood {likelihood} is for {wanted}: choose \
         another likelihood, such as gaussian, or scale the data",
        data.name
    )))
}

fn wanted(support: Support) -> String {
    match support {
        Support::Real => "any values".to_string(),
        Support::Unit | Support::Binary => "values from 0 to 1".to_string(),
        Support::Levels(n) => format!("the {n} values 0, 1/{}, ..., 1", n - 1),
    }
}
