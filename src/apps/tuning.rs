//! The kernels that a run chose by timing them, kept in its folder: a run that goes on must choose the same, or its bits would
//! be others than those of a run that was never stopped.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::files::{read_own, write_own};
use crate::program::{Choices, Executor};

/// Its file in a run folder; there is none where nothing is chosen by timing.
pub const TUNING: &str = "tuning.json";
/// The most bytes it may have.
const MAX_BYTES: u64 = 16 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    /// For people.
    device: String,
    choices: Choices,
}

/// What a run chose, if it did.
///
/// # Errors
/// If the file is there and cannot be read, with what to do.
pub(super) fn read(folder: &Path) -> Result<Option<Choices>> {
    let path = folder.join(TUNING);
    if !path.exists() {
        return Ok(None);
    }
    let text = read_own(&path, "a record of chosen kernels", MAX_BYTES)?;
    let record: Record = serde_json::from_slice(&text).map_err(|e| {
        let remedy = "delete it, and the run goes on with kernels chosen by rule, which may round differently";
        Error::malformed(&path, format!("no record of chosen kernels ({e}): {remedy}"))
    })?;
    Ok(Some(record.choices))
}

/// Writes what a run has chosen by now, if that is more than `known`.
pub(super) fn write(folder: &Path, executor: &dyn Executor, known: &mut Choices) -> Result<()> {
    let choices = executor.choices();
    if choices == *known {
        return Ok(());
    }
    let record = Record { device: executor.describe(), choices };
    let text = serde_json::to_string_pretty(&record).map_err(Error::invalid)?;
    write_own(&folder.join(TUNING), |file| writeln!(file, "{text}"))?;
    *known = record.choices;
    Ok(())
}

/// The device that a run's kernels were chosen on, where they were; a record that cannot be read names none.
#[cfg(feature = "report")]
pub(super) fn device(folder: &Path) -> Option<String> {
    let path = folder.join(TUNING);
    let text =
        if path.exists() { read_own(&path, "a record of chosen kernels", MAX_BYTES).ok()? } else { return None };
    serde_json::from_slice::<Record>(&text).ok().map(|record| record.device)
}
