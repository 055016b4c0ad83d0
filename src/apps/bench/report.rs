//! What a benchmark says, to keep and to compare.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::kernels::{Ceilings, KernelFigures};
use super::steps::StepFigures;
use crate::error::{Error, Result};

/// One run of `elbo bench`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The program's version.
    pub version: String,
    /// The device.
    pub device: String,
    /// Whole training steps.
    pub steps: Vec<StepFigures>,
    /// What the device can do at most, where kernels were timed.
    #[serde(default)]
    pub ceilings: Option<Ceilings>,
    /// Single kernels.
    pub kernels: Vec<KernelFigures>,
}

/// One step beside an earlier run's.
#[derive(Clone, Debug)]
pub struct StepChange {
    /// The workload and its batch.
    pub step: String,
    /// Samples per second, then and now.
    pub rates: [f64; 2],
    /// Whether the two runs' spreads overlap: then the difference may be noise.
    pub overlap: bool,
}

impl Report {
    /// Reads a report that `--json` wrote.
    ///
    /// # Errors
    /// If the file cannot be read or is no report.
    pub fn load(path: &Path) -> Result<Report> {
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        serde_json::from_str(&text)
            .map_err(|e| Error::malformed(path, format!("no report of `elbo bench --json` ({e}): make one first")))
    }

    /// The steps that both runs timed.
    pub fn changes_since(&self, earlier: &Report) -> Vec<StepChange> {
        let same = |now: &&StepFigures| {
            let then = earlier.steps.iter().find(|s| (&s.step, s.batch) == (&now.step, now.batch))?;
            Some(StepChange {
                step: format!("{}, batch {}", now.step, now.batch),
                rates: [then.samples_per_second, now.samples_per_second],
                overlap: then.spread[0] <= now.spread[1] && now.spread[0] <= then.spread[1],
            })
        };
        self.steps.iter().filter_map(|now| same(&now)).collect()
    }
}
