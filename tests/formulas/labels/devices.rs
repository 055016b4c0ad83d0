//! GPU and CPU train these models alike.

use std::ops::ControlFlow;
use std::sync::Arc;

use elbo::config::{Preset, Schedule, TrainingConfig};
use elbo::data::{Condition, Dataset, Labels, Shape, Values, labelled_part};
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::Bernoulli;
use elbo::engine::models::{Classifier, M2, Model, Parts, Vae};
use elbo::engine::nn::Activation;
use elbo::engine::program::Executor;
use elbo::engine::training::{Session, Trainer};

use crate::common::oracle::Numbers;

const FEATURES: usize = 9;
const CLASSES: usize = 3;
const ROWS: usize = 90;

/// Rows of one pattern a class, some of their values turned.
pub fn data() -> Dataset {
    let mut numbers = Numbers(2);
    let values = (0..ROWS * FEATURES).map(|i| {
        let (row, feature) = (i / FEATURES, i % FEATURES);
        let turned = numbers.below(12) == 0;
        f32::from(u8::from((feature % CLASSES == row % CLASSES) != turned))
    });
    let mut data = Dataset::new("patterns", Values::Floats(values.collect()), Shape::vector(FEATURES)).unwrap();
    let names = (0..CLASSES).map(|class| class.to_string()).collect();
    data.labels =
        Some(Labels { values: (0..ROWS).map(|row| (row % CLASSES) as u32).collect(), classes: CLASSES, names });
    data.conditioned(Condition::Labels).unwrap()
}

/// The models, and whether they learn labels from some rows.
pub fn models() -> Vec<(&'static str, Box<dyn Model>, bool)> {
    let parts = || Parts::new(Arc::new(Bernoulli));
    let (hidden, activation): ((&[usize], &[usize]), _) = ((&[11, 7], &[8]), Activation::Silu);
    let sizes = (FEATURES, 2, CLASSES);
    vec![
        ("cvae", Box::new(Vae::conditional(sizes, hidden, activation, parts())), false),
        ("m2", Box::new(M2::new(sizes, hidden, activation, parts(), 2.0)), true),
        ("classifier", Box::new(Classifier::new(FEATURES, CLASSES, hidden.0, activation)), true),
    ]
}

/// A trainer of 100 steps, 5 an epoch, the last of them short.
pub fn trainer(model: Box<dyn Model>, labels: bool, executor: Box<dyn Executor>) -> Trainer {
    let data = data();
    let config = TrainingConfig {
        epochs: 20,
        batch: 20,
        learning_rate: 0.01,
        schedule: Schedule::Constant,
        warmup_steps: 0,
        kl_warmup_epochs: 0,
        log_every: 1,
        ..Preset::Classic.config().training
    };
    let part = labels.then(|| labelled_part(&data, 12, 5).unwrap());
    let session = Session::new(model, executor, 4);
    Trainer::semi_supervised(session, &data, part.as_ref(), &config, 1.0, false).unwrap()
}

/// The losses of all steps.
pub fn losses(trainer: &mut Trainer) -> Vec<f64> {
    let mut all = Vec::new();
    for _ in 0..20 {
        let each = &mut |p: elbo::engine::training::Progress| {
            all.extend(p.steps.iter().map(|s| s.loss));
            ControlFlow::Continue(())
        };
        trainer.epoch(each).unwrap();
    }
    all
}

#[test]
fn the_gpu_and_the_cpu_train_alike() {
    for ((name, model, labels), (_, again, _)) in models().into_iter().zip(models()) {
        let Some(gpu) = crate::common::gpu() else { return };
        let cpu = losses(&mut trainer(model, labels, Box::new(Cpu::new())));
        let gpu = losses(&mut trainer(again, labels, Box::new(gpu)));
        assert_eq!((cpu.len(), gpu.len()), (100, 100), "{name}");
        let size = cpu.iter().map(|x| x.abs()).sum::<f64>() / 100.0;
        let far = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs() / size).fold(0.0, f64::max);
        assert!(far(&cpu, &gpu) < 1e-3, "{name}: {:e}", far(&cpu, &gpu));
        // Steps out of step are told apart.
        assert!(far(&cpu[1..], &gpu[..99]) > 1e-2, "{name}");
        let of = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        assert!(of(&cpu[80..]) < of(&cpu[..20]), "{name}: {cpu:?}");
    }
}
