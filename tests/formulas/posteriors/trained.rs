//! Training with every posterior, prior, objective, likelihood and activation: alike on all devices.

use std::ops::ControlFlow;
use std::sync::Arc;

use elbo::catalogue::{Spec, build};
use elbo::config::{Preset, Schedule, TrainingConfig};
use elbo::data::{Dataset, Shape, Values};
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::{Bernoulli, LIKELIHOODS};
use elbo::engine::models::{Parts, Vae};
use elbo::engine::nn::Activation;
use elbo::engine::objectives::OBJECTIVES;
use elbo::engine::program::Executor;
use elbo::engine::training::{Session, Trainer};

use crate::common::oracle::Numbers;
use crate::common::pieces::{pairs, small, with};

const FEATURES: usize = 8;
const ROWS: usize = 80;
/// Dimensions of the code.
pub const LATENT: usize = 3;

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

/// A small VAE of these parts.
pub fn model(parts: Parts, activation: Activation) -> Vae {
    Vae::new(FEATURES, LATENT, (&[10], &[10]), activation, parts)
}

/// The losses of so many epochs of five steps at a learning rate, or up to where they have run away.
pub fn losses(executor: Box<dyn Executor>, model: Vae, epochs: usize, learning_rate: f64) -> Vec<f64> {
    let config = TrainingConfig {
        epochs,
        batch: 16,
        learning_rate,
        schedule: Schedule::Constant,
        warmup_steps: 0,
        kl_warmup_epochs: 0,
        log_every: 1,
        ..Preset::Classic.config().training
    };
    let mut trainer = Trainer::new(Session::new(Box::new(model), executor, 4), &data(), &config, 1.0, false).unwrap();
    let mut all = Vec::new();
    for _ in 0..epochs {
        let each = &mut |p: elbo::engine::training::Progress| {
            all.extend(p.steps.iter().map(|s| s.loss));
            ControlFlow::Continue(())
        };
        match trainer.epoch(each) {
            Err(elbo::Error::Diverged(_)) => break,
            finished => finished.unwrap(),
        };
    }
    all
}

/// Every piece of every kind and every activation, each in a model that is plain besides.
fn each_piece() -> Vec<(String, Vae)> {
    let plain = || Parts::new(Arc::new(Bernoulli));
    let mut all: Vec<(String, Parts)> =
        pairs().iter().map(|pair| (format!("{} and {}", pair.0, pair.1), with(plain(), pair))).collect();
    for piece in OBJECTIVES {
        let objective = build(OBJECTIVES, &small(&piece.about)).unwrap();
        all.push((format!("objective {}", piece.about.id), Parts { objective, ..plain() }));
    }
    for piece in LIKELIHOODS {
        let likelihood = build(LIKELIHOODS, &Spec::new(piece.about.id)).unwrap();
        all.push((format!("likelihood {}", piece.about.id), Parts { likelihood, ..plain() }));
    }
    let with_tanh = all.into_iter().map(|(name, parts)| (name, model(parts, Activation::Tanh)));
    let activations = Activation::ALL.into_iter().filter(|&activation| activation != Activation::Tanh);
    let others = activations.map(|activation| (format!("{activation:?}"), model(plain(), activation)));
    with_tanh.chain(others).collect()
}

/// The largest difference of two runs of losses, relative to their size, as they may pass through 0.
pub fn far(a: &[f64], b: &[f64]) -> f64 {
    let size = a.iter().map(|x| x.abs()).sum::<f64>() / a.len() as f64;
    a.iter().zip(b).map(|(a, b)| (a - b).abs() / size).fold(0.0, f64::max)
}

/// 100 steps with every posterior, prior, objective, likelihood and activation.
#[test]
fn the_gpu_and_the_cpu_train_alike() {
    for (name, model) in each_piece() {
        let Some(gpu) = crate::common::gpu() else { return };
        let cpu = losses(Box::new(Cpu::new()), model.clone(), 20, 0.005);
        let gpu = losses(Box::new(gpu), model, 20, 0.005);
        assert_eq!((cpu.len(), gpu.len()), (100, 100), "{name}");
        assert!(far(&cpu, &gpu) < 1e-3, "{name}: {:e}", far(&cpu, &gpu));
        eprintln!("{name}: {:e} apart", far(&cpu, &gpu));
        // Steps out of step are told apart.
        assert!(far(&cpu[1..], &gpu[..99]) > 1e-2, "{name}");
    }
}
