//! Whole training steps: how many samples a second, and where the time of one goes.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::workload::Workload;
use crate::config::{Preset, TrainingConfig};
use crate::error::Result;
use crate::kernels::Cost;
use crate::program::Executor;
use crate::training::{Session, Trainer};

/// What a run of whole steps measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepFigures {
    /// The workload.
    pub step: String,
    /// Rows per step.
    pub batch: usize,
    /// The median over rounds.
    pub samples_per_second: f64,
    /// The slowest and the fastest round.
    pub spread: [f64; 2],
    /// Kernel calls per step.
    pub dispatches: usize,
    /// From the call that opened the device to the end of the first step, in seconds.
    pub first_step_seconds: f64,
    /// Time the calling thread spends on a step that it does not wait for, in microseconds.
    pub host_microseconds_per_step: f64,
    /// Bytes of all buffers.
    pub bytes: u64,
}

/// One call of a profiled step.
#[derive(Clone, Debug)]
pub struct CallFigures {
    /// The kernel's kind.
    pub kernel: String,
    /// What it computes.
    pub label: String,
    /// The median time, in seconds.
    pub seconds: f64,
    /// What it costs.
    pub cost: Cost,
}

/// A workload on a device, ready to step.
struct Bench {
    trainer: Trainer,
}

impl Bench {
    fn new(workload: &Workload, batch: usize, executor: Box<dyn Executor>) -> Result<Bench> {
        let data = workload.data(batch)?;
        let config = TrainingConfig { batch, ..Preset::Classic.config().training };
        let session = Session::new(workload.model(), executor, config.seed);
        Ok(Bench { trainer: Trainer::new(session, &data, &config, 1.0, false)? })
    }
}

/// Times whole steps: warm-up for a third of a round, then `rounds` rounds of `round` each; the loss is read as it comes
/// back, without a wait. `started` is when the device was asked for.
///
/// # Errors
/// If the device fails.
pub fn measure_step(
    workload: &Workload,
    batch: usize,
    executor: Box<dyn Executor>,
    (rounds, round): (usize, Duration),
    started: Instant,
) -> Result<StepFigures> {
    let mut bench = Bench::new(workload, batch, executor)?;
    let trainer = &mut bench.trainer;
    trainer.steps(1)?;
    let first_step_seconds = started.elapsed().as_secs_f64();
    let warm = Instant::now();
    let mut chunk = 1;
    while warm.elapsed() < round / 3 {
        let before = Instant::now();
        trainer.steps(chunk)?;
        if before.elapsed() < Duration::from_millis(25) {
            chunk = (chunk * 2).min(64);
        }
    }
    let mut rates = Vec::new();
    let mut host = f64::INFINITY;
    for _ in 0..rounds {
        let (start, mut steps) = (Instant::now(), 0);
        while start.elapsed() < round {
            host = host.min(trainer.send(chunk)? / chunk as f64);
            steps += chunk;
        }
        trainer.settle()?;
        rates.push((steps * batch) as f64 / start.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    Ok(StepFigures {
        step: workload.name.to_string(),
        batch,
        samples_per_second: rates[rates.len() / 2],
        spread: [rates[0], rates[rates.len() - 1]],
        dispatches: trainer.program().calls.len(),
        first_step_seconds,
        host_microseconds_per_step: 1e6 * host,
        bytes: trainer.session.executor.bytes(),
    })
}

/// Times the calls of one step, each the median of `repeats`.
///
/// # Errors
/// If the device fails or cannot time its calls.
pub fn profile_step(
    workload: &Workload,
    batch: usize,
    executor: Box<dyn Executor>,
    repeats: usize,
) -> Result<Vec<CallFigures>> {
    let mut bench = Bench::new(workload, batch, executor)?;
    bench.trainer.steps(3)?;
    let mut all: Vec<Vec<f64>> = Vec::new();
    for _ in 0..repeats {
        all.push(bench.trainer.profile()?);
    }
    let calls = &bench.trainer.program().calls;
    let median = |i: usize| {
        let mut times: Vec<f64> = all.iter().map(|run| run[i]).collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let figures = calls.iter().enumerate().map(|(i, call)| CallFigures {
        kernel: call.kernel.name().to_string(),
        label: call.label.clone(),
        seconds: median(i),
        cost: call.kernel.cost(),
    });
    Ok(figures.collect())
}
