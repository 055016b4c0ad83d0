//! The same by the trainer, on every device.

use std::ops::ControlFlow;

use elbo::config::{Preset, Schedule, TrainingConfig};
use elbo::cpu::Cpu;
use elbo::data::{Dataset, Shape, Values};
use elbo::models::Model;
use elbo::program::Executor;
use elbo::training::metrics::StepRecord;
use elbo::training::{Session, Trainer};

use crate::by_hand::{Parameters, Rows};
use crate::oracle::Numbers;

/// The CPU, and the GPU where there is one.
pub fn devices() -> Vec<Box<dyn Executor>> {
    let gpu = crate::common::gpu().map(|gpu| Box::new(gpu) as Box<dyn Executor>);
    [Box::new(Cpu::new()) as Box<dyn Executor>].into_iter().chain(gpu).collect()
}

/// Numbers between −1 and 1, in rows.
pub fn numbers(seed: u64, rows: usize, features: usize) -> Vec<f32> {
    Numbers(seed).signed(rows * features).into_iter().map(|x| x as f32).collect()
}

/// Settings that change nothing by themselves: gradient descent without momentum, on batches of so many rows.
pub fn plain(batch: usize) -> TrainingConfig {
    TrainingConfig {
        epochs: 4,
        batch,
        learning_rate: 0.1,
        optimiser: "sgd:momentum=0".parse().unwrap(),
        schedule: Schedule::Constant,
        warmup_steps: 0,
        kl_warmup_epochs: 0,
        log_every: 1,
        ..Preset::Classic.config().training
    }
}

/// A trainer of a model on rows.
pub fn trainer(
    model: impl Model + 'static,
    executor: Box<dyn Executor>,
    rows: &Rows,
    config: &TrainingConfig,
) -> Trainer {
    let data = Dataset::new("rows", Values::Floats(rows.x.to_vec()), Shape::vector(rows.features)).unwrap();
    Trainer::new(Session::new(Box::new(model), executor, 3), &data, config, 1.0, false).unwrap()
}

/// Trains so many epochs; gives the records of all steps.
pub fn run(trainer: &mut Trainer, epochs: usize) -> Vec<StepRecord> {
    let mut steps = vec![];
    for _ in 0..epochs {
        let mut each = |progress: elbo::training::Progress| {
            steps.extend(progress.steps.iter().cloned());
            ControlFlow::Continue(())
        };
        trainer.epoch(&mut each).unwrap();
    }
    steps
}

/// All parameters as they are used.
pub fn parameters(trainer: &mut Trainer) -> Parameters {
    let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect();
    trainer.session.values().unwrap().into_iter().map(|(name, _, values)| (name, wide(values))).collect()
}
