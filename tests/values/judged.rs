//! Which rows the figures named `test` and `validation` are of: a run over files whose test rows are like no others.

use std::ops::ControlFlow;
use std::path::Path;

use elbo::apps::{CHECKPOINT, Evaluation, Outcome, Saved, TrainRun, Wanted, Watcher};
use elbo::catalogue::Spec;
use elbo::config::{Binarise, Config};
use elbo::cpu::Cpu;
use elbo::data::Dataset;
use elbo::nn::Activation;
use elbo::training::Progress;
use elbo::training::checkpoint::Checkpoint;
use elbo::training::metrics::{EpochRecord, Split};

use crate::oracle::Numbers;

const FEATURES: usize = 4;
const LATENT: usize = 2;
const HIDDEN: usize = 3;
const TRAIN: usize = 61;
const VALIDATION: usize = 11;
const TEST: usize = 17;

/// Pictures of 2×2 bytes.
fn pictures(rows: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3];
    [rows.len(), 2, 2].iter().for_each(|&n| bytes.extend((n as u32).to_be_bytes()));
    bytes.extend(rows.concat());
    bytes
}

/// `count` rows of values from `from` on.
fn rows(count: usize, from: u8, seed: u64) -> Vec<Vec<u8>> {
    let mut numbers = Numbers(seed);
    (0..count).map(|_| (0..FEATURES).map(|_| from + numbers.below(64) as u8).collect()).collect()
}

fn scaled(rows: &[Vec<u8>]) -> Vec<Vec<f64>> {
    rows.iter().map(|row| row.iter().map(|&x| f64::from(x) / 255.0).collect()).collect()
}

fn of_data(data: &Dataset) -> Vec<Vec<f64>> {
    (0..data.rows).map(|i| data.row(i).into_iter().map(f64::from).collect()).collect()
}

/// A run's weights.
struct Weights(Checkpoint);

impl Weights {
    /// W t + b.
    fn linear(&self, layer: &str, t: &[f64]) -> Vec<f64> {
        let of = |part: &str| self.0.tensor(&format!("{layer}.{part}")).expect("the layer is there").1;
        let (weight, bias) = (of("weight"), of("bias"));
        let row = |(i, b): (usize, &f32)| {
            f64::from(*b) + t.iter().zip(&weight[i * t.len()..]).map(|(t, &w)| t * f64::from(w)).sum::<f64>()
        };
        bias.iter().enumerate().map(row).collect()
    }

    fn hidden(&self, layer: &str, t: &[f64]) -> Vec<f64> {
        self.linear(layer, t).into_iter().map(f64::tanh).collect()
    }

    /// μ and ln σ².
    fn encode(&self, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let mut outputs = self.linear("head", &self.hidden("encoder.0", x));
        let log_var = outputs.split_off(LATENT);
        (outputs, log_var)
    }

    /// The mean KL of rows, which no noise has a part in.
    fn kl(&self, rows: &[Vec<f64>]) -> f64 {
        let of = |x: &Vec<f64>| -> f64 {
            let (mu, log_var) = self.encode(x);
            mu.iter().zip(log_var).map(|(m, l)| 0.5 * (m * m + l.exp() - 1.0 - l)).sum()
        };
        rows.iter().map(of).sum::<f64>() / rows.len() as f64
    }

    /// The mean of (x − E\[x | μ(x)\])² over rows and values.
    fn reconstruction_error(&self, rows: &[Vec<f64>]) -> f64 {
        let of = |x: &Vec<f64>| -> f64 {
            let logits = self.linear("decoder.1", &self.hidden("decoder.0", &self.encode(x).0));
            x.iter().zip(logits).map(|(x, l)| (x - 1.0 / (1.0 + (-l).exp())).powi(2)).sum()
        };
        rows.iter().map(of).sum::<f64>() / (rows.len() * FEATURES) as f64
    }
}

/// Keeps the records of the last epoch.
#[derive(Default)]
struct Last(Vec<EpochRecord>);

