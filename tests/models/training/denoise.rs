//! Runs whose encoder is shown corrupted rows: the same bits when they are gone on with, alike on every device, clean rows elsewhere.

use std::ops::ControlFlow;
use std::sync::Arc;

use elbo::config::{Config, Preset, TrainingConfig};
use elbo::data::{Dataset, Shape, Split, Values};
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::SquaredError;
use elbo::engine::models::Autoencoder;
use elbo::engine::nn::Activation;
use elbo::engine::training::{Session, Trainer};

use crate::runs::{devices_train_alike, resumed_is_continuous, small};

fn corrupted(way: &str) -> Config {
    let mut config = small();
    config.training.corrupt = Some(way.parse().unwrap());
    // So that the code says something within 24 steps.
    config.training.learning_rate = 0.02;
    (config.training.warmup_steps, config.training.clip_norm) = (0, None);
    config
}

#[test]
fn a_resumed_run_on_corrupted_rows_is_a_continuous_one() {
    // Another way is another run.
    devices_train_alike(&resumed_is_continuous(&corrupted("gaussian:sigma=3"), 8, &[corrupted("mask")]), 1e-2);
}

/// What training and held-out rows cost at a rate at which nothing is learnt.
fn told(corrupt: Option<&str>) -> [f64; 2] {
    let shape = Shape { height: 5, width: 4, channels: 3 };
    let count = 40 * shape.features();
    let data =
        Dataset::new("pictures", Values::Floats((0..count).map(|i| (i * 37 % 256) as f32 / 255.0).collect()), shape)
            .unwrap();
    let model = Autoencoder::new(shape.features(), 2, (&[4], &[4]), Activation::Tanh, Arc::new(SquaredError));
    let config = TrainingConfig {
        batch: 20,
        learning_rate: 1e-9,
        corrupt: corrupt.map(|way| way.parse().unwrap()),
        ..Preset::Classic.config().training
    };
    let session = Session::new(Box::new(model), Box::new(Cpu::new()), 3);
    let mut trainer = Trainer::new(session, &data, &config, 1.0, false).unwrap();
    let train = trainer.epoch(&mut |_| ControlFlow::Continue(())).unwrap().unwrap().loss;
    [train, trainer.session.evaluate(Split::Test, &data, (20, 1.0)).unwrap().0.loss]
}

#[test]
fn held_out_rows_are_never_corrupted() {
    let ([plain, held_out], [corrupted, again]) = (told(None), told(Some("gaussian:sigma=5")));
    assert!((plain - held_out).abs() < 1e-5 * plain && (held_out - again).abs() < 1e-5 * plain);
    assert!((corrupted - again).abs() > 1e-3 * again, "{corrupted} {again}");
}
