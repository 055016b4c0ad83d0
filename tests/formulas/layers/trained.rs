//! Training of both kinds: alike on all devices, finite with every prior and objective that go with layers, and with success.

use std::ops::ControlFlow;
use std::sync::Arc;

use elbo::catalogue::build;
use elbo::config::{Config, Preset, Schedule, TrainingConfig};
use elbo::data::{Dataset, Shape, Values};
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::{Bernoulli, PRIORS};
use elbo::engine::models::{Hierarchical, Layer, Parts, Recognition};
use elbo::engine::nn::Activation;
use elbo::engine::objectives::OBJECTIVES;
use elbo::engine::program::Executor;
use elbo::engine::training::{Session, Trainer};

use crate::common::oracle::Numbers;
use crate::common::pieces::small;

const FEATURES: usize = 8;
const ROWS: usize = 80;
const BOTH: [Recognition; 2] = [Recognition::BottomUp, Recognition::Ladder];

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

fn trainer(executor: Box<dyn Executor>, recognition: Recognition, parts: Parts) -> Trainer {
    let upper = Layer::halving(&[3, 2], 10);
    let sizes = (FEATURES, 4);
    let model = Hierarchical::new(recognition, sizes, (&[10], &[10]), &upper, Activation::Tanh, parts);
    let config = TrainingConfig {
        epochs: 40,
        batch: 16,
        learning_rate: 0.005,
        schedule: Schedule::Constant,
        warmup_steps: 0,
        kl_warmup_epochs: 0,
        log_every: 1,
        ..Preset::Classic.config().training
    };
    Trainer::new(Session::new(Box::new(model), executor, 4), &data(), &config, 1.0, false).unwrap()
}

/// The losses of so many epochs of five steps, and the KL of each layer at the last of them.
fn losses(executor: Box<dyn Executor>, recognition: Recognition, parts: Parts, epochs: usize) -> (Vec<f64>, Vec<f64>) {
    let mut trainer = trainer(executor, recognition, parts);
    let (mut all, mut kls) = (Vec::new(), Vec::new());
    for _ in 0..epochs {
        let each = &mut |p: elbo::engine::training::Progress| {
            all.extend(p.steps.iter().map(|s| s.loss));
            if let Some(step) = p.steps.last() {
                let of_layers = step.parts.iter().filter(|part| part.0.starts_with("kl_layer_"));
                kls = of_layers.map(|part| *part.1).collect();
                let sum: f64 = kls.iter().sum();
                assert!((sum - step.kl).abs() < 1e-3 * (1.0 + step.kl.abs()), "{kls:?} are not {} together", step.kl);
            }
            ControlFlow::Continue(())
        };
        trainer.epoch(each).unwrap();
    }
    (all, kls)
}

fn plain() -> Parts {
    Parts::new(Arc::new(Bernoulli))
}

#[test]
fn the_gpu_and_the_cpu_train_alike() {
    let far = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs() / a.abs()).fold(0.0, f64::max);
    let iwae = build(OBJECTIVES, &"iwae:samples=3".parse().unwrap()).unwrap();
    for recognition in BOTH {
        for parts in [plain(), Parts { objective: iwae.clone(), ..plain() }] {
            let Some(gpu) = crate::common::gpu() else { return };
            let cpu = losses(Box::new(Cpu::new()), recognition, parts.clone(), 20).0;
            let gpu = losses(Box::new(gpu), recognition, parts, 20).0;
            assert_eq!((cpu.len(), gpu.len()), (100, 100));
            eprintln!("{recognition:?}: {:e} apart", far(&cpu, &gpu));
            assert!(far(&cpu, &gpu) < 1e-3, "{recognition:?}: {:e}", far(&cpu, &gpu));
            // Steps out of step are told apart.
            assert!(far(&cpu[1..], &gpu[..99]) > 1e-2);
        }
    }
}

#[test]
fn the_loss_falls() {
    for recognition in BOTH {
        let (losses, kls) = losses(Box::new(Cpu::new()), recognition, plain(), 40);
        let of = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        let (first, last) = (of(&losses[..10]), of(&losses[190..]));
        assert!(last < first - 1.0, "{recognition:?}: from {first} to {last}");
        assert_eq!(kls.len(), 3);
        assert!(kls[0] > 0.1, "{recognition:?}: the first layer says nothing: {kls:?}");
    }
}

/// What the configuration allows trains, what it does not says why.
#[test]
fn all_that_goes_with_layers() {
    let (mut allowed, mut refused) = (Vec::new(), 0);
    for (kind, recognition) in [("hierarchical", BOTH[0]), ("ladder", BOTH[1])] {
        for prior in PRIORS {
            for objective in OBJECTIVES {
                let name = format!("{kind}, {}, {}", prior.about.id, objective.about.id);
                let mut config = Config::default();
                (config.model.kind, config.model.latent, config.model.upper) =
                    (kind.parse().unwrap(), 4, Some(vec![3, 2]));
                (config.model.prior, config.model.objective) = (small(&prior.about), objective.about.id.into());
                if let Err(why) = config.validate() {
                    let said = why.to_string();
                    assert!(said.contains(": use ") || said.contains(": train "), "{name}: {said}");
                    refused += 1;
                    continue;
                }
                let losses = losses(Box::new(Cpu::new()), recognition, config.model.parts().unwrap(), 1).0;
                assert!(losses.iter().all(|l| l.is_finite()), "{name}: {losses:?}");
                allowed.push(name);
            }
        }
    }
    for expected in ["hierarchical, realnvp, iwae", "ladder, vampprior, elbo", "ladder, standard-normal, free-bits"] {
        assert!(allowed.iter().any(|name| name == expected), "{expected} is refused");
    }
    // Elbo, beta-vae, capacity, iwae and two bounds of groups with six priors and seven, free-bits with the two that have a closed form.
    assert_eq!((allowed.len(), refused), (6 * (6 + 7) + 2, 2 * 9 * 14 - 80), "{allowed:#?}");
}
