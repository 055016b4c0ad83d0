//! What learns: the table `[model]`.

use serde::{Deserialize, Serialize};

use super::{Architecture, checks, hierarchical};
use crate::catalogue::Spec;
use crate::nn::Activation;
use crate::problems::Problems;

/// The most units in one layer, and the most latent dimensions.
pub(super) const MAX_WIDTH: u64 = 1 << 16;
/// The most hidden layers on one side.
const MAX_DEPTH: usize = 64;

/// What learns: an encoder, a latent space and a decoder, both multilayer perceptrons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelConfig {
    /// Which model, one of [`ARCHITECTURES`](super::ARCHITECTURES).
    pub kind: Architecture,
    /// Units of each hidden layer of the encoder, from the data inwards.
    pub hidden: Vec<usize>,
    /// Units of each hidden layer of the decoder, from the latent space outwards; those of the encoder in reverse when not
    /// given.
    pub decoder_hidden: Option<Vec<usize>>,
    /// Dimensions of the latent space.
    pub latent: usize,
    /// The nonlinearity of every hidden layer.
    pub activation: Activation,
    /// The density p(x|z) that the decoder gives the parameters of, one of [`LIKELIHOODS`](crate::distributions::LIKELIHOODS).
    pub likelihood: Spec,
    /// The family q(z|x) that the encoder gives the parameters of, one of [`POSTERIORS`](crate::distributions::POSTERIORS).
    pub posterior: Spec,
    /// The density p(z) of codes before anything is seen, one of [`PRIORS`](crate::distributions::PRIORS).
    pub prior: Spec,
    /// What is minimised, one of [`OBJECTIVES`](crate::objectives::OBJECTIVES).
    pub objective: Spec,
    /// Weight of the KL term in the loss: `loss = reconstruction + beta · kl`.
    pub beta: f64,
    /// Weight of the classification of labelled rows in the loss of a semi-supervised model, α in its paper's equation 9
    /// over the number of rows.
    pub alpha: f64,
    /// Dimensions of the stochastic layers above the first, from the lower to the upper, of models that have some.
    pub upper: Option<Vec<usize>>,
}

impl Default for ModelConfig {
    /// Two layers and SiLU, and eight dimensions: for the built-in sprites.
    fn default() -> Self {
        ModelConfig {
            kind: Architecture::default(),
            hidden: vec![512, 256],
            decoder_hidden: None,
            latent: 8,
            activation: Activation::Silu,
            likelihood: Spec::new("bernoulli"),
            posterior: Spec::new("diagonal-gaussian"),
            prior: Spec::new("standard-normal"),
            objective: Spec::new("elbo"),
            beta: 1.0,
            alpha: 1.0,
            upper: None,
        }
    }
}

impl ModelConfig {
    /// Units of each hidden layer of the decoder, from the latent space outwards.
    pub fn decoder_widths(&self) -> Vec<usize> {
        self.decoder_hidden.clone().unwrap_or_else(|| self.hidden.iter().rev().copied().collect())
    }

    pub(crate) fn check(&self, batch: usize, problems: &mut Problems) {
        check_widths("hidden", &self.hidden, problems);
        if let Some(widths) = &self.decoder_hidden {
            check_widths("decoder-hidden", widths, problems);
        }
        problems.within("latent", self.latent as u64, 1..=MAX_WIDTH);
        problems.not_negative("beta", self.beta, "1");
        problems.not_negative("alpha", self.alpha, "1");
        hierarchical::check_widths(self, problems);
        checks::check_names(self, problems);
        (self.kind.check)(self, batch, problems);
    }
}

fn check_widths(key: &str, widths: &[usize], problems: &mut Problems) {
    problems.note(widths.is_empty(), format!("`{key}` is empty: give the units of at least one layer, such as 400"));
    problems.note(widths.len() > MAX_DEPTH, format!("`{key}` has {} layers: give at most {MAX_DEPTH}", widths.len()));
    let wrong = widths.iter().find(|&&width| !(1..=MAX_WIDTH).contains(&(width as u64)));
    if let Some(width) = wrong {
        let problem = format!("`{key}` has a layer of {width} units: give each layer from 1 to {MAX_WIDTH}");
        problems.note(true, problem);
    }
}
