//! Rows that stay on disk and are read as they are wanted, for data that is larger than memory.
//!
//! What is read are files of rows of one length, such as NumPy's arrays. All of them are looked at once, when the data is opened: every
//! value must be a finite number, and it is noted between which numbers they lie. Models see them in windows (see
//! [`Stored::window`]), of which a device holds two.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rayon::prelude::*;

use super::layout::Layout;
use super::progress::tell;
use super::values::{Packing, PackingKind, Values, pack_bits};
use crate::error::{Error, Result};

/// The most bytes of a shard, the rows that are read at once.
const SHARD: u64 = 1 << 20;

/// Rows of a selection that lie so close are read together, with what lies between.
const NEAR: usize = 16 << 10;

/// A part of a file that holds rows.
#[derive(Debug)]
pub(crate) struct Part {
    path: PathBuf,
    /// The first byte of the first row.
    offset: u64,
    rows: usize,
    length: u64,
    written: Option<SystemTime>,
}

impl Part {
    /// So many rows from a byte of a file on.
    pub(crate) fn new(path: &Path, offset: u64, rows: usize) -> Result<Part> {
        let about = std::fs::metadata(path).map_err(Error::io("read", path))?;
        Ok(Part { path: path.to_owned(), offset, rows, length: about.len(), written: about.modified().ok() })
    }

    /// Reads bytes, counted from the first row on, if the file is what it was.
    fn read(&self, bytes: Range<usize>, out: &mut [u8]) -> Result<()> {
        let io = |error| Error::io("read", &self.path)(error);
        let mut file = File::open(&self.path).map_err(io)?;
        let about = file.metadata().map_err(io)?;
        if about.len() != self.length || about.modified().ok() != self.written {
            let message = "the file has changed since it was opened, so that its rows are others: start again";
            return Err(Error::malformed(&self.path, message));
        }
        file.seek(SeekFrom::Start(self.offset + bytes.start as u64)).map_err(io)?;
        file.read_exact(out).map_err(io)
    }
}

/// Rows on disk.
#[derive(Debug, Clone)]
pub struct Stored {
    all: Arc<All>,
    /// Which of them, where not all.
    chosen: Option<Arc<[u32]>>,
    recent: Arc<Mutex<Recent>>,
}

#[derive(Debug)]
struct All {
    parts: Vec<Part>,
    layout: Layout,
    kind: PackingKind,
    rows: usize,
    memory: u64,
    /// The least and the largest value.
    range: (f32, f32),
}

/// Rows that were read last, so that those behind them are not read one by one.
#[derive(Debug, Default)]
struct Recent {
    next: usize,
    held: Range<usize>,
    values: Option<Values>,
}

impl PartialEq for Stored {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.all, &other.all) && self.chosen == other.chosen
    }
}

/// Whether rows that take so many bytes in memory are to stay on disk, where so many may be used: a device holds them a second time.
pub(crate) fn is_too_large(bytes: u128, memory: Option<u64>) -> bool {
    memory.is_some_and(|memory| 2 * bytes > u128::from(memory))
}

/// Says that data is too large for memory, and cannot stay on disk.
pub(crate) fn too_large(path: &Path, bytes: u128, memory: u64, why: &str) -> Error {
    let gigabytes = |bytes: u128| bytes as f64 / 1e9;
    Error::malformed(
        path,
        format!(
            "the data takes {:.2} GB in memory, and as much again on the device; --memory allows {:.2} GB, so that it would have to stay \
             on disk, and {why}, or give a larger --memory",
            gigabytes(bytes),
            gigabytes(memory.into())
        ),
    )
}

/// What was found when all rows were looked at.
struct Look {
    low: f32,
    high: f32,
    /// Whether bytes are all 0 and 1, and all 0 and 255.
    binary: [bool; 2],
    /// What stands before the values of every row.
    leads: Vec<u8>,
}

impl Stored {
    /// Rows of these files, of which memory may hold so many bytes; and what stands before the values of each row
    /// `[rows, layout.lead]`.
    ///
    /// # Errors
    /// If a file cannot be read, or a value is no finite number.
    pub(crate) fn open(parts: Vec<Part>, layout: Layout, memory: u64) -> Result<(Stored, Vec<u8>)> {
        let rows = parts.iter().map(|part| part.rows).sum();
        let kind = layout.kind();
        let mut all = All { parts, layout, kind, rows, memory, range: (0.0, 0.0) };
        if u32::try_from(rows).is_err() {
            return Err(Error::invalid(format!("there are {rows} rows, and at most {} can be told apart", u32::MAX)));
        }
        let look = all.look()?;
        all.range = (look.low, look.high);
        if kind == PackingKind::Bytes && look.binary.contains(&true) {
            (all.kind, all.range) = (PackingKind::Bits, (0.0, 1.0));
        }
        Ok((Stored { all: Arc::new(all), chosen: None, recent: Arc::default() }, look.leads))
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.chosen.as_ref().map_or(self.all.rows, |chosen| chosen.len())
    }

