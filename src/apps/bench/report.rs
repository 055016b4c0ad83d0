//! What a benchmark says, to keep and to compare.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ceilings::Ceilings;
use super::compare::Comparison;
use super::kernels::KernelFigures;
use super::pieces::PieceFigures;
use super::steps::StepFigures;
use crate::error::{Error, Result};

/// One run of `elbo bench`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The program's version.
    pub version: String,
    /// The device.
    pub device: String,
    /// The machine's load average over the minute before, where it tells: what else was running.
    #[serde(default)]
    pub load_average: Option<f64>,
    /// Whole training steps.
    pub steps: Vec<StepFigures>,
    /// The plain VAE with one piece exchanged, the plain one first.
    #[serde(default)]
    pub pieces: Vec<PieceFigures>,
    /// What the device can do at most, where kernels were timed.
    #[serde(default)]
    pub ceilings: Option<Ceilings>,
    /// Single kernels.
    pub kernels: Vec<KernelFigures>,
    /// Beside an earlier run, where one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
}

impl Report {
    /// Of this version and this machine, without figures yet.
    pub fn new(device: String) -> Report {
        let load = sysinfo::System::load_average().one;
        Report {
            version: env!("CARGO_PKG_VERSION").to_string(),
            device,
            load_average: (!cfg!(windows)).then_some(load),
            steps: vec![],
            pieces: vec![],
            ceilings: None,
            kernels: vec![],
            comparison: None,
        }
    }

    /// Reads a report that `--json` wrote.
    ///
    /// # Errors
    /// If the file cannot be read or is no report.
    pub fn load(path: &Path) -> Result<Report> {
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        serde_json::from_str(&text)
            .map_err(|e| Error::malformed(path, format!("no report of `elbo bench --json` ({e}): make one first")))
    }
}
