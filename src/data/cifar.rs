//! CIFAR-10 and CIFAR-100 (Krizhevsky 2009), in their binary version.
//!
//! A file is records without a header: the class (CIFAR-10), or the coarse and the fine class (CIFAR-100), a byte each, then
//! 32×32 bytes of red, as many of green and of blue. A file is told by its length, a whole number of records, and by classes that
//! are classes. Rows are `[32, 32, 3]`, the classes of CIFAR-100 the fine ones.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::dataset::Dataset;
use super::format::{Format, Found, Parts};
use super::labels::Labels;
use super::layout::{Layout, Pixels};
use super::names::{file_stem, folder_name};
use super::options::Options;
use super::origin::Origin;
use super::shape::Shape;
use super::stored::{Part, Stored, is_too_large};
use super::values::Values;
use crate::error::{Error, Result};

/// The format of CIFAR.
pub(crate) struct Cifar;

const SHAPE: Shape = Shape { height: 32, width: 32, channels: 3 };
const PLANE: usize = 32 * 32;

/// One of the two sets.
#[derive(Debug, PartialEq, Eq)]
struct Set {
    name: &'static str,
    /// How many classes each byte before a picture may stand for; the last byte is the label.
    classes: &'static [u8],
    /// The files of the training part and how many there are of them, and the file of the test part.
    train: (&'static str, usize),
    test: &'static str,
    /// Where the names of the classes stand.
    names: &'static str,
}

const SETS: [Set; 2] = [
    Set {
        name: "CIFAR-10",
        classes: &[10],
        train: ("data_batch_", 5),
        test: "test_batch.bin",
        names: "batches.meta.txt",
    },
    Set {
        name: "CIFAR-100",
        classes: &[20, 100],
        train: ("train", 1),
        test: "test.bin",
        names: "fine_label_names.txt",
    },
];

impl Set {
    fn record(&self) -> usize {
        self.classes.len() + SHAPE.features()
    }

    /// The set whose records a file holds.
    fn of(path: &Path) -> Option<&'static Set> {
        const LOOKED_AT: u64 = 64;
        let mut file = File::open(path).ok()?;
        let length = file.metadata().ok().filter(|about| about.is_file())?.len();
        SETS.iter().find(|set| {
            let (record, mut first) = (set.record() as u64, vec![0; set.classes.len()]);
            let count = length / record;
            let mut is_class = |i: u64| {
                let at = i * count / LOOKED_AT.min(count) * record;
                let read = file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut first));
                read.is_ok() && first.iter().zip(set.classes).all(|(class, classes)| class < classes)
            };
            count > 0 && length.is_multiple_of(record) && (0..LOOKED_AT.min(count)).all(&mut is_class)
        })
    }

    /// The files of the training part that are there, and how many are not.
    fn training_files(&self, folder: &Path) -> (Vec<PathBuf>, usize) {
        let (stem, count) = self.train;
        let name = |i: usize| if count == 1 { format!("{stem}.bin") } else { format!("{stem}{i}.bin") };
        let there: Vec<PathBuf> = (1..=count).map(|i| folder.join(name(i))).filter(|path| path.is_file()).collect();
        let missing = count - there.len();
        (there, missing)
    }

    /// Reads files one behind the other; what memory has no room for stays on disk.
    fn read(&self, paths: &[PathBuf], (name, classes): (&str, &[String]), memory: Option<u64>) -> Result<Dataset> {
        let length = |path: &PathBuf| Ok::<_, Error>(std::fs::metadata(path).map_err(Error::io("read", path))?.len());
        let lengths = paths.iter().map(length).collect::<Result<Vec<u64>>>()?;
        let is_whole = lengths.iter().all(|length| length.is_multiple_of(self.record() as u64));
        let bytes: u64 = lengths.iter().sum();
        if let Some(memory) = memory.filter(|_| is_whole && is_too_large(bytes.into(), memory)) {
            return self.stored(paths, (name, classes), memory);
        }
        let (mut labels, mut pixels) = (Vec::new(), Vec::new());
        for path in paths {
            let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
            if bytes.is_empty() || !bytes.len().is_multiple_of(self.record()) {
                return Err(Error::malformed(
                    path,
                    format!(
                        "the file has {} bytes, which is no whole number of {}'s records of {}: it is truncated or damaged, so \
                         fetch it again",
                        bytes.len(),
                        self.name,
                        self.record()
                    ),
                ));
            }
            for (i, record) in bytes.chunks_exact(self.record()).enumerate() {
                labels.push(self.class(path, i, &record[..self.classes.len()])?);
            }
            let start = pixels.len();
            pixels.resize(start + bytes.len() / self.record() * SHAPE.features(), 0);
            let rows = pixels[start..].par_chunks_exact_mut(SHAPE.features());
            rows.zip(bytes.par_chunks_exact(self.record())).for_each(|(row, record)| {
                let planes = &record[self.classes.len()..];
                for (i, pixel) in row.chunks_exact_mut(3).enumerate() {
                    pixel.copy_from_slice(&[planes[i], planes[PLANE + i], planes[2 * PLANE + i]]);
                }
            });
        }
        let labels = Labels { values: labels, classes: classes.len(), names: classes.to_vec() };
        Ok(Dataset { labels: Some(labels), ..Dataset::new(name, Values::Bytes(pixels), SHAPE)? })
    }

    /// Rows that stay on disk.
    fn stored(&self, paths: &[PathBuf], (name, classes): (&str, &[String]), memory: u64) -> Result<Dataset> {
        let rows = |path: &PathBuf| {
            Ok::<_, Error>(std::fs::metadata(path).map_err(Error::io("read", path))?.len() as usize / self.record())
        };
        let parts = paths.iter().map(|path| Part::new(path, 0, rows(path)?)).collect::<Result<_>>()?;
        let number = "|u1".parse().map_err(|_| Error::invalid("bytes are no numbers"))?;
        let (lead, features) = (self.classes.len(), SHAPE.features());
        let layout = Layout { stride: self.record(), lead, features, number, pixels: Pixels::Planes(SHAPE.channels) };
        let (stored, leads) = Stored::open(parts, layout, memory)?;
        let labels = leads.chunks_exact(lead).enumerate().map(|(i, lead)| self.class(&paths[0], i, lead));
        let labels = Labels { values: labels.collect::<Result<_>>()?, classes: classes.len(), names: classes.to_vec() };
        Ok(Dataset { labels: Some(labels), ..Dataset::new(name, Values::Stored(stored.with_greys()), SHAPE)? })
    }

    /// The class of a picture, of the bytes before it.
    fn class(&self, path: &Path, i: usize, lead: &[u8]) -> Result<u32> {
        let (label, classes) = (lead[lead.len() - 1], self.classes[self.classes.len() - 1]);
        if label < classes {
            return Ok(label.into());
        }
        Err(Error::malformed(path, format!("picture {i} is of class {label}, and {} has {classes}", self.name)))
    }

    /// The names of the classes, as a file beside the pictures has them; else their numbers.
    fn class_names(&self, folder: &Path) -> Vec<String> {
        let count = self.classes.last().copied().map_or(0, usize::from);
        let text = std::fs::read_to_string(folder.join(self.names)).unwrap_or_default();
        let names: Vec<String> =
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(String::from).collect();
        if names.len() == count { names } else { (0..count).map(|class| class.to_string()).collect() }
    }
}

