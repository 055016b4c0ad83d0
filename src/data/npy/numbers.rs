//! The numbers of an array: their types, and the orders in which they may lie.

use half::f16;
use npyz::{Endianness, TypeChar, TypeStr};

/// The numbers of an array of this type, in f64; `None` of a type that holds no numbers.
pub(in crate::data) fn numbers<'a>(kind: &TypeStr, bytes: &'a [u8]) -> Option<Box<dyn Iterator<Item = f64> + 'a>> {
    let is_big = kind.endianness() == Endianness::Big;
    Some(match (kind.type_char(), kind.size_field()) {
        (TypeChar::Bool, 1) => Box::new(bytes.iter().map(|&byte| f64::from(u8::from(byte != 0)))),
        (TypeChar::Uint, 1) => Box::new(bytes.iter().map(|&byte| f64::from(byte))),
        (TypeChar::Uint, 2) => Box::new(words(bytes, is_big).map(|word| f64::from(u16::from_le_bytes(word)))),
        (TypeChar::Uint, 4) => Box::new(words(bytes, is_big).map(|word| f64::from(u32::from_le_bytes(word)))),
        (TypeChar::Uint, 8) => Box::new(words(bytes, is_big).map(|word| u64::from_le_bytes(word) as f64)),
        (TypeChar::Int, 1) => Box::new(bytes.iter().map(|&byte| f64::from(byte.cast_signed()))),
        (TypeChar::Int, 2) => Box::new(words(bytes, is_big).map(|word| f64::from(i16::from_le_bytes(word)))),
        (TypeChar::Int, 4) => Box::new(words(bytes, is_big).map(|word| f64::from(i32::from_le_bytes(word)))),
        (TypeChar::Int, 8) => Box::new(words(bytes, is_big).map(|word| i64::from_le_bytes(word) as f64)),
        (TypeChar::Float, 2) => Box::new(words(bytes, is_big).map(|word| f16::from_le_bytes(word).to_f64())),
        (TypeChar::Float, 4) => Box::new(words(bytes, is_big).map(|word| f64::from(f32::from_le_bytes(word)))),
        (TypeChar::Float, 8) => Box::new(words(bytes, is_big).map(f64::from_le_bytes)),
        _ => return None,
    })
}

/// The texts of an array of this type, without what pads them; `None` of a type that holds no texts.
pub(super) fn texts(kind: &TypeStr, bytes: &[u8]) -> Option<Vec<String>> {
    let width = kind.num_bytes().filter(|&width| width > 0);
    let text = |text: String| text.trim_end_matches('\0').to_owned();
    match kind.type_char() {
        TypeChar::ByteStr => {
            let each = bytes.chunks_exact(width.unwrap_or(1));
            Some(each.map(|bytes| text(String::from_utf8_lossy(bytes).into_owned())).collect())
        }
        TypeChar::UnicodeStr => {
            let is_big = kind.endianness() == Endianness::Big;
            let letter = |word| char::from_u32(u32::from_le_bytes(word)).unwrap_or(char::REPLACEMENT_CHARACTER);
            let each = bytes.chunks_exact(width.unwrap_or(4));
            Some(each.map(|bytes| text(words(bytes, is_big).map(letter).collect())).collect())
        }
        _ => None,
    }
}

/// Words of so many bytes, the lowest byte first.
fn words<const N: usize>(bytes: &[u8], is_big: bool) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks().0.iter().map(move |word| {
        let mut word = *word;
        if is_big {
            word.reverse();
        }
        word
    })
}

/// The values of an array whose first axis varies fastest, so that its last one does.
pub(super) fn last_axis_fastest<T: Copy>(values: &[T], axes: &[usize]) -> Vec<T> {
    let strides: Vec<usize> = axes.iter().scan(1, |all, axis| Some(std::mem::replace(all, *all * axis))).collect();
    let mut place = vec![0; axes.len()];
    let mut at = 0;
    let mut out = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        out.push(values[at]);
        for axis in (0..axes.len()).rev() {
            place[axis] += 1;
            at += strides[axis];
            if place[axis] < axes[axis] {
                break;
            }
            at -= place[axis] * strides[axis];
            place[axis] = 0;
        }
    }
    out
}

/// Pictures `[rows, channels, pixels]` as `[rows, pixels, channels]`.
pub(in crate::data) fn channels_last<T: Copy>(values: &[T], channels: usize, pixels: usize) -> Vec<T> {
    let pictures = values.chunks_exact(channels * pixels);
    let picture = |planes: &[T]| -> Vec<T> {
        (0..pixels)
            .flat_map(|pixel| (0..channels).map(move |channel| channel * pixels + pixel))
            .map(|i| planes[i])
            .collect()
    };
    pictures.flat_map(picture).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_changed_round() {
        // [[1, 2, 3], [4, 5, 6]] with the first axis fastest.
        assert_eq!(last_axis_fastest(&[1, 4, 2, 5, 3, 6], &[2, 3]), [1, 2, 3, 4, 5, 6]);
        // a[i][j][k] = 100 i + 10 j + k of the axes 2, 3, 4.
        let value = |i, j, k| 100 * i + 10 * j + k;
        let fortran: Vec<i32> =
            (0..4).flat_map(|k| (0..3).flat_map(move |j| (0..2).map(move |i| value(i, j, k)))).collect();
        let c: Vec<i32> = (0..2).flat_map(|i| (0..3).flat_map(move |j| (0..4).map(move |k| value(i, j, k)))).collect();
        assert_eq!(last_axis_fastest(&fortran, &[2, 3, 4]), c);
        assert_ne!(fortran, c);
        // Two pictures of two pixels and three channels.
        assert_eq!(
            channels_last(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 3, 2),
            [1, 3, 5, 2, 4, 6, 7, 9, 11, 8, 10, 12]
        );
    }
}
