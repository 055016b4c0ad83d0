//! Writing files so that a crash, a full disk or a signal never leaves half a file behind.
//!
//! A file is written under a temporary name in the folder it belongs to, flushed, synced to the disk and only then renamed
//! over the old one. A rename inside one folder is atomic, so a reader sees either the whole old file or the whole new one.

mod lock;
mod own;
mod partial;

pub use lock::{FolderLock, sweep};
pub use own::{open_own, read_own, write_own};

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Writes a file all at once: `write` fills a temporary neighbour, which then takes the place of `path`.
///
/// The file keeps the permissions it had, or gets the usual ones of a new file. A link to a file is followed.
///
/// # Errors
/// When the folder is missing or not writable, when `path` is a folder or a device, or when `write` fails. In every case
/// an existing file is left as it was, and no temporary file stays behind.
pub fn write_atomically(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let (target, permissions) = replaceable(path)?;
    replace(path, &target, permissions, write)
}

/// Writes a neighbour of `target`, which then takes its place; `path` is what the target is called in errors.
fn replace(
    path: &Path,
    target: &Path,
    permissions: Option<Permissions>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let folder = parent(target);
    check_folder(path, folder)?;
    let mut temporary = partial::begin(target, folder).map_err(|error| Error::Io {
        action: "create a file in",
        path: folder.to_owned(),
        source: without_the_temporary_name(error),
    })?;
    let written = (|| {
        let mut buffered = BufWriter::new(temporary.as_file_mut());
        write(&mut buffered)?;
        buffered.flush()?;
        drop(buffered);
        temporary.as_file().sync_all()?;
        if let Some(permissions) = permissions {
            temporary.as_file().set_permissions(permissions)?;
        }
        Ok(())
    })();
    written.map_err(Error::io("write", path))?;
    temporary.persist(target).map_err(|failed| Error::io("write", path)(failed.error))?;
    // Makes the rename itself survive a power cut. Where a folder cannot be synced, a reader still finds one whole file.
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

/// Gives a file another name as well, in place of what has that. A second name of the same file costs nothing, where the file system has
/// such names.
///
/// # Errors
/// If the system refuses.
pub fn name_also(path: &Path, name: &Path) -> Result<()> {
    let beside = parent(name).join(partial::name(name));
    let _ = fs::remove_file(&beside);
    let copied = || fs::copy(path, &beside).and_then(|_| File::open(&beside)?.sync_all());
    let linked = fs::hard_link(path, &beside).or_else(|_| copied());
    let renamed = linked.and_then(|()| fs::rename(&beside, name));
    // Where both are names of one file already, renaming does nothing.
    let _ = fs::remove_file(&beside);
    renamed.map_err(Error::io("write", name))
}

/// Creates a folder and those above it; one that is already there is fine.
///
/// # Errors
/// When something that is not a folder stands in the way, or the system refuses.
pub fn create_folder(path: &Path) -> Result<()> {
    let obstacle = path.ancestors().find(|part| part.exists()).filter(|part| !part.is_dir());
    if let Some(obstacle) = obstacle {
        return Err(Error::invalid(format!(
            "cannot create the folder {}: {} is a file; choose another name or move the file away",
            path.display(),
            obstacle.display()
        )));
    }
    fs::create_dir_all(path).map_err(Error::io("create the folder", path))
}

/// The file that will be replaced and its permissions, if there is one and it is an ordinary file.
fn replaceable(path: &Path) -> Result<(PathBuf, Option<Permissions>)> {
    let Ok(found) = fs::metadata(path) else {
        return Ok((path.to_owned(), None));
    };
    if !found.is_file() {
        // Renaming over a device or a pipe would silently turn it into an ordinary file.
        let kind = if found.is_dir() { "a folder" } else { "a device or a pipe" };
        return Err(Error::invalid(format!(
            "cannot write {}: it is {kind}, and a file name was expected",
            path.display()
        )));
    }
    let target = fs::canonicalize(path).map_err(Error::io("write", path))?;
    Ok((target, Some(found.permissions())))
}

/// The folder a file stands in; the current one where the path is a bare name.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn check_folder(path: &Path, folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let reason = if folder.exists() {
        "is a file, and a folder was expected"
    } else {
        "does not exist; create it first, or choose another place"
    };
    Err(Error::invalid(format!("cannot write {}: {} {reason}", path.display(), folder.display())))
}

