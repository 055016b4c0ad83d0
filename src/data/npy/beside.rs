//! What lies beside the rows of an array, or in one archive with them: conditions, labels and weights.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::super::conditions::Conditions;
use super::super::dataset::Dataset;
use super::super::input::Input;
use super::super::labels::Labels;
use super::super::options::Options;
use super::super::origin::Origin;
use super::super::shape::Shape;
use super::super::values::Values;
use super::super::weights::Weights;
use super::Array;
use super::numbers::last_axis_fastest;
use crate::error::{Error, Result};

/// More classes than a column of labels has.
const MOST_CLASSES: usize = 65_536;

/// Adds what lies beside the rows of a file.
pub(super) fn add(path: &Path, data: &mut Dataset, options: &Options, origin: &mut Origin) -> Result<()> {
    if let Some(beside) = find(path, "labels") {
        let array = Array::read(&beside, &mut Input::open(&beside)?)?;
        data.labels = Some(labels(&array, &beside, data.rows)?);
        origin.guesses.push(format!("the classes of rows were read from {}", beside.display()));
    }
    if let Some(beside) = find(path, "weights") {
        let array = Array::read(&beside, &mut Input::open(&beside)?)?;
        data.weights = Some(weights(&array, &beside, data.rows)?);
        origin.guesses.push(format!("by how much each row counts was read from {}", beside.display()));
    }
    let Some(beside) = find(path, "conditions") else { return Ok(()) };
    let found = Input::open(&beside)
        .and_then(|mut input| Array::read(&beside, &mut input))
        .and_then(|array| conditions(&array, &beside, data.rows));
    match found {
        Ok(found) => data.conditions = Some(found),
        Err(error) if options.beside => return Err(error),
        // Whoever does not want them is not stopped by them.
        Err(error) => origin.warnings.push(format!("the numbers beside the rows were left: {error}")),
    }
    Ok(())
}

/// NAME.WHAT.npy beside NAME.npy or NAME.npy.gz, itself perhaps with .gz.
fn find(path: &Path, what: &str) -> Option<PathBuf> {
    let is_gz = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz"));
    let plain = if is_gz { path.with_extension("") } else { path.to_owned() };
    let beside = plain.with_extension(format!("{what}.npy"));
    let mut packed = OsString::from(&beside);
    packed.push(".gz");
    [beside, packed.into()].into_iter().find(|path| path.is_file())
}

/// The numbers `[rows, width]` that a model is told of each row; bytes are numbers too.
pub(in super::super) fn conditions(array: &Array, path: &Path, rows: usize) -> Result<Conditions> {
    let width = array.sizes[1..].iter().product::<usize>();
    check_rows(array, path, rows, "one row of numbers for each")?;
    if width == 0 {
        return Err(Error::malformed(path, "the rows of this array hold no numbers"));
    }
    let numbers = array.singles(path)?;
    if let Some(at) = numbers.iter().position(|number| !number.is_finite()) {
        let (row, number) = (at / width, numbers[at]);
        return Err(Error::malformed(path, format!("there is {number} in row {row}, and every number must be finite")));
    }
    let numbers = if array.is_ordered { numbers } else { last_axis_fastest(&numbers, &array.sizes) };
    // Checks that they are whole rows.
    let found = Dataset::new("conditions", Values::Floats(numbers), Shape::vector(width))?;
    Ok(Conditions { width, values: found.values, classes: vec![] })
}

/// By how much each row counts `[rows]`.
pub(in super::super) fn weights(array: &Array, path: &Path, rows: usize) -> Result<Weights> {
    check_rows(array, path, rows, "one weight for each")?;
    let width = array.sizes[1..].iter().product::<usize>();
    if width != 1 {
        return Err(Error::malformed(path, format!("there are {width} weights for each row, and one was expected")));
    }
    Weights::new(&array.numbers().collect::<Vec<f64>>()).map_err(|error| Error::malformed(path, error))
}

/// The classes `[rows]`, numbers in ascending order, texts by the alphabet.
pub(in super::super) fn labels(array: &Array, path: &Path, rows: usize) -> Result<Labels> {
    check_rows(array, path, rows, "one class for each")?;
    let width = array.sizes[1..].iter().product::<usize>();
    if width != 1 {
        return Err(Error::malformed(path, format!("there are {width} labels for each row, and one was expected")));
    }
    let whole = |number: f64| match number.fract() == 0.0 && number.abs() < 1e15 {
        true => Ok(number as i64),
        false => Err(Error::malformed(path, format!("{number} is no class: expected whole numbers or texts"))),
    };
    let (values, names) = match array.texts() {
        Some(texts) => places(&texts),
        None => {
            let (values, classes) = places(&array.numbers().map(whole).collect::<Result<Vec<i64>>>()?);
            (values, classes.iter().map(i64::to_string).collect())
        }
    };
    if names.len() > MOST_CLASSES {
        return Err(Error::malformed(
            path,
            format!("there are {} classes, and {MOST_CLASSES} are the most", names.len()),
        ));
    }
    Ok(Labels { values, classes: names.len(), names })
}

/// The place of each value among those that occur, and those.
fn places<T: Ord + Clone>(values: &[T]) -> (Vec<u32>, Vec<T>) {
    let classes: Vec<T> = values.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
    let places = values.iter().map(|value| classes.binary_search(value).unwrap_or_default() as u32);
    (places.collect(), classes)
}

fn check_rows(array: &Array, path: &Path, rows: usize, wanted: &str) -> Result<()> {
    match array.sizes.first() {
        Some(&found) if found == rows => Ok(()),
        found => Err(Error::malformed(
            path,
            format!(
                "the array has {} rows, and there are {rows} rows that it is about: give {wanted}",
                found.unwrap_or(&0)
            ),
        )),
    }
}
