//! Whole numbers from 0 to a largest one, as pixels have them: what they are divided by.
//!
//! The largest belongs to the run: it is part of the schema ([`FieldKind::Levels`]), and all later rows are divided by it. Where nobody
//! says what it is, 0 and 1 are bits, numbers up to 64 are as many levels as occur, which is told, and others go to 255. In formats of
//! pixels, which go to 255, only bits are told from those.

use super::options::Options;
use super::origin::Origin;
use super::schema::{Field, FieldKind, Role, Schema};
use super::shape::Shape;
use super::values::{Values, pack_bits};
use crate::error::{Error, Result};

/// Bytes go so far.
const BYTE: u8 = 255;
/// Bytes that go no further are levels of their own number.
const FEW: u8 = 64;

/// What the bytes of a format of pixels are divided by, where the largest is `most`.
pub(super) fn top_of_pixels(most: u8, options: &Options) -> u8 {
    let guess = if most <= 1 { 2 } else { usize::from(BYTE) + 1 };
    let options = Options { levels: options.levels.or(Some(guess)), ..options.clone() };
    top(most, &options, &mut Origin::default())
}

/// What bytes are divided by, where the largest is `most`.
pub(super) fn top(most: u8, options: &Options, origin: &mut Origin) -> u8 {
    match (known(options.schema.as_ref()), options.levels) {
        (Known::Top(top), _) => top,
        // What such a run took for numbers from 0 to 1 is not known any more.
        (Known::Numbers, _) => {
            if most <= 1 {
                1
            } else {
                BYTE
            }
        }
        (Known::Nothing, Some(levels)) => u8::try_from(levels - 1).unwrap_or(BYTE),
        (Known::Nothing, None) if most <= 1 => 1,
        (Known::Nothing, None) if most <= FEW => {
            origin.guesses.push(format!(
                "bytes go from 0 to {most} and were taken for {} levels, divided by {most}; where they are parts of 255, give --levels \
                 256",
                usize::from(most) + 1
            ));
            most
        }
        (Known::Nothing, None) => BYTE,
    }
}

/// What numbers are to be divided by, where that is settled or said.
pub(super) fn settled(options: &Options) -> Option<u8> {
    match (known(options.schema.as_ref()), options.levels) {
        (Known::Top(top), _) => Some(top),
        (Known::Nothing, Some(levels)) => Some(u8::try_from(levels - 1).unwrap_or(BYTE)),
        _ => None,
    }
}

/// Bytes `[rows, features]` as numbers from 0 to 1.
///
/// # Errors
/// If one is larger than `top`.
pub(super) fn of_bytes(bytes: Vec<u8>, shape: Shape, top: u8, options: &Options) -> Result<(Values, Schema)> {
    if let Some(at) = bytes.iter().position(|&byte| byte > top) {
        let features = shape.features();
        let (row, column) = (at / features, at % features);
        let from = match options.schema {
            Some(_) => "the model was trained on",
            None => "`levels` says",
        };
        return Err(Error::invalid(format!(
            "there is a {} in row {row}, column {column}, and {from} whole numbers from 0 to {top}",
            bytes[at]
        )));
    }
    // Of another size it is refused elsewhere, with both sizes.
    let fits = |schema: &&Schema| known(Some(schema)) == Known::Numbers && schema.shape() == shape;
    let schema = match options.schema.as_ref().filter(fits) {
        Some(schema) => schema.clone(),
        None => schema(shape, top),
    };
    let is_binary = bytes.iter().all(|&byte| byte == 0 || byte == top);
    let values = match top {
        1 | BYTE if is_binary => Values::Bits(pack_bits(&bytes, shape.features())),
        BYTE => Values::Bytes(bytes),
        top => Values::Floats(bytes.into_iter().map(|byte| f32::from(byte) / f32::from(top)).collect()),
    };
    Ok((values, schema))
}

