//! A zip archive of pictures, read without unpacking it to the disk.

use std::fs::File;
use std::io::{self, BufReader};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use sha2::Sha256;
use zip::ZipArchive;

use super::bound::{Bound, MOST_FILES};
use super::name::{is_hidden, plain};
use super::store::{Each, Entry, Listing, Store, identify_file};
use super::take::{Taken, take};
use crate::error::{Error, Result};

/// A zip archive.
pub(super) struct Zip {
    path: PathBuf,
}

type Archive = ZipArchive<BufReader<File>>;

impl Zip {
    /// Whether a file that starts with `head` is one; an empty one starts with its end.
    pub(super) fn claims(head: &[u8]) -> bool {
        head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
    }

    pub(super) fn new(path: &Path) -> Zip {
        Zip { path: path.to_owned() }
    }

    fn open(&self) -> Result<Archive> {
        let file = File::open(&self.path).map_err(Error::io("read", &self.path))?;
        ZipArchive::new(BufReader::new(file)).map_err(|error| {
            let message = format!("the zip archive is damaged or truncated ({error}): fetch or write it again");
            Error::malformed(&self.path, message)
        })
    }
}

impl Store for Zip {
    fn kind(&self) -> &'static str {
        "zip archive"
    }

    fn identify(&self, hash: &mut Sha256) {
        identify_file(&self.path, hash);
    }

    fn list(&self) -> Result<Listing> {
        let archive = self.open()?;
        if archive.len() > MOST_FILES {
            return Err(Error::malformed(&self.path, format!("the archive holds more than {MOST_FILES} files")));
        }
        let mut entries: Vec<Entry> = Vec::with_capacity(archive.len());
        for (at, raw) in archive.file_names_raw().enumerate() {
            // Names that are no UTF-8 are in the code page of the first PCs; some programs write its separator.
            let name = match archive.name_for_index(at) {
                Some(Ok(name)) => name.replace('\\', "/").into_bytes(),
                _ => raw.to_vec(),
            };
            let is_file = !name.ends_with(b"/");
            let name = plain(&name);
            if is_file && !name.is_empty() && !is_hidden(&name) {
                entries.push(Entry { name, at });
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Listing { entries, skipped: vec![] })
    }

    fn visit(&self, wanted: &[Entry], each: &Each) -> Result<()> {
        let stored = std::fs::metadata(&self.path).map_or(0, |about| about.len());
        let bound = Bound::of(stored);
        // An archive for each thread that is at work: to open one is to read the list of all its files.
        let idle: Mutex<Vec<Archive>> = Mutex::new(vec![self.open()?]);
        let idle = || idle.lock().unwrap_or_else(PoisonError::into_inner);
        let read = |entry: &Entry| -> Result<Taken> {
            let waiting = idle().pop();
            let mut archive = waiting.map_or_else(|| self.open(), Ok)?;
            let taken = match archive.by_index(entry.at) {
                Ok(file) => take(&entry.name, Ok(&mut bound.reader(file))),
                Err(error) => take(&entry.name, Err(io::Error::other(error))),
            };
            idle().push(archive);
            Ok(taken)
        };
        let stopped = wanted.par_iter().enumerate().try_for_each(|(place, entry)| match read(entry) {
            Ok(taken) => each(place, taken).map_break(|()| None),
            Err(error) => ControlFlow::Break(Some(error)),
        });
        match stopped {
            ControlFlow::Break(Some(error)) => Err(error),
            _ => Ok(()),
        }
    }
}