    /// How a value is stored in memory.
    pub(crate) fn kind(&self) -> PackingKind {
        self.all.kind
    }

    /// Stored elements of all rows.
    pub(crate) fn len(&self) -> usize {
        match self.all.kind {
            PackingKind::Bits => self.rows() * self.packing().row_words,
            PackingKind::Bytes | PackingKind::Floats => self.rows() * self.all.layout.features,
        }
    }

    /// Bytes that all rows would take in memory.
    pub fn byte_len(&self) -> usize {
        4 * self.rows() * self.packing().row_words
    }

    /// The least and the largest value of the files.
    pub(crate) fn range(&self) -> (f32, f32) {
        self.all.range
    }

    /// Whether all values are 0 or 1.
    pub(crate) fn is_black_and_white(&self) -> bool {
        self.all.kind == PackingKind::Bits
    }

    /// The same with bytes as parts of 255, though all of them are 0 and 1, or 0 and 255: for rows beside others that are not.
    pub(crate) fn with_greys(mut self) -> Stored {
        let kind = self.all.layout.kind();
        if let Some(all) = Arc::get_mut(&mut self.all) {
            all.kind = kind;
        }
        self
    }

    fn packing(&self) -> Packing {
        Packing::new(self.all.kind, self.all.layout.features)
    }

    /// Some of the rows, in this order.
    pub(crate) fn chosen(self, rows: Arc<[u32]>) -> Stored {
        Stored { chosen: Some(rows), recent: Arc::default(), ..self }
    }

    /// Rows that are shuffled among each other: a quarter of the memory that may be used.
    pub fn window(&self) -> usize {
        let row = 4 * self.packing().row_words.max(1) as u64;
        ((self.all.memory / 4 / row) as usize).clamp(1, self.rows().max(1))
    }

    /// Rows that are read together, and so come in one window: at most a mebibyte, and a sixteenth of a window.
    pub fn shard(&self) -> usize {
        let row = 4 * self.packing().row_words.max(1) as u64;
        ((SHARD / row) as usize).min(self.window() / 16).max(1)
    }

    /// How they are held, in a sentence.
    pub(crate) fn told(&self) -> String {
        let gigabytes = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
        format!(
            "the rows stay on disk, as they take {} in memory and on the device, and --memory allows {}: they are shuffled within windows \
             of {} rows, which are made of {} neighbours each",
            gigabytes(2 * self.byte_len() as u64),
            gigabytes(self.all.memory),
            self.window(),
            self.shard()
        )
    }

    /// Reads rows into memory.
    ///
    /// # Errors
    /// If they cannot be read, or the file has changed.
    pub fn read(&self, rows: Range<usize>) -> Result<Values> {
        let bytes = match &self.chosen {
            None => self.all.bytes(rows)?,
            Some(chosen) => self.all.bytes_of(&chosen[rows])?,
        };
        let found = self.all.layout.values(&bytes);
        Ok(match found {
            Values::Bytes(bytes) if self.all.kind == PackingKind::Bits => {
                Values::Bits(pack_bits(&bytes, self.all.layout.features))
            }
            other => other,
        })
    }

    /// Decodes row `i`; where it cannot be read any more, all of it is NaN.
    pub(crate) fn copy_row(&self, i: usize, out: &mut [f32]) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if !recent.held.contains(&i) || recent.values.is_none() {
            // Whoever asks for the next row will ask for those behind it.
            let count = if i == recent.next { self.shard() } else { 1 };
            let held = i..(i + count).min(self.rows());
            (recent.values, recent.held) = (self.read(held.clone()).ok(), held);
        }
        recent.next = i + 1;
        match &recent.values {
            Some(values) => values.copy_row(i - recent.held.start, out),
            None => out.fill(f32::NAN),
        }
    }

    /// The rows named by `rows`, in that order: in memory, where they take at most an eighth of what may be used.
    pub(crate) fn select(&self, rows: &[usize]) -> Values {
        let row = |&row: &usize| self.chosen.as_ref().map_or(row as u32, |chosen| chosen[row]);
        let some =
            Stored { all: self.all.clone(), chosen: Some(rows.iter().map(row).collect()), recent: Arc::default() };
        if some.byte_len() as u64 > self.all.memory / 8 {
            return Values::Stored(some);
        }
        some.read(0..some.rows()).unwrap_or(Values::Stored(some))
    }
}

