//! Whole training steps: how many samples a second, and where the time of one goes.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::memory::{GrowthFigures, MemoryFigures, measure_growth};
use super::steady::{LossFigures, SteadyFigures, measure_loss, measure_steady};
use super::workload::Workload;
use crate::config::ModelConfig;
use crate::cpu::Cpu;
use crate::error::Result;
use crate::kernels::Cost;
use crate::program::{Call, Executor};
use crate::training::{Session, Trainer};

/// From the start of a process to the end of its first training step.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct StartFigures {
    /// Seconds with empty shader caches.
    pub cold_seconds: f64,
    /// Seconds with the caches that the cold start has filled.
    pub warm_seconds: f64,
}

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
    /// From the call that opened the device to the end of the first step, in seconds, in this process and with the
    /// driver's own caches; [`StartFigures`] are of processes of their own.
    pub first_step_seconds: f64,
    /// Time the calling thread spends on a step that it does not wait for, in microseconds: the least of all sends. On the
    /// CPU executor, whose threads the calling one is among, the step itself.
    pub host_microseconds_per_step: f64,
    /// The same per kernel call.
    #[serde(default)]
    pub host_microseconds_per_dispatch: f64,
    /// Bytes of all buffers.
    pub bytes: u64,
    /// How much longer a step takes where the host waits for the loss of every step than where it waits for that of every
    /// tenth; `None` where steps are so long that it cannot matter.
    #[serde(default)]
    pub loss_every_step_penalty: Option<f64>,
    /// The rates behind that.
    #[serde(default)]
    pub loss: Option<LossFigures>,
    /// What steps make and wait for in the steady state.
    #[serde(default)]
    pub steady: Option<SteadyFigures>,
    /// Cold and warm starts.
    #[serde(default)]
    pub start: Option<StartFigures>,
    /// Memory, of the process of the warm start.
    #[serde(default)]
    pub memory: Option<MemoryFigures>,
    /// Memory before and after many steps.
    #[serde(default)]
    pub growth: Option<GrowthFigures>,
}

/// How long a step is measured.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Rounds, of which the median is given.
    pub rounds: usize,
    /// The time of one; a third of it is warmed up for.
    pub round: Duration,
    /// Steps over which growth is measured; 0 for none.
    pub growth: u64,
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
pub(super) struct Bench {
    pub trainer: Trainer,
}

impl Bench {
    pub fn new(workload: &Workload, batch: usize, executor: Box<dyn Executor>) -> Result<Bench> {
        Bench::with(workload, &workload.model_config(), batch, executor)
    }

    /// Another model on the rows of a workload.
    pub fn with(workload: &Workload, model: &ModelConfig, batch: usize, executor: Box<dyn Executor>) -> Result<Bench> {
        let data = workload.data(batch)?;
        let config = workload.training(batch);
        let session = Session::new(workload.model_of(model)?, executor, config.seed);
        Ok(Bench { trainer: Trainer::new(session, &data, &config, 1.0, false)? })
    }
}

/// Times whole steps: a warm-up, then rounds in which as many steps are sent at once as take about 25 ms, 64 at most; the
/// loss is read as it comes back, without a wait. `started` is when the device was asked for. The starts and the memory
/// of processes of their own are left for [`measure_start`](super::measure_start).
///
/// # Errors
/// If the device fails.
pub fn measure_step(
    workload: &Workload,
    batch: usize,
    executor: Box<dyn Executor>,
    timing: Timing,
    started: Instant,
) -> Result<StepFigures> {
    let mut bench = Bench::new(workload, batch, executor)?;
    let trainer = &mut bench.trainer;
    trainer.steps(1)?;
    let first_step_seconds = started.elapsed().as_secs_f64();
    let chunk = warm_up(trainer, timing.round / 3)?;
    let (mut rates, mut host) = (Vec::new(), f64::INFINITY);
    for _ in 0..timing.rounds {
        let (rate, least) = round(trainer, chunk, timing.round)?;
        rates.push(batch as f64 * rate);
        host = host.min(least);
    }
    let (samples_per_second, spread) = super::median(&mut rates);
    let steady = measure_steady(trainer, chunk, timing.round / 2)?;
    let loss = measure_loss(trainer, batch, batch as f64 / samples_per_second, timing.round * 2)?;
    let growth = (timing.growth > 0).then(|| measure_growth(trainer, chunk, timing.growth)).transpose()?;
    let dispatches = trainer.program()?.calls.len();
    Ok(StepFigures {
        step: workload.name.to_string(),
        batch,
        samples_per_second,
        spread,
        dispatches,
        first_step_seconds,
        host_microseconds_per_step: 1e6 * host,
        host_microseconds_per_dispatch: 1e6 * host / dispatches.max(1) as f64,
        bytes: trainer.session.executor.bytes(),
        loss_every_step_penalty: loss.map(|loss| loss.penalty),
        loss,
        steady: Some(steady),
        start: None,
        memory: None,
        growth,
    })
}

/// Runs steps for so long; gives how many take about 25 ms, 64 at most.
pub(super) fn warm_up(trainer: &mut Trainer, time: Duration) -> Result<usize> {
    let (start, mut chunk) = (Instant::now(), 1);
    while start.elapsed() < time {
        let before = Instant::now();
        trainer.steps(chunk)?;
        if before.elapsed() < Duration::from_millis(25) {
            chunk = (chunk * 2).min(64);
        }
    }
    Ok(chunk)
}

/// Runs steps for so long, `chunk` sent at once, and waits for the last; gives steps per second, and the least time that
/// sending one took, in seconds.
pub(super) fn round(trainer: &mut Trainer, chunk: usize, time: Duration) -> Result<(f64, f64)> {
    let (start, mut steps, mut host) = (Instant::now(), 0, f64::INFINITY);
    while start.elapsed() < time {
        host = host.min(trainer.send(chunk)? / chunk as f64);
        trainer.collect()?;
        steps += chunk;
    }
    trainer.settle()?;
    Ok((steps as f64 / start.elapsed().as_secs_f64(), host))
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
    let calls = &bench.trainer.program()?.calls;
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

/// The kernel calls of one step.
///
/// # Errors
/// If the model cannot be built.
pub fn step_calls(workload: &Workload, batch: usize) -> Result<Vec<Call>> {
    Ok(Bench::new(workload, batch, Box::new(Cpu::new()))?.trainer.program()?.calls.clone())
}