/// The set that lies in a folder.
fn set_in(folder: &Path) -> Option<&'static Set> {
    SETS.iter().find(|set| {
        let (training, _) = set.training_files(folder);
        let is_named = set.train.1 > 1 || folder.join(set.names).is_file();
        training.first().is_some_and(|path| is_named || Set::of(path) == Some(*set))
    })
}

/// Whether the version for Python lies in a folder.
fn is_pickled(folder: &Path) -> bool {
    [["data_batch_1", "batches.meta"], ["train", "meta"]]
        .iter()
        .any(|names| names.iter().all(|name| folder.join(name).is_file()))
}

impl Format for Cifar {
    fn name(&self) -> &'static str {
        "CIFAR-10 and CIFAR-100 (binary version)"
    }

    fn claims_file(&self, path: &Path, _: &[u8]) -> bool {
        Set::of(path).is_some()
    }

    fn read_file(&self, path: &Path, options: &Options) -> Result<Found> {
        let set = Set::of(path).unwrap_or(&SETS[0]);
        let names = set.class_names(path.parent().unwrap_or(Path::new(".")));
        let data = set.read(&[path.to_owned()], (&file_stem(path), &names), options.memory)?;
        Ok(Parts::whole(data, Origin::of(format!("{}, one file of the binary version", set.name))).into())
    }

    fn claims_folder(&self, folder: &Path) -> bool {
        set_in(folder).is_some() || is_pickled(folder)
    }

    fn read_folder(&self, folder: &Path, options: &Options) -> Result<Found> {
        let Some(set) = set_in(folder) else {
            return Err(Error::malformed(
                folder,
                "this is CIFAR's version for Python, which is no data but Python objects: fetch the binary version \
                 (cifar-10-binary.tar.gz, cifar-100-binary.tar.gz) and unpack it",
            ));
        };
        let ((training, missing), name, names) =
            (set.training_files(folder), folder_name(folder), set.class_names(folder));
        let mut origin = Origin::of(format!("{}, binary version", set.name));
        if missing > 0 {
            let of = training.len() + missing;
            origin.warnings.push(format!("{missing} of the {of} files of training pictures are not there"));
        }
        let test = Some(folder.join(set.test)).filter(|path| path.is_file());
        Ok(Parts {
            train: set.read(&training, (&name, &names), options.memory)?,
            validation: None,
            test: test.map(|path| set.read(&[path], (&name, &names), options.memory)).transpose()?,
            origin,
            is_unscaled: false,
        }
        .into())
    }

    fn looks_for(&self) -> String {
        "CIFAR's data_batch_1.bin to data_batch_5.bin and test_batch.bin, or train.bin and test.bin".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::formats::{read_file, read_folder};
    use super::*;

    /// Records whose labels are these, and whose red, green and blue count up from 1, 2 and 3 times the label.
    fn records(labels: &[&[u8]]) -> Vec<u8> {
        let plane = |start: u8| (0..PLANE).map(move |i| start.wrapping_add((i % 32) as u8));
        let of = |label: &&[u8]| {
            let start = label[label.len() - 1];
            let planes = plane(start).chain(plane(start.wrapping_mul(2))).chain(plane(start.wrapping_mul(3)));
            label.iter().copied().chain(planes).collect::<Vec<_>>()
        };
        labels.iter().flat_map(of).collect()
    }

    fn options() -> Options {
        Options::default()
    }

    #[test]
    fn planes_become_pixels_and_files_are_joined_in_order() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("data_batch_1.bin"), records(&[&[3], &[9]])).unwrap();
        fs::write(folder.path().join("data_batch_3.bin"), records(&[&[1]])).unwrap();
        fs::write(folder.path().join("test_batch.bin"), records(&[&[0]])).unwrap();
        let names: String = (0..10).map(|i| format!("thing{i}\n")).collect();
        fs::write(folder.path().join("batches.meta.txt"), names + "\n").unwrap();
        let Parts { train, test, origin, .. } = read_folder(folder.path(), &options()).unwrap().rows();
        assert_eq!((train.rows, train.shape(), test.unwrap().rows), (3, SHAPE, 1));
        // The second pixel of the first row: one to the right of the corner.
        assert_eq!(train.row(0)[3..6], [4.0, 7.0, 10.0].map(|byte: f32| byte / 255.0));
        assert_eq!(train.row(2)[..3], [1.0, 2.0, 3.0].map(|byte: f32| byte / 255.0));
        let labels = train.labels.unwrap();
        assert_eq!((labels.values, labels.classes, labels.names[9].as_str()), (vec![3, 9, 1], 10, "thing9"));
        assert_eq!(origin.format, "CIFAR-10, binary version");
        assert_eq!(origin.warnings, ["3 of the 5 files of training pictures are not there"]);
    }

    #[test]
    fn the_label_of_the_larger_set_is_the_fine_one() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("train.bin"), records(&[&[19, 99], &[0, 41]])).unwrap();
        let Parts { train, test, origin, .. } = read_folder(folder.path(), &options()).unwrap().rows();
        let labels = train.labels.unwrap();
        assert_eq!((labels.values, labels.classes, labels.names[99].as_str()), (vec![99, 41], 100, "99"));
        assert_eq!((test, origin.format.as_str()), (None, "CIFAR-100, binary version"));
    }

    #[test]
    fn a_file_is_told_by_its_length_and_its_classes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.bin");
        let format = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            read_file(&path, &options()).map(|found| found.rows().origin.format).map_err(|error| error.to_string())
        };
        let small = records(&[&[3], &[9], &[0]]);
        assert_eq!(format(&small), Ok("CIFAR-10, one file of the binary version".into()));
        assert_eq!(format(&records(&[&[3, 77]])), Ok("CIFAR-100, one file of the binary version".into()));
        for wrong in [&small[..small.len() - 1], &records(&[&[3], &[10]]), &records(&[&[20, 77]]), &[]] {
            assert!(format(wrong).unwrap_err().contains("no known data format"));
        }
    }

    #[test]
    fn damage_and_pickles_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        let complaint = || read_folder(folder.path(), &options()).unwrap_err().to_string();
        write("data_batch_1", b"\x80\x02}q");
        write("batches.meta", b"\x80\x02}q");
        assert!(complaint().contains("version for Python"), "{}", complaint());
        write("data_batch_1.bin", &records(&[&[3]])[..3000]);
        assert!(complaint().contains("3000 bytes") && complaint().contains("3073"), "{}", complaint());
        write("data_batch_1.bin", &records(&[&[3], &[200]]));
        assert!(complaint().contains("picture 1 is of class 200"), "{}", complaint());
        write("data_batch_1.bin", b"");
        assert!(complaint().contains("0 bytes"), "{}", complaint());
    }
}
