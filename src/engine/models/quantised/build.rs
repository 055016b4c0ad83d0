//! How models of quantised codes are made of settings, and what does not go with them.

use std::sync::Arc;

use super::grid::Grid;
use super::quantiser::Quantiser;
use super::vq_vae::VqVae;
use crate::catalogue::{self, Kind, Spec};
use crate::distributions::{Heads, INDEX_PRIORS, IndexPrior, LIKELIHOODS};
use crate::error::{Error, Result};
use crate::models::checks::{check_beta, check_not_chosen, is_over_indices};
use crate::models::networks::Networks;
use crate::models::{Model, ModelConfig, RowForm};
use crate::problems::Problems;

/// The prior over indices where none is chosen.
const USUAL_PRIOR: &str = "uniform";

impl ModelConfig {
    /// The prior of the codes: the one that is chosen, or of quantised codes, where that is the usual one of numbers, the one by which all
    /// indices are as likely.
    pub fn prior_of_codes(&self) -> Spec {
        match self.kind.quantises && !is_over_indices(&self.prior) {
            true => Spec::new(USUAL_PRIOR),
            false => self.prior.clone(),
        }
    }
}

/// A model of settings for rows of a form: `grid` says of the numbers of a code and the picture that it is how they are encodings,
/// `quantiser` what becomes of those, and β is the weight of the commitment.
pub(super) fn build(
    config: &ModelConfig,
    form: RowForm,
    grid: impl FnOnce(usize, [usize; 2]) -> std::result::Result<Grid, String>,
    (quantiser, commitment): (impl FnOnce(Grid) -> Arc<dyn Quantiser>, f64),
) -> Result<Box<dyn Model>> {
    let latent = config.latent;
    let likelihood = Heads::of(form.schema, &catalogue::build(LIKELIHOODS, &config.likelihood)?);
    let sizes = RowForm { condition: 0, ..form }.sizes();
    let outputs = likelihood.outputs(sizes.features());
    let networks = Networks::new(sizes, latent, config.networks(sizes)?, latent, outputs);
    let grid = grid(latent, networks.image_of_codes()).map_err(Error::invalid)?;
    let spec = config.prior_of_codes();
    let prior: Arc<dyn IndexPrior> = catalogue::build(INDEX_PRIORS, &spec)?;
    let model = VqVae { networks, likelihood, grid, quantiser: quantiser(grid), commitment: commitment as f32, prior };
    match model.prior.refusal(model.index_grid()) {
        None => Ok(Box::new(model)),
        Some(why) => Err(Error::invalid(format!("the prior `{spec}` cannot be over the codes of this model: {why}"))),
    }
}

/// Notes a KL to weigh, a posterior or an objective, of which there are none to choose, and a prior that is not over indices.
pub(super) fn check(config: &ModelConfig, _: usize, problems: &mut Problems) {
    check_beta(config, "; what draws encodings to a codebook is `commitment`", problems);
    check_not_chosen(config, &[Kind::Posterior, Kind::Objective], problems);
    problems.note(
        !is_over_indices(&config.prior) && config.prior != ModelConfig::default().prior,
        format!(
            "the prior `{}` is over numbers, and codes of a model of `kind` {} are indices: use the prior `pixelcnn`, or leave it out",
            config.prior.id, config.kind.about.id
        ),
    );
}
