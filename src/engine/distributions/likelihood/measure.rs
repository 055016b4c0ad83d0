//! What a reconstruction term measures, so that figures are called what they are.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Support;

/// What −ln p(x | z) of a likelihood is, for the rows at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Minus the logarithm of a probability of discrete values, in nats.
    Probability,
    /// Minus the logarithm of a density, in nats.
    Density,
    /// The cross-entropy of a Bernoulli with grey values, in nats: the mean of −ln p over rows that are drawn black and white,
    /// each pixel white with its grey value as the probability. No probability of the grey values themselves.
    CrossEntropy,
    /// Σ (x − x̂)², in squared units of the data.
    SquaredError,
    /// −ln q(y | x) of labels, in nats; rows have no probability.
    Labels,
    /// What a discriminator minimises: how well it tells rows from those that are made. Rows have no probability.
    Adversarial,
    /// The KL, and half the squared distance of a row from its reconstruction in the features of a discriminator. No density of rows.
    Features,
}

impl Measure {
    /// What a likelihood of this support measures of rows, which are all black and white (0 and 1), or not.
    pub fn of(support: Support, black_and_white: bool) -> Measure {
        match support {
            Support::Real | Support::Unit | Support::Fields => Measure::Density,
            Support::Binary if !black_and_white => Measure::CrossEntropy,
            Support::Binary | Support::Levels(_) => Measure::Probability,
            Support::Loss => Measure::SquaredError,
        }
    }

    /// Whether bits per dimension mean something: only for probabilities of discrete values.
    pub fn counts_bits(self) -> bool {
        self == Measure::Probability
    }

    /// The unit of a mean over rows.
    pub fn unit(self) -> &'static str {
        match self {
            Measure::SquaredError => "squared error per example",
            Measure::Adversarial | Measure::Features => "per example",
            _ => "nats per example",
        }
    }
}

impl fmt::Display for Measure {
    /// The reconstruction term's name.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Measure::Probability | Measure::Density => "-ln p(x|z)",
            Measure::CrossEntropy => "cross-entropy of grey values",
            Measure::SquaredError => "squared error",
            Measure::Labels => "-ln q(y|x)",
            Measure::Adversarial => "of the discriminator",
            Measure::Features => "KL and distance of features",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_discrete_values_with_a_probability_count_bits() {
        for (support, black_and_white, expected) in [
            (Support::Binary, true, Measure::Probability),
            (Support::Binary, false, Measure::CrossEntropy),
            (Support::Levels(256), false, Measure::Probability),
            (Support::Levels(2), true, Measure::Probability),
            (Support::Real, true, Measure::Density),
            (Support::Unit, false, Measure::Density),
            (Support::Loss, false, Measure::SquaredError),
        ] {
            let found = Measure::of(support, black_and_white);
            assert_eq!(found, expected, "{support:?}");
            assert_eq!(found.counts_bits(), expected == Measure::Probability);
            assert_eq!(found.unit().starts_with("nats"), expected != Measure::SquaredError);
        }
    }
}
