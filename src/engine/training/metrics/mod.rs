//! What a run measures, and the files it is kept in.
//!
//! - `metrics.jsonl`: one [`EpochRecord`] a line, one line per epoch and split;
//! - `steps.jsonl`: one [`StepRecord`] a line, as often as the loop reports;
//! - `retries.jsonl`: one [`RetryRecord`] a line, where a run went back because its numbers ran away;
//! - `metrics.csv`, `steps.csv`: the same records, scalar columns only, for spreadsheets.
//!
//! All likelihoods are in nats per example: `reconstruction` is −log p(x|z), `kl` is unweighted, and
//! `elbo = −(reconstruction + kl)`; `loss` is what was minimised, β and all.

/// The file of the records of epochs in a run folder.
pub const METRICS: &str = "metrics.jsonl";

mod active_units;
mod log;
mod null;
mod read;
mod record;
mod writer;

pub use crate::data::Split;
pub use active_units::{ACTIVE_UNIT_THRESHOLD, ActiveUnits};
pub use read::{MAX_BYTES, read_epochs, read_retries, read_steps};
pub use record::{EpochRecord, RetryRecord, StepRecord, bits_per_dimension};
pub use writer::MetricsWriter;
