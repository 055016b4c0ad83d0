//! Models of several stochastic layers: that there are layers, and that the pieces go with them.

use super::Recognition;
use crate::catalogue::Kind;
use crate::models::checks::check_objective;
use crate::models::{ModelConfig, Parts, StochasticLayers};
use crate::problems::Problems;

impl ModelConfig {
    /// Dimensions of the stochastic layers above the first, from the lower to the upper: as given, else one layer of half the
    /// first; none for models of one layer.
    pub fn upper_widths(&self) -> Vec<usize> {
        match (self.kind.layers, &self.upper) {
            (None | Some(StochasticLayers::TopDown), _) => vec![],
            (Some(StochasticLayers::Stack(_)), Some(widths)) => widths.clone(),
            (Some(StochasticLayers::Stack(_)), None) => vec![(self.latent / 2).max(1)],
        }
    }

    /// Whether p(z) of the codes that are encoded and drawn is a standard normal; of a stack of layers, it is the uppermost that
    /// has the prior, and codes are of the lowest.
    pub fn codes_are_standard_normal(&self) -> bool {
        self.prior.id == "standard-normal" && !matches!(self.kind.layers, Some(StochasticLayers::Stack(_)))
    }
}

/// Notes pieces that do not go with several layers.
pub(super) fn check(config: &ModelConfig, batch: usize, problems: &mut Problems) {
    let (Ok(parts), Some(StochasticLayers::Stack(recognition))) = (config.parts(), config.kind.layers) else { return };
    if config.latent > 0 && pieces_fit(config, recognition, &parts, problems) {
        check_objective(config, &parts, batch, problems);
    }
}

/// Notes where posterior and prior do not go with several layers; gives whether they do.
fn pieces_fit(config: &ModelConfig, recognition: Recognition, parts: &Parts, problems: &mut Problems) -> bool {
    let (kind, posterior, prior) = (&config.kind, &config.posterior.id, &config.prior.id);
    let top = config.upper_widths().last().copied().unwrap_or(config.latent);
    let mut fit = top > 0;
    let mut refuse = |is_wrong: bool, problem: String| {
        fit &= !is_wrong;
        problems.note(is_wrong, problem);
    };
    refuse(
        posterior != "diagonal-gaussian",
        format!(
            "the layers of a model of `kind` {kind} are inferred as diagonal Gaussians, whose precisions and divergences are \
             known, and the posterior `{posterior}` is given: leave it out, or train a vae"
        ),
    );
    let codes = parts.prior.codes();
    refuse(
        codes != crate::distributions::CodeSpace::Real,
        format!(
            "the layers of a model of `kind` {kind} are real numbers, and the prior `{prior}` is over {codes}: use another prior"
        ),
    );
    if let Some(why) = parts.prior.refusal(top) {
        let key = Kind::Prior.key();
        refuse(
            true,
            format!("the uppermost layer has {top} dimensions, which the {key} `{prior}` cannot have: {why}")
                .replace("`latent`", "last `upper`"),
        );
    }
    refuse(
        parts.prior.needs_density() && recognition == Recognition::BottomUp,
        format!(
            "the prior `{prior}` is made of the density of the uppermost codes given data, which a model of `kind` {kind} does \
             not tell, as it draws the layers between: train a ladder, or use another prior, such as `mixture`"
        ),
    );
    fit
}
