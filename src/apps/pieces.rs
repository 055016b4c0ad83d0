//! Everything that models can be made of, in one list.

use crate::catalogue::{About, Piece};
use crate::corruption::CORRUPTIONS;
use crate::distributions::{INDEX_PRIORS, LIKELIHOODS, MISSING_MECHANISMS, POSTERIORS, PRIORS, WEIGHT_DISTRIBUTIONS};
use crate::kernels::OPTIMISERS;
use crate::models;
use crate::nn::NETWORKS;
use crate::objectives::OBJECTIVES;
use crate::training::KL_SCHEDULES;

/// Every model, network, objective, KL schedule, likelihood, posterior, prior, mechanism of missing values, distribution of weights and optimiser, in that order.
pub fn all_pieces() -> Vec<&'static About> {
    let mut all: Vec<&About> = models::abouts().collect();
    all.extend(abouts(NETWORKS));
    all.extend(abouts(OBJECTIVES));
    all.extend(KL_SCHEDULES);
    all.extend(abouts(LIKELIHOODS));
    all.extend(abouts(POSTERIORS));
    all.extend(abouts(PRIORS));
    all.extend(abouts(INDEX_PRIORS));
    all.extend(abouts(MISSING_MECHANISMS));
    all.extend(abouts(WEIGHT_DISTRIBUTIONS));
    all.extend(abouts(OPTIMISERS));
    all.extend(abouts(CORRUPTIONS));
    all
}

fn abouts<T: ?Sized>(list: &'static [&'static Piece<T>]) -> impl Iterator<Item = &'static About> {
    list.iter().map(|piece| &piece.about)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_every_piece_is_explained() {
        let mut seen = HashSet::new();
        for about in all_pieces() {
            for name in about.aliases.iter().chain([&about.id]) {
                assert!(seen.insert((about.kind, *name)), "{name} is named twice");
                assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '+'));
            }
            for text in [about.name, about.formula, about.source] {
                assert!(!text.is_empty(), "{} is not explained", about.id);
            }
            assert!(about.example.contains(about.id) || about.example.contains(about.kind.key()), "{}", about.id);
            for setting in about.settings {
                assert!(setting.bounds.allow(setting.default), "{}: {}", about.id, setting.name);
                assert!(!setting.meaning.is_empty());
            }
        }
    }
}
