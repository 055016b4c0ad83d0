//! Decoded pictures that stay on disk: two files in the user's cache folder, as many as memory has no room for.
//!
//! Beside the place of [`kept`](super::kept) lie `….rows`, the pixels of all files `[files, height, width, 3]`, with gaps where one is no
//! picture, and `….json`, written when all is there: what is said of the pictures, and which rows they are.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::about::About;
use crate::data::layout::{Layout, Pixels};
use crate::data::stored::{Part, Stored};
use crate::error::{Error, Result};
use crate::files::create_folder;
use crate::user_cache::keep;

/// Pictures on disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Shelf {
    pub(super) about: About,
    /// The rows that hold pictures, and how many there are.
    rows: Vec<u32>,
    files: usize,
}

/// A shelf that is being filled.
pub(super) struct Filling {
    place: PathBuf,
    file: File,
    row: u64,
    /// What could not be written.
    failure: Option<io::Error>,
    /// Whether all is there; else nothing stays.
    is_whole: bool,
}

impl Drop for Filling {
    fn drop(&mut self) {
        if !self.is_whole {
            let _ = fs::remove_file(beside(&self.place, ".rows"));
        }
    }
}

fn beside(place: &Path, ending: &str) -> PathBuf {
    let mut name = place.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

impl Filling {
    /// For rows of so many bytes.
    pub(super) fn new(place: &Path, row: usize) -> Result<Filling> {
        create_folder(place.parent().unwrap_or(Path::new(".")))?;
        // What it held before is not there any more.
        let _ = fs::remove_file(beside(place, ".json"));
        let path = beside(place, ".rows");
        let file = File::create(&path).map_err(Error::io("create", &path))?;
        Ok(Filling { place: place.to_owned(), file, row: row as u64, failure: None, is_whole: false })
    }

    /// Writes a row in its place.
    pub(super) fn put(&mut self, place: usize, row: &[u8]) {
        let written = self.file.seek(SeekFrom::Start(place as u64 * self.row)).and_then(|_| self.file.write_all(row));
        if let Err(error) = written {
            self.failure.get_or_insert(error);
        }
    }

    /// Whether a row could not be written, so that no other need be.
    pub(super) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Says so if a row could not be written, as on a full disk.
    ///
    /// # Errors
    /// If so.
    pub(super) fn check(&mut self) -> Result<()> {
        self.failure.take().map_or(Ok(()), |error| Err(Error::io("write", &beside(&self.place, ".rows"))(error)))
    }

    /// Sets down what was filled.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn finish(mut self, about: About, rows: Vec<u32>, files: usize) -> Result<Shelf> {
        let end = files as u64 * self.row;
        self.failure = self.file.set_len(end).and_then(|()| self.file.sync_all()).err();
        self.check()?;
        self.is_whole = true;
        let shelf = Shelf { about, rows, files };
        let text = serde_json::to_vec(&shelf).map_err(Error::invalid)?;
        // Where that cannot be kept, the pictures are decoded again the next time.
        keep(&beside(&self.place, ".json"), &[&text]);
        Ok(shelf)
    }
}

impl Shelf {
    /// What is on disk, if all of it is.
    pub(super) fn load(place: &Path) -> Option<Shelf> {
        let shelf: Shelf = serde_json::from_slice(&fs::read(beside(place, ".json")).ok()?).ok()?;
        let whole = shelf.files.checked_mul(shelf.row()?)? as u64;
        let is_whole = fs::metadata(beside(place, ".rows")).is_ok_and(|about| about.len() == whole);
        let fits =
            shelf.rows.len() == shelf.about.names.len() && shelf.rows.iter().all(|&row| (row as usize) < shelf.files);
        (is_whole && fits && !shelf.rows.is_empty()).then_some(shelf)
    }

    /// Bytes of a row on disk.
    fn row(&self) -> Option<usize> {
        self.about.size.height.checked_mul(self.about.size.width)?.checked_mul(3)
    }

    /// The rows with so many channels, 1 or 3.
    ///
    /// # Errors
    /// If they cannot be read.
    pub(super) fn rows(&self, place: &Path, channels: usize, memory: u64) -> Result<Stored> {
        let stride = self.row().unwrap_or_default();
        let number = "|u1".parse().map_err(|_| Error::invalid("bytes are no numbers"))?;
        let pixels = if channels == 1 { Pixels::Grey } else { Pixels::Ordered };
        let layout = Layout { stride, lead: 0, features: stride / 3 * channels, number, pixels };
        let part = Part::new(&beside(place, ".rows"), 0, self.files)?;
        let stored = Stored::open(vec![part], layout, memory)?.0.with_greys();
        Ok(if self.rows.len() == self.files { stored } else { stored.chosen(self.rows.as_slice().into()) })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::about::Chosen;
    use super::super::size::PictureSize;
    use super::*;

    fn about(names: &[&str]) -> About {
        let size = PictureSize { height: 1, width: 2 };
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        About { size, chosen: Chosen::Given, channels: 3, names, formats: BTreeMap::new(), skipped: vec![] }
    }

    #[test]
    fn only_what_is_whole_is_taken_and_gaps_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("made/on/demand");
        let mut filling = Filling::new(&place, 6).unwrap();
        filling.put(2, &[9, 9, 9, 5, 5, 5]);
        filling.put(0, &[1, 2, 3, 4, 5, 6]);
        assert_eq!(Shelf::load(&place), None);
        let shelf = filling.finish(about(&["a", "c"]), vec![0, 2], 4).unwrap();
        assert_eq!(Shelf::load(&place).as_ref(), Some(&shelf));
        let mut row = [0.0; 6];
        shelf.rows(&place, 3, 1).unwrap().copy_row(1, &mut row);
        assert_eq!(row.map(|value| value * 255.0), [9.0, 9.0, 9.0, 5.0, 5.0, 5.0]);
        shelf.rows(&place, 1, 1).unwrap().copy_row(1, &mut row[..2]);
        assert_eq!([row[0], row[1]].map(|value| value * 255.0), [9.0, 5.0]);
        fs::write(beside(&place, ".rows"), [0; 23]).unwrap();
        assert_eq!(Shelf::load(&place), None);
    }
}
