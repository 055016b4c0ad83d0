//! What data sets are called: after the file or folder that they lie in.

use std::path::Path;

/// A folder's own name, also when it was given as `.`.
pub(super) fn folder_name(folder: &Path) -> String {
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    full.file_name().map_or("data".into(), |name| name.to_string_lossy().into_owned())
}

/// A file's name up to its first dot.
pub(super) fn file_stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').find(|part| !part.is_empty()).unwrap_or("data").to_owned()
}
