//! The file: a head, chunks that can be read alone, an end.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `\x89ELBO\r\n\x1a` |
//! | 2, 4 | the version, 1, and the length of the head |
//! | that | the head, as JSON: hash of the model, rows, shape, levels, how rows were stored, length of the model |
//! | as many | the model, where it is in the file |
//! | 8 | the first bytes of SHA-256 of all that |
//! | 4, 4, that, 8 | of every chunk: its rows, its length, itself, the first bytes of SHA-256 of these and its number |
//! | 4, 4, 8 | no rows, a length of 0, the same of these and the number of chunks: the end |
//!
//! Numbers have the lowest byte first. Nothing is allocated because a head says so.

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::rows::Plain;
use crate::data::{Dataset, PackingKind, Shape};
use crate::error::{Error, Result};

const MAGIC: [u8; 8] = *b"\x89ELBO\r\n\x1a";
const VERSION: u16 = 1;
/// More than any head.
const LARGEST_HEAD: u32 = 1 << 16;
/// More than any chunk.
const LARGEST_CHUNK: u32 = 1 << 30;
/// More rows of a chunk than anything writes.
const MOST_ROWS: u32 = 1 << 20;
/// More values of one chunk.
const MOST_VALUES: usize = 1 << 28;

/// What a file begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The model's fingerprint.
    pub model: String,
    rows: usize,
    shape: Shape,
    levels: usize,
    stored: String,
    /// Bytes of the model in the file; 0 where it is not.
    pub model_bytes: usize,
}

impl Head {
    /// That of rows.
    pub fn new(model: String, data: &Dataset, shape: Shape, levels: usize, model_bytes: usize) -> Head {
        let stored = match data.values.kind() {
            PackingKind::Bits => "bits",
            PackingKind::Bytes => "bytes",
            PackingKind::Floats => "floats",
        };
        Head { model, rows: data.rows, shape, levels, stored: stored.to_string(), model_bytes }
    }

    /// What its rows look like.
    pub fn plain(&self) -> Result<Plain> {
        let kind = match self.stored.as_str() {
            "bits" => PackingKind::Bits,
            "bytes" => PackingKind::Bytes,
            "floats" => PackingKind::Floats,
            _ => return Err(damaged("its head says that rows are stored as nothing that is known")),
        };
        let Shape { height, width, channels } = self.shape;
        let features = height.checked_mul(width).and_then(|pixels| pixels.checked_mul(channels));
        match features {
            Some(1..=MOST_VALUES) if (2..=65_536).contains(&self.levels) => {
                Ok(Plain { rows: self.rows, shape: self.shape, levels: self.levels, kind })
            }
            _ => Err(damaged("its head says that rows have no size, or one beyond all bounds")),
        }
    }
}

/// That a file is not as it was written.
pub(super) fn damaged(why: impl std::fmt::Display) -> Error {
    Error::invalid(format!("the compressed file is damaged: {why}"))
}

fn check(parts: &[&[u8]]) -> [u8; 8] {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    let mut first = [0; 8];
    first.copy_from_slice(&hash.finalize()[..8]);
    first
}

/// Writes a file.
pub struct Writer<'a> {
    to: &'a mut dyn Write,
    bytes: u64,
    chunks: u32,
}

