//! What a model is made of, in one line.

use crate::config::Config;
use crate::data::Shape;
use crate::error::Result;
use crate::models::{StochasticLayers, described_layers};

/// The widths of a model's layers, from the data to the code, as `64 features - 512 - 256 - 2 latent`: of rows of a shape, and of a model
/// that ends in classes, so many.
///
/// # Errors
/// If the settings describe no network of such rows.
pub fn described(config: &Config, shape: Shape, classes: Option<usize>) -> Result<String> {
    let model = &config.model;
    if model.kind.layers == Some(StochasticLayers::TopDown) {
        return Ok(format!("{} features - {}", shape.features(), described_layers(model, shape)?));
    }
    let (shape, what) = match &config.first_stage {
        None => (shape, "features"),
        Some(first) => (Shape::vector(first.model.latent), "values of a code"),
    };
    let (features, hidden) = (shape.features(), model.encoder_network(shape, model.latent)?.summary());
    let upper: String = model.upper_widths().iter().map(|width| format!(" - {width}")).collect();
    let end = match classes {
        None => format!("{} latent{upper}", model.latent),
        Some(classes) => format!("{classes} classes"),
    };
    Ok(format!("{features} {what} - {hidden} - {end}"))
}
