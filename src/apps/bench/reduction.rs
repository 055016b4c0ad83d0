//! What it costs to share a step among ranks: sums over all of them by their size, and whole steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::steps::{Timing, round, warm_up};
use super::workload::Workload;
use crate::error::Result;
use crate::program::Executor;
use crate::training::{Reduce, Session, Share, Trainer};

/// Numbers of a sum, four bytes each: a flag, losses, and gradients of small and large models.
const SIZES: [usize; 9] = [1, 64, 1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22];
/// Numbers that a round of sums adds up, about; within bounds for few and many.
const NUMBERS: usize = 1 << 23;
const SUMS: [usize; 2] = [4, 1000];

/// What sums of one size take.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SumFigures {
    /// Bytes that each rank gives.
    pub bytes: usize,
    /// Seconds of one sum, the median over rounds.
    pub seconds: f64,
    /// The fastest and the slowest round.
    pub spread: [f64; 2],
}

/// What a step takes that ranks share.
#[derive(Clone, Debug, Serialize)]
pub struct SharedStepFigures {
    /// The workload.
    pub step: String,
    /// Rows per step, of all ranks together.
    pub batch: usize,
    /// Rows per second, of all ranks together: the median over rounds.
    pub samples_per_second: f64,
    /// The slowest and the fastest round.
    pub spread: [f64; 2],
    /// Bytes of the gradient.
    pub gradient_bytes: usize,
    /// The share of the time in which rank 0 is in sums, or waits in them for others.
    pub share_in_sums: f64,
}

/// A reduction whose sums are timed.
struct Timed {
    reduce: Box<dyn Reduce>,
    nanoseconds: Arc<AtomicU64>,
}

impl Reduce for Timed {
    fn sum(&mut self, values: &mut [f32]) -> Result<()> {
        let before = Instant::now();
        let outcome = self.reduce.sum(values);
        self.nanoseconds.fetch_add(before.elapsed().as_nanos() as u64, Ordering::Relaxed);
        outcome
    }

    fn broadcast(&mut self, words: &mut [u32]) -> Result<()> {
        self.reduce.broadcast(words)
    }

    fn fail(&mut self, why: &str) {
        self.reduce.fail(why);
    }
}

/// Times sums of several sizes, in so many rounds each; all ranks do at once.
///
/// # Errors
/// If another rank cannot be reached.
pub fn measure_sums(reduce: &mut dyn Reduce, rounds: usize) -> Result<Vec<SumFigures>> {
    let figures = |&numbers: &usize| {
        let (mut values, sums) = (vec![0.0; numbers], (NUMBERS / numbers).clamp(SUMS[0], SUMS[1]));
        let mut round = || -> Result<f64> {
            let before = Instant::now();
            (0..sums).try_for_each(|_| reduce.sum(&mut values))?;
            Ok(before.elapsed().as_secs_f64() / sums as f64)
        };
        round()?;
        let mut times = (0..rounds).map(|_| round()).collect::<Result<Vec<f64>>>()?;
        let (seconds, spread) = super::median(&mut times);
        Ok(SumFigures { bytes: 4 * numbers, seconds, spread })
    };
    SIZES.iter().map(figures).collect()
}

/// A step that is shared, or one process's own.
pub struct SharedStep {
    trainer: Trainer,
    workload: Workload,
    batch: usize,
    nanoseconds: Arc<AtomicU64>,
}

impl SharedStep {
    /// A step of so many rows, of all ranks together; of one process without a share.
    ///
    /// # Errors
    /// If the device fails, or a rank would have no row.
    pub fn new(
        workload: &Workload,
        batch: usize,
        executor: Box<dyn Executor>,
        share: Option<Share>,
    ) -> Result<SharedStep> {
        let (data, nanoseconds) = (workload.data(batch)?, Arc::<AtomicU64>::default());
        let config = workload.training(batch);
        let session = Session::new(workload.model()?, executor, config.seed);
        let trainer = match share {
            None => Trainer::new(session, &data, &config, 1.0, false)?,
            Some(Share { part, parts, reduce }) => {
                let reduce = Box::new(Timed { reduce, nanoseconds: nanoseconds.clone() });
                let share = Share { part, parts, reduce };
                Trainer::shared(session, (&data, None), &config, (1.0, false), share)?
            }
        };
        Ok(SharedStep { trainer, workload: *workload, batch, nanoseconds })
    }

    /// Times the step, as rank 0 or alone.
    ///
    /// # Errors
    /// If a device fails, or another rank cannot be reached.
    pub fn measure(mut self, timing: Timing) -> Result<SharedStepFigures> {
        let chunk = warm_up(&mut self.trainer, timing.round / 3)?;
        self.nanoseconds.store(0, Ordering::Relaxed);
        let (mut rates, before) = (Vec::new(), Instant::now());
        for _ in 0..timing.rounds {
            rates.push(self.batch as f64 * round(&mut self.trainer, chunk, timing.round)?.0);
        }
        let in_sums = Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed));
        let share_in_sums = in_sums.as_secs_f64() / before.elapsed().as_secs_f64();
        let (samples_per_second, spread) = super::median(&mut rates);
        Ok(SharedStepFigures {
            step: self.workload.name.to_string(),
            batch: self.batch,
            samples_per_second,
            spread,
            gradient_bytes: 4 * self.trainer.session.layout.count(),
            share_in_sums,
        })
    }

    /// Does what rank 0 does, until that has measured.
    ///
    /// # Errors
    /// As for [`SharedStep::measure`].
    pub fn follow(mut self) -> Result<()> {
        self.trainer.follow(&|| false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Cpu;
    use crate::training::in_threads;

    #[test]
    fn what_is_shared_is_timed_in_its_sums() {
        let timing = Timing { rounds: 3, round: Duration::from_millis(5), growth: 0 };
        let step = |share| SharedStep::new(&Workload::CLASSIC, 6, Box::new(Cpu::new()), share).unwrap();
        let alone = step(None).measure(timing).unwrap();
        let [first, second] = <[Share; 2]>::try_from(in_threads(2)).ok().unwrap();
        let shared = std::thread::scope(|scope| {
            scope.spawn(move || step(Some(second)).follow().unwrap());
            step(Some(first)).measure(timing).unwrap()
        });
        assert!(alone.share_in_sums == 0.0 && shared.share_in_sums > 0.0 && shared.share_in_sums < 1.0);
        // 784-400-20: weights and biases of both networks.
        let parameters = 784 * 400 + 400 + 400 * 40 + 40 + 20 * 400 + 400 + 400 * 784 + 784;
        assert_eq!([alone.gradient_bytes, shared.gradient_bytes], [4 * parameters; 2]);
    }
}
