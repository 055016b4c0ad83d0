//! Training runs: the same bits again, whether interrupted or not; the right means; and models that learn.

mod augment;
mod denoise;
mod diffusion;
mod diverge;
mod faults;
mod patience;
mod streams;

use crate::common;
use crate::runs;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use elbo::Error;
use elbo::apps::Outcome;
use elbo::config::{Config, Preset, Schedule};
use elbo::data::{Dataset, Shape, Values};
use elbo::engine::distributions::Bernoulli;
use elbo::engine::models::Autoencoder;
use elbo::engine::nn::Activation;
use elbo::engine::training::metrics::Split;
use elbo::engine::training::{Session, Trainer};
use runs::{Run, StopAt, devices, small};

/// Trains in one go.
fn whole(config: &Config, device: &runs::Device) -> Run {
    let run = Run::new();
    assert_eq!(run.start(config, device, &mut StopAt::never()).unwrap(), Outcome::Finished);
    run
}

#[test]
fn a_resumed_run_is_a_continuous_one() {
    for device in devices() {
        let config = small();
        let continuous = whole(&config, &device);
        // Between epochs.
        let shorter = Config {
            training: elbo::config::TrainingConfig { epochs: 2, ..config.training.clone() },
            ..config.clone()
        };
        let resumed = whole(&shorter, &device);
        assert!(resumed.kept() != continuous.kept(), "{}: two epochs are not four", device.name);
        assert_eq!(resumed.resume(&config, &device, &mut StopAt::never()).unwrap(), Outcome::Finished);
        assert!(resumed.kept() == continuous.kept(), "{}: resumed after an epoch", device.name);
        // In the middle of epochs, twice.
        let broken = Run::new();
        assert_eq!(broken.start(&config, &device, &mut StopAt::step(3)).unwrap(), Outcome::Stopped);
        // A GPU has a few more on the way by then.
        assert!((3..6).contains(&broken.steps().last().unwrap().step), "{}", device.name);
        assert_eq!(broken.resume(&config, &device, &mut StopAt::step(10)).unwrap(), Outcome::Stopped);
        assert_eq!(broken.resume(&config, &device, &mut StopAt::never()).unwrap(), Outcome::Finished);
        assert!(broken.kept() == continuous.kept(), "{}: resumed within epochs", device.name);
    }
}

#[test]
fn a_stop_is_heard_where_an_epoch_is_one_submit() {
    for device in devices() {
        let mut config = small();
        config.training.steps_per_submit = Some(64);
        let unbroken = whole(&config, &device);
        let run = Run::new();
        assert_eq!(run.start(&config, &device, &mut StopAt::step(1)).unwrap(), Outcome::Stopped, "{}", device.name);
        assert_eq!(run.epochs().last().unwrap().epoch, 1, "{}", device.name);
        assert_eq!(run.resume(&config, &device, &mut StopAt::never()).unwrap(), Outcome::Finished);
        assert!(run.kept() == unbroken.kept(), "{}", device.name);
    }
}

#[test]
fn how_many_steps_are_sent_at_once_changes_no_bit() {
    for device in devices() {
        let run = |steps: Option<usize>| {
            let mut config = small();
            config.training.steps_per_submit = steps;
            whole(&config, &device).kept()
        };
        let one = run(Some(1));
        assert!(one == run(Some(16)), "{}", device.name);
        assert!(one == run(None), "{}", device.name);
    }
}

#[test]
fn a_seed_gives_the_same_bits_and_another_seed_others() {
    for device in devices() {
        let run = |seed: u64| {
            let mut config = small();
            (config.training.seed, config.data.binarise) = (seed, elbo::config::Binarise::Dynamic);
            whole(&config, &device).kept()
        };
        let first = run(5);
        assert!(first == run(5), "{}", device.name);
        assert!(first != run(6), "{}", device.name);
    }
}

#[test]
fn the_gpu_and_the_cpu_train_alike() {
    let mut config = small();
    config.training.epochs = 20;
    let losses: Vec<Vec<f64>> = devices()
        .iter()
        .map(|device| whole(&config, device).steps().iter().take(100).map(|s| s.loss).collect())
        .collect();
    let [cpu, gpu] = &losses[..] else { return };
    assert_eq!((cpu.len(), gpu.len()), (100, 100));
    let far = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max);
    assert!(far(cpu, gpu) < 1e-3, "{:e}", far(cpu, gpu));
    // Steps out of step are told apart.
    assert!(far(&cpu[1..], &gpu[..99]) > 1e-2);
}

