//! Every posterior with every prior and every objective: what goes together trains with success, on the CPU and on the GPU
//! alike; what does not says why.
//!
//! A cover is trained, on the CPU and, where most of the time goes into compiling, on the GPU: combinations in which every posterior meets
//! every prior, every posterior every objective, and every prior every objective, as far as they go together. `ELBO_ALL=1`
//! trains all of them.

use std::collections::HashSet;

use elbo::catalogue::{Spec, build};
use elbo::config::Config;
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::{CodeSpace, POSTERIORS, PRIORS};
use elbo::engine::models::Vae;
use elbo::engine::nn::Activation;
use elbo::engine::objectives::OBJECTIVES;
use rayon::prelude::*;

use super::trained::{LATENT, far, losses, model};
use crate::common::pieces::small;

/// A posterior, a prior and an objective that go together.
#[derive(Clone)]
struct Combination {
    pieces: [Spec; 3],
    model: Vae,
}

impl Combination {
    fn name(&self) -> String {
        self.pieces.each_ref().map(Spec::to_string).join(", ")
    }

    /// The losses on the CPU.
    fn losses(&self, epochs: usize, learning_rate: f64) -> Vec<f64> {
        losses(Box::new(Cpu::new()), self.model.clone(), epochs, learning_rate)
    }

    /// The pairs of pieces in it.
    fn pairs(&self) -> [(usize, String, String); 3] {
        let [posterior, prior, objective] = self.pieces.each_ref().map(|piece| piece.id.clone());
        [(0, posterior.clone(), prior.clone()), (1, posterior, objective.clone()), (2, prior, objective)]
    }
}

/// With what changes from epoch to epoch held fixed, so that the losses of different steps can be compared.
fn held(spec: Spec) -> Spec {
    match spec.id.as_str() {
        "capacity" => spec.with("epochs", 0.0).with("nats", 2.0).with("gamma", 2.0),
        // At the usual weights, what 16 rows leave to chance hides what is learnt, or the code is given up at once.
        "info-vae" => spec.with("lambda", 10.0),
        "wae" => spec.with("lambda", 1.0),
        "beta-vae" => spec.with("beta", 2.0),
        "gumbel-softmax" => spec.with("end", 1.0),
        "multiply-iwae" | "partially-iwae" => spec.with("samples", 2.0).with("groups", 2.0),
        _ => spec,
    }
}

/// All that go together, and how many do not.
fn all() -> (Vec<Combination>, usize) {
    let (mut allowed, mut refused) = (Vec::new(), 0);
    for posterior in POSTERIORS.iter().map(|p| held(small(&p.about))) {
        for prior in PRIORS.iter().map(|p| small(&p.about)) {
            for objective in OBJECTIVES.iter().map(|p| held(Spec::new(p.about.id))) {
                let pieces = [posterior.clone(), prior.clone(), objective];
                let mut config = Config::default();
                let settings = &mut config.model;
                [settings.posterior, settings.prior, settings.objective] = pieces.clone();
                (settings.latent, settings.likelihood) = (LATENT, "bernoulli".into());
                if let Err(why) = config.validate() {
                    let said = why.to_string();
                    assert!(said.contains(": use ") || said.contains("give"), "{pieces:?}: {said}");
                    refused += 1;
                    continue;
                }
                let parts = config.model.parts().unwrap();
                assert_eq!(parts.posterior.codes(), parts.prior.codes());
                allowed.push(Combination { pieces, model: model(parts, Activation::Tanh) });
            }
        }
    }
    (allowed, refused)
}

/// As few as a greedy choice finds that hold every pair of pieces which goes together.
fn cover(all: &[Combination]) -> Vec<&Combination> {
    let mut open: HashSet<_> = all.iter().flat_map(Combination::pairs).collect();
    let mut chosen = Vec::new();
    while !open.is_empty() {
        let news = |c: &&Combination| c.pairs().iter().filter(|pair| open.contains(pair)).count();
        let best = all.iter().max_by_key(news).expect("what is open is in one of them");
        open.retain(|pair| !best.pairs().contains(pair));
        chosen.push(best);
    }
    chosen
}

