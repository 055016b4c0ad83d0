//! IDX, the format of MNIST (LeCun, Cortes & Burges 1998) and of the sets made in its image: Fashion-MNIST, KMNIST, EMNIST,
//! QMNIST.
//!
//! A file is `00 00 type n`, then `n` sizes as big-endian `u32`, then the values, row-major, big-endian; each file may be gzipped.
//! Images are `[rows, height, width]`, `[rows, height, width, channels]` or vectors `[rows, width]`, of any type: unsigned bytes
//! stand for `byte / 255`, all others for themselves. A file of bytes that are all 0 and 1, or all 0 and 255, holds bits.
//! Labels are whole numbers `[rows]`, or `[rows, n]` with the class first, as QMNIST has them; the classes are the values that
//! occur. EMNIST's images (Cohen et al. 2017) lie on their side in their files, and are turned upright.

mod array;
mod files;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::dataset::Dataset;
use super::format::{Format, Found, Parts};
use super::labels::Labels;
use super::layout::Pixels;
use super::names::{file_stem, folder_name};
use super::options::Options;
use super::origin::Origin;
use super::shape::Shape;
use super::stored::{Stored, is_too_large, too_large};
use super::values::Values;
use super::{levels, stored};
use crate::error::{Error, Result};
use array::{Array, Header, TYPES};
use files::{PartFiles, SetFiles, sets};

/// The IDX format.
pub(crate) struct Idx;

/// The files of a set, as people know them.
const NAMES: &str = "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (or \
     with `.idx` for `-idx`, `test` for `t10k`, the set's name before it, with or without `.gz`; labels may be absent, and so may \
     the t10k files)";

impl Format for Idx {
    fn name(&self) -> &'static str {
        "IDX (the files of MNIST)"
    }

    fn claims_file(&self, _: &Path, head: &[u8]) -> bool {
        matches!(head, [0, 0, kind, 1..=8, ..] if TYPES.iter().any(|(known, ..)| known == kind))
    }

    fn read_file(&self, path: &Path, options: &Options) -> Result<Found> {
        let name = file_stem(path);
        let mut origin = Origin::default();
        let images = Images::read(path, &name, options.memory, &mut origin)?;
        origin.format = format!("an IDX file of {}", images.kind);
        let top = levels::top_of_pixels(images.most(), options);
        Ok(Parts::whole(images.into_dataset(name, top, options)?, origin).into())
    }

    fn claims_folder(&self, folder: &Path) -> bool {
        !sets(folder).is_empty()
    }

    fn read_folder(&self, folder: &Path, options: &Options) -> Result<Found> {
        let mut sets = sets(folder);
        let several = sets.len() > 1;
        match sets.pop_first() {
            Some((set, files)) if !several => read_set(folder, &folder_name(folder), (&set, &files), options),
            first => {
                let names: Vec<String> = first.into_iter().chain(sets).map(|(set, _)| set).collect();
                let named: Vec<&str> =
                    names.iter().map(|set| if set.is_empty() { "one without a name" } else { set.as_str() }).collect();
                let example = folder.join(names.last().map_or("", String::as_str));
                Err(Error::malformed(
                    folder,
                    format!(
                        "this folder holds several data sets: {}; name one of them, as {}, or move one to a folder of its own",
                        named.join(", "),
                        example.display()
                    ),
                ))
            }
        }
    }

    fn read_named(&self, path: &Path, options: &Options) -> Option<Result<Found>> {
        let (folder, set) = (path.parent()?, path.file_name()?.to_str()?);
        let files = sets(folder).remove(set)?;
        Some(read_set(folder, set, (set, &files), options))
    }

    fn looks_for(&self) -> String {
        format!("the IDX files {NAMES}")
    }
}

