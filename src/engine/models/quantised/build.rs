//! How models of quantised codes are made of settings, and what does not go with them.

use std::sync::Arc;

use super::grid::Grid;
use super::level::Level;
use super::quantiser::Quantiser;
use super::top::{NAME, Top};
use super::vq_vae::VqVae;
use crate::catalogue::{self, Kind, Spec};
use crate::data::Shape;
use crate::distributions::{Heads, INDEX_PRIORS, IndexPrior, LIKELIHOODS};
use crate::error::{Error, Result};
use crate::models::checks::{check_beta, check_not_chosen, is_over_indices};
use crate::models::networks::Networks;
use crate::models::{Model, ModelConfig, RowForm};
use crate::nn::NETWORKS;
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

/// What a model of quantised codes is, besides its networks.
pub(super) struct Codes<G, Q> {
    /// How the numbers of a code, and the picture that it is, are encodings.
    pub grid: G,
    /// What becomes of those.
    pub quantiser: Q,
    /// β, the weight of the commitment.
    pub commitment: f64,
    /// Whether there is a level above.
    pub has_top: bool,
}

/// A model of settings for rows of a form.
pub(super) fn build<G, Q>(config: &ModelConfig, form: RowForm, codes: Codes<G, Q>) -> Result<Box<dyn Model>>
where
    G: FnOnce(usize, [usize; 2]) -> std::result::Result<Grid, String>,
    Q: Fn(Grid) -> Arc<dyn Quantiser>,
{
    let latent = config.latent;
    let likelihood = Heads::of(form.schema, &catalogue::build(LIKELIHOODS, &config.likelihood)?);
    let sizes = RowForm { condition: 0, ..form }.sizes();
    let outputs = likelihood.outputs(sizes.features());
    let networks = Networks::new(sizes, latent, config.networks(sizes)?, latent, outputs);
    let grid = (codes.grid)(latent, networks.image_of_codes()).map_err(Error::invalid)?;
    let level = |name, grid| Level { name, grid, quantiser: (codes.quantiser)(grid) };
    let top = codes.has_top.then(|| top(&networks, grid, level)).transpose()?;
    let spec = config.prior_of_codes();
    let prior: Arc<dyn IndexPrior> = catalogue::build(INDEX_PRIORS, &spec)?;
    let (bottom, commitment) = (level(None, grid), codes.commitment as f32);
    let model = VqVae { networks, likelihood, bottom, top, commitment, prior };
    match model.prior.refusal(model.index_count()) {
        None => Ok(Box::new(model)),
        Some(why) => Err(Error::invalid(format!("the prior `{spec}` cannot be over the codes of this model: {why}"))),
    }
}

/// The level above codes that lie so, whose vectors are as many at each place and as wide.
fn top(networks: &Networks, grid: Grid, level: impl Fn(Option<&'static str>, Grid) -> Level) -> Result<Top> {
    let (inwards, picture) = networks.shrunk_again().ok_or_else(|| Error::invalid(NO_PICTURE))?;
    let top = Grid { image: inwards.image_of_codes(picture), ..grid };
    let why = match picture {
        Shape { height: 1, width: 1, .. } => Some("it is one pixel".to_string()),
        _ => inwards.refusal(picture, Shape::vector(top.encodings() * top.dimensions)),
    };
    if let Some(why) = why {
        return Err(Error::invalid(format!(
            "the picture of {picture} that the encoder leads to cannot be shrunk again, as a model of two `levels` does: {why}; leave more \
             of it (a smaller `shrink` of the network, or larger pictures), or have levels=1"
        )));
    }
    let outwards = inwards.mirror();
    Ok(Top { level: level(Some(NAME), top), inwards, outwards, picture, channels: grid.groups * grid.dimensions })
}

/// Why a network has no second level.
const NO_PICTURE: &str = "a model of two `levels` shrinks the picture that its encoder leads to once more, and codes of this encoder are no \
                          picture: choose one whose codes are, `encoder` resnet:code=spatial, or have levels=1";

/// What [`check`] notes, and two levels over codes that are no pictures.
pub(super) fn check_levels(config: &ModelConfig, rows: usize, problems: &mut Problems) {
    check(config, rows, problems);
    let is_flat = catalogue::build(NETWORKS, &config.encoder).is_ok_and(|encoder| encoder.shrunk_again().is_none());
    problems.note(config.kind.settings().whole("levels") > 1 && is_flat, NO_PICTURE.to_string());
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
