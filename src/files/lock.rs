//! A folder that one process writes at a time.
//!
//! The lock is the system's, on a file in the folder: it ends with the process, however that ends, so there are no stale ones. What stands
//! in the file says who holds it, for people.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek, Write};
use std::path::Path;

use super::partial::{clear, is_partial};
use crate::error::{Error, Result};

/// The file that is locked. It stays in the folder, so that two processes always lock the same one.
const NAME: &str = ".elbo-lock";

/// A folder that no other process of this program writes, as long as this lives.
#[derive(Debug)]
pub struct FolderLock {
    /// Holds the lock; `None` where the file system has none.
    _file: Option<File>,
}

impl FolderLock {
    /// Whether this program has ever locked a folder.
    pub fn is_known(folder: &Path) -> bool {
        fs::symlink_metadata(folder.join(NAME)).is_ok_and(|found| found.is_file())
    }

    /// Locks a folder. Where the file system knows no locks, it goes without.
    ///
    /// # Errors
    /// If another process holds it, with who that is; or the folder cannot be written.
    pub fn take(folder: &Path) -> Result<FolderLock> {
        let path = folder.join(NAME);
        if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(Error::malformed(&path, "this is no regular file, and a lock was expected: delete it"));
        }
        let opened = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = opened.map_err(Error::io("lock", folder))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = super::read_own(&path, "a lock", 1 << 10).unwrap_or_default();
                let holder: String = String::from_utf8_lossy(&holder).chars().filter(|c| !c.is_control()).collect();
                let by = if holder.is_empty() { "another process".to_string() } else { holder };
                return Err(Error::Busy(format!(
                    "{} is being written by {by}: wait until that has ended, or choose another folder",
                    folder.display()
                )));
            }
            Err(TryLockError::Error(_)) => return Ok(FolderLock { _file: None }),
        }
        let host = sysinfo::System::host_name().unwrap_or_else(|| "this machine".to_string());
        // For people only: a disk that is full is found where it matters.
        let _ = file.rewind().and_then(|()| file.set_len(0));
        let _ = write!(file, "process {} on {host}", std::process::id());
        Ok(FolderLock { _file: Some(file) })
    }
}

/// Deletes what was left half written in a folder that is locked, by processes that were killed; not what another command is writing.
pub fn sweep(folder: &Path, _lock: &FolderLock) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if is_partial(&entry.file_name().to_string_lossy()) {
            clear(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_writer() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!FolderLock::is_known(folder.path()));
        let first = FolderLock::take(folder.path()).unwrap();
        let error = FolderLock::take(folder.path()).unwrap_err();
        assert!(matches!(error, Error::Busy(_)));
        let who = format!("is being written by process {} on ", std::process::id());
        assert!(error.to_string().contains(&who), "{error}");
        drop(first);
        FolderLock::take(folder.path()).unwrap();
        assert!(FolderLock::is_known(folder.path()));
    }

    #[test]
    fn what_was_left_half_written_goes_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".elbo-abc.partial", "notes.partial", ".elbo-abc", "metrics.jsonl"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let lock = FolderLock::take(folder.path()).unwrap();
        sweep(folder.path(), &lock);
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".elbo-abc", NAME, "metrics.jsonl", "notes.partial"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let theirs = folder.path().join("theirs");
        fs::write(&theirs, "precious").unwrap();
        std::os::unix::fs::symlink(&theirs, folder.path().join(NAME)).unwrap();
        assert!(FolderLock::take(folder.path()).unwrap_err().to_string().contains("no regular file"));
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "precious");
    }
}
