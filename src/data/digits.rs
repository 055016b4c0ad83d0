//! Real handwritten digits that come with the program: the test set of "Optical Recognition of Handwritten Digits" (Alpaydin &
//! Kaynak 1998, UCI Machine Learning Repository, <https://doi.org/10.24432/C50P49>, CC BY 4.0).
//!
//! 1,797 digits of 13 people, 8×8: each pixel counts the black ones, 0 to 16, among 4×4 of a scan. A row holds `count / 16`,
//! which is exact, so that its values are among 17 levels. They are split like rows of any file: a tenth chosen by the seed is
//! held out for testing and a tenth for validation.
//!
//! `assets/digits.gz` is gzip of the counts `[1797, 8, 8]`, a byte each, and behind them the labels `[1797]`.

use std::io::Read;

use flate2::read::GzDecoder;

use super::dataset::Dataset;
use super::format::Parts;
use super::labels::Labels;
use super::origin::Origin;
use super::shape::Shape;
use super::values::Values;
use crate::error::{Error, Result};

static FILE: &[u8] = include_bytes!("../../assets/digits.gz");

const ROWS: usize = 1797;
const SHAPE: Shape = Shape { height: 8, width: 8, channels: 1 };
const LARGEST: f32 = 16.0;
const CLASSES: usize = 10;

/// Unpacks them.
pub(super) fn read() -> Result<Parts> {
    let mut bytes = Vec::with_capacity(ROWS * (SHAPE.features() + 1));
    let unpacked = GzDecoder::new(FILE).read_to_end(&mut bytes);
    unpacked.map_err(|error| Error::invalid(format!("the built-in digits cannot be unpacked: {error}")))?;
    let labels = bytes.split_off(ROWS * SHAPE.features());
    let values = bytes.into_iter().map(|count| f32::from(count) / LARGEST).collect();
    let labels = Labels {
        values: labels.into_iter().map(u32::from).collect(),
        classes: CLASSES,
        names: (0..CLASSES).map(|class| class.to_string()).collect(),
    };
    let data = Dataset { labels: Some(labels), ..Dataset::new("digits", Values::Floats(values), SHAPE)? };
    Ok(Parts::whole(data, Origin::of("built-in handwritten digits (Alpaydin & Kaynak 1998, UCI, CC BY 4.0)")))
}

#[cfg(test)]
mod tests {
    use super::super::{Options, Source, open};
    use super::*;

    #[test]
    fn they_are_those_of_the_repository() {
        let data = read().unwrap().train;
        assert_eq!((data.rows, data.shape()), (1797, SHAPE));
        let labels = data.labels.as_ref().unwrap();
        let count = |class: u32| labels.values.iter().filter(|&&label| label == class).count();
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(count), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        // Sums of counts, in f64 so that nothing is rounded.
        let sum: f64 = (0..data.rows).flat_map(|row| data.row(row)).map(|value| 16.0 * f64::from(value)).sum();
        assert_eq!(sum, 561_718.0);
        // The first picture, a zero.
        let zero = [
            [0, 0, 5, 13, 9, 1, 0, 0],
            [0, 0, 13, 15, 10, 15, 5, 0],
            [0, 3, 15, 2, 0, 11, 8, 0],
            [0, 4, 12, 0, 0, 8, 8, 0],
            [0, 5, 8, 0, 0, 9, 8, 0],
            [0, 4, 11, 0, 1, 12, 7, 0],
            [0, 2, 14, 5, 10, 12, 0, 0],
            [0, 0, 6, 13, 10, 0, 0, 0],
        ];
        assert_eq!(data.row(0), zero.as_flattened().iter().map(|&count| count as f32 / 16.0).collect::<Vec<_>>());
        assert_eq!(labels.values[..12], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
    }

    #[test]
    fn they_are_split_like_a_file() {
        let splits = open(&Source::Digits, &Options::default()).unwrap();
        let held_out = [&splits.validation, &splits.test].map(|part| part.as_ref().unwrap().rows);
        assert_eq!((splits.train.rows, held_out), (1439, [179, 179]));
    }
}
