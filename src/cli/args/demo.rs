//! The options of `elbo demo`.

use std::path::PathBuf;

use clap::Args;

use crate::config::DeviceChoice;

/// The options of `elbo demo`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  elbo demo --out first")]
pub struct DemoArgs {
    /// Folder to keep the run in [default: a new one in runs]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Where to compute: auto, cpu, cpu-exact, gpu, or a number or part of a name from `elbo devices`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
}
