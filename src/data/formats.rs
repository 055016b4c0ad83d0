//! The list of file formats.
//!
//! A format is a file that implements `Format` and a line in `FORMATS`. A file is offered to each by its first bytes
//! (behind gzip, if it is compressed), a folder by what lies in it.

use std::path::Path;

use super::dataset::Dataset;
use super::table::{self, Tables};
use super::{idx, input, npy};
use crate::error::{Error, Result};

/// Every known format, in the order they are asked.
pub(crate) const FORMATS: &[&dyn Format] = &[&idx::Idx, &npy::Npy, &table::Delimited];

/// What a format finds in a path.
#[derive(Debug)]
pub(crate) enum Found {
    /// Rows that are numbers already.
    Rows(Parts),
    /// Rows of cells, of which somebody has to say what they are.
    Tables(Tables),
}

/// Rows that are numbers.
#[derive(Debug)]
pub(crate) struct Parts {
    /// The rows to train on; all rows, if they come without a split of their own.
    pub(crate) train: Dataset,
    /// The test rows, if they come apart.
    pub(crate) test: Option<Dataset>,
}

impl From<Parts> for Found {
    fn from(parts: Parts) -> Found {
        Found::Rows(parts)
    }
}

/// One file format.
pub(crate) trait Format: Sync {
    /// What people call it.
    fn name(&self) -> &'static str;

    /// Whether a file that starts with `head` (up to [`input::HEAD`] bytes) is in this format.
    fn claims_file(&self, path: &Path, head: &[u8]) -> bool;

    /// Reads a file that was claimed.
    fn read_file(&self, path: &Path) -> Result<Found>;

    /// Whether it is one of tables, whose columns differ in what they are.
    fn is_of_tables(&self) -> bool {
        false
    }

    /// Whether a folder is in this format.
    fn claims_folder(&self, folder: &Path) -> bool;

    /// Reads a folder that was claimed.
    fn read_folder(&self, folder: &Path) -> Result<Found>;

    /// What is looked for in a folder, for the message when nothing is found.
    fn looks_for(&self) -> String;
}

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
pub(crate) fn read_file(path: &Path) -> Result<Found> {
    let head = input::head(path)?;
    match FORMATS.iter().find(|format| format.claims_file(path, &head)) {
        Some(format) => format.read_file(path),
        None => Err(Error::malformed(
            path,
            format!("this {}, which is not a known data format. Known: {}", input::seems(&head), names()),
        )),
    }
}

/// Reads a folder in whichever format claims it.
pub(crate) fn read_folder(folder: &Path) -> Result<Found> {
    if let Some(format) = FORMATS.iter().find(|format| format.claims_folder(folder)) {
        return format.read_folder(folder);
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

/// The first few names in a folder, for people.
fn contents(folder: &Path) -> Result<String> {
    const SHOWN: usize = 6;
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let entry = entry.map_err(Error::io("read", folder))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    Ok(match (names.is_empty(), more) {
        (true, _) => "nothing".into(),
        (_, 0) => names.join(", "),
        _ => format!("{} and {more} more", names.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_data_says_what_is_there_and_what_is_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let message = read_folder(folder.path()).unwrap_err().to_string();
        assert!(message.contains("holds nothing"), "{message}");
        for part in ["train-images", "train-labels", "t10k-images", "t10k-labels"] {
            assert!(message.contains(part), "{message}");
        }
        for i in 0..8 {
            std::fs::write(folder.path().join(format!("photo{i}.png")), b"").unwrap();
        }
        let message = read_folder(folder.path()).unwrap_err().to_string();
        assert!(message.contains("photo0.png") && message.contains("and 2 more"), "{message}");
    }

    #[test]
    fn an_unknown_file_says_what_it_seems_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cat.png");
        std::fs::write(&path, b"\x89PNG\r\n\x1a\nxxxxxxxxxxxx").unwrap();
        let message = read_file(&path).unwrap_err().to_string();
        assert!(message.contains("is a PNG picture") && message.contains("IDX"), "{message}");
    }
}
