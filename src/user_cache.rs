//! The user's folder for what may be lost: it costs time to make again, nothing else.
//!
//! Whatever is not exactly what this version wrote is as good as absent, and what cannot be written is not kept. No error leaves
//! here.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::files::{create_folder, write_atomically};

/// The user's folder for what may be lost: `ELBO_CACHE_DIR`, else `elbo` in the system's (`~/.cache` on Linux).
pub fn cache_folder() -> Option<PathBuf> {
    choose_folder(std::env::var_os("ELBO_CACHE_DIR").as_deref(), dirs::cache_dir())
}

fn choose_folder(given: Option<&OsStr>, of_the_system: Option<PathBuf>) -> Option<PathBuf> {
    match given {
        Some(given) => Some(PathBuf::from(given)).filter(|folder| !folder.as_os_str().is_empty()),
        None => of_the_system.map(|folder| folder.join("elbo")),
    }
}

/// Writes a file, if that can be done, and says whether it was.
pub(crate) fn keep(path: &Path, parts: &[&[u8]]) -> bool {
    let folder = path.parent().unwrap_or(Path::new("."));
    // A full disk or a folder of someone else's: the next start is slower.
    create_folder(folder).is_ok()
        && write_atomically(path, |file| parts.iter().try_for_each(|part| file.write_all(part))).is_ok()
}

/// The checksum of some bytes, one part behind the other.
pub(crate) fn crc32(parts: &[&[u8]]) -> u32 {
    let mut crc = flate2::Crc::new();
    parts.iter().for_each(|part| crc.update(part));
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_the_users_or_the_systems() {
        let system = || Some(PathBuf::from("/cache"));
        assert_eq!(choose_folder(None, system()), Some("/cache/elbo".into()));
        assert_eq!(choose_folder(Some(OsStr::new("/other")), system()), Some("/other".into()));
        assert_eq!(choose_folder(Some(OsStr::new("")), system()), None);
        assert_eq!(choose_folder(None, None), None);
    }

    #[test]
    fn what_cannot_be_kept_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made/on/demand");
        assert!(keep(&path, &[b"one ", b"two"]));
        assert_eq!(std::fs::read(&path).unwrap(), b"one two");
        assert!(!keep(&path.join("below/a/file"), &[b"x"]));
        assert_eq!(crc32(&[b"123456789"]), 0xcbf4_3926);
        assert_eq!(crc32(&[b"1234", b"", b"56789"]), 0xcbf4_3926);
    }
}
