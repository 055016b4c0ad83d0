//! A run folder: what lies in it, and whether a folder is one.

use std::path::{Path, PathBuf};

use crate::config::FILE_NAME;
use crate::error::{Error, Result};
use crate::files::{FolderLock, create_folder, sweep};

/// The checkpoint's file in a run folder.
pub const CHECKPOINT: &str = "checkpoint.safetensors";

/// The checkpoint before that one.
pub const PREVIOUS: &str = "checkpoint.previous.safetensors";

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

/// The folder and the checkpoint of a run that is given as its folder, or as one of the checkpoints in it.
///
/// # Errors
/// If it is neither.
pub(super) fn place_of(place: &Path) -> Result<(PathBuf, PathBuf)> {
    let folder = folder_of(place);
    check_folder(folder)?;
    let path = if folder == place { place.join(CHECKPOINT) } else { place.to_owned() };
    Ok((folder.to_owned(), path))
}

/// The folder of a run that is given as its folder, or as one of the checkpoints in it.
pub fn folder_of(place: &Path) -> &Path {
    let is_checkpoint = place.is_file() && place.extension().is_some_and(|ending| ending == "safetensors");
    match place.parent().filter(|_| is_checkpoint) {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => place,
    }
}

/// Whether a folder holds a run, or settings that this program did not write. One in which a run was begun and never saved is free.
pub(super) fn holds_run(folder: &Path) -> bool {
    folder.join(CHECKPOINT).exists() || (folder.join(FILE_NAME).exists() && !FolderLock::is_known(folder))
}

/// Says so if a folder holds a run.
pub(super) fn check_is_free(folder: &Path) -> Result<()> {
    if holds_run(folder) {
        let folder = folder.display();
        let problem = format!("{folder} holds a run already: choose another folder, or resume that run");
        return Err(Error::invalid(problem));
    }
    Ok(())
}

/// Takes a folder for a new run, which nobody else then writes; one that is not there is made.
///
/// # Errors
/// If it holds a run, another process has it, or it cannot be made.
pub(super) fn claimed(folder: &Path) -> Result<FolderLock> {
    check_is_free(folder)?;
    create_folder(folder)?;
    let lock = locked(folder)?;
    // Another process may have been faster.
    check_is_free(folder)?;
    Ok(lock)
}

/// The lock of a run's folder, which is swept of what was left half written.
pub(super) fn locked(folder: &Path) -> Result<FolderLock> {
    let lock = FolderLock::take(folder)?;
    sweep(folder, &lock);
    Ok(lock)
}
