//! Rows that lie in memory as an array: read as the same array in a `.npy` file is, but that a NaN was not observed.

use super::conditions::Conditions;
use super::dataset::Dataset;
use super::labels::Labels;
use super::npy::{Axes, Rows, SCALED};
use super::options::Options;
use super::origin::Origin;
use super::shape::Shape;
use super::splits::Splits;
use super::standardise::standardised;
use super::values::{Values, pack_bits};
use super::weights::Weights;
use crate::error::{Error, Result};

/// The numbers of an array, its last axis varying fastest.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// Bytes, which are levels such as those of pixels.
    Bytes(Vec<u8>),
    /// Any numbers; NaN where one was not observed.
    Floats(Vec<f32>),
}

/// An array in memory, and what is known of its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// What people call it.
    pub name: String,
    /// The length of each axis: `[rows, width]`, `[rows, height, width]` or `[rows, height, width, channels]`.
    pub sizes: Vec<usize>,
    /// Its numbers.
    pub numbers: Numbers,
    /// The class of every row, if known.
    pub labels: Option<Labels>,
    /// What a model is told of every row, if it is told numbers.
    pub conditions: Option<Conditions>,
    /// By how much every row counts, where they do not all count alike.
    pub weights: Option<Weights>,
}

impl Array {
    /// Numbers with a shape, of whose rows nothing is known besides.
    pub fn new(name: impl Into<String>, sizes: &[usize], numbers: Numbers) -> Array {
        let (name, sizes) = (name.into(), sizes.to_vec());
        Array { name, sizes, numbers, labels: None, conditions: None, weights: None }
    }

    /// Rows to train on, and [`Options::validation`] of them held out, none where that is 0: whole numbers of pictures are divided by the
    /// largest that they can be, and columns of vectors that are not all from 0 to 1 are scaled if the options say so.
    ///
    /// # Errors
    /// If there are no rows, the axes are no rows of vectors or pictures, a number is infinite, as many numbers are missing or left over, or
    /// what is known is of more or fewer rows.
    pub fn open(self, options: &Options) -> Result<Splits> {
        let Array { name, sizes, numbers, labels, conditions, weights } = self;
        check_sizes(&name, &sizes, &numbers)?;
        let (numbers, observed) = parted(numbers);
        let mut origin = Origin::of("an array");
        let features = sizes.iter().skip(1).product();
        let axes = Axes::new(name.as_ref(), &sizes)?;
        let Rows { data, is_unscaled } = Rows::of_numbers((name.as_str(), &axes, numbers), options, &mut origin)?;
        let observed = observed.map(|seen| Values::Bits(pack_bits(&axes.in_order(seen, true), features)));
        let data = Dataset { observed, labels, conditions, weights, ..data };
        check_rows(&data)?;
        if is_unscaled {
            origin.guesses.push(SCALED.to_owned());
        }
        let splits = match options.validation {
            0 => Splits { train: data, validation: None, test: None, origin: Origin::default() },
            count => Splits::hold_out(data, None, count, options.seed)?,
        };
        let splits = if is_unscaled { standardised(splits, None)? } else { splits };
        Ok(Splits { origin, ..splits })
    }

    /// The numbers as they are, row by row `[rows, height, width, channels]`, and the shape of a row.
    ///
    /// # Errors
    /// As for [`Array::open`].
    pub fn plain(self) -> Result<(Vec<f32>, Shape)> {
        check_sizes(&self.name, &self.sizes, &self.numbers)?;
        let axes = Axes::new(self.name.as_ref(), &self.sizes)?;
        let floats = match self.numbers {
            Numbers::Floats(floats) => floats,
            Numbers::Bytes(bytes) => bytes.into_iter().map(f32::from).collect(),
        };
        Ok((axes.in_order(floats, true), axes.shape))
    }
}

/// Numbers with 0 in place of those that were not observed, and 1 for each that was, where not all were.
fn parted(numbers: Numbers) -> (Numbers, Option<Vec<u8>>) {
    let Numbers::Floats(mut floats) = numbers else { return (numbers, None) };
    if !floats.iter().any(|value| value.is_nan()) {
        return (Numbers::Floats(floats), None);
    }
    let seen = floats.iter().map(|value| u8::from(!value.is_nan())).collect();
    floats.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = 0.0);
    (Numbers::Floats(floats), Some(seen))
}

fn check_sizes(name: &str, sizes: &[usize], numbers: &Numbers) -> Result<()> {
    let count = match numbers {
        Numbers::Bytes(bytes) => bytes.len(),
        Numbers::Floats(floats) => floats.len(),
    };
    if sizes.iter().try_fold(1usize, |all, &n| all.checked_mul(n)) == Some(count) {
        return Ok(());
    }
    Err(Error::invalid(format!("the array {name} has {count} numbers, and its shape is {sizes:?}: give as many")))
}

