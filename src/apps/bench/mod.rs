//! How fast training is: whole steps, single kernels, and where one step's time goes.

mod steps;
mod workload;

pub use steps::{Kernels, StepFigures, measure_step, profile_step};
pub use workload::Workload;
