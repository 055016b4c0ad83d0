//! One IDX file: its header, checked against its length, and its numbers.

use std::path::Path;

use super::super::input::{Input, head, seems};
use super::super::layout::{Layout, Pixels};
use crate::error::{Error, Result};

/// The types of numbers: the code in the header, what people call them, and the bytes of one.
pub(super) const TYPES: [(u8, &str, usize); 6] = [
    (UNSIGNED, "unsigned bytes", 1),
    (0x09, "signed bytes", 1),
    (0x0b, "16-bit integers", 2),
    (0x0c, "32-bit integers", 4),
    (0x0d, "32-bit floats", 4),
    (0x0e, "64-bit floats", 8),
];

const UNSIGNED: u8 = 0x08;

/// A file of which the header has been read.
pub(super) struct Header {
    /// The length of each axis.
    pub(super) sizes: Vec<usize>,
    kind: u8,
    /// Bytes of a number, and of all.
    width: usize,
    bytes: u128,
    input: Input<'static>,
}

/// Numbers with a shape.
pub(super) struct Array {
    /// The length of each axis.
    pub(super) sizes: Vec<usize>,
    kind: u8,
    bytes: Vec<u8>,
}

impl Header {
    /// Reads the header of a file; `wanted` and `dimensions` say what it should hold.
    pub(super) fn read(path: &Path, wanted: &str, dimensions: &[usize]) -> Result<Header> {
        let mut input = Input::open(path)?;
        let magic = input.up_to(4)?;
        let [0, 0, kind, count @ 1..=u8::MAX] = magic[..] else {
            let found = seems(&head(path)?);
            return Err(Error::malformed(path, format!("this {found}; expected an IDX file of {wanted}")));
        };
        let known = TYPES.iter().find(|(code, ..)| *code == kind).filter(|_| dimensions.contains(&usize::from(count)));
        let Some((_, _, width)) = known else { return Err(unexpected(path, kind, count, wanted)) };
        let header = input.up_to(4 * u64::from(count))?;
        if header.len() < 4 * usize::from(count) {
            return Err(Error::malformed(
                path,
                format!(
                    "the file is truncated in its header, after {} of {} bytes: fetch or write it again",
                    4 + header.len(),
                    4 + 4 * usize::from(count)
                ),
            ));
        }
        let sizes: Vec<u32> =
            header.chunks_exact(4).map(|size| u32::from_be_bytes([size[0], size[1], size[2], size[3]])).collect();
        let count = sizes.iter().try_fold(*width as u128, |all, &size| all.checked_mul(size.into()));
        let (sizes, bytes) = (sizes.iter().map(|&size| size as usize).collect(), count.unwrap_or(u128::MAX));
        Ok(Header { sizes, kind, width: *width, bytes, input })
    }

    fn what(&self) -> String {
        let sizes: Vec<String> = self.sizes.iter().map(usize::to_string).collect();
        format!("{} values", sizes.join("×"))
    }

    /// Reads the numbers.
    pub(super) fn array(mut self) -> Result<Array> {
        let bytes = self.input.rest(self.bytes, &self.what())?;
        Ok(Array { sizes: self.sizes, kind: self.kind, bytes })
    }

    /// Bytes that the numbers take in memory: one of a byte, four of any other number.
    pub(super) fn in_memory(&self) -> u128 {
        let count = self.bytes / self.width as u128;
        if self.kind == UNSIGNED { count } else { 4 * count }
    }

    /// What people call its numbers.
    pub(super) fn kind(&self) -> &'static str {
        name_of(self.kind)
    }

    /// Where the numbers begin, and how rows of so many lie; `None` where they are compressed.
    pub(super) fn layout(&self, features: usize, pixels: Pixels) -> Result<Option<(u64, Layout)>> {
        const DESCRIPTIONS: [&str; TYPES.len()] = ["|u1", "|i1", ">i2", ">i4", ">f4", ">f8"];
        let place = TYPES.iter().position(|(code, ..)| *code == self.kind);
        let number = place.and_then(|place| DESCRIPTIONS[place].parse().ok());
        let offset = self.input.offset(self.bytes, &self.what())?;
        let layout = |number| Layout { stride: features * self.width, lead: 0, features, number, pixels };
        Ok(offset.zip(number.map(layout)))
    }
}

fn name_of(kind: u8) -> &'static str {
    TYPES.iter().find(|(code, ..)| *code == kind).map_or("numbers", |(_, name, _)| name)
}

impl Array {
    /// Reads one file; `wanted` and `dimensions` say what it should hold.
    pub(super) fn read(path: &Path, wanted: &str, dimensions: &[usize]) -> Result<Array> {
        Header::read(path, wanted, dimensions)?.array()
    }

    /// Its numbers as they are, if they are unsigned bytes; else itself.
    pub(super) fn into_bytes(self) -> std::result::Result<Vec<u8>, Array> {
        if self.kind == UNSIGNED { Ok(self.bytes) } else { Err(self) }
    }

    /// All numbers, in f64, which holds each of them exactly.
    pub(super) fn numbers(&self) -> Box<dyn Iterator<Item = f64> + '_> {
        let bytes = &self.bytes;
        match self.kind {
            0x09 => Box::new(bytes.iter().map(|&byte| f64::from(byte.cast_signed()))),
            0x0b => Box::new(words(bytes).map(|word| f64::from(i16::from_be_bytes(word)))),
            0x0c => Box::new(words(bytes).map(|word| f64::from(i32::from_be_bytes(word)))),
            0x0d => Box::new(words(bytes).map(|word| f64::from(f32::from_be_bytes(word)))),
            0x0e => Box::new(words(bytes).map(f64::from_be_bytes)),
            _ => Box::new(bytes.iter().map(|&byte| f64::from(byte))),
        }
    }
}

fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks().0.iter().copied()
}

fn unexpected(path: &Path, kind: u8, count: u8, wanted: &str) -> Error {
    let values = TYPES.iter().find(|(code, ..)| *code == kind).map_or("values of an unknown type", |(_, name, _)| name);
    let meaning = match count {
        1 => ", which is how labels are kept",
        3 => ", which is how images are kept",
        _ => "",
    };
    Error::malformed(
        path,
        format!(
            "this is a {count}-dimensional IDX file of {values}{meaning} (magic 0000{kind:02x}{count:02x}); expected {wanted}"
        ),
    )
}
