//! NumPy's `.npz`: arrays with names, in a zip archive.
//!
//! Rows are called x, data, images, imgs, samples, features or arr_0; those of parts x_train, train_x, train_images or train, and so on with
//! val, valid or validation and with test. Labels are called y, labels, label or target, likewise. What else is known of rows: `conditions`
//! (numbers), `factors` or `latents_classes` (whole numbers), `weights` (by how much each row counts), and `mask`, which is 1 for values
//! that were observed. Capitals count for nothing. Other arrays are named and left. Where no array has one of these names and only one has two axes or more, that is it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::dataset::Dataset;
use super::format::{Format, Found, Parts};
use super::input::Input;
use super::labels::{Factors, Labels};
use super::levels;
use super::npy::{Array, Rows, SCALED, conditions, labels, weights};
use super::options::Options;
use super::origin::{Origin, Skipped};
use crate::error::{Error, Result};

/// The format of NumPy's archives.
pub(crate) struct Npz;

/// More arrays than anyone names.
const MOST_ARRAYS: usize = 10_000;

/// What dSprites calls the columns of its `latents_classes`.
const DSPRITES: [&str; 6] = ["colour", "shape", "scale", "orientation", "x", "y"];

const ROWS: [&str; 7] = ["x", "data", "images", "imgs", "samples", "features", "arr_0"];
const LABELS: [&str; 5] = ["y", "labels", "label", "target", "targets"];
const PARTS: [&[&str]; 3] = [&["train", "training"], &["val", "valid", "validation"], &["test", "testing"]];

impl Format for Npz {
    fn name(&self) -> &'static str {
        "NumPy archives (.npz)"
    }

    fn claims_file(&self, _: &Path, head: &[u8]) -> bool {
        // The name of the first file, whose length stands before it.
        let length = head.get(26..28).map_or(0, |bytes| usize::from(u16::from_le_bytes([bytes[0], bytes[1]])));
        let name = head.get(30..30 + length).unwrap_or_default();
        head.starts_with(b"PK\x03\x04") && name.ends_with(b".npy")
    }

    fn read_file(&self, path: &Path, options: &Options) -> Result<Found> {
        let mut archive = Archive::open(path)?;
        let names = archive.names.clone();
        let of_part = |part: usize, what: &[&str]| names.keys().find(|name| is_of(name, part, what)).cloned();
        let whole = || ROWS.iter().find(|name| names.contains_key(**name)).map(|name| (*name).to_owned());
        let only = || {
            let named: Vec<&String> = names.keys().filter(|name| !is_known_beside(name)).collect();
            if let [only] = named[..] { Some(only.clone()) } else { None }
        };
        let Some(train) = of_part(0, &ROWS).or_else(whole).or_else(only) else {
            let all: Vec<String> = names.keys().cloned().collect();
            return Err(Error::malformed(
                path,
                format!(
                    "the archive holds the arrays {}, and none that is called x, data, images or x_train: give the rows one of these names",
                    super::schema::some_of(&all)
                ),
            ));
        };
        let is_part = is_of(&train, 0, &ROWS);
        let mut sets = vec![Set { rows: train, part: is_part.then_some(0) }];
        sets.extend([1, 2].into_iter().filter_map(|part| Some(Set { rows: of_part(part, &ROWS)?, part: Some(part) })));
        let mut origin = Origin::of("a NumPy archive");
        let mut arrays = sets.iter().map(|set| archive.array(&set.rows)).collect::<Result<Vec<Array>>>()?;
        let mut options = one_scale(&arrays, options, &mut origin);
        let mut read = vec![];
        for (set, array) in sets.iter().zip(arrays.drain(..)) {
            read.push(archive.rows(set, array, &options, &mut origin)?);
            // What is settled by training rows holds for the others.
            options.schema.get_or_insert_with(|| read[0].data.schema.clone());
        }
        let is_unscaled = read[0].is_unscaled;
        if is_unscaled {
            origin.guesses.push(SCALED.to_owned());
        }
        let mut data: Vec<Dataset> = read.into_iter().map(|rows| rows.data).collect();
        one_naming(data.iter_mut().filter_map(|data| data.labels.as_mut()).collect());
        if let Some(other) = data.iter().find(|other| other.shape() != data[0].shape()) {
            return Err(Error::malformed(
                path,
                format!(
                    "the rows of {} are {}, and those of {} {}",
                    data[0].name,
                    data[0].shape(),
                    other.name,
                    other.shape()
                ),
            ));
        }
        origin.skipped.extend(archive.left());
        let part = |wanted: usize| {
            let place = sets.iter().position(|set| set.part == Some(wanted))?;
            Some(data[place].clone())
        };
        let (validation, test) = (part(1), part(2));
        Ok(Parts { train: data.swap_remove(0), validation, test, origin, is_unscaled }.into())
    }

    fn claims_folder(&self, _: &Path) -> bool {
        false
    }

    fn read_folder(&self, folder: &Path, _: &Options) -> Result<Found> {
        Err(Error::malformed(folder, "an archive of arrays is one file: give the .npz file"))
    }

    fn looks_for(&self) -> String {
        "arrays in a .npz file, given by its own name".to_string()
    }
}

