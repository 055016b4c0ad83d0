//! Rows as pictures of their own size: a pixel for a pixel.

use crate::data::Shape;
use image::{Rgb, RgbImage};

use super::tiles::{of_pixels, pixel, range};

/// How the values of rows become colours.
pub struct Natural {
    shape: Shape,
    /// What is black, and what is white.
    pub range: (f64, f64),
}

impl Natural {
    /// Of rows of a shape: 0 is black and 1 is white, unless many of `values` lie far outside.
    pub fn new<'a>(shape: Shape, values: impl Iterator<Item = &'a f32>) -> Natural {
        Natural { shape, range: of_pixels(range(values)) }
    }

    /// One row `[height·width·channels]`.
    pub fn picture(&self, row: &[f32]) -> RgbImage {
        let Shape { height, width, channels } = self.shape;
        RgbImage::from_fn(width as u32, height as u32, |x, y| {
            let first = (y as usize * width + x as usize) * channels;
            Rgb(pixel(&row[first..first + channels], self.range))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_stands_for_a_pixel() {
        let shape = Shape { height: 1, width: 2, channels: 3 };
        let row = [0.0, 0.2, 1.0, 0.4, 0.6, 0.8];
        let picture = Natural::new(shape, row.iter()).picture(&row);
        assert_eq!(picture.dimensions(), (2, 1));
        assert_eq!([picture.get_pixel(0, 0).0, picture.get_pixel(1, 0).0], [[0, 51, 255], [102, 153, 204]]);
        // Values that lie far outside of 0 to 1 are brought there.
        let wide: Vec<f32> = row.iter().map(|value| 4.0 * value - 2.0).collect();
        assert_eq!(Natural::new(shape, wide.iter()).picture(&wide), picture);
    }
}
