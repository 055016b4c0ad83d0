//! What a piece is, for people.

use serde::Serialize;

use super::setting::Setting;

/// Which factor of a model a piece is a form of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The whole: which networks there are, and what they say.
    Model,
    /// The hidden layers of an encoder or a decoder.
    Network,
    /// p(x | z).
    Likelihood,
    /// q(z | x).
    Posterior,
    /// p(z).
    Prior,
    /// What is minimised.
    Objective,
    /// How the weight of the KL term grows.
    KlSchedule,
    /// p(s | x), why values are missing.
    MissingMechanism,
    /// q(w), what is known of the weights of networks.
    WeightDistribution,
    /// How parameters are moved along their gradients.
    Optimiser,
    /// How rows are corrupted on their way into an encoder.
    Corruption,
}

impl Kind {
    /// All of them, in the order of a model's description.
    pub const ALL: [Kind; 11] = [
        Kind::Model,
        Kind::Network,
        Kind::Objective,
        Kind::KlSchedule,
        Kind::Likelihood,
        Kind::Posterior,
        Kind::Prior,
        Kind::MissingMechanism,
        Kind::WeightDistribution,
        Kind::Optimiser,
        Kind::Corruption,
    ];

    /// The option of `elbo train` that chooses it.
    pub fn key(self) -> &'static str {
        match self {
            Kind::Model => "model",
            Kind::Network => "encoder",
            Kind::Likelihood => "likelihood",
            Kind::Posterior => "posterior",
            Kind::Prior => "prior",
            Kind::Objective => "objective",
            Kind::KlSchedule => "kl-warmup-epochs",
            Kind::MissingMechanism => "missing-mechanism",
            Kind::WeightDistribution => "network-weights",
            Kind::Optimiser => "optimiser",
            Kind::Corruption => "corrupt",
        }
    }

    /// What one of them is called in a sentence.
    pub fn noun(self) -> &'static str {
        match self {
            Kind::Network => "network",
            Kind::MissingMechanism => "mechanism of missing values",
            Kind::WeightDistribution => "distribution of weights",
            Kind::Corruption => "corruption",
            other => other.key(),
        }
    }
}

/// What a piece is, for people.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct About {
    /// Which factor it is a form of.
    pub kind: Kind,
    /// The name by which a user asks for it.
    pub id: &'static str,
    /// Other names that are understood.
    pub aliases: &'static [&'static str],
    /// What it is, in one line.
    pub name: &'static str,
    /// Its formula.
    pub formula: &'static str,
    /// The paper it comes from, with equation or section.
    pub source: &'static str,
    /// What it takes; the first may be given without its name.
    pub settings: &'static [Setting],
    /// A command that uses it.
    pub example: &'static str,
}