/// The mean, and its squared standard error.
fn mean(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    (mean, values.map(|v| (v - mean).powi(2)).sum::<f64>() / (n * (n - 1.0)))
}

/// Whether losses fall: the second half lies below the first steps.
fn falls(losses: &[f64]) -> bool {
    let (first, last) = losses.split_at(losses.len() / 2);
    mean(last.iter().copied()).0 < mean(first[..FIRST].iter().copied()).0
}

/// By how many standard errors losses end up below those of another run at the same steps, which had the same rows and draws.
fn below(losses: &[f64], other: &[f64]) -> f64 {
    let half = losses.len() / 2;
    let (difference, error) = mean(other[half..].iter().zip(&losses[half..]).map(|(other, loss)| other - loss));
    if difference > 0.0 { difference / error.sqrt() } else { 0.0 }
}

/// Whether training had success: losses fall, and end up clearly below those of a model that was not trained, which have the
/// same noise.
fn succeeds(losses: &[f64], untrained: &[f64]) -> bool {
    losses.iter().all(|l| l.is_finite()) && falls(losses) && below(losses, untrained) > CLEAR
}

/// Epochs of five steps.
const EPOCHS: usize = 30;
const RATE: f64 = 0.01;
/// The steps that are called the first.
const FIRST: usize = 10;
/// What is clear, in standard errors.
const CLEAR: f64 = 5.0;

/// Those in which every two pieces that go together meet; with ELBO_ALL=1 all of them.
fn chosen(allowed: &[Combination]) -> Vec<&Combination> {
    let every = std::env::var_os("ELBO_ALL").is_some_and(|value| value == "1");
    if every { allowed.iter().collect() } else { cover(allowed) }
}

#[test]
fn all_that_goes_together_trains() {
    let (allowed, refused) = all();
    eprintln!("{} go together, {refused} do not", allowed.len());
    assert!(allowed.len() > 400 && refused > 100, "{} and {refused}", allowed.len());
    assert!(build(POSTERIORS, &"gumbel-softmax".into()).unwrap().codes() != CodeSpace::Real);
    let chosen = chosen(&allowed);
    eprintln!("{} of them are trained", chosen.len());
    let wrong: Vec<String> = chosen
        .par_iter()
        .filter_map(|c| {
            let (trained, untrained) = (c.losses(EPOCHS, RATE), c.losses(EPOCHS, 0.0));
            // What was not trained does not pass.
            assert!(!succeeds(&untrained, &untrained), "{}: untrained", c.name());
            (!succeeds(&trained, &untrained))
                .then(|| format!("{}: {} standard errors, {trained:?}", c.name(), below(&trained, &untrained)))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} have no success:\n{}", wrong.len(), chosen.len(), wrong.join("\n"));
}

#[test]
fn what_climbs_has_no_success() {
    let (allowed, _) = all();
    let mut objectives = HashSet::new();
    for c in allowed.iter().filter(|c| objectives.insert(c.pieces[2].id.clone())) {
        let (climbing, untrained) = (c.losses(EPOCHS, -0.002), c.losses(EPOCHS, 0.0));
        assert!(!falls(&climbing) && !succeeds(&climbing, &untrained), "{}: {climbing:?}", c.name());
        // Nor is it the other way round.
        assert!(below(&untrained, &climbing) > CLEAR, "{}: {climbing:?}", c.name());
    }
    assert_eq!(objectives.len(), OBJECTIVES.len());
}

#[test]
fn the_gpu_trains_combinations_as_the_cpu_does() {
    let (allowed, _) = all();
    let chosen = chosen(&allowed);
    for c in &chosen {
        let Some(gpu) = crate::common::gpu() else { return };
        let (cpu, gpu) = (c.losses(1, RATE), losses(Box::new(gpu), c.model.clone(), 1, RATE));
        assert_eq!((cpu.len(), gpu.len()), (5, 5), "{}", c.name());
        let (right, wrong) = (far(&cpu, &gpu), far(&cpu[1..], &gpu[..4]));
        assert!(right < 1e-4, "{}: {right:e}", c.name());
        // Steps out of step are told apart.
        assert!(wrong > 1e-3, "{}: {wrong:e}", c.name());
    }
    eprintln!("{} of {} on the GPU", chosen.len(), allowed.len());
}
