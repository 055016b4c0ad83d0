//! What a benchmark says, to keep and to compare.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ceilings::Ceilings;
use super::compare::{Change, Comparison};
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

impl Comparison {
    /// Of a run with an earlier one.
    pub fn new(now: &Report, earlier: &Report) -> Comparison {
        let mut warnings = Vec::new();
        if earlier.device != now.device {
            warnings.push(format!("the earlier run was on another device: {}", earlier.device));
        }
        if earlier.version != now.version {
            warnings.push(format!("the earlier run was of version {}, this is {}", earlier.version, now.version));
        }
        let steps = now.steps.iter().filter_map(|n| {
            let then = earlier.steps.iter().find(|t| (&t.step, t.batch) == (&n.step, n.batch))?;
            let rates = |s: &super::StepFigures| (s.samples_per_second, s.spread);
            Some(Change::of(format!("{}, batch {}", n.step, n.batch), rates(then), rates(n)))
        });
        let kernels = now.kernels.iter().filter_map(|n| {
            let then = earlier.kernels.iter().find(|t| (&t.kernel, &t.case) == (&n.kernel, &n.case))?;
            let rates = |k: &super::KernelFigures| {
                let [low, high] = k.spread.unwrap_or([k.seconds; 2]);
                (1.0 / k.seconds, [1.0 / high, 1.0 / low])
            };
            Some(Change::of(format!("{} {}", n.kernel, n.case), rates(then), rates(n)))
        });
        let pieces = now.pieces.iter().filter_map(|n| {
            let names = |p: &super::PieceFigures| (p.step.clone(), p.batch, p.kind.clone(), p.piece.clone());
            let then = earlier.pieces.iter().find(|t| names(t) == names(n))?;
            let rates = |p: &super::PieceFigures| (p.samples_per_second, p.spread);
            let what = format!("{}, batch {}, {} {}", n.step, n.batch, n.kind, n.piece);
            Some(Change::of(what, rates(then), rates(n)))
        });
        let [steps, pieces, kernels]: [Vec<Change>; 3] = [steps.collect(), pieces.collect(), kernels.collect()];
        if steps.is_empty() && pieces.is_empty() && kernels.is_empty() {
            let options = "--step, --batch, --pieces and --kernels";
            warnings.push(format!("the two runs measured nothing in common: give the same {options}"));
        }
        Comparison { warnings, steps, pieces, kernels }
    }
}
