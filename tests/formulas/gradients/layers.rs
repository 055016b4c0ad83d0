//! Losses of several stochastic layers, in both ways of inferring them.

use std::sync::Arc;

use elbo::catalogue::{Spec, build};
use elbo::engine::distributions::{Bernoulli, PRIORS};
use elbo::engine::models::{Hierarchical, Layer, Parts, Recognition};
use elbo::engine::nn::Activation;
use elbo::engine::objectives::OBJECTIVES;

use super::objectives::loss;
use super::trial::{Cases, Trial};
use crate::common::pieces::small;

/// Two and three layers, objectives by densities and by divergences, and each prior that the uppermost layer may have.
pub fn all() -> Cases {
    let mut all: Cases = Vec::new();
    let mut add = |recognition: Recognition, upper: &[Layer], prior: &Spec, objective: &str| {
        let parts = Parts {
            prior: build(PRIORS, prior).unwrap(),
            objective: build(OBJECTIVES, &objective.parse::<Spec>().unwrap()).unwrap(),
            ..Parts::new(Arc::new(Bernoulli))
        };
        let model = Hierarchical::new(recognition, (4, 3), (&[4], &[5]), upper, Activation::Tanh, parts);
        let put = move |trial: &mut Trial| {
            let loss = loss(trial, &model);
            trial.result(loss);
        };
        all.push((format!("{recognition:?}, {} layers, {prior}, {objective}", upper.len() + 1), 1e-6, Box::new(put)));
    };
    let normal = Spec::new("standard-normal");
    let two = [Layer { latent: 2, hidden: vec![3] }];
    let three = [Layer { latent: 2, hidden: vec![4, 3] }, Layer { latent: 1, hidden: vec![] }];
    for recognition in [Recognition::BottomUp, Recognition::Ladder] {
        for objective in ["elbo", "iwae:samples=2", "capacity:gamma=3"] {
            add(recognition, &two, &normal, objective);
        }
        add(recognition, &three, &normal, "elbo");
        for prior in ["diagonal-gaussian", "mixture", "realnvp", "maf", "diffusion", "vampprior"] {
            let piece = PRIORS.iter().find(|piece| piece.about.id == prior).unwrap();
            if prior != "vampprior" || recognition == Recognition::Ladder {
                add(recognition, &two, &small(&piece.about), "elbo");
            }
        }
    }
    add(Recognition::Ladder, &three, &normal, "free-bits");
    all
}
