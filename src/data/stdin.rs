//! Standard input as a file: it is written to a folder of this process once, and read from there, as often as anyone likes.

use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use super::input::GZIP;
use super::npy::MAGIC;
use super::table::PARQUET;
use crate::error::{Error, Result};

/// The folder and the file in it; else what went wrong.
static KEPT: OnceLock<std::result::Result<(TempDir, PathBuf), String>> = OnceLock::new();

/// The file that holds what came in.
///
/// # Errors
/// If nothing came, or it cannot be kept.
pub(super) fn file() -> Result<PathBuf> {
    if io::stdin().is_terminal() {
        return Err(Error::invalid(
            "the data is `-`, standard input, and that is the keyboard: send rows in, as in `elbo data - < rows.csv`",
        ));
    }
    let kept = KEPT.get_or_init(|| keep(&mut io::stdin().lock()).map_err(|error| error.to_string()));
    match kept {
        Ok((_, path)) => Ok(path.clone()),
        Err(error) => Err(Error::invalid(format!("standard input cannot be read: {error}"))),
    }
}

/// Writes all that comes to a file, called by what it seems to be.
fn keep(input: &mut dyn Read) -> io::Result<(TempDir, PathBuf)> {
    let mut head = vec![];
    input.take(8).read_to_end(&mut head)?;
    if head.is_empty() {
        return Err(io::Error::other("it is empty"));
    }
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(name(&head));
    let mut file = std::fs::File::create(&path)?;
    file.write_all(&head)?;
    io::copy(input, &mut file)?;
    Ok((folder, path))
}

/// A name for a file that starts with these bytes.
fn name(head: &[u8]) -> &'static Path {
    Path::new(match head {
        _ if head.starts_with(MAGIC) => "standard-input.npy",
        _ if head.starts_with(PARQUET) => "standard-input.parquet",
        _ if head.starts_with(b"PK") => "standard-input.npz",
        _ if head.starts_with(&GZIP) => "standard-input.gz",
        _ => "standard-input.csv",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_is_kept_whole_under_a_name_for_it() {
        for (bytes, name) in [
            (&b"a,b\n1,2\n3,4\n"[..], "standard-input.csv"),
            (b"x", "standard-input.csv"),
            (b"\x93NUMPY\x01\x00 and more", "standard-input.npy"),
            (b"PAR1 and more", "standard-input.parquet"),
        ] {
            let (_folder, path) = keep(&mut &bytes[..]).unwrap();
            assert!(path.ends_with(name) && std::fs::read(&path).unwrap() == bytes, "{name}");
        }
        assert!(keep(&mut &b""[..]).unwrap_err().to_string().contains("empty"));
    }
}