/// Says so if something is known of more or fewer rows than there are.
fn check_rows(data: &Dataset) -> Result<()> {
    let of = |values: &Values, width: usize| values.len().checked_div(values.stride(width)).unwrap_or(0);
    let known = [
        ("labels", data.labels.as_ref().map(|labels| labels.values.len())),
        ("conditions", data.conditions.as_ref().map(|conditions| of(&conditions.values, conditions.width))),
        ("weights", data.weights.as_ref().map(|weights| of(weights.values(), 1))),
    ];
    for (what, count) in known {
        if let Some(count) = count.filter(|count| *count != data.rows) {
            let (name, rows) = (&data.name, data.rows);
            return Err(Error::invalid(format!(
                "{name} has {rows} rows, and there are {what} of {count}: give one for each"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(sizes: &[usize], values: &[f32]) -> Array {
        Array::new("X", sizes, Numbers::Floats(values.to_vec()))
    }

    fn open(array: Array) -> Splits {
        array.open(&Options { standardise: true, ..Options::default() }).unwrap()
    }

    #[test]
    fn numbers_mean_what_they_mean_in_a_file() {
        // 0 to 16 are levels, and are seen as sixteenths.
        let levels = open(Array::new("X", &[2, 2], Numbers::Bytes(vec![0, 4, 16, 8]))).train;
        assert_eq!((levels.row(0), levels.row(1)), (vec![0.0, 0.25], vec![1.0, 0.5]));
        // Whole numbers of a picture that go to 255, though they are no bytes.
        let pixels = open(floats(&[1, 2, 2], &[0.0, 51.0, 102.0, 255.0])).train;
        assert_eq!((pixels.row(0), pixels.shape().sides()), (vec![0.0, 0.2, 0.4, 1.0], vec![2, 2]));
        // From 0 to 1 they are left; else columns have mean 0 and deviation 1.
        assert_eq!(open(floats(&[2, 1], &[0.0, 0.5])).train.row(1), [0.5]);
        assert_eq!(open(floats(&[2, 1], &[3.0, 5.0])).train.row(1), [1.0]);
        let plain = floats(&[2, 1], &[3.0, 5.0]).open(&Options::default()).unwrap();
        assert_eq!(plain.train.row(1), [5.0]);
        // It is said where they are scaled, and there alone.
        let said = |splits: &Splits| splits.origin.guesses.iter().filter(|said| said.as_str() == SCALED).count();
        assert_eq!(said(&open(floats(&[2, 1], &[3.0, 5.0]))), 1);
        assert_eq!((said(&open(floats(&[2, 1], &[0.0, 0.5]))), said(&plain)), (0, 0));
    }

    #[test]
    fn a_nan_was_not_observed() {
        // Of the column 3, ?, 5 the mean is 4 and the deviation 1.
        let rows = open(floats(&[3, 2], &[3.0, 0.0, f32::NAN, 1.0, 5.0, 2.0])).train;
        assert_eq!((rows.row(0)[0], rows.row(2)[0]), (-1.0, 1.0));
        assert!(rows.row(1)[0].is_nan() && (rows.share_observed() - 5.0 / 6.0).abs() < 1e-12);
        // Of pictures as well, with the channels first.
        let mut values = vec![0.5; 2 * 3 * 5 * 5];
        values[25] = f32::NAN; // the second channel of the first pixel
        let row = open(floats(&[2, 3, 5, 5], &values)).train.row(0);
        assert!(row[1].is_nan() && row.iter().filter(|value| value.is_nan()).count() == 1, "{row:?}");
    }

    #[test]
    fn some_rows_are_held_out() {
        let splits = floats(&[10, 1], &[0.5; 10]).open(&Options { validation: 3, ..Options::default() }).unwrap();
        assert_eq!((splits.train.rows, splits.validation.map(|rows| rows.rows), splits.test), (7, Some(3), None));
        assert_eq!(open(floats(&[10, 1], &[0.5; 10])).train.rows, 10);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let said = |array: Array| array.open(&Options::default()).unwrap_err().to_string();
        assert!(said(floats(&[2, 2], &[0.0; 3])).contains("X has 3 numbers, and its shape is [2, 2]"));
        assert!(said(floats(&[2], &[0.0; 2])).contains("expected [rows, width]"));
        assert!(said(floats(&[0, 2], &[])).contains("holds no rows"));
        assert!(said(floats(&[1, 2], &[0.0, f32::INFINITY])).contains("inf in row 0, column 1"));
        let labels = Labels { values: vec![0], classes: 1, names: vec!["a".into()] };
        assert!(said(Array { labels: Some(labels), ..floats(&[2, 1], &[0.0; 2]) }).contains("there are labels of 1"));
        let weights = Weights::new(&[1.0; 3]).unwrap();
        assert!(said(Array { weights: Some(weights), ..floats(&[2, 1], &[0.0; 2]) }).contains("weights of 3"));
    }

    #[test]
    fn plain_numbers_stay_as_they_are() {
        let (numbers, shape) = Array::new("X", &[1, 2, 2], Numbers::Bytes(vec![0, 4, 16, 255])).plain().unwrap();
        assert_eq!((numbers, shape.sides()), (vec![0.0, 4.0, 16.0, 255.0], vec![2, 2]));
        // Channels are brought behind the pixels.
        let values: Vec<f32> = (0..75u8).map(f32::from).collect();
        let (numbers, shape) = floats(&[1, 3, 5, 5], &values).plain().unwrap();
        assert_eq!((&numbers[..4], shape.channels), (&[0.0, 25.0, 50.0, 1.0][..], 3));
    }
}
