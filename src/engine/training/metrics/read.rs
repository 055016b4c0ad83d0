//! Reading `metrics.jsonl` and `steps.jsonl` back: line by line, naming the file and the line that is wrong.
//!
//! A run that was killed may leave its last line half-written. Such a line is recognised by the line end it lacks, and is
//! passed over; anything else that does not parse is an error.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::record::{EpochRecord, RetryRecord, StepRecord};
use crate::error::{Error, Result};
use crate::files::read_own;

/// Lines as they stand in a file, each with its record.
pub(super) type Lines<R> = Vec<(String, R)>;

/// The most bytes a file of measurements may have.
pub const MAX_BYTES: u64 = 4 << 30;

/// The records of a `metrics.jsonl`, in the order of the file.
///
/// # Errors
/// When the file cannot be read, or a line is not a record.
pub fn read_epochs(path: &Path) -> Result<Vec<EpochRecord>> {
    Ok(lines(path)?.into_iter().map(|(_, record)| record).collect())
}

/// The records of a `steps.jsonl`, in the order of the file.
///
/// # Errors
/// When the file cannot be read, or a line is not a record.
pub fn read_steps(path: &Path) -> Result<Vec<StepRecord>> {
    Ok(lines(path)?.into_iter().map(|(_, record)| record).collect())
}

/// The records of a `retries.jsonl`, in the order of the file; none where there is no such file, since most runs have none.
///
/// # Errors
/// When the file cannot be read, or a line is not a record.
pub fn read_retries(path: &Path) -> Result<Vec<RetryRecord>> {
    if !path.exists() {
        return Ok(vec![]);
    }
    Ok(lines(path)?.into_iter().map(|(_, record)| record).collect())
}

/// Each line of a file of JSON lines, as it was written (without its end) and as a record.
pub(super) fn lines<R: DeserializeOwned>(path: &Path) -> Result<Lines<R>> {
    let (found, unreadable) = all_lines(path)?;
    match unreadable.first() {
        None => Ok(found),
        Some(first) => {
            Err(Error::malformed(path, format!("{first}; expected one JSON record a line, as training writes it")))
        }
    }
}

/// The lines that are records, and for each other what is wrong with it; a last line that was torn is none of either.
pub(super) fn all_lines<R: DeserializeOwned>(path: &Path) -> Result<(Lines<R>, Vec<String>)> {
    let bytes = read_own(path, "a list of measurements", MAX_BYTES)?;
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    for (index, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let whole = line.ends_with(b"\n");
        match parse(line) {
            Ok(None) => {}
            Ok(Some(pair)) => found.push(pair),
            Err(_) if !whole => {}
            Err(reason) => unreadable.push(format!("line {}: {reason}", index + 1)),
        }
    }
    Ok((found, unreadable))
}

/// Blank lines are `None`.
fn parse<R: DeserializeOwned>(line: &[u8]) -> std::result::Result<Option<(String, R)>, String> {
    let text = str::from_utf8(line).map_err(|_| "this is not text".to_owned())?.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let record = serde_json::from_str(text).map_err(|error| {
        // The parser sees one line at a time, so its own line number is always 1 and would mislead.
        let said = error.to_string();
        let end = said.rfind(" at line ").unwrap_or(said.len());
        format!("column {}: {}", error.column(), &said[..end])
    })?;
    Ok(Some((text.to_owned(), record)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const GOOD: &str = r#"{"epoch":1,"split":"train","loss":3.0,"elbo":-3.0,"reconstruction":2.0,"kl":1.0}"#;

    fn read(content: impl AsRef<[u8]>) -> Result<Vec<EpochRecord>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        fs::write(&path, content).unwrap();
        read_epochs(&path)
    }

    #[test]
    fn reads_lines_with_either_line_end() {
        let records = read(format!("{GOOD}\n\n{GOOD}\r\n{GOOD}")).unwrap();
        assert_eq!(records.len(), 3);
        assert_eq!((records[2].epoch, records[2].kl), (1, 1.0));
        assert!(read("").unwrap().is_empty());
    }

    #[test]
    fn passes_over_a_torn_last_line_only() {
        assert_eq!(read(format!("{GOOD}\n{}", &GOOD[..40])).unwrap().len(), 1);
        // What some file systems leave after a power cut, and half a character.
        assert_eq!(read(format!("{GOOD}\n\0\0\0\0")).unwrap().len(), 1);
        assert_eq!(read([GOOD.as_bytes(), b"\n\xe2\x82"].concat()).unwrap().len(), 1);
        let error = read(format!("{GOOD}\n{}\n{GOOD}\n", &GOOD[..40])).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }

    #[test]
    fn names_the_file_and_the_line() {
        let wrong_split = GOOD.replace("train", "trian");
        for (line, expected) in [
            ("not json", "expected"),
            (&GOOD[..40], "EOF"),
            (wrong_split.as_str(), "trian"),
            (r#"{"epoch":1}"#, "missing field `split`"),
        ] {
            let error = read(format!("{GOOD}\n{GOOD}\n{line}\n")).unwrap_err().to_string();
            assert!(error.contains("metrics.jsonl: line 3: column"), "{error}");
            assert!(error.contains(expected) && !error.contains("line 1"), "{error}");
        }
        let error = read_steps(Path::new("/nowhere/steps.jsonl")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/steps.jsonl"), "{error}");
    }
}
