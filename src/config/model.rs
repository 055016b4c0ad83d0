//! What learns: the table `[model]`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::problems::Problems;
use super::{Preset, layers, pieces};
use crate::catalogue::Spec;
use crate::models::Recognition;
use crate::nn::Activation;

/// The most units in one layer, and the most latent dimensions.
pub(super) const MAX_WIDTH: u64 = 1 << 16;
/// The most hidden layers on one side.
const MAX_DEPTH: usize = 64;

/// What learns: an encoder, a latent space and a decoder, both multilayer perceptrons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelConfig {
    /// Variational or plain.
    pub kind: ModelKind,
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

/// Which model is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// Variational autoencoder: codes are distributions, and new data can be drawn from it
    #[default]
    Vae,
    /// Plain autoencoder: codes are points, and only the reconstruction is learnt
    Ae,
    /// Conditional VAE: encoder and decoder are told the label of each row, or numbers
    Cvae,
    /// M2: a semi-supervised VAE that learns labels from some rows and the rest from all
    M2,
    /// The classifier of M2 alone, trained on the labelled rows
    Classifier,
    /// M1+M2: an M2 over the codes of a VAE that was trained before, without labels
    #[serde(rename = "m1+m2")]
    #[value(name = "m1+m2")]
    M1M2,
    /// VAE of several stochastic layers, inferred from the data upwards
    Hierarchical,
    /// Ladder VAE: several stochastic layers, inferred from the top down
    Ladder,
}

impl ModelKind {
    /// Whether it is told something of every row, or of some.
    pub fn is_conditional(self) -> bool {
        matches!(self, ModelKind::Cvae) || self.is_semi_supervised()
    }

    /// Whether it learns labels from some rows and the rest from all.
    pub fn is_semi_supervised(self) -> bool {
        matches!(self, ModelKind::M2 | ModelKind::M1M2 | ModelKind::Classifier)
    }

    /// How the codes of its stochastic layers are inferred, if it has several.
    pub fn recognition(self) -> Option<Recognition> {
        match self {
            ModelKind::Hierarchical => Some(Recognition::BottomUp),
            ModelKind::Ladder => Some(Recognition::Ladder),
            _ => None,
        }
    }

    /// Whether it has codes with a prior, and so an ELBO.
    pub fn is_variational(self) -> bool {
        !matches!(self, ModelKind::Ae | ModelKind::Classifier)
    }
}

impl Default for ModelConfig {
    fn default() -> Self {
        Preset::default().config().model
    }
}

impl fmt::Display for ModelKind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            ModelKind::Vae => "vae",
            ModelKind::Ae => "ae",
            ModelKind::Cvae => "cvae",
            ModelKind::M2 => "m2",
            ModelKind::Classifier => "classifier",
            ModelKind::M1M2 => "m1+m2",
            ModelKind::Hierarchical => "hierarchical",
            ModelKind::Ladder => "ladder",
        })
    }
}

impl ModelConfig {
    /// Units of each hidden layer of the decoder, from the latent space outwards.
    pub fn decoder_widths(&self) -> Vec<usize> {
        self.decoder_hidden.clone().unwrap_or_else(|| self.hidden.iter().rev().copied().collect())
    }

    pub(super) fn check(&self, batch: usize, problems: &mut Problems) {
        check_widths("hidden", &self.hidden, problems);
        if let Some(widths) = &self.decoder_hidden {
            check_widths("decoder-hidden", widths, problems);
        }
        problems.within("latent", self.latent as u64, 1..=MAX_WIDTH);
        problems.not_negative("beta", self.beta, "1");
        problems.not_negative("alpha", self.alpha, "1");
        layers::check_widths(self, problems);
        pieces::check(self, batch, problems);
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