impl<'a> Writer<'a> {
    /// Writes the head.
    pub fn begin(to: &'a mut dyn Write, head: &Head, model: &[u8]) -> Result<Writer<'a>> {
        let head = serde_json::to_vec(head).map_err(Error::invalid)?;
        let length = (head.len() as u32).to_le_bytes();
        let parts: [&[u8]; 5] = [&MAGIC, &VERSION.to_le_bytes(), &length, &head, model];
        let mut writer = Writer { to, bytes: 0, chunks: 0 };
        parts.into_iter().chain([&check(&parts)[..]]).try_for_each(|part| writer.write(part))?;
        Ok(writer)
    }

    /// Writes a chunk, and sends it on its way.
    pub fn chunk(&mut self, rows: usize, bytes: &[u8]) -> Result<()> {
        let (rows, length, number) =
            ((rows as u32).to_le_bytes(), (bytes.len() as u32).to_le_bytes(), self.chunks.to_le_bytes());
        let sum = check(&[&rows, &length, bytes, &number]);
        [&rows, &length, bytes, &sum].into_iter().try_for_each(|part: &[u8]| self.write(part))?;
        self.chunks += 1;
        self.to.flush().map_err(failed)
    }

    /// Writes the end; gives how many bytes were written in all.
    pub fn finish(mut self) -> Result<u64> {
        self.chunk(0, &[])?;
        Ok(self.bytes)
    }

    fn write(&mut self, part: &[u8]) -> Result<()> {
        self.bytes += part.len() as u64;
        self.to.write_all(part).map_err(failed)
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::invalid(format!("the compressed rows cannot be written: {error}"))
}

/// Reads a file.
pub struct Reader<R> {
    from: R,
    /// What it begins with.
    pub head: Head,
    /// The model in it; empty where there is none.
    pub model: Vec<u8>,
    /// Bytes that were read so far.
    pub bytes: u64,
    chunks: u32,
    is_over: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the head.
    ///
    /// # Errors
    /// If it is another file, of a later version, damaged or cut off.
    pub fn begin(mut from: R) -> Result<Reader<R>> {
        let mut bytes = 0;
        let mut take = |length: usize, what: &str| take(&mut from, length, what, &mut bytes);
        let magic = take(8, "its first bytes")?;
        if magic != MAGIC {
            return Err(Error::invalid("this is no file that `elbo compress` wrote: it begins with other bytes"));
        }
        let version = take(2, "its version")?;
        if version != VERSION.to_le_bytes() {
            return Err(Error::invalid(format!(
                "the file is of version {}, and this program reads version {VERSION}: use a later one",
                u16::from_le_bytes([version[0], version[1]])
            )));
        }
        let length = take(4, "its head")?;
        let size = u32::from_le_bytes([length[0], length[1], length[2], length[3]]);
        if size > LARGEST_HEAD {
            return Err(damaged(format!("its head claims to be {size} bytes long")));
        }
        let text = take(size as usize, "its head")?;
        let head: Head =
            serde_json::from_slice(&text).map_err(|error| damaged(format!("its head cannot be read: {error}")))?;
        let model = take(head.model_bytes, "its model")?;
        let sum = take(8, "its head")?;
        if check(&[&magic, &version, &length, &text, &model])[..] != sum[..] {
            return Err(damaged("its head does not have the checksum that it says"));
        }
        if head.model.len() < 12 || !head.model.is_ascii() {
            return Err(damaged("its head names no model"));
        }
        Ok(Reader { from, head, model, bytes, chunks: 0, is_over: false })
    }

    /// The rows of the next chunk of rows of so many values, and its bytes; `None` at the end.
    pub fn chunk(&mut self, features: usize) -> Result<Option<(usize, Vec<u8>)>> {
        if self.is_over {
            return Ok(None);
        }
        let what = format!("chunk {}", self.chunks);
        let head = take(&mut self.from, 8, &what, &mut self.bytes)?;
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (rows, length) = (number(0), number(4));
        if rows > MOST_ROWS || length > LARGEST_CHUNK || (rows as usize).saturating_mul(features) > MOST_VALUES {
            return Err(damaged(format!("{what} claims to have {rows} rows in {length} bytes")));
        }
        let bytes = take(&mut self.from, length as usize, &what, &mut self.bytes)?;
        let sum = take(&mut self.from, 8, &what, &mut self.bytes)?;
        if check(&[&head, &bytes, &self.chunks.to_le_bytes()])[..] != sum[..] {
            return Err(damaged(format!("{what} does not have the checksum that it says")));
        }
        self.chunks += 1;
        self.is_over = rows == 0;
        Ok((rows > 0).then_some((rows as usize, bytes)))
    }
}

/// So many bytes, read as they come.
fn take(from: &mut impl Read, length: usize, what: &str, count: &mut u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let found = from.by_ref().take(length as u64).read_to_end(&mut bytes);
    found.map_err(|error| Error::invalid(format!("the compressed file cannot be read: {error}")))?;
    if bytes.len() < length {
        return Err(Error::invalid(format!("the compressed file is cut off: it ends in {what}")));
    }
    *count += length as u64;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head {
            model: "0123456789abcdef".to_string(),
            rows: 5,
            shape: Shape { height: 2, width: 3, channels: 1 },
            levels: 256,
            stored: "bytes".to_string(),
            model_bytes: 3,
        }
    }

    fn file() -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::begin(&mut out, &head(), &[7, 8, 9]).unwrap();
        writer.chunk(3, b"first").unwrap();
        writer.chunk(2, b"second").unwrap();
        let count = writer.finish().unwrap();
        assert_eq!(count, out.len() as u64);
        out
    }

    type Chunks = Vec<(usize, Vec<u8>)>;

    fn whole(bytes: &[u8]) -> Result<(Head, Vec<u8>, Chunks)> {
        let mut reader = Reader::begin(bytes)?;
        let mut chunks = Vec::new();
        while let Some(chunk) = reader.chunk(6)? {
            chunks.push(chunk);
        }
        Ok((reader.head, reader.model, chunks))
    }

    #[test]
    fn what_is_written_is_read_and_every_flipped_bit_is_noticed() {
        let file = file();
        let chunks = vec![(3, b"first".to_vec()), (2, b"second".to_vec())];
        assert_eq!(whole(&file).unwrap(), (head(), vec![7, 8, 9], chunks));
        for at in 0..8 * file.len() {
            let mut flipped = file.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            assert!(whole(&flipped).is_err(), "bit {at}");
        }
        for length in 0..file.len() {
            assert!(whole(&file[..length]).unwrap_err().to_string().contains("cut off"), "{length}");
        }
        assert!(whole(b"a text of no such kind").unwrap_err().to_string().contains("other bytes"));
    }

    #[test]
    fn chunks_that_change_places_are_noticed() {
        let file = file();
        // Behind the head: 16 bytes and five, 16 and six, 16.
        let (start, end) = (file.len() - 16 - 22 - 21, file.len() - 16);
        let [head, first, second, last] =
            [&file[..start], &file[start..start + 21], &file[start + 21..end], &file[end..]];
        assert_eq!([head, first, second, last].concat(), file);
        assert!(whole(&[head, second, first, last].concat()).is_err());
        assert!(whole(&[head, first, last].concat()).is_err(), "one that is left out");
    }
}