/// Reads one set of a folder.
fn read_set(folder: &Path, name: &str, (set, files): (&str, &SetFiles), options: &Options) -> Result<Found> {
    let mut origin = Origin::default();
    let Some(train) = Part::read(&files.train, set, options.memory, &mut origin)? else {
        return Err(Error::malformed(folder, format!("there are no training images here; looked for {NAMES}")));
    };
    let test = Part::read(&files.test, set, options.memory, &mut origin)?;
    if let Some(test) = &test {
        check_same_size(&train.images, &test.images)?;
    }
    origin.format = format!("IDX files of {}", train.images.kind);
    match (&train.labels, test.as_ref().map(|test| &test.labels)) {
        (Some(_), Some(None)) => {
            origin.warnings.push("the test images have no labels, and the training images have".into())
        }
        (None, Some(Some(_))) => {
            origin.warnings.push("the training images have no labels, and the test images have".into())
        }
        _ => {}
    }
    let parts = || [Some(&train), test.as_ref()].into_iter().flatten();
    let most = parts().map(|part| part.images.most()).max().unwrap_or(0);
    let top = levels::top_of_pixels(most, options);
    let classes: BTreeSet<i64> = parts().filter_map(|part| part.labels.as_ref()).flatten().copied().collect();
    let classes: Vec<i64> = classes.into_iter().collect();
    Ok(Parts {
        train: train.into_dataset(name, &classes, (top, options))?,
        validation: None,
        test: test.map(|test| test.into_dataset(name, &classes, (top, options))).transpose()?,
        origin,
        is_unscaled: false,
    }
    .into())
}

/// One file of images or vectors, as read.
struct Images {
    path: PathBuf,
    kind: &'static str,
    rows: usize,
    shape: Shape,
    values: Values,
}

impl Images {
    /// Reads a file of a set.
    fn read(path: &Path, set: &str, memory: Option<u64>, origin: &mut Origin) -> Result<Self> {
        const WANTED: &str = "images [rows, height, width], perhaps with channels, or vectors [rows, width]";
        let header = Header::read(path, WANTED, &[2, 3, 4])?;
        let (rows, shape) = match header.sizes[..] {
            [rows, height, width, channels] => (rows, Shape { height, width, channels }),
            [rows, height, width] => (rows, Shape { height, width, channels: 1 }),
            _ => (header.sizes[0], Shape::vector(header.sizes[1])),
        };
        if rows == 0 || [shape.height, shape.width, shape.channels].contains(&0) {
            return Err(Error::malformed(
                path,
                format!(
                    "the header says {rows} images of {}×{}, which is nothing to learn from: every size must be at least 1, so \
                     fetch or write the file again",
                    shape.height, shape.width
                ),
            ));
        }
        let (kind, mut images) = (header.kind(), shape);
        let is_turned = set.to_lowercase().starts_with("emnist") && shape.height > 1 && shape.channels == 1;
        let mut values = match memory.filter(|_| is_too_large(header.in_memory(), memory)) {
            Some(memory) => {
                let pixels = if is_turned { Pixels::Turned(shape.width) } else { Pixels::Ordered };
                let Some((offset, layout)) = header.layout(shape.features(), pixels)? else {
                    let advice = "it is compressed, so that no row can be found: unpack it";
                    return Err(too_large(path, header.in_memory(), memory, advice));
                };
                Values::Stored(Stored::open(vec![stored::Part::new(path, offset, rows)?], layout, memory)?.0)
            }
            None => match header.array()?.into_bytes() {
                Ok(bytes) => Values::Bytes(bytes),
                Err(array) => Values::Floats(array.numbers().map(|number| number as f32).collect()),
            },
        };
        if is_turned {
            values = upright(values, shape);
            images = Shape { height: shape.width, width: shape.height, ..shape };
            let said = "EMNIST's images lie on their side in their files, and were turned upright; under another name they are left";
            if !origin.guesses.iter().any(|guess| guess == said) {
                origin.guesses.push(said.to_owned());
            }
        }
        Ok(Self { path: path.to_owned(), kind, rows, shape: images, values })
    }

    /// The largest of its bytes; 0 where it holds other numbers, which stand for themselves, and 1 where only two levels stay on disk.
    fn most(&self) -> u8 {
        match &self.values {
            Values::Bytes(bytes) => bytes.iter().copied().max().unwrap_or(0),
            Values::Stored(stored) => {
                if stored.is_black_and_white() {
                    1
                } else {
                    u8::MAX
                }
            }
            _ => 0,
        }
    }