/// Rows of a part, or of all.
struct Set {
    rows: String,
    part: Option<usize>,
}

/// Whether a name is one of these in a part: `x_train`, `train_x`, or of rows the part alone.
fn is_of(name: &str, part: usize, what: &[&str]) -> bool {
    PARTS[part].iter().any(|part| {
        let of_both = what.iter().any(|what| name == format!("{what}_{part}") || name == format!("{part}_{what}"));
        of_both || name == *part && what.contains(&ROWS[0])
    })
}

fn is_known_beside(name: &str) -> bool {
    LABELS.contains(&name) || ["conditions", "factors", "latents_classes", "weights", "mask"].contains(&name)
}

/// An archive, and which of its arrays were read.
struct Archive {
    path: PathBuf,
    zip: ZipArchive<BufReader<File>>,
    stored: u64,
    /// The place of each array, by its name in small letters without its ending.
    names: BTreeMap<String, usize>,
    read: Vec<String>,
}

impl Archive {
    fn open(path: &Path) -> Result<Archive> {
        let file = File::open(path).map_err(Error::io("read", path))?;
        let stored = file.metadata().map_err(Error::io("read", path))?.len();
        let damaged = |error: &dyn std::fmt::Display| {
            Error::malformed(path, format!("the archive is damaged or truncated ({error}): fetch or write it again"))
        };
        let zip = ZipArchive::new(BufReader::new(file)).map_err(|error| damaged(&error))?;
        if zip.len() > MOST_ARRAYS {
            return Err(damaged(&format!("it holds {} files", zip.len())));
        }
        let names = (0..zip.len()).filter_map(|place| {
            let name = zip.name_for_index(place)?.ok()?.to_lowercase();
            Some((name.strip_suffix(".npy")?.to_owned(), place))
        });
        let names: BTreeMap<String, usize> = names.collect();
        Ok(Archive { path: path.to_owned(), zip, stored, names, read: vec![] })
    }

    /// An array by its name, which is there.
    fn array(&mut self, name: &str) -> Result<Array> {
        let called = self.called(name);
        let damaged = |error: zip::result::ZipError| Error::malformed(&called, format!("it cannot be read ({error})"));
        let place = self.names.get(name).copied().unwrap_or_default();
        let entry = self.zip.by_index(place).map_err(damaged)?;
        self.read.push(name.to_owned());
        Array::read(&called, &mut Input::of_zip(&called, Box::new(entry), self.stored))
    }

