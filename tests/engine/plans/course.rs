//! The same by the trainer, on every device; and what all models of these tests have in common.

use std::ops::ControlFlow;

use elbo::config::{Preset, Schedule, TrainingConfig};
use elbo::data::{Dataset, Shape, Values};
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::Measure;
use elbo::engine::graph::Tensor;
use elbo::engine::models::{Batch, Can, Condition, Encode, Model, Rows as Given, Terms, TrainingPlan};
use elbo::engine::program::Executor;
use elbo::engine::training::metrics::StepRecord;
use elbo::engine::training::{Session, Trainer};

use super::by_hand::{Parameters, Rows};
use crate::common::oracle::Numbers;

/// What a model of these tests is about: its loss, the code that it measures, and its plan, if that is not the usual one.
pub trait Sketch: std::fmt::Debug + Copy + Send + Sync + 'static {
    /// Values per row.
    const FEATURES: usize;
    /// Values per code.
    const LATENT: usize;

    /// The loss of each row `[rows, 1]`, and its code `[rows, LATENT]`.
    fn loss<'g>(&self, batch: &Batch<'g>) -> [Tensor<'g>; 2];

    /// How it is trained.
    fn plan<'m>(&'m self, model: &'m dyn Model) -> TrainingPlan<'m> {
        TrainingPlan::of_one_loss(model)
    }
}

/// A model that encodes, and can do nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Sketched<S>(pub S);

impl<S: Sketch> Model for Sketched<S> {
    fn features(&self) -> usize {
        S::FEATURES
    }

    fn condition(&self) -> Condition {
        Condition::None
    }

    fn measure(&self, _: bool) -> Measure {
        Measure::SquaredError
    }

    fn plan(&self) -> TrainingPlan<'_> {
        self.0.plan(self)
    }

    fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        let [loss, mu] = self.0.loss(batch);
        Terms { loss, reconstruction: loss, kl: None, mu, parts: vec![], gradient_scale: None }
    }

    fn score<'g>(&self, rows: Given<'g>) -> Tensor<'g> {
        self.terms(&Batch::whole(rows)).loss
    }

    fn scalar(&self, _: &str, _: f64) -> Option<f64> {
        None
    }

    fn can(&self) -> Can<'_> {
        Can {
            encode: Some(self),
            decode: None,
            reconstruct: None,
            generate: None,
            density: None,
            posterior: None,
            classify: None,
            fit_prior: None,
            compress: None,
        }
    }
}

impl<S: Sketch> Encode for Sketched<S> {
    fn latent(&self) -> usize {
        S::LATENT
    }

    fn mean<'g>(&self, rows: Given<'g>) -> Tensor<'g> {
        self.0.loss(&Batch::whole(rows))[1]
    }

    fn draw<'g>(&self, rows: Given<'g>, samples: usize) -> Tensor<'g> {
        self.mean(rows).repeat_rows(samples)
    }

    fn variance<'g>(&self, _: Given<'g>) -> Option<Tensor<'g>> {
        None
    }
}

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
        let mut each = |progress: elbo::engine::training::Progress| {
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