/// Numbers that are no bytes in their file, as bytes, if they are all whole and from 0 to 255, more than 0 and 1, and the schema of a
/// run, where there is one, is of such numbers.
pub(super) fn as_bytes(numbers: &[f32], options: &Options) -> Option<Vec<u8>> {
    let are_levels = match known(options.schema.as_ref()) {
        Known::Numbers => false,
        Known::Top(_) | Known::Nothing => numbers.iter().any(|&number| number > 1.0),
    };
    let byte = |&number: &f32| (number.fract() == 0.0 && (0.0..=255.0).contains(&number)).then_some(number as u8);
    if are_levels { numbers.iter().map(byte).collect() } else { None }
}

/// What a schema says of whole numbers.
#[derive(PartialEq)]
enum Known {
    /// There is none.
    Nothing,
    /// They are taken as they are.
    Numbers,
    /// The largest.
    Top(u8),
}

fn known(schema: Option<&Schema>) -> Known {
    match schema.map(|schema| &schema.fields[..]) {
        None => Known::Nothing,
        Some([Field { kind: FieldKind::Levels { top, .. }, .. }]) => Known::Top(*top),
        Some(_) => Known::Numbers,
    }
}

fn schema(shape: Shape, top: u8) -> Schema {
    Schema {
        fields: vec![Field {
            name: "x".to_owned(),
            kind: FieldKind::Levels { shape, top },
            role: Role::Input,
            whole: false,
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::super::dataset::Dataset;
    use super::*;

    fn rows(bytes: &[u8], options: &Options) -> Result<(Vec<f32>, Schema, String)> {
        let (shape, mut origin) = (Shape::vector(bytes.len()), Origin::default());
        let top = top(bytes.iter().copied().max().unwrap(), options, &mut origin);
        let (values, schema) = of_bytes(bytes.to_vec(), shape, top, options)?;
        Ok((Dataset::new("a", values, schema.clone())?.row(0), schema, origin.guesses.concat()))
    }

    #[test]
    fn the_largest_number_is_guessed_and_told_or_given() {
        let guess = |bytes: &[u8]| rows(bytes, &Options::default()).unwrap();
        assert_eq!(guess(&[0, 1, 1]).0, [0.0, 1.0, 1.0]);
        assert_eq!(guess(&[0, 4, 16]).0, [0.0, 0.25, 1.0]);
        assert!(guess(&[0, 4, 16]).2.contains("taken for 17 levels") && guess(&[0, 51, 102]).2.is_empty());
        assert_eq!((guess(&[0, 51, 102]).0, guess(&[0, 255, 0]).0), (vec![0.0, 0.2, 0.4], vec![0.0, 1.0, 0.0]));
        let given = |levels| rows(&[0, 51, 2], &Options { levels: Some(levels), ..Options::default() });
        assert_eq!(given(256).unwrap().0, [0.0, 0.2, 2.0 / 255.0]);
        assert_eq!(given(103).unwrap().0, [0.0, 0.5, 2.0 / 102.0]);
        let said = given(17).unwrap_err().to_string();
        assert!(said.contains("there is a 51 in row 0, column 1") && said.contains("from 0 to 16"), "{said}");
    }

    /// The same frame is the same row, whatever else its file holds.
    #[test]
    fn the_largest_number_is_the_run_s() {
        let (_, schema, _) = rows(&[0, 1, 3], &Options::default()).unwrap();
        let later = Options { schema: Some(schema), ..Options::default() };
        assert_eq!(rows(&[0, 1, 1], &later).unwrap().0, [0.0, 1.0 / 3.0, 1.0 / 3.0]);
        assert_eq!(rows(&[0, 1, 2], &later).unwrap().0, [0.0, 1.0 / 3.0, 2.0 / 3.0]);
        assert!(rows(&[0, 1, 4], &later).unwrap_err().to_string().contains("the model was trained on"));
        assert_eq!(as_bytes(&[0.0, 2.0], &later), Some(vec![0, 2]));
        assert_eq!((as_bytes(&[0.0, 1.0], &later), as_bytes(&[0.5, 2.0], &later)), (None, None));
        // A run on numbers knows of no levels.
        let of_numbers = Options { schema: Some(Shape::vector(3).into()), ..Options::default() };
        assert_eq!((as_bytes(&[0.0, 2.0], &of_numbers), rows(&[0, 51, 0], &of_numbers).unwrap().0[1]), (None, 0.2));
    }
}
