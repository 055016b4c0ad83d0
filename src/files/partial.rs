//! Files that are not yet whole.
//!
//! One has the name of the file that it is to become, between two words, and is locked while it is written. So what a process that was
//! killed left behind is known as nobody's, and goes when the file is written again.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// How their names begin and end.
const WORDS: (&str, &str) = (".elbo-", ".partial");

/// File names may have 255 bytes on most systems; those of longer ones are left out.
const MOST: usize = 200;

/// How often a name is tried that somebody else is clearing away.
const TRIES: usize = 8;

/// The name of the file that is to become `target`.
pub(super) fn name(target: &Path) -> OsString {
    let mut name = OsString::from(WORDS.0);
    name.push(target.file_name().unwrap_or_default());
    name.push(WORDS.1);
    name
}

/// Whether a name is one of theirs.
pub(super) fn is_partial(name: &str) -> bool {
    name.starts_with(WORDS.0) && name.ends_with(WORDS.1)
}

/// A new file in a folder that is to become `target`, and goes when it is dropped.
pub(super) fn begin(target: &Path, folder: &Path) -> io::Result<NamedTempFile> {
    let name = target.file_name().unwrap_or_default();
    let mut prefix = OsString::from(WORDS.0);
    prefix.push(name);
    let path = folder.join(self::name(target));
    if cfg!(unix) && name.len() <= MOST {
        for _ in 0..TRIES {
            clear(&path);
            let mut builder = Builder::new();
            builder.prefix(&prefix).rand_bytes(0).suffix(WORDS.1);
            match with_usual_permissions(&mut builder).tempfile_in(folder) {
                // Another may have taken it for a left one before it was locked.
                Ok(file) if is_ours(file.as_file(), &path) => return Ok(file),
                // The name is not this one's any more, whatever stands there.
                Ok(file) => drop(file.keep()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => break,
                Err(error) => return Err(error),
            }
        }
    }
    // Somebody else writes the same file at the moment, or it cannot be told.
    let mut builder = Builder::new();
    builder.prefix(WORDS.0).suffix(WORDS.1);
    let file = with_usual_permissions(&mut builder).tempfile_in(folder)?;
    let _ = file.as_file().try_lock();
    Ok(file)
}

/// Deletes one that nobody writes any more. Where the file system has no locks, nobody can tell, and it stays.
pub(super) fn clear(path: &Path) {
    if !fs::symlink_metadata(path).is_ok_and(|found| found.is_file()) {
        return;
    }
    if let Ok(file) = OpenOptions::new().write(true).open(path)
        && file.try_lock().is_ok()
        && is_same(&file, path)
    {
        let _ = fs::remove_file(path);
    }
}

/// Locks a file that was just made, and says whether it is still the one of its name: then no other process takes the name away.
fn is_ours(file: &File, path: &Path) -> bool {
    match file.try_lock() {
        Ok(()) => is_same(file, path),
        Err(TryLockError::WouldBlock) => false,
        // Without locks nothing is taken for a left one either.
        Err(TryLockError::Error(_)) => true,
    }
}

#[cfg(unix)]
fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let which = |about: fs::Metadata| (about.dev(), about.ino());
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(file), Ok(path)) => which(file) == which(path),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Temporary files are private by default; ours become the real file, so they get what any new file gets (less the umask).
fn with_usual_permissions<'a, 'b, 'c>(builder: &'a mut Builder<'b, 'c>) -> &'a mut Builder<'b, 'c> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_was_left_goes_when_the_file_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.csv");
        fs::write(folder.path().join(".elbo-a.csv.partial"), "torn").unwrap();
        fs::write(folder.path().join(".elbo-b.csv.partial"), "of another").unwrap();
        let mut file = begin(&target, folder.path()).unwrap();
        file.write_all(b"whole").unwrap();
        file.persist(&target).unwrap();
        assert_eq!(names(folder.path()), [".elbo-b.csv.partial", "a.csv"]);
        assert_eq!(fs::read(&target).unwrap(), b"whole");
    }

    #[test]
    fn two_may_write_one_file_and_neither_takes_what_the_other_writes() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.csv");
        let first = begin(&target, folder.path()).unwrap();
        let second = begin(&target, folder.path()).unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        for (file, text) in [(first, "first"), (second, "second")] {
            fs::write(file.path(), text).unwrap();
            file.persist(&target).unwrap();
            assert_eq!(fs::read_to_string(&target).unwrap(), text);
        }
        assert_eq!(names(folder.path()), ["a.csv"]);
    }

    #[test]
    fn what_is_being_written_is_not_cleared_away() {
        let folder = tempfile::tempdir().unwrap();
        let file = begin(&folder.path().join("a.csv"), folder.path()).unwrap();
        clear(file.path());
        assert!(file.path().exists());
        let path = file.path().to_owned();
        // As a process leaves it that is killed.
        std::mem::forget(file.into_temp_path());
        clear(&path);
        assert!(!path.exists());
        // A link of that name leads to what is somebody's.
        let theirs = folder.path().join("theirs");
        fs::write(&theirs, "precious").unwrap();
        std::os::unix::fs::symlink(&theirs, &path).unwrap();
        clear(&path);
        assert!(theirs.exists() && fs::symlink_metadata(&path).is_ok());
        // Such a name is not waited for, nor one that is too long.
        for name in ["a.csv", &"x".repeat(250)] {
            let target = folder.path().join(name);
            begin(&target, folder.path()).unwrap().persist(&target).unwrap();
        }
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "precious");
    }

    #[test]
    fn many_at_once_all_get_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.csv");
        std::thread::scope(|scope| {
            for i in 0..8 {
                let (target, folder) = (&target, folder.path());
                scope.spawn(move || {
                    for _ in 0..200 {
                        let mut file = begin(target, folder).unwrap();
                        file.write_all(&[i; 9]).unwrap();
                        file.persist(target).unwrap();
                    }
                });
            }
        });
        let found = fs::read(&target).unwrap();
        assert!(found.len() == 9 && found.iter().all(|byte| *byte == found[0]), "{found:?}");
        assert_eq!(names(folder.path()), ["a.csv"]);
    }
}
