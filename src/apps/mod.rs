//! What people do with models: train one, into a folder or in memory, open it again, look at it.

#[cfg(feature = "cli")]
pub mod bench;
#[cfg(feature = "tensorboard")]
mod board;
mod columns;
#[cfg(feature = "cli")]
pub mod compare;
#[cfg(feature = "pictures")]
mod contact_sheet;
mod data_summary;
mod described;
#[cfg(feature = "cli")]
mod device_report;
mod devices;
mod diagnosis;
pub mod doctor;
mod evaluation;
#[cfg(feature = "export")]
mod export;
#[cfg(feature = "fetch")]
mod fetch;
mod fit_prior;
mod folder;
mod form;
#[cfg(test)]
mod fuzz;
mod game;
mod health;
mod held_out;
mod history;
#[cfg(feature = "export")]
mod import;
mod members;
#[cfg(feature = "pictures")]
pub mod pictures;
mod pieces;
mod posterior;
#[cfg(feature = "report")]
mod report;
#[cfg(feature = "cli")]
pub mod reproduce;
mod retreat;
#[cfg(feature = "cli")]
mod reused;
mod saved;
mod settle;
mod setup;
mod skips;
mod stages;
#[cfg(feature = "export")]
mod torch;
mod train;
mod trained;
mod training;
mod tuning;
mod uses;

#[cfg(feature = "tensorboard")]
pub use board::{Board, has_board};
pub use columns::ColumnFigures;
#[cfg(feature = "pictures")]
pub use contact_sheet::save_contact_sheet;
pub use data_summary::{DataSummary, FactorSummary, PartSummary};
pub use described::described;
#[cfg(feature = "cli")]
pub use device_report::{DeviceReport, Examined, KernelReport};
pub use devices::{Team, open_device, open_in_turn, open_tuned};
#[cfg(feature = "gpu")]
pub use devices::{open_gpu, shader_traits};
#[cfg(feature = "report")]
pub use evaluation::{Comparison, Figure};
pub use evaluation::{Distance, EVALUATION, Evaluation, KlEstimator, MemberFigures, Score, Wanted};
#[cfg(feature = "export")]
pub use export::{Content as ExportedContent, Exported, Exporting, OnnxPart, OnnxPort};
#[cfg(feature = "fetch")]
pub use fetch::{Fetching, fetch};
pub use fit_prior::{PriorFigures, PriorFit, PriorFitted, fit_prior};
pub use folder::{CHECKPOINT, PREVIOUS, folder_of};
pub use form::{Form, build_model};
pub use history::History;
#[cfg(feature = "export")]
pub use import::{Imported, Suggested, import, suggest_map};
pub use members::{member_folder, prepare_member};
pub use pieces::all_pieces;
#[cfg(feature = "report")]
pub use report::{REPORT, Reported};
pub use saved::{Saved, Shown};
pub use settle::Settled;
pub use setup::reading;
pub use stages::first_stage;
pub use train::{Follower, Outcome, Prepared, TrainRun, Watcher};
pub use trained::Trained;
pub use training::{Epoch, Training, train};
pub use tuning::TUNING;
pub use uses::{
    Augmented, Beside, Compressed, CompressedReader, Decoded, Detection, Dimension, Draws, Encoded, End, Few, Filled,
    FilledColumn, Filling, LatentOut, LatentReport, MeasuredGain, Neighbour, Plain, Related, Repeat, ScoreKind, Scored,
    Scoring, Strange, SureColumn, TableFilling, TableSureness, Tally, Traversal, Way, beside, compress_to,
    decompress_to,
};
#[cfg(feature = "pictures")]
pub use uses::{Cleaned, Inpainted, Mask, PictureFilling, Rebuilt, Sureness};
#[cfg(feature = "maps")]
pub use uses::{MapKind, Mapped, Mapping};
