//! IDX, the format of MNIST (LeCun, Cortes & Burges 1998) and of the sets made in its image: Fashion-MNIST, KMNIST, EMNIST.
//!
//! A file is `00 00 type n`, then `n` sizes as big-endian `u32`, then the values, row-major; each file may be gzipped.
//! Read here: bytes (type 08), as labels `[rows]` (magic 0x00000801), vectors `[rows, width]` (0x00000802) and images
//! `[rows, height, width]` (0x00000803). EMNIST's images lie transposed in their files and are left so.
//!
//! A file whose values are all 0 and 1, or all 0 and 255, holds bits and is stored as bits.

mod array;

use std::path::{Path, PathBuf};

use super::dataset::{Dataset, Labels, Shape};
use super::formats::{Format, Found, Parts};
use super::values::{Values, pack_bits};
use crate::error::{Error, Result};
use array::{TYPES, read_array};

/// The IDX format.
pub(crate) struct Idx;

const TRAIN: [&str; 2] = ["train-images", "train-labels"];
const TEST: [&str; 2] = ["t10k-images", "t10k-labels"];

impl Format for Idx {
    fn name(&self) -> &'static str {
        "IDX (the files of MNIST)"
    }

    fn claims_file(&self, _: &Path, head: &[u8]) -> bool {
        matches!(head, [0, 0, kind, 1..=8, ..] if TYPES.iter().any(|(known, _)| known == kind))
    }

    fn read_file(&self, path: &Path) -> Result<Found> {
        let images = Images::read(path)?;
        let bits = images.is_binary();
        Ok(Parts { train: images.into_dataset(file_stem(path), bits)?, test: None }.into())
    }

    fn claims_folder(&self, folder: &Path) -> bool {
        [TRAIN, TEST].as_flattened().iter().any(|part| find(folder, part).is_some())
    }

    fn read_folder(&self, folder: &Path) -> Result<Found> {
        let Some(train) = Part::read(folder, TRAIN)? else {
            return Err(Error::malformed(
                folder,
                format!("there are no training images here; looked for {}", self.looks_for()),
            ));
        };
        let test = Part::read(folder, TEST)?;
        if let Some(test) = &test {
            check_same_size(&train.images, &test.images)?;
        }
        let parts = || [Some(&train), test.as_ref()].into_iter().flatten();
        let bits = parts().all(|part| part.images.is_binary());
        let classes = parts().map(Part::classes).max().unwrap_or(0);
        let name = folder_name(folder);
        Ok(Parts {
            train: train.into_dataset(&name, bits, classes)?,
            test: test.map(|test| test.into_dataset(&name, bits, classes)).transpose()?,
        }
        .into())
    }

    fn looks_for(&self) -> String {
        let names: Vec<String> = [TRAIN, TEST].as_flattened().iter().map(|part| candidates(part)[0].clone()).collect();
        format!(
            "the IDX files {} (or with `.idx` for `-idx`, with or without `.gz`; labels may be absent, and so may the \
             t10k files)",
            names.join(", ")
        )
    }
}

/// One file of images or vectors, as read.
struct Images {
    path: PathBuf,
    rows: usize,
    height: usize,
    width: usize,
    bytes: Vec<u8>,
}

impl Images {
    fn read(path: &Path) -> Result<Self> {
        let (sizes, bytes) = read_array(path, "images (magic 00000803) or vectors (00000802)", &[2, 3])?;
        let (rows, height, width) = match sizes[..] {
            [rows, height, width] => (rows, height, width),
            _ => (sizes[0], 1, sizes[1]),
        };
        if rows == 0 || height == 0 || width == 0 {
            return Err(Error::malformed(
                path,
                format!(
                    "the header says {rows} images of {height}×{width}, which is nothing to learn from: every size must \
                     be at least 1, so fetch or write the file again"
                ),
            ));
        }
        Ok(Self { path: path.to_owned(), rows, height, width, bytes })
    }

