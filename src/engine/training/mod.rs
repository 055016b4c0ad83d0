//! Training: the loop, its schedules, its state, and what a run leaves in its folder.

mod accumulator;
mod batches;
mod best;
pub mod checkpoint;
mod digest;
mod divergence;
mod feed;
mod follow;
mod given;
mod importance;
mod layout;
pub mod metrics;
mod order;
mod pace;
mod phases;
mod programs;
mod pump;
mod ranks;
mod recording;
mod reduce;
mod resident;
mod resume;
mod runaway;
mod running;
mod scalars;
mod schedule;
mod session;
mod shared;
mod state;
mod threads;
mod trainer;
mod weights;

pub use accumulator::{Means, Sums};
pub use best::Best;
pub use given::Given;
pub use importance::{Importance, LogLikelihood, MAX_SAMPLES, RELIABLE_FROM};
pub use layout::Layout;
pub use programs::{TrainingStep, evaluate_outputs, evaluate_program};
pub use ranks::Ranks;
pub use recording::Recording;
pub use reduce::{Alone, Reduce, Share};
pub use resident::{Resident, Seen};
pub(crate) use resume::TRAINED;
pub(crate) use runaway::Extent;
pub use runaway::{Divergence, Extents};
pub use running::Pump;
pub use scalars::{Moved, Scalars};
pub use schedule::{KL_SCHEDULES, Rates, SLOWED};
pub(crate) use session::each_member_of;
pub use session::{
    BlankRow, CodeMoments, Imputed, Imputing, MAX_DRAWS, MOMENT_DRAWS, Session, Uncertainty, part_of_seed,
};
pub use state::State;
pub use threads::in_threads;
pub use trainer::{Progress, Trainer};
