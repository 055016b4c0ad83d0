//! Files of a run folder. Such a folder may come from a stranger: a link in it may lead to any file of the user's, and a name may be that
//! of a pipe or a device. So links are replaced and never followed when a file is written, and only regular files are read, each with a
//! stated bound.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use super::replace;
use crate::error::{Error, Result};
use crate::memory::asking;

/// Writes a file of a run folder, or one that a command was asked for, all at once, as [`super::write_atomically`] does; but a link that has its name is replaced, and what it
/// leads to is left as it is.
///
/// # Errors
/// When the folder is missing or not writable, when something that is neither a file nor a link has the name, or when `write` fails.
pub fn write_own(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let permissions = match fs::symlink_metadata(path) {
        Err(_) => None,
        Ok(found) if found.is_file() => Some(found.permissions()),
        Ok(found) if found.is_symlink() => None,
        Ok(found) => {
            let kind = if found.is_dir() { "a folder" } else { "a device or a pipe" };
            let path = path.display();
            return Err(Error::invalid(format!("cannot write {path}: it is {kind}, and a file was expected")));
        }
    };
    replace(path, path, permissions, write)
}

/// Opens a regular file of at most `most` bytes, and tells how many it has.
///
/// # Errors
/// When there is none, it is something else, or it is larger: `what` says what a file of this name is, such as "a checkpoint".
pub fn open_own(path: &Path, what: &str, most: u64) -> Result<(File, u64)> {
    // Asked before opening: opening a pipe would wait for a writer.
    let about = fs::metadata(path).map_err(Error::io("read", path))?;
    if !about.is_file() {
        let kind = if about.is_dir() { "a folder" } else { "a device or a pipe" };
        return Err(Error::malformed(path, format!("this is {kind}, and {what} was expected")));
    }
    let file = File::open(path).map_err(Error::io("read", path))?;
    let length = file.metadata().map_err(Error::io("read", path))?.len();
    if length > most {
        let problem = format!("this file has {length} bytes, and {what} has at most {most}. Choose another file");
        return Err(Error::malformed(path, problem));
    }
    Ok((file, length))
}

/// The contents of a regular file of at most `most` bytes.
///
/// # Errors
/// As for [`open_own`].
pub fn read_own(path: &Path, what: &str, most: u64) -> Result<Vec<u8>> {
    let (file, length) = open_own(path, what, most)?;
    let mut bytes = Vec::new();
    let room = usize::try_from(length).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory));
    let reserve = |length| asking(|| bytes.try_reserve_exact(length)).map_err(|_| io::ErrorKind::OutOfMemory.into());
    let room = room.and_then(reserve);
    // A file may grow while it is read.
    room.and_then(|()| file.take(most).read_to_end(&mut bytes)).map_err(Error::io("read", path))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_link_is_replaced_and_what_it_leads_to_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (theirs, link) = (folder.path().join("theirs"), folder.path().join("config.toml"));
        fs::write(&theirs, "precious").unwrap();
        std::os::unix::fs::symlink(&theirs, &link).unwrap();
        write_own(&link, |out| out.write_all(b"ours")).unwrap();
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "precious");
        assert_eq!(fs::read_to_string(&link).unwrap(), "ours");
        assert!(!fs::symlink_metadata(&link).unwrap().is_symlink());
        // Another file is written over, with the rights that it had.
        write_own(&link, |out| out.write_all(b"again")).unwrap();
        assert_eq!(fs::read_to_string(&link).unwrap(), "again");
        let error = write_own(folder.path(), |_| Ok(())).unwrap_err().to_string();
        assert!(error.contains("it is a folder"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_folders_are_not_read_and_files_are_bounded() {
        let refusal = |path: &Path, most| read_own(path, "a list", most).unwrap_err().to_string();
        assert!(refusal(Path::new("/dev/zero"), 9).contains("this is a device or a pipe, and a list was expected"));
        let folder = tempfile::tempdir().unwrap();
        assert!(refusal(folder.path(), 9).contains("this is a folder"));
        let path = folder.path().join("ten");
        fs::write(&path, "0123456789").unwrap();
        assert_eq!(read_own(&path, "a list", 10).unwrap(), b"0123456789");
        assert!(refusal(&path, 9).contains("has 10 bytes, and a list has at most 9"));
    }
}
