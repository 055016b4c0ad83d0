//! What people do with models: train one, into a folder or in memory, open it again, look at it.

#[cfg(feature = "cli")]
pub mod bench;
mod columns;
#[cfg(feature = "pictures")]
mod contact_sheet;
mod data_summary;
mod devices;
pub mod doctor;
mod evaluation;
#[cfg(feature = "fetch")]
mod fetch;
mod fit_prior;
mod form;
mod impute;
#[cfg(feature = "pictures")]
pub mod pictures;
mod pieces;
#[cfg(feature = "cli")]
pub mod reproduce;
mod saved;
mod setup;
mod stages;
mod tabular;
mod train;
mod trained;
mod training;
mod tuning;

pub use columns::ColumnFigures;
#[cfg(feature = "pictures")]
pub use contact_sheet::save_contact_sheet;
pub use data_summary::{DataSummary, FactorSummary, PartSummary};
pub use devices::{open_device, open_tuned};
#[cfg(feature = "gpu")]
pub use devices::{open_gpu, shader_traits};
pub use evaluation::{Distance, EVALUATION, Evaluation, KlEstimator, Score, Wanted};
#[cfg(feature = "fetch")]
pub use fetch::{Fetching, fetch};
pub use fit_prior::{PriorFigures, PriorFit, PriorFitted, fit_prior};
pub use form::Form;
pub use impute::Filled;
pub use pieces::all_pieces;
pub use saved::{CHECKPOINT, Saved};
pub use setup::build_model;
pub use stages::first_stage;
pub use tabular::save_rows;
pub use train::{Outcome, TrainRun, Watcher};
pub use trained::Trained;
pub use training::{Epoch, History, Training, train};
pub use tuning::TUNING;
