//! How single kernels are timed.

use std::sync::Arc;
use std::time::Instant;

use crate::error::Result;
use crate::kernels::{Kernel, Step};
use crate::program::{Buffer, Call, Executor, Program, ProgramId, Slice};

/// A program of one call on buffers of its own.
pub(super) fn program(label: &str, kernel: Arc<dyn Kernel>, words: &[usize]) -> Program {
    let name = |b: usize| format!("bench.{label}.{b}");
    Program {
        name: label.to_string(),
        buffers: words.iter().enumerate().map(|(b, &words)| Buffer { name: name(b), words }).collect(),
        calls: vec![Call {
            kernel,
            bindings: words.iter().enumerate().map(|(b, &words)| Slice { buffer: b, offset: 0, words }).collect(),
            label: label.to_string(),
        }],
        scalars: vec![],
        statistics: vec![],
        ring: None,
        outputs: vec![],
    }
}

/// Runs of a round at most.
const MOST_RUNS: usize = 8192;

/// The median time of one run and the fastest and slowest round's, in seconds: five rounds of as many runs as take 20 ms,
/// each round sent at once and waited for, so that what sending and waiting cost is divided by many.
pub(super) fn time(executor: &mut dyn Executor, id: ProgramId, step: &Step) -> Result<(f64, [f64; 2])> {
    let mut round = |runs: usize| -> Result<f64> {
        let steps = vec![*step; runs];
        let start = Instant::now();
        executor.run(id, &steps)?;
        executor.statistics(id, true, &mut Vec::new())?;
        Ok(start.elapsed().as_secs_f64())
    };
    let mut runs = 1;
    while round(runs)? < 0.02 && runs < MOST_RUNS {
        runs *= 2;
    }
    let mut times = (0..5).map(|_| Ok(round(runs)? / runs as f64)).collect::<Result<Vec<f64>>>()?;
    Ok(super::median(&mut times))
}
