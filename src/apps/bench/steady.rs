//! What a training step costs besides its kernels once it is in its stride: objects made, waits, heap, and what it costs
//! to look at the loss.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::heap::count_heap;
use crate::error::Result;
use crate::training::Trainer;

/// What steps made and waited for in the steady state, on the mean.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SteadyFigures {
    /// Steps that were counted.
    pub steps: u64,
    /// Steps handed to the device at once.
    pub steps_per_submit: f64,
    /// Command encoders made per submit.
    pub encoders_per_submit: f64,
    /// Buffers made per step.
    pub buffers_per_step: f64,
    /// Bind groups made per step.
    pub bind_groups_per_step: f64,
    /// Pipelines made per step.
    pub pipelines_per_step: f64,
    /// Times per step that the host stopped until the device had caught up. The host runs three submits ahead and then
    /// waits: at most once per submit. A driver may hold a submit up by itself, which is not seen here: lavapipe does while
    /// the submit before is under way.
    pub waits_per_step: f64,
    /// Heap allocations per step, the graphics library's own included; `None` where nothing counts them.
    pub allocations_per_step: Option<f64>,
    /// Bytes of those allocations per step.
    pub allocated_bytes_per_step: Option<f64>,
}

/// What it costs to wait for the loss.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct LossFigures {
    /// Samples per second where the loss of every step is waited for before the next is sent: the median.
    pub every_step: f64,
    /// The same where that of every tenth step is.
    pub every_tenth: f64,
    /// Time per step in the first case over that in the second: the median over pairs, each measured side by side.
    pub penalty: f64,
    /// The least and the largest of the pairs.
    pub spread: [f64; 2],
}

/// Counts over submits of `chunk` steps for so long; over four at least and 256 at most.
pub(super) fn measure_steady(trainer: &mut Trainer, chunk: usize, time: Duration) -> Result<SteadyFigures> {
    // As many ahead of the device as there will be.
    for _ in 0..4 {
        trainer.send(chunk)?;
    }
    let before = trainer.session.executor.counters();
    let started = Instant::now();
    let (sent, heap) = count_heap(|| -> Result<()> {
        let mut sends = 0;
        while sends < 4 || (started.elapsed() < time && sends < 256) {
            trainer.send(chunk)?;
            sends += 1;
        }
        Ok(())
    });
    sent?;
    let made = trainer.session.executor.counters() - before;
    trainer.settle()?;
    let steps = made.steps.max(1) as f64;
    Ok(SteadyFigures {
        steps: made.steps,
        steps_per_submit: made.steps as f64 / made.submits.max(1) as f64,
        encoders_per_submit: made.encoders as f64 / made.submits.max(1) as f64,
        buffers_per_step: made.buffers as f64 / steps,
        bind_groups_per_step: made.bind_groups as f64 / steps,
        pipelines_per_step: made.pipelines as f64 / steps,
        waits_per_step: made.waits as f64 / steps,
        allocations_per_step: heap.map(|heap| heap.allocations as f64 / steps),
        allocated_bytes_per_step: heap.map(|heap| heap.bytes as f64 / steps),
    })
}

/// Turns of steps whose loss is waited for, each time and every tenth time in alternation, for so long; three pairs at
/// least. `None` where those alone would take six seconds: then a wait is nothing beside a step.
pub(super) fn measure_loss(
    trainer: &mut Trainer,
    batch: usize,
    step: f64,
    time: Duration,
) -> Result<Option<LossFigures>> {
    if 60.0 * step > 6.0 {
        return Ok(None);
    }
    // Turns of 50 ms at least.
    let tens = (0.005 / step).ceil().clamp(1.0, 1000.0) as usize;
    let mut turn = |sends: usize, steps: usize| -> Result<f64> {
        let start = Instant::now();
        (0..sends).try_for_each(|_| trainer.steps(steps))?;
        Ok(start.elapsed().as_secs_f64() / (sends * steps) as f64)
    };
    let (mut every, mut tenth) = (Vec::new(), Vec::new());
    let start = Instant::now();
    while every.len() < 3 || start.elapsed() < time {
        every.push(turn(10 * tens, 1)?);
        tenth.push(turn(tens, 10)?);
    }
    let mut ratios: Vec<f64> = every.iter().zip(&tenth).map(|(a, b)| a / b).collect();
    let (penalty, spread) = super::median(&mut ratios);
    let rate = |times: &mut Vec<f64>| batch as f64 / super::median(times).0;
    Ok(Some(LossFigures { every_step: rate(&mut every), every_tenth: rate(&mut tenth), penalty, spread }))
}
