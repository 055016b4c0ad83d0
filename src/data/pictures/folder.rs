//! A folder of pictures, with the folders in it.
//!
//! Links are followed, but for those that lead back to a folder above them. Pipes and devices are not opened.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use walkdir::{DirEntry, WalkDir};

use super::name::{Says, format, is_hidden, readable, says};
use super::store::{Each, Entry, Listing, Store, written};
use super::take::take;
use crate::data::origin::Skipped;
use crate::data::progress::tell;
use crate::error::{Error, Result};

/// More files than anyone has of one kind: a folder with more was given by mistake.
const MOST_FILES: usize = 20_000_000;

/// How many files without an ending are opened to see whether there is a picture at all.
const MOST_OPENED: usize = 1000;

/// A folder, looked through.
pub(super) struct Folder {
    path: PathBuf,
    files: Vec<Found>,
    skipped: Vec<Skipped>,
}

/// A file in it.
struct Found {
    name: Vec<u8>,
    path: PathBuf,
    bytes: u64,
    /// Nanoseconds from 1970 to when it was last written; 0 where the system does not say.
    written: u128,
}

/// All that is in a folder, but for what is hidden.
fn walk(folder: &Path) -> impl Iterator<Item = walkdir::Result<DirEntry>> {
    let seen = |entry: &DirEntry| entry.depth() == 0 || !is_hidden(entry.file_name().as_encoded_bytes());
    WalkDir::new(folder).follow_links(true).into_iter().filter_entry(seen)
}

/// Whether there is a picture in a folder.
pub(super) fn has_pictures(folder: &Path) -> bool {
    let mut opened = 0;
    let files = walk(folder).flatten().filter(|entry| entry.file_type().is_file()).take(MOST_FILES);
    files.map(DirEntry::into_path).any(|path| {
        let name = path.as_os_str().as_encoded_bytes();
        match says(name) {
            Says::Picture => true,
            Says::Other => false,
            Says::Nothing => {
                opened += 1;
                let head = (opened <= MOST_OPENED).then(|| crate::data::input::head(&path).ok()).flatten();
                head.is_some_and(|head| format(name, &head).is_some())
            }
        }
    })
}

impl Folder {
    /// Looks through a folder.
    pub(super) fn open(folder: &Path) -> Result<Folder> {
        let (mut files, mut loops, mut closed, mut odd) = (vec![], vec![], vec![], vec![]);
        for entry in walk(folder) {
            let name = |path: &Path| inside(folder, path);
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if entry.file_type().is_file() => {
                    files.push(Found::new(name(entry.path()), entry));
                    if files.len().is_multiple_of(1000) {
                        tell("looking for pictures", files.len(), 0);
                    }
                }
                Ok(entry) => odd.push(readable(&name(entry.path()))),
                Err(error) if error.depth() == 0 => {
                    return Err(Error::io("read", folder)(error.into()));
                }
                Err(error) => {
                    let about = readable(&name(error.path().unwrap_or(folder)));
                    match error.loop_ancestor() {
                        Some(_) => loops.push(about),
                        None => closed.push(match error.io_error() {
                            Some(why) => format!("{about} ({why})"),
                            None => about,
                        }),
                    }
                }
            }
            if files.len() > MOST_FILES {
                return Err(Error::malformed(
                    folder,
                    format!("there are more than {MOST_FILES} files in this folder: give the folder of the pictures"),
                ));
            }
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        for group in [&mut loops, &mut closed, &mut odd] {
            group.sort();
        }
        let skipped = [
            Skipped::new("links that lead back to a folder above them", loops),
            Skipped::new("files or folders that could not be opened", closed),
            Skipped::new("pipes or devices", odd),
        ];
        let skipped = skipped.into_iter().flatten().collect();
        Ok(Folder { path: folder.canonicalize().unwrap_or_else(|_| folder.to_owned()), files, skipped })
    }
}

impl Found {
    fn new(name: Vec<u8>, entry: DirEntry) -> Found {
        let about = entry.metadata().ok();
        Found {
            name,
            path: entry.into_path(),
            bytes: about.as_ref().map_or(0, |about| about.len()),
            written: about.map_or(0, |about| written(&about)),
        }
    }
}

/// The path in a folder, with `/` between the parts on every system.
fn inside(folder: &Path, path: &Path) -> Vec<u8> {
    let inner = path.strip_prefix(folder).unwrap_or(path);
    inner.components().map(|part| part.as_os_str().as_encoded_bytes()).collect::<Vec<_>>().join(&b'/')
}

impl Store for Folder {
    fn kind(&self) -> &'static str {
        "folder"
    }

    fn identify(&self, hash: &mut Sha256) {
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        part(self.path.as_os_str().as_encoded_bytes());
        for file in &self.files {
            part(&file.name);
            part(&file.bytes.to_le_bytes());
            part(&file.written.to_le_bytes());
        }
        // What could not be opened may be there the next time.
        self.skipped.iter().for_each(|skipped| part(skipped.to_string().as_bytes()));
    }

    fn list(&self) -> Result<Listing> {
        let entries = self.files.iter().enumerate().map(|(at, file)| Entry { name: file.name.clone(), at });
        Ok(Listing { entries: entries.collect(), skipped: self.skipped.clone() })
    }

    fn visit(&self, wanted: &[Entry], each: &Each) -> Result<()> {
        // Where one breaks off, all stop, and that is no failure.
        let _: ControlFlow<()> = wanted.par_iter().enumerate().try_for_each(|(place, entry)| {
            let taken = match File::open(&self.files[entry.at].path) {
                Ok(mut file) => take(&entry.name, Ok(&mut file)),
                Err(error) => take(&entry.name, Err(error)),
            };
            each(place, taken)
        });
        Ok(())
    }
}
