//! One stream of records in its two files, `<stem>.jsonl` and `<stem>.csv`.
//!
//! The columns of the CSV are named once; their values are taken from the very JSON that is written, so the two files
//! cannot drift apart. A line is one write, handed to the system before the call returns.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::read::all_lines;
use crate::error::{Error, Result};
use crate::files::write_own;

/// A record that can be kept: JSON with everything, CSV with the scalar columns.
pub trait Record: Serialize + DeserializeOwned {
    /// The name of the files, without the ending.
    const STEM: &'static str;
    /// The scalar fields, in the order of the CSV.
    const COLUMNS: &'static [&'static str];
}

/// Appends records of one kind to their two files.
pub struct Log<R> {
    json: Appender,
    csv: Appender,
    kind: PhantomData<R>,
}

impl<R: Record> Log<R> {
    /// Starts empty files. Refuses to write over records that are already there.
    pub fn create(folder: &Path) -> Result<Log<R>> {
        let (json, csv) = paths::<R>(folder);
        if json.metadata().is_ok_and(|found| found.len() > 0) {
            return Err(Error::invalid(format!(
                "{} already holds the figures of a run; resume that run, or choose another folder",
                json.display()
            )));
        }
        write_own(&json, |_| Ok(()))?;
        write_own(&csv, |out| writeln!(out, "{}", R::COLUMNS.join(",")))?;
        Log::open(json, csv)
    }

    /// Whether a folder has records of this kind.
    pub fn is_in(folder: &Path) -> bool {
        paths::<R>(folder).0.exists()
    }

    /// Takes up existing files, keeping the records that `keep` says yes to. Missing files are started afresh. Lines that cannot be read
    /// are left out, and the file that holds them is kept beside; `warnings` is told.
    pub fn resume(folder: &Path, keep: impl Fn(&R) -> bool, warnings: &mut Vec<String>) -> Result<Log<R>> {
        let (json, csv) = paths::<R>(folder);
        let (mut kept, unreadable): (Vec<(String, R)>, _) =
            if json.exists() { all_lines(&json)? } else { Default::default() };
        if let Some(first) = unreadable.first() {
            let aside = json.with_extension("damaged.jsonl");
            fs::rename(&json, &aside).map_err(Error::io("rename", &json))?;
            warnings.push(format!(
                "{}: {} of its lines cannot be read and are left out ({first}); the file as it was is now {}",
                json.display(),
                unreadable.len(),
                aside.display()
            ));
        }
        kept.retain(|(_, record)| keep(record));
        let rows = kept.iter().map(|(_, record)| row(record, &csv)).collect::<Result<Vec<_>>>()?;
        write_own(&json, |out| kept.iter().try_for_each(|(line, _)| writeln!(out, "{line}")))?;
        write_own(&csv, |out| {
            writeln!(out, "{}", R::COLUMNS.join(","))?;
            rows.iter().try_for_each(|row| out.write_all(row.as_bytes()))
        })?;
        Log::open(json, csv)
    }

    /// Appends one record to both files.
    pub fn append(&mut self, record: &R) -> Result<()> {
        let mut line = serde_json::to_string(record).map_err(|error| Error::malformed(&self.json.path, error))?;
        line.push('\n');
        let row = row(record, &self.csv.path)?;
        self.json.append(&line)?;
        self.csv.append(&row)
    }

    /// Waits until all records are on the disk.
    pub fn sync(&self) -> Result<()> {
        [&self.json, &self.csv]
            .into_iter()
            .try_for_each(|appender| appender.file.sync_data().map_err(Error::io("write", &appender.path)))
    }

    fn open(json: PathBuf, csv: PathBuf) -> Result<Log<R>> {
        Ok(Log { json: Appender::open(json)?, csv: Appender::open(csv)?, kind: PhantomData })
    }
}

fn paths<R: Record>(folder: &Path) -> (PathBuf, PathBuf) {
    let named = |ending: &str| folder.join(format!("{}.{ending}", R::STEM));
    (named("jsonl"), named("csv"))
}

/// One line of the CSV. What was not measured is empty, what is not finite is `NaN`.
fn row<R: Record>(record: &R, path: &Path) -> Result<String> {
    let value = serde_json::to_value(record).map_err(|error| Error::malformed(path, error))?;
    let cells: Vec<String> = R::COLUMNS
        .iter()
        .map(|&column| match value.get(column) {
            None => String::new(),
            Some(Value::Null) => "NaN".to_owned(),
            Some(Value::String(word)) => word.clone(),
            Some(number) => number.to_string(),
        })
        .collect();
    Ok(cells.join(",") + "\n")
}

struct Appender {
    file: File,
    path: PathBuf,
}

impl Appender {
    fn open(path: PathBuf) -> Result<Appender> {
        let file = OpenOptions::new().append(true).open(&path).map_err(Error::io("write", &path))?;
        Ok(Appender { file, path })
    }

    /// One write of the whole line, so a reader that looks in never sees half of it; where the disk takes only a part of it, that is
    /// cut off again.
    fn append(&mut self, line: &str) -> Result<()> {
        let before = self.file.metadata().map(|about| about.len());
        let written = self.file.write_all(line.as_bytes());
        if let (Err(_), Ok(length)) = (&written, before) {
            // That the line is missing is said already.
            let _ = self.file.set_len(length);
        }
        written.map_err(Error::io("write", &self.path))
    }
}
