//! How the numbers of a data set are stored, and how they are packed for a device.
//!
//! | kind   | stored as              | value in the model's eyes | words per row of `d` values |
//! |--------|------------------------|---------------------------|-----------------------------|
//! | bits   | 1 bit, rows in words   | 0 or 1                    | ⌈d / 32⌉                    |
//! | bytes  | 1 byte, no gaps        | byte / 255, in `[0, 1]`   | ⌈d / 4⌉                     |
//! | floats | `f32`, no gaps         | itself                    | d                           |
//!
//! Value `j` of a row of bits is bit `j % 32` of the row's word `j / 32`; value `j` of a packed row of bytes is bits
//! `8 (j % 4) .. 8 (j % 4) + 8` of word `j / 4`. Padding is zero.

use std::borrow::Cow;

/// The values of all rows, row-major, `[rows, features]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// One bit per value; each row starts at a whole word and is padded with zeros, `[rows, ⌈features / 32⌉]`.
    Bits(Vec<u32>),
    /// One byte per value, standing for `byte / 255`, `[rows, features]`.
    Bytes(Vec<u8>),
    /// One float per value, `[rows, features]`.
    Floats(Vec<f32>),
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
        }
    }

    /// Bytes of host memory the values take.
    pub fn byte_len(&self) -> usize {
        match self {
            Values::Bits(words) => words.len() * 4,
            Values::Bytes(bytes) => bytes.len(),
            Values::Floats(floats) => floats.len() * 4,
        }
    }

    /// Stored elements (words, bytes or floats) per row of `features` values.
    pub(crate) fn stride(&self, features: usize) -> usize {
        match self {
            Values::Bits(_) => features.div_ceil(32),
            Values::Bytes(_) | Values::Floats(_) => features,
        }
    }

    /// Stored elements of all rows together.
    pub(crate) fn len(&self) -> usize {
        match self {
            Values::Bits(words) => words.len(),
            Values::Bytes(bytes) => bytes.len(),
            Values::Floats(floats) => floats.len(),
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
        }
    }

    /// Row `i` of `features` values, as it is stored.
    pub(super) fn row_bytes(&self, i: usize, features: usize) -> &[u8] {
        let stride = self.stride(features);
        let span = i * stride..(i + 1) * stride;
        match self {
            Values::Bits(words) => bytemuck::cast_slice(&words[span]),
            Values::Bytes(bytes) => &bytes[span],
            Values::Floats(floats) => bytemuck::cast_slice(&floats[span]),
        }
    }

    /// The rows named by `rows`, in that order.
    pub(crate) fn select(&self, rows: &[usize], features: usize) -> Self {
        let stride = self.stride(features);
        match self {
            Values::Bits(words) => Values::Bits(select(words, rows, stride)),
            Values::Bytes(bytes) => Values::Bytes(select(bytes, rows, stride)),
            Values::Floats(floats) => Values::Floats(select(floats, rows, stride)),
        }
    }

    /// The words a device is given, `[rows, row_words]`, and how to read them. Only bytes are copied.
    pub fn packed(&self, features: usize) -> (Cow<'_, [u32]>, Packing) {
        let packing = Packing::new(self.kind(), features);
        let words = match self {
            Values::Bits(words) => Cow::Borrowed(words.as_slice()),
            Values::Floats(floats) => Cow::Borrowed(bytemuck::cast_slice(floats)),
            Values::Bytes(bytes) => Cow::Owned(pack_bytes(bytes, features, packing.row_words)),
        };
        (words, packing)
    }
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
        let (words, packing) = values.packed(33);
        assert_eq!(&*words, [0x8000_0001, 1, 2, 0]);
        assert_eq!(packing, Packing { kind: PackingKind::Bits, row_words: 2 });
        let mut row = [9.0; 33];
        values.copy_row(1, &mut row);
        assert_eq!((row[0], row[1], row.iter().sum::<f32>()), (0.0, 1.0, 1.0));
    }

    #[test]
    fn bytes_are_padded_row_by_row() {
        let values = Values::Bytes(vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        let (words, packing) = values.packed(5);
        assert_eq!(packing.row_words, 2);
        assert_eq!(&*words, [0x0403_0201, 5, 0x0908_0706, 10]);
        let whole = Values::Bytes((1..=8).collect());
        let (words, packing) = whole.packed(4);
        assert_eq!(packing.row_words, 1);
        assert_eq!(&*words, [0x0403_0201, 0x0807_0605]);
    }

    #[test]
    fn floats_are_their_own_words() {
        let values = Values::Floats(vec![1.0, -2.0, 0.5]);
        let (words, packing) = values.packed(3);
        assert_eq!(packing.row_words, 3);
        assert_eq!(&*words, [0x3f80_0000, 0xc000_0000, 0x3f00_0000]);
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
        assert!(Values::Bytes(vec![]).packed(0).0.is_empty());
        assert!(pack_bits(&[], 0).is_empty());
    }
}
