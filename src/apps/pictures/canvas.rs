//! A picture in memory: rectangles, pasted pictures, and the way to a file.

use std::path::Path;

use image::{Rgb as Pixel, RgbImage};

use super::palette::{MAT, Rgb};
use crate::data::{Keep, Output, PICTURES};
use crate::error::{Error, Result};

/// A picture beyond this could not be looked at anyway, and would take gigabytes.
const MOST_PIXELS: usize = 1 << 27;

/// A picture of `width × height` pixels.
pub struct Canvas {
    image: RgbImage,
}

impl Canvas {
    /// An empty mat for images.
    ///
    /// # Errors
    /// When the picture would be absurdly large.
    pub fn new(width: usize, height: usize) -> Result<Canvas> {
        let pixels = width.checked_mul(height).filter(|&n| n <= MOST_PIXELS);
        let sides = (u32::try_from(width), u32::try_from(height));
        let (Some(_), (Ok(w), Ok(h))) = (pixels, sides) else {
            return Err(Error::invalid(format!(
                "the picture would be {width} × {height} pixels, more than anyone can look at; draw fewer or smaller samples"
            )));
        };
        Ok(Canvas { image: RgbImage::from_pixel(w, h, Pixel(MAT)) })
    }

    /// Fills a rectangle; what lies outside of the canvas is cut off.
    pub fn fill(&mut self, (x, y): (usize, usize), (width, height): (usize, usize), colour: Rgb) {
        let (w, h) = self.image.dimensions();
        for row in y..(y + height).min(h as usize) {
            for column in x..(x + width).min(w as usize) {
                self.image.put_pixel(column as u32, row as u32, Pixel(colour));
            }
        }
    }

    /// Lays another picture over this one; what lies outside is cut off.
    pub fn paste(&mut self, (x, y): (usize, usize), picture: &RgbImage) {
        image::imageops::replace(&mut self.image, picture, x as i64, y as i64);
    }

    /// The picture, to be laid over another.
    pub fn into_image(self) -> RgbImage {
        self.image
    }

    /// Writes the picture in the format that the name of the file ends in.
    pub fn save(self, path: &Path) -> Result<()> {
        save_picture(path, &self.image)
    }
}

/// Encodes a picture in the format that the name of the file ends in, then writes it all at once.
pub fn save_picture(path: &Path, picture: &RgbImage) -> Result<()> {
    Output::new(path, PICTURES, &Keep::default())?.write_picture(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_is_what_is_saved() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let mut canvas = Canvas::new(5, 4).unwrap();
        canvas.fill((3, 2), (10, 10), [1, 2, 3]);
        canvas.save(&path).unwrap();
        let back = image::open(&path).unwrap().to_rgb8();
        assert_eq!(back.dimensions(), (5, 4));
        for (x, y, pixel) in back.enumerate_pixels() {
            let expected = if x >= 3 && y >= 2 { [1, 2, 3] } else { MAT };
            assert_eq!(pixel.0, expected, "{x} {y}");
        }
    }

    #[test]
    fn refuses_absurd_sizes_and_missing_folders() {
        assert!(Canvas::new(1 << 20, 1 << 20).is_err());
        assert!(Canvas::new(usize::MAX, 2).is_err());
        let error = Canvas::new(2, 2).unwrap().save(Path::new("/no/such/folder/a.png"));
        assert!(error.unwrap_err().to_string().contains("/no/such/folder"));
    }
}
