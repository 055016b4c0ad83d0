//! How the numbers of a data set are stored, and how they are packed for a device.
//!
//! | kind   | stored as              | value in the model's eyes | words per row of `d` values |
//! |--------|------------------------|---------------------------|-----------------------------|
//! | bits   | 1 bit, rows in words   | 0 or 1                    | ⌈d / 32⌉                    |
//! | bytes  | 1 byte, no gaps        | byte / 255, in `[0, 1]`   | ⌈d / 4⌉                     |
//! | floats | `f32`, no gaps         | itself                    | d                           |
//!
//! Values that are larger than memory stay on disk ([`Stored`]), and become one of these as they are read.
//!
//! Value `j` of a row of bits is bit `j % 32` of the row's word `j / 32`; value `j` of a packed row of bytes is bits
//! `8 (j % 4) .. 8 (j % 4) + 8` of word `j / 4`. Padding is zero.

use std::borrow::Cow;
use std::ops::Range;

use super::stored::Stored;
use crate::error::Result;

/// The values of all rows, row-major, `[rows, features]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// One bit per value; each row starts at a whole word and is padded with zeros, `[rows, ⌈features / 32⌉]`.
    Bits(Vec<u32>),
    /// One byte per value, standing for `byte / 255`, `[rows, features]`.
    Bytes(Vec<u8>),
    /// One float per value, `[rows, features]`.
    Floats(Vec<f32>),
    /// On disk, and read as they are wanted.
    Stored(Stored),
}

/// The three ways of storing a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PackingKind {
    /// 32 values to a word, each 0 or 1.
    Bits,
    /// Four values to a word, each `byte / 255`.
    Bytes,
    /// One `f32` to a word.
    Floats,
}

/// How rows lie in device words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Packing {
    /// What a word holds.
    pub kind: PackingKind,
    /// Words from the start of one row to the start of the next.
    pub row_words: usize,
}

impl Packing {
    /// The packing of rows of `features` values.
    pub fn new(kind: PackingKind, features: usize) -> Self {
        let row_words = match kind {
            PackingKind::Bits => features.div_ceil(32),
            PackingKind::Bytes => features.div_ceil(4),
            PackingKind::Floats => features,
        };
        Self { kind, row_words }
    }
}

impl Values {
    /// How a value is stored.
    pub fn kind(&self) -> PackingKind {
        match self {
            Values::Bits(_) => PackingKind::Bits,
            Values::Bytes(_) => PackingKind::Bytes,
            Values::Floats(_) => PackingKind::Floats,
            Values::Stored(stored) => stored.kind(),
        }
    }

    /// Bytes of memory that the values take, or would take if they were not on disk.
    pub fn byte_len(&self) -> usize {
        match self {
            Values::Bits(words) => words.len() * 4,
            Values::Bytes(bytes) => bytes.len(),
            Values::Floats(floats) => floats.len() * 4,
            Values::Stored(stored) => stored.byte_len(),
        }
    }

    /// Stored elements (words, bytes or floats) per row of `features` values.
    pub(crate) fn stride(&self, features: usize) -> usize {
        match self.kind() {
            PackingKind::Bits => features.div_ceil(32),
            PackingKind::Bytes | PackingKind::Floats => features,
        }
    }

    /// Stored elements of all rows together.
    pub(crate) fn len(&self) -> usize {
        match self {
            Values::Bits(words) => words.len(),
            Values::Bytes(bytes) => bytes.len(),
            Values::Floats(floats) => floats.len(),
            Values::Stored(stored) => stored.len(),
        }
    }

    /// Decodes row `i` into `out`, `[features]`.
    pub(crate) fn copy_row(&self, i: usize, out: &mut [f32]) {
        let stride = self.stride(out.len());
        let span = i * stride..(i + 1) * stride;
        match self {
            Values::Bits(words) => {
                let row = &words[span];
                for (j, value) in out.iter_mut().enumerate() {
                    *value = (row[j / 32] >> (j % 32) & 1) as f32;
                }
            }
            Values::Bytes(bytes) => {
                for (value, &byte) in out.iter_mut().zip(&bytes[span]) {
                    *value = f32::from(byte) / 255.0;
                }
            }
            Values::Floats(floats) => out.copy_from_slice(&floats[span]),
            Values::Stored(stored) => stored.copy_row(i, out),
        }
    }

    /// Row `i` of `features` values, as it is stored.
    pub(super) fn row_bytes(&self, i: usize, features: usize) -> Cow<'_, [u8]> {
        let stride = self.stride(features);
        let span = i * stride..(i + 1) * stride;
        match self {
            Values::Bits(words) => Cow::Borrowed(bytemuck::cast_slice(&words[span])),
            Values::Bytes(bytes) => Cow::Borrowed(&bytes[span]),
            Values::Floats(floats) => Cow::Borrowed(bytemuck::cast_slice(&floats[span])),
            Values::Stored(stored) => {
                let mut row = vec![0.0; features];
                stored.copy_row(i, &mut row);
                Cow::Owned(bytemuck::cast_slice(&row).to_vec())
            }
        }
    }

    /// The rows named by `rows`, in that order.
    pub(crate) fn select(&self, rows: &[usize], features: usize) -> Self {
        let stride = self.stride(features);
        match self {
            Values::Bits(words) => Values::Bits(select(words, rows, stride)),
            Values::Bytes(bytes) => Values::Bytes(select(bytes, rows, stride)),
            Values::Floats(floats) => Values::Floats(select(floats, rows, stride)),
            Values::Stored(stored) => stored.select(rows),
        }
    }

    /// The words that a device is given of some rows, `[rows, row_words]`, as [`Packing`] says. Bytes are copied, and what is on disk
    /// is read.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn words(&self, rows: Range<usize>, features: usize) -> Result<Cow<'_, [u32]>> {
        let (packing, stride) = (Packing::new(self.kind(), features), self.stride(features));
        let span = rows.start * stride..rows.end * stride;
        Ok(match self {
            Values::Bits(words) => Cow::Borrowed(&words[span]),
            Values::Floats(floats) => Cow::Borrowed(bytemuck::cast_slice(&floats[span])),
            Values::Bytes(bytes) => Cow::Owned(pack_bytes(&bytes[span], features, packing.row_words)),
            Values::Stored(stored) => match stored.read(rows)? {
                Values::Floats(floats) => Cow::Owned(bytemuck::cast_vec(floats)),
                Values::Bits(words) => Cow::Owned(words),
                read => Cow::Owned(read.words(0..stored_rows(&read, stride), features)?.into_owned()),
            },
        })
    }

    /// A number that tells values from others; `None` of those on disk.
    pub(crate) fn fingerprint(&self) -> Option<u128> {
        let bytes: &[u8] = match self {
            Values::Bits(words) => bytemuck::cast_slice(words),
            Values::Bytes(bytes) => bytes,
            Values::Floats(floats) => bytemuck::cast_slice(floats),
            Values::Stored(_) => return None,
        };
        Some(xxhash_rust::xxh3::xxh3_128_with_seed(bytes, self.kind() as u64))
    }
}

