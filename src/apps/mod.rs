//! What people do with models: train one into a folder, open it again, look at it.

pub mod bench;
mod devices;
pub mod doctor;
pub mod pictures;
mod saved;
mod setup;
mod train;

pub use devices::{open_device, open_gpu};
pub use saved::{CHECKPOINT, Saved};
pub use setup::build_model;
pub use train::{Outcome, TrainRun, Watcher};
