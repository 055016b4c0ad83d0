//! Training a second stage: what moves and what does not, the same on both devices, and what it is good for.

use std::ops::ControlFlow;
use std::sync::Arc;

use elbo::config::{Preset, Schedule, TrainingConfig};
use elbo::data::{Dataset, Shape, Values};
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::{Gaussian, SharedGaussian};
use elbo::engine::evaluation::{Points, frechet_distance};
use elbo::engine::kernels::Step;
use elbo::engine::kernels::random::normal4;
use elbo::engine::models::{FIRST, Parts, SecondStage, Vae};
use elbo::engine::nn::Activation;
use elbo::engine::program::Executor;
use elbo::engine::training::checkpoint::{Checkpoint, NamedTensor};
use elbo::engine::training::{Session, Trainer};

const FEATURES: usize = 4;
const LATENT: usize = 2;
const ROWS: usize = 640;

/// Points around a ring far from 0, in a plane of four dimensions: nothing like a standard normal.
fn data() -> Dataset {
    let step = Step { seed: [9, 2], ..Step::default() };
    let normal = |stream: u32, e: usize| normal4(&step, stream, e as u32 / 4)[e % 4];
    let rows = (0..ROWS).flat_map(|row| {
        let angle = row as f32 * 2.399_963;
        let z = [3.0 + 0.5 * angle.cos() + 0.05 * normal(1, row), -2.0 + 1.5 * angle.sin()];
        (0..FEATURES).map(move |f| wide(f, z) + 0.05 * normal(2, row * FEATURES + f))
    });
    Dataset::new("ring", Values::Floats(rows.collect()), Shape::vector(FEATURES)).unwrap()
}

/// Two columns of length 1 at right angles.
const AXES: [[f32; LATENT]; FEATURES] = [[0.5, 0.5], [0.5, -0.5], [0.5, 0.5], [0.5, -0.5]];

fn wide(feature: usize, z: [f32; LATENT]) -> f32 {
    AXES[feature][0] * z[0] + AXES[feature][1] * z[1]
}

/// A linear model that fits the data perfectly, but for its prior: z = Aᵀx with a deviation of e⁻², x = A z.
fn first() -> (Vae, Checkpoint) {
    let model = Vae::new(FEATURES, LATENT, (&[], &[]), Activation::Relu, Parts::new(Arc::new(Gaussian { sigma: 0.1 })));
    let mut head = vec![0.0; 2 * LATENT * FEATURES];
    for (f, axes) in AXES.iter().enumerate() {
        for (d, value) in axes.iter().enumerate() {
            head[d * FEATURES + f] = *value;
        }
    }
    let tensor = |name: &str, shape: &[usize], values: Vec<f32>| -> NamedTensor {
        (format!("{FIRST}.{name}"), shape.to_vec(), values)
    };
    let tensors = vec![
        tensor("head.weight", &[2 * LATENT, FEATURES], head),
        tensor("head.bias", &[2 * LATENT], vec![0.0, 0.0, -4.0, -4.0]),
        tensor("decoder.0.weight", &[FEATURES, LATENT], AXES.concat()),
        tensor("decoder.0.bias", &[FEATURES], vec![0.0; FEATURES]),
    ];
    (model, Checkpoint { tensors, ..Checkpoint::default() })
}

fn trainer(executor: Box<dyn Executor>, epochs: usize) -> Trainer {
    let (first, weights) = first();
    let second =
        Vae::new(LATENT, LATENT, (&[32], &[32]), Activation::Tanh, Parts::new(Arc::new(SharedGaussian { start: 1.0 })));
    let model = SecondStage::new(Box::new(first), Box::new(second)).unwrap();
    let config = TrainingConfig {
        epochs,
        batch: 64,
        learning_rate: 0.01,
        schedule: Schedule::Cosine,
        log_every: 1,
        ..Preset::Classic.config().training
    };
    let session = Session::new(Box::new(model), executor, 4);
    let mut trainer = Trainer::new(session, &data(), &config, 1.0, false).unwrap();
    trainer.session.freeze(&weights).unwrap();
    trainer
}

/// Trains; gives the losses of all steps.
fn train(trainer: &mut Trainer, epochs: usize) -> Vec<f64> {
    let mut losses = Vec::new();
    for _ in 0..epochs {
        let each = &mut |p: elbo::engine::training::Progress| {
            losses.extend(p.steps.iter().map(|s| s.loss));
            ControlFlow::Continue(())
        };
        trainer.epoch(each).unwrap();
    }
    losses
}

