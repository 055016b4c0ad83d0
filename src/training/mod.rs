//! Training: the loop, its schedules, its state, and what a run leaves in its folder.

mod accumulator;
mod batches;
pub mod checkpoint;
mod given;
mod importance;
pub mod metrics;
mod pace;
mod programs;
mod resident;
mod schedule;
mod session;
mod state;
mod trainer;
mod weights;

pub use accumulator::Sums;
pub use given::Given;
pub use importance::{Importance, MAX_SAMPLES, RELIABLE_FROM};
pub use programs::{Sets, evaluate_outputs, evaluate_program, train_program};
pub use resident::Resident;
pub use schedule::{KL_SCHEDULES, Rates};
pub use session::Session;
pub use state::State;
pub use trainer::{Progress, Trainer};
