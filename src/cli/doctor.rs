//! `elbo doctor`.

use super::args::DoctorArgs;
use crate::error::Result;

/// Checks a device kernel by kernel.
pub fn run(_: &DoctorArgs) -> Result<()> {
    Ok(())
}