impl Watcher for Last {
    fn progress(&mut self, _: u64, _: u64, _: &Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn epoch(&mut self, records: &[EpochRecord]) {
        self.0 = records.to_vec();
    }
}

/// Dark rows to train on and bright ones to test, as files.
fn config(folder: &Path) -> Config {
    std::fs::write(folder.join("train-images-idx3-ubyte"), pictures(&rows(TRAIN, 0, 1))).unwrap();
    std::fs::write(folder.join("t10k-images-idx3-ubyte"), pictures(&rows(TEST, 190, 2))).unwrap();
    let mut config = Config::default();
    config.data.source = folder.to_string_lossy().into_owned();
    (config.data.validation, config.data.binarise) = (VALIDATION, Binarise::Never);
    (config.model.hidden, config.model.latent) = (vec![HIDDEN], LATENT);
    (config.model.activation, config.model.likelihood) = (Activation::Tanh, Spec::new("bernoulli"));
    (config.training.epochs, config.training.batch, config.training.learning_rate) = (3, 8, 0.05);
    config
}

fn evaluated(run: &Path) -> (Split, Evaluation) {
    let mut saved = Saved::open(run, Box::new(Cpu::new())).unwrap();
    let splits = saved.data(None).unwrap();
    let (split, data) = splits.to_judge();
    let wanted = Wanted { samples: Some(10), codes: false, factors: false, seed: 0 };
    (split, saved.evaluate(split, data, wanted).unwrap())
}

#[test]
fn figures_are_of_the_rows_they_are_named_after() {
    let folder = tempfile::tempdir().unwrap();
    let run_folder = folder.path().join("run");
    let mut run = TrainRun::start(config(folder.path()), &run_folder, Box::new(Cpu::new())).unwrap();
    let mut last = Last::default();
    assert_eq!(run.train(&mut last).unwrap(), Outcome::Finished);
    let weights = Weights(Checkpoint::load(&run_folder.join(CHECKPOINT)).unwrap());
    // The rows as they were written here; those of validation are all among those to train on.
    let (written, test) = (scaled(&rows(TRAIN, 0, 1)), scaled(&rows(TEST, 190, 2)));
    let validation = of_data(run.data.validation.as_ref().unwrap());
    let is_of =
        |rows: &[Vec<f64>], x: &Vec<f64>| rows.iter().any(|row| row.iter().zip(x).all(|(a, b)| (a - b).abs() < 1e-6));
    assert!(validation.len() == VALIDATION && validation.iter().all(|x| is_of(&written, x) && !is_of(&test, x)));
    let kls = [weights.kl(&validation), weights.kl(&test)];
    assert!((kls[0] - kls[1]).abs() > 0.1 * kls[1], "{kls:?} cannot be told apart");
    let close = |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 1e-4, "{found}, {expected}");
    let splits: Vec<Split> = last.0.iter().map(|record| record.split).collect();
    assert_eq!(splits, [Split::Train, Split::Validation, Split::Test]);
    close(last.0[1].kl, kls[0]);
    close(last.0[2].kl, kls[1]);
    // What is said of the run later is of the test rows as well.
    let (split, report) = evaluated(&run_folder);
    assert_eq!((split, report.record.split, report.rows), (Split::Test, Split::Test, TEST));
    close(report.record.kl, kls[1]);
    close(report.record.elbo, last.0[2].elbo);
    let error = weights.reconstruction_error(&test);
    close(report.reconstruction_error.unwrap(), error);
    for wrong in
        [weights.reconstruction_error(&validation), error * FEATURES as f64, weights.reconstruction_error(&written)]
    {
        assert!((error / wrong - 1.0).abs() > 0.05, "{error} and {wrong}");
    }
    // In bits: −ELBO and −ln p(x) by values and ln 2.
    let bits = |nats: f64| nats / (FEATURES as f64 * 2f64.ln());
    close(report.record.bits_per_dimension.unwrap(), bits(-report.record.elbo));
    close(report.nll_bits_per_dimension.unwrap(), bits(report.importance.unwrap().nll));
}
