//! How fast training is and what it takes: whole steps, the pieces of models, single kernels, where one step's time goes, and what it costs to
//! share it.

mod ceilings;
mod compare;
mod heap;
mod kernels;
mod memory;
mod pieces;
mod reduction;
mod report;
mod start;
mod steady;
mod steps;
mod timing;
mod workload;

pub use ceilings::{Ceilings, measure_ceilings};
pub use compare::{Change, Comparison};
pub use heap::{CountingAllocator, HeapUse, count_heap};
pub use kernels::{KernelFigures, measure_kernels};
pub use memory::{GrowthFigures, MemoryFigures, resident};
pub use pieces::{PieceCase, PieceFigures, PieceTiming, measure_pieces, piece_cases};
pub use reduction::{SharedStep, SharedStepFigures, SumFigures, measure_sums};
pub use report::Report;
pub use start::{measure_start, run_start};
pub use steady::{LossFigures, SteadyFigures};
pub use steps::{CallFigures, StartFigures, StepFigures, Timing, measure_step, profile_step, step_calls};
pub use workload::Workload;

/// The median of some measurements (of an even number, the upper of the two in the middle), the least and the largest.
fn median(values: &mut [f64]) -> (f64, [f64; 2]) {
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2], [values[0], values[values.len() - 1]])
}