    /// What messages call an array.
    fn called(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The rows of a set with what is known of them.
    fn rows(&mut self, set: &Set, array: Array, options: &Options, origin: &mut Origin) -> Result<Rows> {
        let (file, called) =
            (self.path.file_name().unwrap_or_default().to_string_lossy().into_owned(), self.called(&set.rows));
        let mut rows = Rows::of(array, (&called, &file), options, origin)?;
        let count = rows.data.rows;
        let find = |archive: &Archive, what: &[&str]| {
            let names = archive.names.keys().cloned();
            let fits = |name: &String| match set.part {
                None => what.contains(&name.as_str()),
                Some(part) => is_of(name, part, what) && !PARTS[part].contains(&name.as_str()),
            };
            names.into_iter().find(fits)
        };
        if let Some(name) = find(self, &LABELS) {
            let array = self.array(&name)?;
            rows.data.labels = Some(labels(&array, &self.called(&name), count)?);
        }
        if let Some(name) = find(self, &["conditions"]) {
            let array = self.array(&name)?;
            rows.data.conditions = Some(conditions(&array, &self.called(&name), count)?);
        }
        if let Some(name) = find(self, &["factors", "latents_classes"]) {
            let array = self.array(&name)?;
            let mut factors = factors(&array, &self.called(&name), count)?;
            if name == "latents_classes" && factors.names.len() == DSPRITES.len() {
                factors.names = DSPRITES.map(String::from).to_vec();
            }
            rows.data.factors = Some(factors);
        }
        if let Some(name) = find(self, &["weights"]) {
            let array = self.array(&name)?;
            rows.data.weights = Some(weights(&array, &self.called(&name), count)?);
        }
        if let Some(name) = find(self, &["mask"]) {
            let mask = self.array(&name)?;
            rows.data = masked(rows.data, mask, &self.called(&name), options)?;
        }
        Ok(rows)
    }

    /// The arrays that were not read.
    fn left(&self) -> Option<Skipped> {
        let left = self.names.keys().filter(|name| !self.read.contains(name)).cloned();
        Skipped::new("arrays of other names", left)
    }
}

/// The options by which bytes of all parts are divided by one number.
fn one_scale(arrays: &[Array], options: &Options, origin: &mut Origin) -> Options {
    let most = arrays.iter().filter_map(|array| array.bytes()?.iter().copied().max()).max();
    match (most, options.levels, &options.schema) {
        (Some(most), None, None) => {
            let top = levels::top(most, options, origin);
            Options { levels: Some(usize::from(top) + 1), ..options.clone() }
        }
        _ => options.clone(),
    }
}

/// Has one class called alike in all parts.
pub(super) fn one_naming(mut all: Vec<&mut Labels>) {
    let mut names: Vec<String> = all.iter().flat_map(|labels| labels.names.iter().cloned()).collect();
    let number = |name: &String| name.parse::<f64>().unwrap_or(f64::INFINITY);
    names.sort_by(|a, b| number(a).total_cmp(&number(b)).then_with(|| a.cmp(b)));
    names.dedup();
    for labels in &mut all {
        let place = |name: &String| names.iter().position(|known| known == name).unwrap_or_default() as u32;
        let places: Vec<u32> = labels.names.iter().map(place).collect();
        labels.values.iter_mut().for_each(|value| *value = places[*value as usize]);
        (labels.classes, labels.names) = (names.len(), names.clone());
    }
}

/// Factors `[rows, factors]`, whose values are the whole numbers that occur.
fn factors(array: &Array, path: &Path, rows: usize) -> Result<Factors> {
    let known = conditions(array, path, rows)?;
    let mut row = vec![0.0; known.width];
    let mut columns: Vec<Vec<f32>> = vec![Vec::with_capacity(rows); known.width];
    for i in 0..rows {
        known.values.copy_row(i, &mut row);
        columns.iter_mut().zip(&row).for_each(|(column, &value)| column.push(value));
    }
    let levels: Vec<Vec<f32>> = columns
        .iter()
        .map(|column| {
            let mut levels = column.clone();
            levels.sort_by(f32::total_cmp);
            levels.dedup();
            levels
        })
        .collect();
    let place = |column: usize, value: f32| levels[column].partition_point(|&level| level < value) as u32;
    Ok(Factors {
        names: (1..=known.width).map(|n| format!("factor {n}")).collect(),
        sizes: levels.iter().map(Vec::len).collect(),
        values: (0..rows)
            .flat_map(|i| (0..known.width).map(move |j| (i, j)))
            .map(|(i, j)| place(j, columns[j][i]))
            .collect(),
    })
}

/// Rows of which the values that a mask has as 0 were not observed.
fn masked(data: Dataset, mask: Array, path: &Path, options: &Options) -> Result<Dataset> {
    let plain = Options { levels: Some(2), schema: None, standardise: false, ..options.clone() };
    let mask = Rows::of(mask, (path, "mask"), &plain, &mut Origin::default())?.data;
    if (mask.rows, mask.shape()) != (data.rows, data.shape()) || !mask.is_black_and_white() {
        return Err(Error::malformed(
            path,
            format!(
                "a mask holds 0 or 1 for each value, and of {} rows of {} there are {} of {}",
                data.rows,
                data.shape(),
                mask.rows,
                mask.shape()
            ),
        ));
    }
    let mut values = Vec::with_capacity(data.rows * data.shape().features());
    for i in 0..data.rows {
        let seen = mask.row(i);
        values
            .extend(data.row(i).into_iter().zip(seen).map(|(value, seen)| if seen == 0.0 { f32::NAN } else { value }));
    }
    let gaps = Dataset::with_gaps(data.name.clone(), values, data.schema.clone())?;
    Ok(Dataset { values: gaps.values, observed: gaps.observed, ..data })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::super::input::HEAD;
    use super::*;

    fn array(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let text = format!("{:<117}\n", format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"));
        [&b"\x93NUMPY\x01\x00"[..], &(text.len() as u16).to_le_bytes(), text.as_bytes(), data].concat()
    }

    fn parts(arrays: &[(&str, Vec<u8>)]) -> Result<Parts> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.npz");
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        for (i, (name, bytes)) in arrays.iter().enumerate() {
            let how = [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated][i % 2];
            zip.start_file(format!("{name}.npy"), SimpleFileOptions::default().compression_method(how)).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap();
        let head = std::fs::read(&path).unwrap();
        assert!(Npz.claims_file(&path, &head[..HEAD.min(head.len())]));
        super::super::formats::read_file(&path, &Options::default()).map(Found::rows)
    }

    #[test]
    fn parts_labels_and_the_rest_are_known_by_their_names() {
        let found = parts(&[
            ("x_train", array("|u1", "(3, 2)", &[0, 3, 1, 1, 2, 2])),
            ("y_train", array("|u1", "(3,)", &[5, 2, 5])),
            ("X_test", array("|u1", "(1, 2)", &[16, 4])),
            ("y_test", array("|u1", "(1, 1)", &[9])),
            ("notes", array("|u1", "(1,)", &[0])),
        ])
        .unwrap();
        let (train, test) = (found.train, found.test.unwrap());
        // One number divides all parts.
        assert_eq!((train.row(0), test.row(0)), (vec![0.0, 3.0 / 16.0], vec![1.0, 0.25]));
        let labels = train.labels.unwrap();
        assert_eq!((&labels.names[..], &labels.values[..]), (&["2", "5", "9"].map(String::from)[..], &[1, 0, 1][..]));
        assert_eq!(test.labels.unwrap().values, [2]);
        assert_eq!(found.origin.skipped[0].first, ["notes"]);
        assert!(found.validation.is_none());
    }

    #[test]
    fn what_is_known_besides_goes_with_its_rows() {
        let floats = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let found = parts(&[
            ("imgs", array("<f4", "(2, 2)", &floats(&[0.5, 0.25, 1.0, 0.0]))),
            ("mask", array("|b1", "(2, 2)", &[1, 0, 1, 1])),
            ("latents_classes", array("|u1", "(2, 2)", &[7, 1, 3, 1])),
            ("conditions", array("|u1", "(2, 1)", &[200, 4])),
            ("weights", array("<f4", "(2,)", &floats(&[3.0, 1.0]))),
        ])
        .unwrap();
        let data = found.train;
        assert!(data.row(0)[0] == 0.5 && data.row(0)[1].is_nan() && data.row(1) == [1.0, 0.0]);
        let factors = data.factors.as_ref().unwrap();
        assert_eq!((&factors.sizes[..], &factors.values[..]), (&[2, 1][..], &[1, 0, 0, 0][..]));
        assert_eq!(data.condition(0), [200.0]);
        // By their mean, which is 2.
        assert_eq!([data.weight(0), data.weight(1)], [1.5, 0.5]);
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        let rows = || ("x", array("|u1", "(2, 2)", &[1, 2, 3, 4]));
        for (arrays, said) in [
            (vec![("a", array("|u1", "(1, 2)", &[1, 2])), ("b", array("|u1", "(1, 2)", &[1, 2]))], "the arrays a, b"),
            (vec![rows(), ("y", array("|u1", "(3,)", &[1, 2, 3]))], "some.npz/y: the array has 3 rows"),
            (vec![rows(), ("mask", array("|u1", "(2, 1)", &[1, 0]))], "a mask holds 0 or 1"),
            (vec![("x", array("|u1", "(2, 2)", &[1, 2, 3]))], "some.npz/x: the header promises 2 rows of 2"),
            (vec![rows(), ("x_test", array("|u1", "(1, 3)", &[1, 2, 3]))], "and those of"),
        ] {
            let message = parts(&arrays).map(|_| ()).unwrap_err().to_string();
            assert!(message.contains(said), "{message}");
        }
        // Under whatever name, where it is the only one.
        assert_eq!(parts(&[("b", array("|u1", "(1, 2)", &[255, 0]))]).unwrap().train.row(0), [1.0, 0.0]);
    }
}
