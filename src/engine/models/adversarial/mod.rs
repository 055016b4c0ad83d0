//! Adversarial models: something is learnt by fooling a critic, a network that learns to tell what is made from what is real.
//!
//! Two mistakes are impossible by the way that these models are put together. A loss is differentiated by the parameters of the groups
//! that minimise it and by no others ([`GroupLoss`](super::GroupLoss)), so that no step along one undoes a step along another. And a
//! critic sees real rows and made ones in calls of its own, so that a network that normalises over rows never mixes the two.

mod aae;
mod ali;
mod avb;
mod beside;
mod critic;
mod factor_vae;
mod gan;
mod loss;
mod penalty;
mod permutation;
#[cfg(test)]
mod tests;
mod vae_gan;

pub use aae::Aae;
pub use avb::LOG_RATIO;
pub use critic::{Critic, Judged};
pub use factor_vae::FactorVae;
pub use gan::{Gan, GanOptions};
pub use loss::AdversarialLoss;
pub use penalty::gradient_penalty;
pub use permutation::permuted;
pub use vae_gan::VaeGan;

pub(super) use aae::ENTRY as AAE;
pub(super) use ali::ENTRY as ALI;
pub(super) use avb::ENTRY as AVB;
pub(super) use factor_vae::ENTRY as FACTOR_VAE;
pub(super) use gan::ENTRY as GAN;
pub(super) use vae_gan::ENTRY as VAE_GAN;

use strum::VariantNames;

use crate::catalogue::{Bounds, Setting, Usual};
use crate::nn::UNITS;
use penalty::check_no_penalty;

/// The group of a critic's parameters, and their scope.
const CRITIC: &str = "discriminator";

/// The optimiser of a critic beside an autoencoder, which the run's moves: less momentum suits games (Radford et al. 2016, section 4).
const CRITICS_OPTIMISER: &str = "adam:beta1=0.5";

/// The most hidden layers of a critic of codes.
const MAX_LAYERS: usize = 16;

/// The setting of models with a critic of codes.
const HIDDEN: Setting = Setting {
    name: "hidden",
    default: Usual::Numbers(&[256.0, 256.0]),
    bounds: Bounds::UpTo(MAX_LAYERS, &UNITS),
    meaning: "units of the layers of the critic of codes, whose nonlinearity is the encoder's",
};

/// The setting of models of which rows are fooled with.
const LOSS: Setting = Setting {
    name: "loss",
    default: Usual::Word("non-saturating"),
    bounds: Bounds::OneOf(AdversarialLoss::VARIANTS),
    meaning: "what the two minimise",
};

/// The setting of models whose critic's weights may be divided by their largest singular value.
const SPECTRAL: Setting = Setting {
    name: "spectral",
    default: Usual::Word("no"),
    bounds: Bounds::OneOf(&["no", "yes"]),
    meaning: "whether the discriminator's weights are divided by their largest singular value (Miyato et al. 2018)",
};
