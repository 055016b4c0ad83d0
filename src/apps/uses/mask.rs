//! Which pixels of pictures are missing: a box, a picture or an array.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::data::{Options, Shape, Source, open_whole};
use crate::error::{Error, Result};

/// Where a mask comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mask {
    /// Missing is a box: its left upper corner, its width and its height, in pixels.
    Box([usize; 4]),
    /// A picture of the same size, in which missing pixels are black; or an array, in which they are 0, `[height, width]` for all
    /// pictures or `[rows, height, width]`, with or without an axis of channels.
    File(PathBuf),
}

impl FromStr for Mask {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> std::result::Result<Mask, Self::Err> {
        let numbers: Option<Vec<usize>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
        let of_box = numbers.and_then(|numbers| <[usize; 4]>::try_from(numbers).ok());
        Ok(of_box.map_or_else(|| Mask::File(text.into()), Mask::Box))
    }
}

/// The missing values of pictures.
#[derive(Clone, Debug)]
pub struct Holes {
    /// Of one picture or of each `[1 or rows, features]`.
    missing: Vec<bool>,
    features: usize,
}

impl Holes {
    /// Those of so many pictures of a shape.
    ///
    /// # Errors
    /// If a box does not lie in the picture, a file cannot be read or is of another size, or nothing is missing.
    pub fn read(mask: &Mask, shape: Shape, rows: usize) -> Result<Holes> {
        // Of each value, or of each pixel.
        let (missing, is_of_values) = match mask {
            Mask::Box(of_box) => (in_box(*of_box, shape)?, false),
            Mask::File(path) => match path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npy")) {
                true => of_array(path, shape, rows)?,
                false => (of_picture(path, shape)?, false),
            },
        };
        if !missing.contains(&true) {
            return Err(Error::invalid(
                "the mask leaves nothing to fill in: in a picture black says that a pixel is missing, in an array 0 does",
            ));
        }
        let each = if is_of_values { 1 } else { shape.channels };
        let missing = missing.into_iter().flat_map(|missing| std::iter::repeat_n(missing, each)).collect();
        Ok(Holes { missing, features: shape.features() })
    }

    /// Makes what is missing of some pictures NaN `[rows, features]`, the first of which has this number.
    pub fn cut(&self, first: usize, values: &mut [f32]) {
        for (at, value) in values.iter_mut().enumerate() {
            if self.missing[(first * self.features + at) % self.missing.len()] {
                *value = f32::NAN;
            }
        }
    }
}

fn in_box([x, y, width, height]: [usize; 4], shape: Shape) -> Result<Vec<bool>> {
    let fits = |start: usize, length: usize, side: usize| {
        length > 0 && start.checked_add(length).is_some_and(|end| end <= side)
    };
    if !fits(x, width, shape.width) || !fits(y, height, shape.height) {
        return Err(Error::invalid(format!(
            "the box {x},{y},{width},{height} does not lie in a picture of {} pixels across and {} down: give x,y,width,height",
            shape.width, shape.height
        )));
    }
    let is_in = |row: usize, column: usize| (y..y + height).contains(&row) && (x..x + width).contains(&column);
    Ok((0..shape.height).flat_map(|row| (0..shape.width).map(move |column| is_in(row, column))).collect())
}

fn of_picture(path: &Path, shape: Shape) -> Result<Vec<bool>> {
    const BLACK_BELOW: u8 = 128;
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let picture = image::load_from_memory(&bytes).map_err(|error| {
        Error::malformed(
            path,
            format!(
                "this is no picture that can be read ({error}): a mask is a box x,y,width,height, a picture or a .npy"
            ),
        )
    })?;
    let found = (picture.height() as usize, picture.width() as usize);
    if found != (shape.height, shape.width) {
        return Err(Error::malformed(
            path,
            format!("the mask is {}×{}, and the pictures are {}×{}", found.0, found.1, shape.height, shape.width),
        ));
    }
    Ok(picture.to_luma8().iter().map(|&level| level < BLACK_BELOW).collect())
}

