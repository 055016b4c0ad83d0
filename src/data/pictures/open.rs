//! Which store a path is.

use std::path::Path;

use super::folder::Folder;
use super::store::Store;
use super::tar::Tar;
use super::zip::Zip;
use crate::error::Result;

/// A folder, looked through.
pub(super) fn open_folder(path: &Path) -> Result<Box<dyn Store>> {
    Ok(Box::new(Folder::open(path)?))
}

/// The archive that a file is, told by its first bytes, if it is one.
pub(super) fn open_archive(path: &Path, head: &[u8]) -> Option<Box<dyn Store>> {
    if Zip::claims(head) {
        Some(Box::new(Zip::new(path)))
    } else if Tar::claims(head) {
        Some(Box::new(Tar::new(path)))
    } else {
        None
    }
}