/// The random temporary name in the system's message would only puzzle the reader.
fn without_the_temporary_name(error: io::Error) -> io::Error {
    let (kind, said) = (error.kind(), error.to_string());
    io::Error::new(kind, said.split(" at path ").next().unwrap_or_default().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn writes_and_replaces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        for text in ["first", "second, and longer", ""] {
            write_atomically(&path, |out| out.write_all(text.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(names(folder.path()), ["a.txt"]);
        }
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        fs::write(&path, "old").unwrap();
        let error = write_atomically(&path, |out| {
            out.write_all(&[b'x'; 100_000])?;
            Err(io::Error::other("the disk is full"))
        })
        .unwrap_err()
        .to_string();
        assert!(error.contains("a.txt") && error.contains("the disk is full"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["a.txt"]);
        // Without an old file, a failure must not make one.
        let other = folder.path().join("b.txt");
        assert!(write_atomically(&other, |_| Err(io::Error::other("no"))).is_err());
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn says_what_is_wrong_with_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        for (path, expected) in [
            (folder.path().to_owned(), "it is a folder"),
            (folder.path().join("missing/a.txt"), "does not exist"),
            (file.join("a.txt"), "is a file"),
        ] {
            let error = write_atomically(&path, |out| out.write_all(b"y")).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        assert_eq!(names(folder.path()), ["file"]);
        assert_eq!(fs::read_to_string(&file).unwrap(), "x");
    }

    #[cfg(unix)]
    #[test]
    fn refuses_devices_and_follows_links() {
        let error = write_atomically(Path::new("/dev/null"), |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("device"), "{error}");

        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_atomically(&link, |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_a_plain_file_or_of_the_old_one() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let folder = tempfile::tempdir().unwrap();
        let (plain, ours) = (folder.path().join("plain"), folder.path().join("ours"));
        fs::write(&plain, "x").unwrap();
        write_atomically(&ours, |out| out.write_all(b"x")).unwrap();
        assert_eq!(mode(&ours), mode(&plain));
        fs::set_permissions(&ours, Permissions::from_mode(0o640)).unwrap();
        write_atomically(&ours, |out| out.write_all(b"y")).unwrap();
        assert_eq!(mode(&ours), 0o640);
    }

    #[cfg(unix)]
    #[test]
    fn an_unwritable_folder_is_named() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o555)).unwrap();
        // The superuser may write anywhere, so there is nothing to see.
        if File::create(folder.path().join("probe")).is_ok() {
            return;
        }
        let error = write_atomically(&folder.path().join("a"), |_| Ok(())).unwrap_err();
        let (said, name) = (error.to_string(), folder.path().display().to_string());
        assert!(said.contains(&name) && !said.contains(".partial"), "{said}");
    }

    #[test]
    fn a_file_gets_another_name_and_nothing_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (path, name) = (folder.path().join("last"), folder.path().join("previous"));
        fs::write(&path, "first").unwrap();
        // The second time it has the name already, as where a process was killed behind that.
        for _ in 0..2 {
            name_also(&path, &name).unwrap();
            assert_eq!(names(folder.path()), ["last", "previous"]);
        }
        write_own(&path, |out| out.write_all(b"second")).unwrap();
        assert_eq!(fs::read(&name).unwrap(), b"first");
        name_also(&path, &name).unwrap();
        assert_eq!(fs::read(&name).unwrap(), b"second");
        assert!(name_also(&folder.path().join("none"), &name).is_err());
    }

    #[test]
    fn creates_folders_and_names_the_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        create_folder(&deep).unwrap();
        create_folder(&deep).unwrap();
        assert!(deep.is_dir());
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        for path in [file.clone(), file.join("below/deeper")] {
            let error = create_folder(&path).unwrap_err().to_string();
            assert!(error.contains("file is a file"), "{error}");
        }
    }
}