/// Rows of values of so many elements each.
fn stored_rows(values: &Values, stride: usize) -> usize {
    values.len() / stride.max(1)
}

/// Copies whole rows of `stride` elements.
pub(crate) fn select<T: Copy>(from: &[T], rows: &[usize], stride: usize) -> Vec<T> {
    let mut out = Vec::with_capacity(rows.len() * stride);
    for &row in rows {
        out.extend_from_slice(&from[row * stride..(row + 1) * stride]);
    }
    out
}

/// Rows of bytes, each padded with zeros to whole little-endian words.
fn pack_bytes(bytes: &[u8], features: usize, row_words: usize) -> Vec<u32> {
    if features == 0 {
        return Vec::new();
    }
    let mut words = vec![0u32; bytes.len() / features * row_words];
    if features.is_multiple_of(4) {
        bytemuck::cast_slice_mut(&mut words).copy_from_slice(bytes);
    } else {
        let rows = bytes.chunks_exact(features);
        for (out, row) in words.chunks_exact_mut(row_words).zip(rows) {
            bytemuck::cast_slice_mut(out)[..features].copy_from_slice(row);
        }
    }
    if cfg!(target_endian = "big") {
        words.iter_mut().for_each(|word| *word = word.swap_bytes());
    }
    words
}

/// Packs rows of `features` zeros and non-zeros into bits, each row padded to whole words.
pub(crate) fn pack_bits(bytes: &[u8], features: usize) -> Vec<u32> {
    let row_words = features.div_ceil(32);
    let mut words = vec![0u32; bytes.len() / features.max(1) * row_words];
    let rows = bytes.chunks_exact(features.max(1));
    for (out, row) in words.chunks_exact_mut(row_words.max(1)).zip(rows) {
        pack_row(row, out);
    }
    words
}

/// Packs one row: `row[j] != 0` becomes bit `j % 32` of `out[j / 32]`.
pub(crate) fn pack_row(row: &[u8], out: &mut [u32]) {
    for (word, values) in out.iter_mut().zip(row.chunks(32)) {
        *word = values.iter().enumerate().fold(0, |word, (bit, &value)| word | u32::from(value != 0) << bit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_lie_little_end_first_in_padded_rows() {
        let mut bytes = vec![0u8; 2 * 33];
        bytes[0] = 1;
        bytes[31] = 9;
        bytes[32] = 1;
        bytes[33 + 1] = 1;
        let values = Values::Bits(pack_bits(&bytes, 33));
        assert_eq!(*values.words(0..2, 33).unwrap(), [0x8000_0001, 1, 2, 0]);
        assert_eq!(*values.words(1..2, 33).unwrap(), [2, 0]);
        let mut row = [9.0; 33];
        values.copy_row(1, &mut row);
        assert_eq!((row[0], row[1], row.iter().sum::<f32>()), (0.0, 1.0, 1.0));
    }

    #[test]
    fn bytes_are_padded_row_by_row() {
        let values = Values::Bytes(vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(*values.words(0..2, 5).unwrap(), [0x0403_0201, 5, 0x0908_0706, 10]);
        let whole = Values::Bytes((1..=8).collect());
        assert_eq!(*whole.words(0..2, 4).unwrap(), [0x0403_0201, 0x0807_0605]);
        assert_eq!(*whole.words(1..2, 4).unwrap(), [0x0807_0605]);
    }

    #[test]
    fn floats_are_their_own_words() {
        let values = Values::Floats(vec![1.0, -2.0, 0.5]);
        assert_eq!(*values.words(0..1, 3).unwrap(), [0x3f80_0000, 0xc000_0000, 0x3f00_0000]);
    }

    #[test]
    fn every_kind_decodes_what_it_stored() {
        let bytes = Values::Bytes(vec![0, 255, 51, 102]);
        let mut row = [0.0; 2];
        bytes.copy_row(1, &mut row);
        assert_eq!(row, [0.2, 0.4]);
        let floats = Values::Floats(vec![0.0, 1.5, -3.0, 4.0]);
        floats.copy_row(1, &mut row);
        assert_eq!(row, [-3.0, 4.0]);
    }

    #[test]
    fn no_features_is_no_panic() {
        assert!(Values::Bytes(vec![]).words(0..0, 0).unwrap().is_empty());
        assert!(pack_bits(&[], 0).is_empty());
    }
}