fn gpu() -> Option<Box<dyn Executor>> {
    crate::common::gpu().map(|gpu| Box::new(gpu) as Box<dyn Executor>)
}

/// The frozen and the trained values, as bits.
fn values(trainer: &mut Trainer) -> [Vec<(String, Vec<u32>)>; 2] {
    let all = trainer.session.values().unwrap();
    let bits = all.into_iter().map(|(name, _, v)| (name, v.into_iter().map(f32::to_bits).collect()));
    let (frozen, trained) = bits.partition(|(name, _): &(String, Vec<u32>)| name.starts_with(FIRST));
    [frozen, trained]
}

#[test]
fn the_first_model_does_not_move_by_a_bit() {
    for executor in [Some(Box::new(Cpu::new()) as Box<dyn Executor>), gpu()].into_iter().flatten() {
        let mut trainer = trainer(executor, 10);
        let before = values(&mut trainer);
        assert_eq!(train(&mut trainer, 10).len(), 100);
        let after = values(&mut trainer);
        assert_eq!(before[0].len(), 4);
        assert!(before[0] == after[0]);
        assert!(before[1].iter().zip(&after[1]).all(|(a, b)| a.0 == b.0 && a.1 != b.1), "all that is trained moves");
    }
}

#[test]
fn the_gpu_and_the_cpu_train_alike() {
    let Some(gpu) = gpu() else { return };
    let [cpu, gpu] = [Box::new(Cpu::new()) as Box<dyn Executor>, gpu].map(|executor| {
        let mut trainer = trainer(executor, 10);
        train(&mut trainer, 10)
    });
    assert_eq!((cpu.len(), gpu.len()), (100, 100));
    let far = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(far(&cpu, &gpu) < 2e-3, "{:e}", far(&cpu, &gpu));
    assert!(far(&cpu[1..], &gpu[..99]) > 2e-2, "steps out of step are told apart");
}

/// A run goes on as if it had not been stopped: its checkpoint holds both models, and moments of the second only.
#[test]
fn a_checkpoint_holds_both_models() {
    let cpu = || -> Box<dyn Executor> { Box::new(Cpu::new()) };
    let mut whole = trainer(cpu(), 4);
    train(&mut whole, 4);
    let mut half = trainer(cpu(), 4);
    train(&mut half, 2);
    let checkpoint = half.checkpoint().unwrap();
    let names: Vec<&str> = checkpoint.tensors.iter().map(|t| t.0.as_str()).collect();
    assert!(names.contains(&"first.head.weight") && names.contains(&"adam.first.head.weight"));
    assert!(!names.contains(&"adam.first.first.head.weight"));
    let mut rest = trainer(cpu(), 4);
    let mut other = checkpoint.clone();
    other.tensors.iter_mut().filter(|t| t.0.starts_with(FIRST)).for_each(|t| t.2[0] += 0.5);
    rest.resume(&other).unwrap();
    train(&mut rest, 2);
    assert!(values(&mut rest)[1] != values(&mut whole)[1], "the first model's weights come out of the checkpoint");
    rest.resume(&checkpoint).unwrap();
    train(&mut rest, 2);
    assert!(values(&mut rest) == values(&mut whole));
    other.tensors.retain(|t| t.0 != "first.decoder.0.bias");
    let said = rest.resume(&other).unwrap_err().to_string();
    assert!(said.contains("first.decoder.0.bias"), "{said}");
}

/// What is drawn from the first model's own prior is far from the data; through the second, it is near.
#[test]
fn samples_come_nearer_to_the_data() {
    const COUNT: usize = 5000;
    let mut trainer = trainer(Box::new(Cpu::new()), 100);
    train(&mut trainer, 100);
    let rows: Vec<f32> = (0..ROWS).flat_map(|row| data().row(row)).collect();
    let points = |rows: Vec<f32>| Points::new(rows, FEATURES).unwrap();
    let data = points(rows);
    let with = frechet_distance(&points(trainer.session.sample(COUNT, &[], 3).unwrap()), &data).unwrap();
    let step = Step { seed: [5, 5], ..Step::default() };
    let from_prior = (0..COUNT).flat_map(|row| {
        let z = normal4(&step, 1, row as u32);
        (0..FEATURES).map(move |f| wide(f, [z[0], z[1]]))
    });
    let without = frechet_distance(&points(from_prior.collect()), &data).unwrap();
    assert!(without > 5.0 && with < without / 50.0, "{with} against {without}");
}
