//! A run folder: what lies in it, and whether a folder is one.

use std::path::Path;

use crate::config::FILE_NAME;
use crate::error::{Error, Result};

/// The checkpoint's file in a run folder.
pub const CHECKPOINT: &str = "checkpoint.safetensors";

/// Says so if a folder is no run folder.
pub(super) fn check_folder(folder: &Path) -> Result<()> {
    let what = match (folder.is_dir(), folder.join(FILE_NAME).is_file()) {
        (false, _) if folder.exists() => "is a file",
        (false, _) => "does not exist",
        (true, false) => "holds no config.toml",
        (true, true) if !folder.join(CHECKPOINT).is_file() => "holds no checkpoint.safetensors yet",
        _ => return Ok(()),
    };
    Err(Error::invalid(format!(
        "{} {what}: give the folder of a run, which `elbo train` names at its end",
        folder.display()
    )))
}
