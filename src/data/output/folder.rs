//! A folder of pictures, one PNG for each row, that appears when it is whole.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use image::ColorType;
use tempfile::TempDir;

use super::super::shape::Shape;
use crate::error::{Error, Result};
use crate::files::create_folder;

/// How far beyond black and white a value may lie: models are a little off there.
const OFF: f32 = 0.1;
/// The share of values that may lie further out.
const MOST_OUTSIDE: f64 = 0.02;

/// Pictures that are being written.
#[derive(Debug)]
pub struct PictureFolder {
    to: PathBuf,
    growing: TempDir,
    shape: Shape,
    colour: ColorType,
    digits: usize,
    /// How many lie in each folder of a class; without classes, in the folder itself.
    written: BTreeMap<Option<String>, usize>,
    /// Values that lie far beyond black or white, and values.
    outside: [usize; 2],
}

impl PictureFolder {
    /// One of at most so many pictures.
    ///
    /// # Errors
    /// If rows of this shape are no pictures that a PNG holds, the folder holds something already, or it cannot be made.
    pub fn begin(to: &Path, shape: Shape, most: usize) -> Result<PictureFolder> {
        let colour = colour(shape).map_err(Error::invalid)?;
        check_is_free(to)?;
        let above = to.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        create_folder(above)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".elbo-");
        // Temporary folders are private by default; this one becomes the real one.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let growing = builder.tempdir_in(above).map_err(|error| Error::Io {
            action: "create a folder in",
            path: above.to_owned(),
            // The random name in the system's message would only puzzle the reader.
            source: error.kind().into(),
        })?;
        let digits = most.max(1).to_string().len().max(4);
        Ok(PictureFolder {
            to: to.to_owned(),
            growing,
            shape,
            colour,
            digits,
            written: BTreeMap::new(),
            outside: [0; 2],
        })
    }

    /// One more picture `[height, width, channels]`, from 0 for black to 1 for white: 0001.png and so on, those of a class in a folder that
    /// is called like it.
    ///
    /// # Errors
    /// If no folder can be called like the class, or the picture cannot be written.
    pub fn add(&mut self, values: &[f32], class: Option<&str>) -> Result<()> {
        let place = match class {
            Some(class) => self.growing.path().join(folder_name(class)?),
            None => self.growing.path().to_owned(),
        };
        let number = self.written.entry(class.map(str::to_owned)).or_insert(0);
        if *number == 0 {
            create_folder(&place)?;
        }
        *number += 1;
        self.outside[0] += values.iter().filter(|value| !(-OFF..=1.0 + OFF).contains(*value)).count();
        self.outside[1] += values.len();
        let path = place.join(format!("{number:0digits$}.png", digits = self.digits));
        let bytes: Vec<u8> = values.iter().map(|value| (value.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
        let (width, height) = (self.shape.width as u32, self.shape.height as u32);
        image::save_buffer(&path, &bytes, width, height, self.colour)
            .map_err(|error| Error::malformed(&self.to, format!("the picture {number} cannot be written: {error}")))
    }

    /// Puts it where it was to be.
    ///
    /// # Errors
    /// If values are not from 0 to 1, as those of pictures that a PNG holds, or something has come to be there meanwhile.
    pub fn finish(self) -> Result<()> {
        let [outside, all] = self.outside.map(|count| count as f64);
        if outside > MOST_OUTSIDE * all {
            return Err(Error::invalid(format!(
                "{:.0} % of the values lie outside of 0 to 1, which are black and white in a PNG: give the name of a file, such as rows.npy",
                100.0 * outside / all
            )));
        }
        check_is_free(&self.to)?;
        if self.to.is_dir() {
            fs::remove_dir(&self.to).map_err(Error::io("replace the empty folder", &self.to))?;
        }
        let kept = self.growing.keep();
        fs::rename(&kept, &self.to).map_err(|error| {
            let _ = fs::remove_dir_all(&kept);
            Error::io("create the folder", &self.to)(error)
        })
    }
}

/// Says so if there is something at this place, and not only an empty folder.
///
/// # Errors
/// If there is.
pub(super) fn check_is_free(to: &Path) -> Result<()> {
    if !to.exists() {
        return Ok(());
    }
    if !to.is_dir() {
        return Err(Error::invalid(format!("cannot create the folder {}: there is a file of that name", to.display())));
    }
    let first = fs::read_dir(to).map_err(Error::io("read", to))?.next();
    match first {
        None => Ok(()),
        Some(Err(error)) => Err(Error::io("read", to)(error)),
        Some(Ok(entry)) => Err(Error::invalid(format!(
            "{} is there already and holds {}: name a folder that is empty or not there yet",
            to.display(),
            entry.file_name().to_string_lossy()
        ))),
    }
}

/// The colours of a PNG of such rows; else why there is none.
fn colour(shape: Shape) -> std::result::Result<ColorType, String> {
    match (shape.height, shape.channels) {
        (2.., 1) => Ok(ColorType::L8),
        (1.., 3) => Ok(ColorType::Rgb8),
        _ => {
            Err(format!("rows of {shape} are no pictures that a PNG holds: give the name of a file, such as rows.npy"))
        }
    }
}

/// What the folder of a class is called.
fn folder_name(class: &str) -> Result<&str> {
    let is_plain = !class.is_empty()
        && !class.starts_with('.')
        && class.trim() == class
        && !class.contains(|c: char| c.is_control() || "/\\:*?\"<>|".contains(c));
    is_plain.then_some(class).ok_or_else(|| {
        Error::invalid(format!(
            "no folder can be called like the class `{class}`: give the name of a file that ends in .npz"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { height: 2, width: 1, channels: 1 };

    #[test]
    fn pictures_lie_in_folders_of_their_classes_and_nothing_is_there_before_the_end() {
        let place = tempfile::tempdir().unwrap();
        let to = place.path().join("deep/new");
        let mut folder = PictureFolder::begin(&to, SHAPE, 12).unwrap();
        folder.add(&[0.2, 1.1], Some("cat")).unwrap();
        folder.add(&[0.0, 1.0], Some("dog")).unwrap();
        folder.add(&[-0.1, 0.4], Some("cat")).unwrap();
        assert!(!to.exists());
        folder.finish().unwrap();
        let pixels = |name: &str| image::open(to.join(name)).unwrap().to_luma8().into_raw();
        assert_eq!((pixels("cat/0001.png"), pixels("cat/0002.png")), (vec![51, 255], vec![0, 102]));
        assert_eq!(pixels("dog/0001.png"), [0, 255]);
        // Nothing else is left, and what is there is not written over.
        assert_eq!(fs::read_dir(to.parent().unwrap()).unwrap().count(), 1);
        let refused = PictureFolder::begin(&to, SHAPE, 1).unwrap_err().to_string();
        assert!(refused.contains("is there already and holds"), "{refused}");
    }

    #[test]
    fn an_empty_folder_is_filled_and_one_that_is_given_up_leaves_nothing() {
        let place = tempfile::tempdir().unwrap();
        let mut folder = PictureFolder::begin(place.path(), SHAPE, 100_000).unwrap();
        folder.add(&[0.0, 1.0], None).unwrap();
        folder.finish().unwrap();
        assert!(place.path().join("000001.png").is_file());
        let other = place.path().join("other");
        drop(PictureFolder::begin(&other, SHAPE, 1).unwrap());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_picture_or_no_name_is_refused() {
        let place = tempfile::tempdir().unwrap();
        for shape in [Shape::vector(5), Shape { height: 2, width: 2, channels: 2 }] {
            assert!(PictureFolder::begin(&place.path().join("no"), shape, 1).is_err(), "{shape}");
        }
        for class in ["", "..", "a/b", "a\\b", ".hidden", " a"] {
            assert!(folder_name(class).is_err(), "{class}");
        }
        let mut folder = PictureFolder::begin(&place.path().join("wide"), SHAPE, 1).unwrap();
        folder.add(&[-1.0, 1.0], None).unwrap();
        let message = folder.finish().unwrap_err().to_string();
        assert!(message.contains("50 % of the values") && !place.path().join("wide").exists(), "{message}");
        assert_eq!(folder_name("two words, é").unwrap(), "two words, é");
    }
}
