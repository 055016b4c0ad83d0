//! What learns: the table `[model]`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Preset;
use super::problems::Problems;
use crate::nn::Activation;

/// The most units in one layer, and the most latent dimensions.
const MAX_WIDTH: u64 = 1 << 16;
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
    /// The nonlinearity after every hidden layer.
    pub activation: Activation,
    /// The density p(x|z) that the decoder gives the parameters of.
    pub likelihood: Likelihood,
    /// Standard deviation of the likelihood `gaussian`, in the units of the data, the same for all features.
    pub sigma: f64,
    /// Weight of the KL term in the loss: `loss = reconstruction + beta · kl`.
    pub beta: f64,
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
}

/// The density p(x|z) of a row given its code; its negative logarithm is the reconstruction term of the loss.
///
/// A plain autoencoder has no density, but similar terms under other names: `bernoulli` is binary cross-entropy, and
/// `gaussian` is the squared error, summed over features. So `bce` and `mse` are understood too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Likelihood {
    /// For values from 0 to 1: binary cross-entropy, also called bce
    #[default]
    #[serde(alias = "bce")]
    #[value(alias = "bce")]
    Bernoulli,
    /// For any values: squared error over 2 sigma^2, sigma being fixed, also called mse
    #[serde(alias = "mse")]
    #[value(alias = "mse")]
    Gaussian,
    /// For any values: like gaussian, with a variance that is learnt
    GaussianLearned,
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
        })
    }
}

impl ModelConfig {
    /// Units of each hidden layer of the decoder, from the latent space outwards.
    pub fn decoder_widths(&self) -> Vec<usize> {
        self.decoder_hidden.clone().unwrap_or_else(|| self.hidden.iter().rev().copied().collect())
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        check_widths("hidden", &self.hidden, problems);
        if let Some(widths) = &self.decoder_hidden {
            check_widths("decoder-hidden", widths, problems);
        }
        problems.within("latent", self.latent as u64, 1..=MAX_WIDTH);
        problems.positive("sigma", self.sigma, "1");
        problems.note(
            self.likelihood != Likelihood::Gaussian && self.sigma.is_finite() && self.sigma != 1.0,
            "`sigma` is only for the likelihood `gaussian`: leave it out, or choose that likelihood",
        );
        problems.not_negative("beta", self.beta, "1");
        if self.kind == ModelKind::Ae {
            problems.note(
                self.likelihood == Likelihood::Gaussian && self.sigma.is_finite() && self.sigma != 1.0,
                "a plain autoencoder (`kind` ae) minimises the squared error, which `sigma` has no part in: leave it out",
            );
            problems.note(
                self.beta.is_finite() && self.beta != 1.0,
                "`beta` weighs the KL term, and a plain autoencoder (`kind` ae) has none: leave it out, or train a vae",
            );
            problems.note(
                self.likelihood == Likelihood::GaussianLearned,
                "a plain autoencoder (`kind` ae) has no variance to learn: choose the likelihood `bernoulli` (bce) or \
                 `gaussian` (mse), or train a vae",
            );
        }
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