    /// Whether there are only two levels, 0 and 1 or 0 and 255.
    fn is_binary(&self) -> bool {
        let one = if self.bytes.contains(&255) { 255 } else { 1 };
        self.bytes.iter().all(|&byte| byte == 0 || byte == one)
    }

    fn into_dataset(self, name: String, bits: bool) -> Result<Dataset> {
        let shape = Shape { height: self.height, width: self.width, channels: 1 };
        let values =
            if bits { Values::Bits(pack_bits(&self.bytes, shape.features())) } else { Values::Bytes(self.bytes) };
        Dataset::new(name, values, shape)
    }
}

/// Images and, where there are any, their labels, `[rows]`.
struct Part {
    images: Images,
    labels: Option<Vec<u8>>,
}

impl Part {
    /// Reads two files of a folder; `None` when neither is there.
    fn read(folder: &Path, [images, labels]: [&str; 2]) -> Result<Option<Self>> {
        let (images_path, labels_path) = (find(folder, images), find(folder, labels));
        let Some(images_path) = images_path else {
            return match labels_path {
                None => Ok(None),
                Some(path) => Err(Error::malformed(
                    &path,
                    format!("these labels have no images beside them; looked for {}", candidates(images).join(", ")),
                )),
            };
        };
        let images = Images::read(&images_path)?;
        let Some(path) = labels_path else {
            let labels = None;
            return Ok(Some(Self { images, labels }));
        };
        let (sizes, labels) = read_array(&path, "labels (magic 00000801)", &[1])?;
        if sizes[0] != images.rows {
            return Err(Error::malformed(
                &path,
                format!(
                    "there are {} labels here, but {} images in {}: there must be one label per image, so take both from \
                     the same data set, or remove the labels to train without them",
                    sizes[0],
                    images.rows,
                    images.path.display()
                ),
            ));
        }
        let labels = Some(labels);
        Ok(Some(Self { images, labels }))
    }

    /// One more than the largest label; 0 without labels.
    fn classes(&self) -> usize {
        let largest = self.labels.iter().flatten().max();
        largest.map_or(0, |&label| usize::from(label) + 1)
    }

    fn into_dataset(self, name: &str, bits: bool, classes: usize) -> Result<Dataset> {
        let labels = self.labels.map(|labels| Labels {
            values: labels.into_iter().map(u32::from).collect(),
            classes,
            names: (0..classes).map(|class| class.to_string()).collect(),
        });
        let images = self.images.into_dataset(name.to_owned(), bits)?;
        Ok(Dataset { labels, ..images })
    }
}

fn check_same_size(train: &Images, test: &Images) -> Result<()> {
    if (train.height, train.width) == (test.height, test.width) {
        return Ok(());
    }
    Err(Error::malformed(
        &test.path,
        format!(
            "the test images are {}×{}, but the training images in {} are {}×{}: both must be of one size, so take them \
             from the same data set",
            test.height,
            test.width,
            train.path.display(),
            train.height,
            train.width
        ),
    ))
}

/// The names a part of the data set may have in its folder.
fn candidates(part: &str) -> Vec<String> {
    let kind = if part.ends_with("labels") { "idx1-ubyte" } else { "idx3-ubyte" };
    [format!("{part}-{kind}"), format!("{part}.{kind}")]
        .into_iter()
        .flat_map(|name| [name.clone(), name + ".gz"])
        .collect()
}

fn find(folder: &Path, part: &str) -> Option<PathBuf> {
    candidates(part).into_iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

/// A folder's own name, also when it was given as `.`.
fn folder_name(folder: &Path) -> String {
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    full.file_name().map_or("data".into(), |name| name.to_string_lossy().into_owned())
}

/// A file's name up to its first dot.
fn file_stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').find(|part| !part.is_empty()).unwrap_or("data").to_owned()
}

#[cfg(test)]
mod tests;