/// The loss of each row by hand: tanh layers, a linear code, binary cross-entropy from logits.
fn by_hand(row: &[f32], weights: &HashMap<String, Vec<f64>>) -> f64 {
    let layer = |name: &str, x: &[f64]| -> Vec<f64> {
        let (w, b) = (&weights[&format!("{name}.weight")], &weights[&format!("{name}.bias")]);
        w.chunks(x.len()).zip(b).map(|(w, b)| b + w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>()).collect()
    };
    let tanh = |x: Vec<f64>| x.into_iter().map(f64::tanh).collect::<Vec<_>>();
    let x: Vec<f64> = row.iter().map(|&v| f64::from(v)).collect();
    let code = layer("head", &tanh(layer("encoder.0", &x)));
    let logits = layer("decoder.1", &tanh(layer("decoder.0", &code)));
    logits.iter().zip(&x).map(|(l, x)| l.max(0.0) + (-l.abs()).exp().ln_1p() - x * l).sum()
}

#[test]
fn a_short_last_batch_counts_by_its_rows() {
    for device in devices() {
        // Rows that grow, so that a mean of means would be another number.
        let values: Vec<f32> = (0..30).map(|i| (i / 3) as f32 * 3.0 + (i % 3) as f32 * 0.2).collect();
        let data = Dataset::new("ten", Values::Floats(values), Shape { height: 1, width: 3, channels: 1 }).unwrap();
        let model = Autoencoder::new(3, 1, (&[4], &[4]), Activation::Tanh, Arc::new(Bernoulli));
        let session = Session::new(Box::new(model), device.open(), 1);
        let mut config = small().training;
        (config.batch, config.learning_rate, config.warmup_steps) = (4, 1e-30, 0);
        let mut trainer = Trainer::new(session, &data, &config, 1.0, false).unwrap();
        let mut batches = Vec::new();
        let record = trainer.epoch(&mut |p| {
            batches.extend(p.steps.iter().map(|s| s.loss));
            ControlFlow::Continue(())
        });
        let record = record.unwrap().unwrap();
        let tensors = trainer.session.values().unwrap();
        let weights = tensors.into_iter().map(|(n, _, v)| (n, v.into_iter().map(f64::from).collect())).collect();
        let losses: Vec<f64> = (0..10).map(|i| by_hand(&data.row(i), &weights)).collect();
        let mean = losses.iter().sum::<f64>() / 10.0;
        let close = |found: f64| (found / mean - 1.0).abs() < 1e-5;
        assert!(close(record.loss) && close(record.reconstruction), "{}: {} is not {mean}", device.name, record.loss);
        assert_eq!(batches.len(), 3);
        assert!(!close(batches.iter().sum::<f64>() / 3.0), "the batches are too alike to tell");
        let (record, codes) = trainer.session.evaluate(Split::Test, &data, (4, 1.0)).unwrap();
        assert!(close(record.loss), "{}: {} is not {mean}", device.name, record.loss);
        assert_eq!(codes.len(), 10);
    }
}

/// Two sets of one size under one split, stored as bytes and as bits: each is read as what it is.
#[test]
fn sets_that_are_stored_differently_are_evaluated_as_what_they_are() {
    for device in devices() {
        let shape = Shape { height: 1, width: 4, channels: 1 };
        let set = |values| Dataset::new("set", values, shape).unwrap();
        // One word a row either way: rows 1010 and 0110.
        let bytes = set(Values::Bytes(vec![255, 0, 255, 0, 0, 255, 255, 0]));
        let bits = set(Values::Bits(vec![0b0101, 0b0110]));
        let floats = set(Values::Floats(vec![1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0]));
        let other = set(Values::Bytes(vec![0, 0, 255, 0, 0, 255, 255, 255]));
        let session = || {
            let model = Autoencoder::new(4, 2, (&[3], &[3]), Activation::Tanh, Arc::new(Bernoulli));
            let mut session = Session::new(Box::new(model), device.open(), 1);
            session.start().unwrap();
            session
        };
        let loss = |session: &mut Session, data| session.evaluate(Split::Test, data, (2, 1.0)).unwrap().0.loss;
        let (expected, different) = (loss(&mut session(), &floats), loss(&mut session(), &other));
        assert!((expected - different).abs() > 1e-3, "the sets are too alike to tell");
        let mut one = session();
        for data in [&bits, &bytes, &other, &floats, &bits, &bytes] {
            let expected = if *data == other { different } else { expected };
            assert!((loss(&mut one, data) - expected).abs() < 1e-6, "{}: {:?}", device.name, data.values);
        }
        // In batches of another size, too.
        let found = one.evaluate(Split::Test, &bytes, (1, 1.0)).unwrap().0.loss;
        assert!((found - expected).abs() < 1e-6, "{}: {found} is not {expected}", device.name);
    }
}