impl All {
    /// The bytes of rows that lie behind each other.
    fn bytes(&self, rows: Range<usize>) -> Result<Vec<u8>> {
        let stride = self.layout.stride;
        let mut out = vec![0; rows.len() * stride];
        let (mut first, mut at) = (0, 0);
        for part in &self.parts {
            let (start, end) = (rows.start.max(first), rows.end.min(first + part.rows));
            if start < end {
                let bytes = (end - start) * stride;
                let from = (start - first) * stride;
                part.read(from..from + bytes, &mut out[at..at + bytes])?;
                at += bytes;
            }
            first += part.rows;
        }
        Ok(out)
    }

    /// The bytes of rows in ascending order.
    fn bytes_of(&self, rows: &[u32]) -> Result<Vec<u8>> {
        let stride = self.layout.stride;
        let mut out = Vec::with_capacity(rows.len() * stride);
        let is_near = |a: &u32, b: &u32| b > a && (b - a) as usize * stride <= NEAR + stride;
        for run in rows.chunk_by(is_near) {
            let (first, last) = (run[0] as usize, run[run.len() - 1] as usize);
            let bytes = self.bytes(first..last + 1)?;
            run.iter().for_each(|&row| out.extend_from_slice(&bytes[(row as usize - first) * stride..][..stride]));
        }
        Ok(out)
    }

    /// Looks at all rows.
    fn look(&self) -> Result<Look> {
        let shard = (SHARD as usize / self.layout.stride.max(1)).max(1);
        let (shards, done) = (self.rows.div_ceil(shard), AtomicUsize::new(0));
        let looks: Vec<Look> = (0..shards)
            .into_par_iter()
            .map(|i| {
                let rows = i * shard..self.rows.min((i + 1) * shard);
                let found = self.look_at(rows)?;
                tell("looking at rows", (done.fetch_add(1, Ordering::Relaxed) + 1) * shard.min(self.rows), self.rows);
                Ok(found)
            })
            .collect::<Result<_>>()?;
        let nothing = Look { low: f32::INFINITY, high: f32::NEG_INFINITY, binary: [true; 2], leads: vec![] };
        Ok(looks.into_iter().fold(nothing, |mut all, one| {
            (all.low, all.high) = (all.low.min(one.low), all.high.max(one.high));
            all.binary = [0, 1].map(|i| all.binary[i] && one.binary[i]);
            all.leads.extend(one.leads);
            all
        }))
    }

    fn look_at(&self, rows: Range<usize>) -> Result<Look> {
        let (first, bytes) = (rows.start, self.bytes(rows)?);
        let Layout { stride, lead, features, .. } = self.layout;
        let leads = bytes.chunks_exact(stride).flat_map(|row| &row[..lead]).copied().collect();
        let (low, high, binary) = match self.layout.values(&bytes) {
            Values::Bytes(bytes) => {
                let (low, high) = bytes.iter().fold((255, 0), |(low, high), &byte| (byte.min(low), byte.max(high)));
                let all_of = |one: u8| bytes.iter().all(|&byte| byte == 0 || byte == one);
                (f32::from(low) / 255.0, f32::from(high) / 255.0, [all_of(1), all_of(255)])
            }
            Values::Floats(floats) => {
                if let Some(at) = floats.iter().position(|value| !value.is_finite()) {
                    return Err(Error::malformed(
                        &self.parts[0].path,
                        format!(
                            "the data holds {} in row {}, column {}: every value must be a finite number; remove the row or fill in \
                             the value",
                            floats[at],
                            first + at / features,
                            at % features
                        ),
                    ));
                }
                let ends = (f32::INFINITY, f32::NEG_INFINITY);
                let (low, high) = floats.iter().fold(ends, |(low, high), &value| (value.min(low), value.max(high)));
                (low, high, [false; 2])
            }
            Values::Bits(_) | Values::Stored(_) => (0.0, 1.0, [false; 2]),
        };
        Ok(Look { low, high, binary, leads })
    }
}

#[cfg(test)]
mod tests;