/// What is missing, and whether that is said of values and not of pixels.
fn of_array(path: &Path, shape: Shape, rows: usize) -> Result<(Vec<bool>, bool)> {
    let data = open_whole(&Source::Path(path.to_owned()), &Options::default())?;
    let values = data.gather(0..data.rows).0;
    let (pixels, features) = (shape.height * shape.width, shape.features());
    let is_of_each = |count: usize| data.rows == rows && values.len() == rows * count;
    // An array of one picture is read as one of rows that are its lines.
    let is_of_values = match values.len() {
        _ if is_of_each(pixels) => false,
        _ if is_of_each(features) => true,
        count if count == pixels => false,
        count if count == features => true,
        count => {
            return Err(Error::malformed(
                path,
                format!(
                    "it holds {count} numbers, and a mask of these {rows} pictures of {shape} has {pixels} for all of them, or {} for each",
                    rows * pixels
                ),
            ));
        }
    };
    Ok((values.into_iter().map(|value| value == 0.0).collect(), is_of_values))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { height: 2, width: 3, channels: 2 };

    fn cut(mask: &Mask, rows: usize) -> Result<Vec<usize>> {
        let holes = Holes::read(mask, SHAPE, rows)?;
        let mut values = vec![1.0; 12 * rows];
        // In two parts, as rows come.
        let (first, rest) = values.split_at_mut(12);
        holes.cut(0, first);
        holes.cut(1, rest);
        Ok((0..values.len()).filter(|&at| values[at].is_nan()).collect())
    }

    #[test]
    fn a_box_is_missing_in_every_channel_of_every_picture() {
        let mask: Mask = "1,1,2,1".parse().unwrap();
        assert_eq!(mask, Mask::Box([1, 1, 2, 1]));
        assert_eq!(cut(&mask, 1).unwrap(), [8, 9, 10, 11]);
        assert_eq!(cut(&mask, 2).unwrap(), [8, 9, 10, 11, 20, 21, 22, 23]);
        for outside in ["2,0,2,1", "0,1,1,2", "0,0,0,1", "18446744073709551615,0,1,1"] {
            let said = cut(&outside.parse().unwrap(), 1).unwrap_err().to_string();
            assert!(said.contains("does not lie in a picture of 3 pixels across and 2 down"), "{said}");
        }
        assert_eq!("mask.png".parse(), Ok(Mask::File("mask.png".into())));
        assert_eq!("1,2,3".parse(), Ok(Mask::File("1,2,3".into())));
    }

    #[test]
    fn black_pixels_are_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mask.png");
        let picture = |black: &[(u32, u32)]| {
            image::GrayImage::from_fn(3, 2, |x, y| image::Luma([if black.contains(&(x, y)) { 0 } else { 255 }]))
        };
        picture(&[(0, 0), (2, 1)]).save(&path).unwrap();
        assert_eq!(cut(&Mask::File(path.clone()), 1).unwrap(), [0, 1, 10, 11]);
        picture(&[]).save(&path).unwrap();
        assert!(cut(&Mask::File(path.clone()), 1).unwrap_err().to_string().contains("nothing to fill in"));
        image::GrayImage::new(2, 3).save(&path).unwrap();
        assert!(cut(&Mask::File(path.clone()), 1).unwrap_err().to_string().contains("3×2, and the pictures are 2×3"));
        std::fs::write(&path, "no picture").unwrap();
        assert!(cut(&Mask::File(path), 1).unwrap_err().to_string().contains("x,y,width,height"));
    }

    #[test]
    fn zeros_of_an_array_are_missing_in_all_pictures_or_in_each() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mask.npy");
        let write = |shape: &[usize], values: &[f32]| {
            let file = &mut std::fs::File::create(&path).unwrap();
            super::super::write::write_npy(file, shape, [Ok(values.to_vec())]).unwrap();
        };
        write(&[2, 3], &[1.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
        assert_eq!(cut(&Mask::File(path.clone()), 2).unwrap(), [6, 7, 18, 19]);
        write(&[2, 2, 3], &[1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
        assert_eq!(cut(&Mask::File(path.clone()), 2).unwrap(), [2, 3, 22, 23]);
        write(&[2, 4, 2], &[1.0; 16]);
        let said = cut(&Mask::File(path), 3).unwrap_err().to_string();
        assert!(said.contains("it holds 16 numbers") && said.contains("6 for all of them, or 18 for each"), "{said}");
    }
}
