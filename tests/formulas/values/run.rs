//! A small run over files that the tests write, and what its weights say of rows.

use std::ops::ControlFlow;
use std::path::Path;

use elbo::apps::{CHECKPOINT, Outcome, TrainRun, Watcher};
use elbo::catalogue::Spec;
use elbo::config::{Binarise, Config};
use elbo::engine::cpu::Cpu;
use elbo::engine::training::Progress;
use elbo::engine::training::checkpoint::Checkpoint;
use elbo::engine::training::metrics::{EpochRecord, StepRecord};

use crate::common::oracle::Numbers;

pub const FEATURES: usize = 4;
pub const LATENT: usize = 2;
const HIDDEN: usize = 3;
pub const TRAIN: usize = 61;
pub const VALIDATION: usize = 11;
pub const TEST: usize = 17;

/// Pictures of 2×2 bytes.
fn pictures(rows: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3];
    [rows.len(), 2, 2].iter().for_each(|&n| bytes.extend((n as u32).to_be_bytes()));
    bytes.extend(rows.concat());
    bytes
}

/// `count` rows of values from `from` on.
pub fn rows(count: usize, from: u8, seed: u64) -> Vec<Vec<u8>> {
    let mut numbers = Numbers(seed);
    (0..count).map(|_| (0..FEATURES).map(|_| from + numbers.below(64) as u8).collect()).collect()
}

pub fn scaled(rows: &[Vec<u8>]) -> Vec<Vec<f64>> {
    rows.iter().map(|row| row.iter().map(|&x| f64::from(x) / 255.0).collect()).collect()
}

/// A run's weights.
pub struct Weights(Checkpoint);

impl Weights {
    /// Those that a run folder holds.
    pub fn of(run: &Path) -> Weights {
        Weights(Checkpoint::load(&run.join(CHECKPOINT)).unwrap())
    }

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
    pub fn encode(&self, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let mut outputs = self.linear("head", &self.hidden("encoder.0", x));
        let log_var = outputs.split_off(LATENT);
        (outputs, log_var)
    }

    /// The mean KL of rows, which no noise has a part in.
    pub fn kl(&self, rows: &[Vec<f64>]) -> f64 {
        let of = |x: &Vec<f64>| -> f64 {
            let (mu, log_var) = self.encode(x);
            mu.iter().zip(log_var).map(|(m, l)| 0.5 * (m * m + l.exp() - 1.0 - l)).sum()
        };
        rows.iter().map(of).sum::<f64>() / rows.len() as f64
    }

    /// The mean of (x − E\[x | μ(x)\])² over rows and values.
    pub fn reconstruction_error(&self, rows: &[Vec<f64>]) -> f64 {
        let of = |x: &Vec<f64>| -> f64 {
            let logits = self.linear("decoder.1", &self.hidden("decoder.0", &self.encode(x).0));
            x.iter().zip(logits).map(|(x, l)| (x - 1.0 / (1.0 + (-l).exp())).powi(2)).sum()
        };
        rows.iter().map(of).sum::<f64>() / (rows.len() * FEATURES) as f64
    }
}

/// Keeps the records of the last epoch, and those of all steps.
#[derive(Default)]
pub struct Seen {
    pub records: Vec<EpochRecord>,
    pub steps: Vec<StepRecord>,
}

impl Watcher for Seen {
    fn progress(&mut self, _: u64, _: u64, progress: &Progress) -> ControlFlow<()> {
        self.steps.extend(progress.steps.iter().cloned());
        ControlFlow::Continue(())
    }

    fn epoch(&mut self, records: &[EpochRecord]) {
        self.records = records.to_vec();
    }
}

/// Dark rows to train on and bright ones to test, as files.
pub fn config(folder: &Path) -> Config {
    std::fs::write(folder.join("train-images-idx3-ubyte"), pictures(&rows(TRAIN, 0, 1))).unwrap();
    std::fs::write(folder.join("t10k-images-idx3-ubyte"), pictures(&rows(TEST, 190, 2))).unwrap();
    let mut config = Config::default();
    config.data.source = folder.to_string_lossy().into_owned();
    (config.data.validation, config.data.binarise) = (VALIDATION, Binarise::Never);
    (config.model.encoder, config.model.latent) = (format!("mlp:{HIDDEN},activation=tanh").parse().unwrap(), LATENT);
    config.model.likelihood = Spec::new("bernoulli");
    (config.training.epochs, config.training.batch, config.training.learning_rate) = (3, 8, 0.05);
    config
}

/// The finished run of a configuration, in a folder, and what was seen of it.
pub fn finished(config: Config, folder: &Path) -> (TrainRun, Seen) {
    let (mut run, mut seen) = (TrainRun::start(config, folder, Box::new(Cpu::new())).unwrap(), Seen::default());
    assert_eq!(run.train(&mut seen).unwrap(), Outcome::Finished);
    (run, seen)
}

/// Two numbers of f32 are the same.
#[track_caller]
pub fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-4 * expected.abs().max(1e-2), "{found} is not {expected}");
}