#[test]
fn warm_ups_and_schedules_take_effect() {
    let mut config = small();
    config.model.beta = 4.0;
    (config.training.kl_warmup_epochs, config.training.epochs) = (2, 4);
    (config.training.schedule, config.training.step_every, config.training.step_factor) = (Schedule::Step, 3, 0.1);
    (config.training.warmup_steps, config.training.learning_rate) = (5, 0.01);
    let steps = whole(&config, &runs::Device::cpu()).steps();
    assert_eq!(steps.len(), 24);
    for (i, step) in steps.iter().enumerate() {
        let beta = 4.0 * ((i + 1) as f64 / 12.0).min(1.0);
        let sum = step.reconstruction + beta * step.kl;
        assert!((step.loss / sum - 1.0).abs() < 1e-5, "step {i}: {} is not {sum}", step.loss);
        let rate = 0.01 * ((i + 1) as f64 / 5.0).min(1.0) * if i >= 18 { 0.1 } else { 1.0 };
        assert!((step.learning_rate.unwrap() / rate - 1.0).abs() < 1e-12);
    }
    // Adam's first step moves a weight by the learning rate, whatever its gradient.
    let after_one = |config: &Config| {
        let run = Run::new();
        run.start(config, &runs::Device::cpu(), &mut StopAt::step(1)).unwrap();
        run.weights()
    };
    let moving = after_one(&config);
    config.training.learning_rate = 1e-30;
    let still = after_one(&config);
    let moved = still.iter().zip(moving).map(|(a, b)| f64::from((a - b).abs())).fold(0.0, f64::max);
    assert!((moved / 0.002 - 1.0).abs() < 1e-3, "{moved} is not a fifth of the learning rate");
}

#[test]
fn models_learn() {
    for device in devices() {
        for kind in ["vae", "ae"] {
            let mut config = small();
            (config.model.kind, config.training.epochs, config.training.learning_rate) =
                (kind.parse().unwrap(), 12, 0.005);
            config.training.kl_warmup_epochs = 0;
            let epochs = whole(&config, &device).epochs();
            let of = |split: Split| epochs.iter().filter(move |e| e.split == split).map(|e| e.loss);
            for split in [Split::Train, Split::Validation, Split::Test] {
                let (first, last) = (of(split).next().unwrap(), of(split).next_back().unwrap());
                assert!(last < 0.8 * first, "{}, {kind}, {split}: from {first} to {last}", device.name);
            }
            assert!((kind == "vae") == epochs.iter().all(|e| e.kl > 0.0), "{kind}");
        }
    }
}

#[test]
fn a_diverging_run_says_so_and_keeps_its_checkpoint() {
    for device in devices() {
        let mut config = small();
        (config.training.epochs, config.training.checkpoint_every) = (1, 1);
        let run = whole(&config, &device);
        let before = run.checkpoint();
        (config.training.epochs, config.training.learning_rate, config.training.warmup_steps) = (3, 1e30, 0);
        let error = run.resume(&config, &device, &mut StopAt::never()).unwrap_err();
        assert!(matches!(error, Error::Diverged(_)), "{error}");
        assert!(error.to_string().contains("`learning-rate`"), "{error}");
        assert!(run.checkpoint() == before, "{}", device.name);
        config.training.learning_rate = 0.001;
        assert_eq!(run.resume(&config, &device, &mut StopAt::never()).unwrap(), Outcome::Finished);
    }
}

#[test]
#[ignore = "needs MNIST: set ELBO_DATA to the folder that holds `mnist`"]
fn one_epoch_of_mnist_is_as_good_as_elsewhere() {
    let folder = common::data("mnist");
    let mut config = Preset::Classic.config();
    (config.data.source, config.training.epochs) = (folder.to_string_lossy().into_owned(), 1);
    let run = Run::new();
    run.start(&config, &runs::Device::cpu(), &mut StopAt::never()).unwrap();
    let test = run.epochs().into_iter().find(|e| e.split == Split::Test).unwrap();
    assert!((124.0..129.0).contains(&test.loss), "{}", test.loss);
}
