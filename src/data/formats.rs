//! The list of file formats.
//!
//! A format is a file that implements `Format` and a line in `FORMATS`. A file is offered to each by its first bytes
//! (behind gzip, if it is compressed), a folder by what lies in it.

use std::path::Path;

pub(crate) use super::format::{Format, Found};
use super::options::Options;
use super::origin::first_few;
use super::stored::{is_too_large, too_large};
use super::{cifar, idx, input, npy, npz, pictures, table};
use crate::error::{Error, Result};

/// Every known format, in the order they are asked.
pub(crate) const FORMATS: &[&dyn Format] =
    &[&idx::Idx, &npy::Npy, &npz::Npz, &cifar::Cifar, &table::Delimited, &pictures::Pictures];

/// The names of all formats, for help texts and messages.
pub fn names() -> String {
    let names: Vec<&str> = FORMATS.iter().map(|format| format.name()).collect();
    names.join(", ")
}

/// Whether a path is a table.
pub(super) fn is_table(path: &Path) -> bool {
    if path.is_dir() {
        return FORMATS.iter().find(|format| format.claims_folder(path)).is_some_and(|format| format.is_of_tables());
    }
    // Opening a pipe would wait for a writer.
    if !path.is_file() {
        return false;
    }
    let Ok(head) = input::head(path) else { return false };
    let claiming = FORMATS.iter().find(|format| format.claims_file(path, &head));
    claiming.is_some_and(|format| format.is_of_tables())
}

/// Reads a file in whichever format claims it.
pub(crate) fn read_file(path: &Path, options: &Options) -> Result<Found> {
    let head = input::head(path)?;
    match FORMATS.iter().find(|format| format.claims_file(path, &head)) {
        Some(format) => {
            check_size(*format, path, options)?;
            check_memory(*format, path, options)?;
            format.read_file(path, options)
        }
        None => Err(Error::malformed(
            path,
            format!("this {}. It is in no known data format. Known: {}", input::seems(&head), names()),
        )),
    }
}

/// Reads a folder in whichever format claims it.
pub(crate) fn read_folder(folder: &Path, options: &Options) -> Result<Found> {
    if let Some(format) = FORMATS.iter().find(|format| format.claims_folder(folder)) {
        check_size(*format, folder, options)?;
        return format.read_folder(folder, options);
    }
    let looked_for: Vec<String> = FORMATS.iter().map(|format| format.looks_for()).collect();
    Err(Error::malformed(
        folder,
        format!(
            "this folder holds {}, and no known data set. Looked for: {}",
            contents(folder)?,
            looked_for.join("; ")
        ),
    ))
}

/// Reads what a path names that is neither a file nor a folder.
pub(crate) fn read_named(path: &Path, options: &Options) -> Option<Result<Found>> {
    FORMATS.iter().find_map(|format| format.read_named(path, options))
}

/// Refuses a size for rows that come in one of their own.
fn check_size(format: &dyn Format, path: &Path, options: &Options) -> Result<()> {
    match options.pictures.size {
        Some(size) if !format.takes_size() => Err(Error::malformed(
            path,
            format!(
                "`size` is {size}, and only folders of pictures are brought to a size, not {}: leave it out",
                format.name()
            ),
        )),
        _ => Ok(()),
    }
}

/// Refuses a table for which there is no memory: its cells are all looked at before any is a number.
fn check_memory(format: &dyn Format, path: &Path, options: &Options) -> Result<()> {
    let bytes = u128::from(std::fs::metadata(path).map_err(Error::io("read", path))?.len());
    match options.memory {
        Some(memory) if format.is_of_tables() && is_too_large(bytes, Some(memory)) => Err(too_large(
            path,
            bytes,
            memory,
            "tables are held in memory: take a part of it, write its numbers as an array (.npy)",
        )),
        _ => Ok(()),
    }
}

/// The first few names in a folder, for people.
fn contents(folder: &Path) -> Result<String> {
    const SHOWN: usize = 6;
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let entry = entry.map_err(Error::io("read", folder))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let count = names.len();
    names.truncate(SHOWN);
    Ok(if count == 0 { "nothing".into() } else { first_few(&names, count) })
}

/// The table in a file.
///
/// # Errors
/// If it is in another format, or cannot be read.
pub(crate) fn table_of(path: &Path) -> Result<table::Table> {
    match read_file(path, &Options::default())? {
        Found::Tables(tables) => Ok(tables.train),
        Found::Rows(_) => Err(Error::malformed(path, "this is no table: give a CSV, TSV or Parquet file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_data_says_what_is_there_and_what_is_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let message = read_folder(folder.path(), &Options::default()).unwrap_err().to_string();
        assert!(message.contains("holds nothing"), "{message}");
        for part in ["train-images", "train-labels", "t10k-images", "t10k-labels"] {
            assert!(message.contains(part), "{message}");
        }
        for i in 0..8 {
            std::fs::write(folder.path().join(format!("photo{i}.heic")), b"").unwrap();
        }
        let message = read_folder(folder.path(), &Options::default()).unwrap_err().to_string();
        assert!(message.contains("photo0.heic") && message.contains("and 2 more"), "{message}");
    }

    #[test]
    fn an_unknown_file_says_what_it_seems_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("paper.pdf");
        std::fs::write(&path, b"%PDF-1.4 xxxxxxxxxxxx").unwrap();
        let message = read_file(&path, &Options::default()).unwrap_err().to_string();
        assert!(message.contains("is a PDF document") && message.contains("IDX"), "{message}");
    }
}
