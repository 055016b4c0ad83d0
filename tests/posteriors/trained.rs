//! Training with every posterior, prior and objective that go together: alike on all devices, finite, and with success.

use std::ops::ControlFlow;
use std::sync::Arc;

use elbo::catalogue::{Spec, build};
use elbo::config::{Config, Preset, Schedule, TrainingConfig};
use elbo::cpu::Cpu;
use elbo::data::{Dataset, Shape, Values};
use elbo::distributions::{Bernoulli, Codes, LIKELIHOODS, POSTERIORS, PRIORS};
use elbo::gpu::Options;
use elbo::models::{Parts, Vae};
use elbo::nn::Activation;
use elbo::objectives::OBJECTIVES;
use elbo::program::Executor;
use elbo::training::{Session, Trainer};

use crate::oracle::Numbers;
use crate::pieces::{pairs, small, with};

const FEATURES: usize = 8;
const ROWS: usize = 80;
const LATENT: usize = 3;

/// Rows of two patterns, some of their values turned.
fn data() -> Dataset {
    let mut numbers = Numbers(2);
    let rows = (0..ROWS * FEATURES).map(|i| {
        let (row, feature) = (i / FEATURES, i % FEATURES);
        let turned = numbers.below(10) == 0;
        f32::from(u8::from(((feature / 2 + row) % 2 == 0) != turned))
    });
    Dataset::new("patterns", Values::Floats(rows.collect()), Shape::vector(FEATURES)).unwrap()
}

/// The losses of so many epochs of five steps.
fn losses(executor: Box<dyn Executor>, parts: Parts, epochs: usize) -> Vec<f64> {
    let model = Vae::new(FEATURES, LATENT, (&[10], &[10]), Activation::Tanh, parts);
    let config = TrainingConfig {
        epochs,
        batch: 16,
        learning_rate: 0.005,
        schedule: Schedule::Constant,
        warmup_steps: 0,
        kl_warmup_epochs: 0,
        log_every: 1,
        ..Preset::Classic.config().training
    };
    let mut trainer = Trainer::new(Session::new(Box::new(model), executor, 4), &data(), &config, 1.0, false).unwrap();
    let mut all = Vec::new();
    for _ in 0..epochs {
        let each = &mut |p: elbo::training::Progress| {
            all.extend(p.steps.iter().map(|s| s.loss));
            ControlFlow::Continue(())
        };
        trainer.epoch(each).unwrap();
    }
    all
}

/// Every piece of every kind, each in a model that is plain besides.
fn each_piece() -> Vec<(String, Parts)> {
    let plain = || Parts::new(Arc::new(Bernoulli));
    let mut all: Vec<(String, Parts)> =
        pairs().iter().map(|pair| (format!("{} and {}", pair.0, pair.1), with(plain(), pair))).collect();
    for piece in OBJECTIVES {
        let objective = build(OBJECTIVES, &Spec::new(piece.about.id)).unwrap();
        all.push((format!("objective {}", piece.about.id), Parts { objective, ..plain() }));
    }
    for piece in LIKELIHOODS {
        let likelihood = build(LIKELIHOODS, &Spec::new(piece.about.id)).unwrap();
        all.push((format!("likelihood {}", piece.about.id), Parts { likelihood, ..plain() }));
    }
    all
}

/// 100 steps with every posterior, prior, objective and likelihood.
#[test]
fn the_gpu_and_the_cpu_train_alike() {
    // Relative to the size of the losses, which may pass through 0.
    let far = |a: &[f64], b: &[f64]| {
        let size = a.iter().map(|x| x.abs()).sum::<f64>() / a.len() as f64;
        a.iter().zip(b).map(|(a, b)| (a - b).abs() / size).fold(0.0, f64::max)
    };
    for (name, parts) in each_piece() {
        let Some(gpu) = crate::common::open(Options::default()) else { return };
        let cpu = losses(Box::new(Cpu::new()), parts.clone(), 20);
        let gpu = losses(Box::new(gpu), parts, 20);
        assert_eq!((cpu.len(), gpu.len()), (100, 100), "{name}");
        assert!(far(&cpu, &gpu) < 1e-3, "{name}: {:e}", far(&cpu, &gpu));
        eprintln!("{name}: {:e} apart", far(&cpu, &gpu));
        // Steps out of step are told apart.
        assert!(far(&cpu[1..], &gpu[..99]) > 1e-2, "{name}");
    }
}

/// Everything with everything: what is allowed trains, what is not says why.
#[test]
fn all_that_goes_together() {
    let (mut allowed, mut refused) = (0, 0);
    for posterior in POSTERIORS.iter().map(|p| small(&p.about)) {
        for prior in PRIORS.iter().map(|p| small(&p.about)) {
            for objective in OBJECTIVES.iter().map(|p| Spec::new(p.about.id)) {
                let name = format!("{posterior}, {prior}, {objective}");
                let mut config = Config::default();
                let model = &mut config.model;
                (model.posterior, model.prior, model.objective) = (posterior.clone(), prior.clone(), objective.clone());
                (model.latent, model.likelihood) = (LATENT, "bernoulli".into());
                if let Err(why) = config.validate() {
                    let said = why.to_string();
                    assert!(said.contains(": use ") || said.contains("give"), "{name}: {said}");
                    refused += 1;
                    continue;
                }
                let parts = config.model.parts().unwrap();
                assert_eq!(parts.posterior.codes(), parts.prior.codes());
                let plain = objective.id == "elbo";
                let losses = losses(Box::new(Cpu::new()), parts, if plain { 20 } else { 1 });
                assert!(losses.iter().all(|l| l.is_finite()), "{name}: {losses:?}");
                if plain {
                    let of = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
                    let (first, last) = (of(&losses[..10]), of(&losses[90..]));
                    assert!(last < first, "{name}: from {first} to {last}");
                }
                allowed += 1;
            }
        }
    }
    eprintln!("{allowed} go together, {refused} do not");
    assert!(allowed > 400 && refused > 100, "{allowed} and {refused}");
    assert!(build(POSTERIORS, &"gumbel-softmax".into()).unwrap().codes() != Codes::Real);
}
