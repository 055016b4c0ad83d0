//! How fast training is: whole steps, single kernels, and where one step's time goes.

mod kernels;
mod report;
mod steps;
mod workload;

pub use kernels::{Ceilings, KernelFigures, measure_ceilings, measure_kernels};
pub use report::{Report, StepChange};
pub use steps::{CallFigures, StepFigures, measure_step, profile_step};
pub use workload::Workload;
