//! One array: its header, checked before it is believed, and its numbers.

use std::path::Path;

use npyz::{DType, NpyHeader, Order, TypeChar, TypeStr};

use super::super::input::Input;
use super::numbers::{numbers, texts};
use crate::error::{Error, Result};

pub(in super::super) const MAGIC: &[u8] = b"\x93NUMPY";
/// As many bytes as NumPy itself trusts a header to have.
const MAX_HEADER: u64 = 10_000;
/// Brackets inside each other in the header of an array of numbers: the dictionary, and the tuple of its shape. What reads headers takes
/// twice as long for each.
const MAX_DEPTH: usize = 3;

/// What a header says of an array.
pub(super) struct Header {
    /// The length of each axis.
    pub(super) sizes: Vec<usize>,
    pub(super) kind: TypeStr,
    /// Whether the last axis varies fastest.
    pub(super) is_ordered: bool,
    /// Bytes of a number.
    pub(super) width: usize,
}

impl Header {
    /// Reads a header, and leaves the input where the numbers begin.
    pub(super) fn read(path: &Path, input: &mut Input) -> Result<Header> {
        let header = header(path, input)?;
        let kind = match header.dtype() {
            DType::Plain(kind) => kind,
            _ => return Err(other_kind(path, &header)),
        };
        let Some(width) = kind.num_bytes().filter(|_| is_known(&kind)) else { return Err(other_kind(path, &header)) };
        let sizes = header.shape().iter().map(|&n| usize::try_from(n).unwrap_or(usize::MAX)).collect();
        Ok(Header { sizes, kind, is_ordered: header.order() == Order::C, width })
    }

    /// Bytes of the numbers in the file.
    pub(super) fn bytes(&self) -> u128 {
        let count = self.sizes.iter().try_fold(self.width as u128, |all, &n| all.checked_mul(n as u128));
        count.unwrap_or(u128::MAX)
    }

    /// Bytes of the numbers in memory.
    pub(super) fn bytes_in_memory(&self) -> u128 {
        let count = self.bytes() / self.width.max(1) as u128;
        if self.width == 1 { count } else { count.saturating_mul(4) }
    }

    /// The numbers, for messages.
    pub(super) fn what(&self) -> String {
        match &self.sizes[..] {
            [rows, axes @ ..] if !axes.is_empty() => {
                format!("{rows} rows of {}", axes.iter().map(usize::to_string).collect::<Vec<_>>().join("×"))
            }
            sizes => format!("{} values", sizes.iter().product::<usize>()),
        }
    }
}

/// Numbers with a shape, as they lie in their file.
pub(in super::super) struct Array {
    /// The length of each axis.
    pub(in super::super) sizes: Vec<usize>,
    kind: TypeStr,
    pub(super) raw: Vec<u8>,
    /// Whether the last axis varies fastest.
    pub(super) is_ordered: bool,
}

impl Array {
    /// Reads an array; `path` is what messages call it.
    pub(in super::super) fn read(path: &Path, input: &mut Input) -> Result<Array> {
        let header = Header::read(path, input)?;
        Array::behind(header, input)
    }

    /// Reads the numbers behind a header.
    pub(super) fn behind(header: Header, input: &mut Input) -> Result<Array> {
        let raw = input.rest(header.bytes(), &header.what())?;
        let Header { sizes, kind, is_ordered, .. } = header;
        Ok(Array { sizes, kind, raw, is_ordered })
    }

    /// Its values, if they are unsigned bytes.
    pub(in super::super) fn bytes(&self) -> Option<&[u8]> {
        ((self.kind.type_char(), self.kind.size_field()) == (TypeChar::Uint, 1)).then_some(&self.raw)
    }

    pub(super) fn is_bool(&self) -> bool {
        self.kind.type_char() == TypeChar::Bool
    }

    /// Its numbers, as they lie in the file.
    pub(super) fn numbers(&self) -> Box<dyn Iterator<Item = f64> + '_> {
        numbers(&self.kind, &self.raw).unwrap_or_else(|| Box::new(std::iter::empty()))
    }

    /// Its texts, if it holds such.
    pub(super) fn texts(&self) -> Option<Vec<String>> {
        texts(&self.kind, &self.raw)
    }

    /// Its numbers in single precision, as they lie in the file.
    pub(super) fn singles(&self, path: &Path) -> Result<Vec<f32>> {
        if self.texts().is_some() {
            return Err(Error::malformed(path, "the array holds texts, and numbers were expected"));
        }
        self.numbers().map(|number| single(path, number)).collect()
    }
}

/// A number in single precision.
fn single(path: &Path, number: f64) -> Result<f32> {
    let single = number as f32;
    if single.is_infinite() && number.is_finite() {
        let message = format!(
            "the array holds {number:e}, and values are kept in single precision, which ends at 3.4e38: scale them down"
        );
        return Err(Error::malformed(path, message));
    }
    Ok(single)
}

fn is_known(kind: &TypeStr) -> bool {
    numbers(kind, &[]).is_some() || texts(kind, &[]).is_some()
}

/// Reads the header, which says how long it is.
fn header(path: &Path, input: &mut Input) -> Result<NpyHeader> {
    let broken = |e: &dyn std::fmt::Display| {
        Error::malformed(path, format!("the header of the array cannot be read ({e}): write it again with numpy.save"))
    };
    let mut bytes = input.up_to(8)?;
    let length = input.up_to(if bytes.get(6) == Some(&1) { 2 } else { 4 })?;
    let mut size = [0; 8];
    size[..length.len()].copy_from_slice(&length);
    let size = u64::from_le_bytes(size);
    if size > MAX_HEADER {
        return Err(broken(&format!("it claims to be {size} bytes long")));
    }
    bytes.extend(length);
    bytes.extend(input.up_to(size)?);
    let text = bytes.get(10..).unwrap_or_default();
    if depth(text) > MAX_DEPTH {
        return Err(broken(&"it is no array of plain numbers"));
    }
    if !can_be_counted(text) {
        return Err(broken(&"its shape holds more values than can be counted"));
    }
    NpyHeader::from_reader(bytes.as_slice()).map_err(|e| broken(&e))
}

/// The most brackets that are open at once.
fn depth(text: &[u8]) -> usize {
    let (mut open, mut most) = (0usize, 0);
    for byte in text {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

/// Whether the numbers behind the word `shape` have a product: the reader of headers takes that for granted.
fn can_be_counted(header: &[u8]) -> bool {
    let text = String::from_utf8_lossy(header);
    let Some((_, shape)) = text.split_once("shape") else { return true };
    let numbers = shape.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    numbers.map(|digits| digits.parse::<u64>().ok()).try_fold(1u64, |all, n| all.checked_mul(n?)).is_some()
}

fn other_kind(path: &Path, header: &NpyHeader) -> Error {
    Error::malformed(
        path,
        format!(
            "the array holds values of the type {}: expected booleans, whole numbers or floats of 8 to 64 bits; convert it, \
             for example with array.astype('float32')",
            header.dtype().descr()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_counted_before_a_header_is_read() {
        assert_eq!(depth(b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"), 2);
        assert_eq!(depth(b"[[[]], ["), 3);
        assert_eq!(depth(b"]]]["), 1);
    }
}
