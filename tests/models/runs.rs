//! Small training runs in folders of their own, and what they leave there.

use std::ops::ControlFlow;
use std::path::Path;

use elbo::Result;
use elbo::apps::{CHECKPOINT, Outcome, TrainRun, Watcher};
use elbo::config::{Config, Schedule};
use elbo::engine::cpu::Cpu;
use elbo::engine::program::Executor;
use elbo::engine::training::Progress;
use elbo::engine::training::checkpoint::Checkpoint;
use elbo::engine::training::metrics::{EpochRecord, StepRecord, read_epochs, read_steps};

/// A kind of device.
pub struct Device {
    /// What it is called.
    pub name: &'static str,
    make: Box<dyn Fn() -> Box<dyn Executor>>,
}

impl Device {
    /// The CPU executor.
    pub fn cpu() -> Device {
        Device::new("cpu", || Box::new(Cpu::new()))
    }

    /// A device that is opened like this.
    pub fn new(name: &'static str, make: impl Fn() -> Box<dyn Executor> + 'static) -> Device {
        Device { name, make: Box::new(make) }
    }

    /// A fresh one.
    pub fn open(&self) -> Box<dyn Executor> {
        (self.make)()
    }
}

/// The CPU executor, and the GPU where the tests have one.
pub fn devices() -> Vec<Device> {
    let gpu = crate::common::gpu().is_some();
    let make = || -> Box<dyn Executor> { Box::new(crate::common::gpu().expect("it was there")) };
    [Some(Device::cpu()), gpu.then(|| Device::new("gpu", make))].into_iter().flatten().collect()
}

/// 180 sprites of 8×8 in batches of 32, the last being short, for four epochs of six steps; every step is recorded.
pub fn small() -> Config {
    let mut config = Config::default();
    (config.data.resolution, config.data.count, config.data.validation) = (8, Some(200), 20);
    (config.model.encoder, config.model.latent) = ("mlp:24,16".parse().unwrap(), 3);
    let t = &mut config.training;
    (t.epochs, t.batch, t.learning_rate, t.schedule) = (4, 32, 0.003, Schedule::Constant);
    (t.warmup_steps, t.kl_warmup_epochs, t.clip_norm) = (8, 3, Some(20.0));
    (t.log_every, t.checkpoint_every, t.steps_per_submit) = (1, 1, Some(1));
    config
}

/// Looks on, and breaks off once so many steps of the run are done.
pub struct StopAt(Option<u64>, u64);

impl StopAt {
    /// Never breaks off.
    pub fn never() -> StopAt {
        StopAt(None, 0)
    }

    /// Breaks off at a step.
    pub fn step(step: u64) -> StopAt {
        StopAt(Some(step), 0)
    }
}

impl Watcher for StopAt {
    fn progress(&mut self, epoch: u64, _: u64, progress: &Progress) -> ControlFlow<()> {
        self.1 = (epoch - 1) * progress.batches as u64 + progress.batch as u64;
        if self.0.is_some_and(|step| self.1 >= step) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn epoch(&mut self, _: &[EpochRecord]) {}
}

/// All that must be the same in two runs: the checkpoint's bytes, and the metrics without the times.
#[derive(PartialEq)]
pub struct Kept {
    checkpoint: Vec<u8>,
    epochs: Vec<EpochRecord>,
    steps: Vec<StepRecord>,
}

/// A run's folder.
pub struct Run {
    folder: tempfile::TempDir,
}

impl Run {
    /// An empty folder.
    pub fn new() -> Run {
        Run { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a run.
    pub fn start(&self, config: &Config, device: &Device, watcher: &mut StopAt) -> Result<Outcome> {
        TrainRun::start(config.clone(), self.folder.path(), device.open())?.train(watcher)
    }

    /// Goes on with it.
    pub fn resume(&self, config: &Config, device: &Device, watcher: &mut StopAt) -> Result<Outcome> {
        TrainRun::resume(config.clone(), self.folder.path(), device.open())?.train(watcher)
    }

    /// The bytes of its checkpoint.
    pub fn checkpoint(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join(CHECKPOINT)).expect("a checkpoint")
    }

    /// All its weights.
    pub fn weights(&self) -> Vec<f32> {
        let checkpoint = Checkpoint::load(&self.folder.path().join(CHECKPOINT)).expect("a checkpoint");
        let weights = checkpoint.tensors.into_iter().filter(|t| !t.0.starts_with("adam."));
        weights.flat_map(|(.., values)| values).collect()
    }

    /// What it recorded of epochs.
    pub fn epochs(&self) -> Vec<EpochRecord> {
        read_epochs(&self.folder.path().join("metrics.jsonl")).expect("records")
    }

    /// What it recorded of steps.
    pub fn steps(&self) -> Vec<StepRecord> {
        read_steps(&self.folder.path().join("steps.jsonl")).expect("records")
    }

    /// All that another run of the same settings must leave as well.
    pub fn kept(&self) -> Kept {
        let (mut epochs, mut steps) = (self.epochs(), self.steps());
        for record in &mut epochs {
            (record.seconds, record.samples_per_second) = (None, None);
        }
        steps.iter_mut().for_each(|record| record.samples_per_second = None);
        Kept { checkpoint: self.checkpoint(), epochs, steps }
    }
}

/// Trains on every device without a break, with one at a step, and with other settings: the first two leave the same, the others what is
/// unlike. Gives, for each device, the losses of the steps of the first run and of each other one.
pub fn resumed_is_continuous(config: &Config, step: u64, others: &[Config]) -> Vec<Vec<Vec<f64>>> {
    let finish = |run: &Run, config: &Config, device: &Device| {
        assert_eq!(run.start(config, device, &mut StopAt::never()).unwrap(), Outcome::Finished);
    };
    let losses = |run: &Run| run.steps().iter().map(|step| step.loss).collect();
    let on = |device: &Device| {
        let (whole, broken) = (Run::new(), Run::new());
        finish(&whole, config, device);
        assert_eq!(broken.start(config, device, &mut StopAt::step(step)).unwrap(), Outcome::Stopped);
        assert_eq!(broken.resume(config, device, &mut StopAt::never()).unwrap(), Outcome::Finished);
        assert!(broken.kept() == whole.kept(), "{}", device.name);
        let mut all = vec![losses(&whole)];
        for other in others {
            let run = Run::new();
            finish(&run, other, device);
            assert!(run.kept() != whole.kept(), "{}", device.name);
            all.push(losses(&run));
        }
        all
    };
    devices().iter().map(on).collect()
}

/// Holds the losses of every run on the GPU, if there is one, to those on the CPU, to a part in a thousand; those of the first run on the one and of
/// the second on the other are further apart than `others`.
pub fn devices_train_alike(losses: &[Vec<Vec<f64>>], others: f64) {
    let [cpu, gpu] = losses else { return };
    let far = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max);
    for (cpu, gpu) in cpu.iter().zip(gpu) {
        assert!(cpu.len() == gpu.len() && far(cpu, gpu) < 1e-3, "{:e}", far(cpu, gpu));
    }
    let apart = far(&cpu[0], &gpu[1]);
    assert!(apart > others, "other runs are told apart: {apart:e}");
}
