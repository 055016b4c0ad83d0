//! Training: the loop, its schedules, its state, and what a run leaves in its folder.

mod accumulator;
mod batches;
mod best;
pub mod checkpoint;
mod feed;
mod given;
mod importance;
mod layout;
pub mod metrics;
mod pace;
mod phases;
mod programs;
mod resident;
mod scalars;
mod schedule;
mod session;
mod state;
mod trainer;
mod weights;

pub use accumulator::{Means, Sums};
pub use best::Best;
pub use given::Given;
pub use importance::{Importance, LogLikelihood, MAX_SAMPLES, RELIABLE_FROM};
pub use layout::Layout;
pub use programs::{TrainingStep, evaluate_outputs, evaluate_program};
pub use resident::Resident;
pub use scalars::{Moved, Scalars};
pub use schedule::{KL_SCHEDULES, Rates};
pub use session::{CodeMoments, MOMENT_DRAWS, Session};
pub use state::State;
pub(crate) use trainer::TRAINED;
pub use trainer::{Progress, Trainer};