    fn into_dataset(self, name: String, top: u8, options: &Options) -> Result<Dataset> {
        match self.values {
            Values::Bytes(bytes) => {
                let (values, schema) = levels::of_bytes(bytes, self.shape, top, options)
                    .map_err(|error| Error::malformed(&self.path, error))?;
                Dataset::new(name, values, schema)
            }
            Values::Stored(_) if ![1, u8::MAX].contains(&top) => {
                Err(Error::malformed(&self.path, "rows on disk are divided by 255 only: give a larger `memory`"))
            }
            Values::Stored(stored) if top > 1 => Dataset::new(name, Values::Stored(stored.with_greys()), self.shape),
            values => Dataset::new(name, values, self.shape),
        }
    }
}

/// Images with their rows and columns changed round, unless that is done as they are read.
fn upright(values: Values, shape: Shape) -> Values {
    fn turned<T: Copy>(from: &[T], Shape { height, width, .. }: Shape) -> Vec<T> {
        let images = from.chunks_exact(height * width);
        images.flat_map(|image| (0..width).flat_map(move |x| (0..height).map(move |y| image[y * width + x]))).collect()
    }
    match values {
        Values::Bytes(bytes) => Values::Bytes(turned(&bytes, shape)),
        Values::Floats(floats) => Values::Floats(turned(&floats, shape)),
        other => other,
    }
}

/// Images and, where there are any, their labels, `[rows]`.
struct Part {
    images: Images,
    labels: Option<Vec<i64>>,
}

impl Part {
    /// Reads two files of a set; `None` when neither is there.
    fn read(files: &PartFiles, set: &str, memory: Option<u64>, origin: &mut Origin) -> Result<Option<Self>> {
        let Some(images) = &files.images else {
            return match &files.labels {
                None => Ok(None),
                Some(path) => {
                    Err(Error::malformed(path, format!("these labels have no images beside them; looked for {NAMES}")))
                }
            };
        };
        let images = Images::read(images, set, memory, origin)?;
        let Some(path) = &files.labels else { return Ok(Some(Self { images, labels: None })) };
        let labels = read_labels(path, origin)?;
        if labels.len() != images.rows {
            return Err(Error::malformed(
                path,
                format!(
                    "there are {} labels here, but {} images in {}: there must be one label per image, so take both from \
                     the same data set, or remove the labels to train without them",
                    labels.len(),
                    images.rows,
                    images.path.display()
                ),
            ));
        }
        Ok(Some(Self { images, labels: Some(labels) }))
    }

    fn into_dataset(self, name: &str, classes: &[i64], (top, options): (u8, &Options)) -> Result<Dataset> {
        let class = |label: &i64| classes.binary_search(label).unwrap_or_default() as u32;
        let labels = self.labels.map(|labels| Labels {
            values: labels.iter().map(class).collect(),
            classes: classes.len(),
            names: classes.iter().map(i64::to_string).collect(),
        });
        let images = self.images.into_dataset(name.to_owned(), top, options)?;
        Ok(Dataset { labels, ..images })
    }
}

/// Reads labels: whole numbers, of several in a row the first.
fn read_labels(path: &Path, origin: &mut Origin) -> Result<Vec<i64>> {
    let array = Array::read(path, "labels [rows], or [rows, n] with the class first", &[1, 2])?;
    let width = array.sizes.get(1).copied().unwrap_or(1);
    if width > 1 {
        let said = format!("labels are rows of {width} numbers, of which the first is the class");
        if !origin.guesses.contains(&said) {
            origin.guesses.push(said);
        }
    }
    let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64);
    let labels: Option<Vec<i64>> = array.numbers().step_by(width.max(1)).map(whole).collect();
    labels.ok_or_else(|| {
        Error::malformed(path, "these labels are no whole numbers; expected the number of a class for each image")
    })
}

fn check_same_size(train: &Images, test: &Images) -> Result<()> {
    if train.shape == test.shape {
        return Ok(());
    }
    Err(Error::malformed(
        &test.path,
        format!(
            "the test images are {}, but the training images in {} are {}: both must be of one size, so take them from the same \
             data set",
            test.shape,
            train.path.display(),
            train.shape,
        ),
    ))
}

#[cfg(test)]
mod tests;
