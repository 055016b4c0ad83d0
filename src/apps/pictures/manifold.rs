//! What the decoder makes of codes of two dimensions: E\[x | z\] over a grid of codes, drawn where the code is.
//!
//! Under a standard normal prior the codes are Φ⁻¹ of evenly spaced probabilities, so that each image stands for an equal
//! share of what the model draws (Kingma and Welling 2014, figure 4). Elsewhere they are evenly spaced over where the codes
//! of data are.

use crate::data::Shape;
use std::path::Path;

use image::imageops::replace;

use super::axes::{Axis, frame, padded};
use super::canvas::{Canvas, save_picture};
use super::palette::{INK, MUTED};
use super::plot::{drawn, px, width_of, write_text};
use super::tiles::{Tiles, count_of};
use crate::error::{Error, Result};

/// At most so many images on a side.
const MOST: usize = 20;
/// Fewer of images that are smaller than this, which would be too small to see, …
const TINY: (usize, usize) = (16, 14);
/// … and of large images, so that they take no more than about this many pixels.
const WIDEST: usize = 1600;
/// The share of the codes, along an axis, that an evenly spaced grid covers.
const COVERED: f64 = 0.99;

/// Room around the grid, in pixels; 12 and 10 are the outer margins of a frame on its left and below.
const TOP: usize = 52;
const LEFT: usize = 62;
const BELOW: usize = 48;
const RIGHT: usize = 24;

/// A grid of codes of two dimensions.
pub struct Manifold {
    /// The coordinates of the columns, rising, and those of the rows, from below.
    along: [Vec<f32>; 2],
    axes: [Axis; 2],
    note: String,
}

impl Manifold {
    /// How many images of a shape stand on a side; `None` if rows of it are no images.
    pub fn side(shape: Shape) -> Option<usize> {
        let largest = shape.height.max(shape.width);
        let most = if largest < TINY.0 { TINY.1 } else { MOST };
        shape.is_picture().then(|| (WIDEST / largest).clamp(4, most))
    }

    /// Codes at Φ⁻¹ of evenly spaced probabilities, `side` along each axis.
    pub fn of_standard_normal(side: usize) -> Manifold {
        let codes: Vec<f32> = (0..side).map(|i| quantile((i as f64 + 0.5) / side as f64) as f32).collect();
        // Probabilities are what is evenly spaced: a code stands where its probability is.
        let ticks = [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0].map(|z: f64| (probability(z), format!("{z:.1}")));
        let axis = |name: &str| Axis { name: name.to_owned(), range: (0.0, 1.0), ticks: ticks.to_vec() };
        Manifold {
            along: [codes.clone(), codes],
            axes: NAMES.map(axis),
            note: "codes at equal steps of the prior's probability".to_owned(),
        }
    }

    /// Codes evenly spaced over the central 99 % of `codes` `[n, 2]` along each axis, `side` along each.
    pub fn of_codes(codes: &[f32], side: usize) -> Manifold {
        let ranges = [0, 1].map(|axis| central(codes.iter().skip(axis).step_by(2).map(|&value| f64::from(value))));
        let place = |(low, high): (f64, f64), i: usize| (low + (high - low) * (i as f64 + 0.5) / side as f64) as f32;
        Manifold {
            along: ranges.map(|range| (0..side).map(|i| place(range, i)).collect()),
            axes: [0, 1].map(|i| Axis::new(NAMES[i], ranges[i], 8)),
            note: format!("codes at even steps over the central {:.0} % of the data's codes", 100.0 * COVERED),
        }
    }

    /// The codes `[side², 2]`, row by row from the upper left: along a row the first coordinate rises, from row to row the
    /// second falls.
    pub fn codes(&self) -> Vec<f32> {
        let [columns, rows] = &self.along;
        rows.iter().rev().flat_map(|&y| columns.iter().flat_map(move |&x| [x, y])).collect()
    }

    /// Saves what the decoder made of the codes, `images` `[side², height·width·channels]`, as a PNG.
    ///
    /// # Errors
    /// When there is not one image for each code, or the file cannot be written.
    pub fn save(&self, path: &Path, images: &[f32], shape: Shape) -> Result<()> {
        let (count, side) = (count_of(shape, images)?, self.along[0].len());
        if count != side * side {
            return Err(Error::invalid(format!(
                "a grid of {side} × {side} codes needs an image for each, and {count} were given"
            )));
        }
        let tiles = Tiles::new(shape, count, side, images.iter())?;
        let (width, height) = tiles.size();
        let mut grid = Canvas::new(side * width, side * height)?;
        for (index, image) in images.chunks_exact(shape.features()).enumerate() {
            let corner = (index % side * width, index / side * height);
            tiles.draw(&mut grid, corner, image);
            // A line that tells neighbours apart.
            grid.fill(corner, (width, 1), MUTED);
            grid.fill(corner, (1, height), MUTED);
        }
        let grid = grid.into_image();
        let size = (12 + LEFT as u32 + grid.width() + RIGHT as u32, (TOP + BELOW + 10) as u32 + grid.height());
        let mut picture = drawn(path, size, |sheet| {
            write_text(sheet, TITLE, 17, INK, (px(16), px(26)))?;
            write_text(sheet, &self.note, 12, MUTED, (px(30) + width_of(TITLE, 17), px(27)))?;
            let [x, y] = &self.axes;
            frame(sheet, (TOP as i32, RIGHT as i32), (LEFT as i32, BELOW as i32), x, y)?;
            Ok(())
        })?;
        replace(&mut picture, &grid, 12 + LEFT as i64, TOP as i64);
        save_picture(path, &picture)
    }
}

const TITLE: &str = "What the decoder makes of codes, E[x | z]";
const NAMES: [&str; 2] = ["latent dimension 1, z₁", "latent dimension 2, z₂"];

/// Φ(z), the probability that a standard normal is at most z.
fn probability(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

/// Φ⁻¹(p), by halving an interval that no probability a grid has leaves.
fn quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-10.0, 10.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if probability(middle) < p { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The range of the central [`COVERED`] of the values that are finite.
fn central(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let few = (values.len() as f64 * (1.0 - COVERED) / 2.0) as usize;
    let kept = &values[few..values.len() - few];
    match (kept.first(), kept.last()) {
        (Some(low), Some(high)) if high > low => (*low, *high),
        _ => padded(kept.iter().copied()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: Shape = Shape { height: 2, width: 2, channels: 1 };

    /// A grid of 4 × 4 codes whose images are one tone each, which `tone` gives for a code.
    fn saved(manifold: &Manifold, tone: impl Fn(&[f32]) -> f32) -> image::RgbImage {
        let images: Vec<f32> = manifold.codes().chunks_exact(2).flat_map(|z| [tone(z); 4]).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifold.png");
        manifold.save(&path, &images, SQUARE).unwrap();
        image::open(&path).unwrap().to_rgb8()
    }

    /// The tone in the middle of the image in a column from the left and a row from below.
    fn tone(picture: &image::RgbImage, column: u32, row: u32) -> u8 {
        let tile = (picture.width() - (12 + LEFT + RIGHT) as u32) / 4;
        picture.get_pixel(12 + LEFT as u32 + column * tile + tile / 2, TOP as u32 + (3 - row) * tile + tile / 2).0[0]
    }

    #[test]
    fn the_quantiles_of_the_normal_are_those_of_its_tables() {
        for (p, z) in [(0.5, 0.0), (0.975, 1.959_963_985), (0.05, -1.644_853_627), (0.999, 3.090_232_306)] {
            assert!((quantile(p) - z).abs() < 1e-8, "{p}: {}", quantile(p));
            // Nothing near it would do.
            assert!((quantile(p + 1e-4) - z).abs() > 1e-5);
        }
        let codes = Manifold::of_standard_normal(20).codes();
        assert!((codes[0] + 1.959_964).abs() < 1e-5 && (codes[1] - 1.959_964).abs() < 1e-5, "{:?}", &codes[..2]);
    }

    #[test]
    fn an_image_stands_where_its_code_is() {
        for manifold in [Manifold::of_standard_normal(4), Manifold::of_codes(&[0.0, 0.0, 1.0, 1.0], 4)] {
            let [first, second] = manifold.along.clone();
            let place = |along: &[f32], z: f32| along.iter().position(|&code| code == z).unwrap() as u32;
            let shade = |column: u32, row: u32| (column * 10 + row * 50) as u8;
            let drawn = saved(&manifold, |z| f32::from(shade(place(&first, z[0]), place(&second, z[1]))) / 255.0);
            let all = || (0..4).flat_map(|column| (0..4).map(move |row| (column, row)));
            assert!(all().all(|(column, row)| tone(&drawn, column, row) == shade(column, row)));
            // With the coordinates exchanged it is another picture.
            let exchanged = saved(&manifold, |z| f32::from(shade(place(&second, z[1]), place(&first, z[0]))) / 255.0);
            assert!(all().any(|(column, row)| tone(&exchanged, column, row) != shade(column, row)));
        }
    }

    #[test]
    fn ticks_stand_at_their_codes() {
        let [x, _] = &Manifold::of_standard_normal(20).axes;
        let share = |tick: &str| x.ticks.iter().find(|found| found.1 == tick).unwrap().0;
        assert_eq!(share("0.0"), 0.5);
        assert!((share("1.0") - 0.841_344_746).abs() < 1e-8 && (share("-1.0") - 0.841_344_746).abs() > 0.1);
    }

    #[test]
    fn far_codes_do_not_widen_an_even_grid() {
        let mut codes: Vec<f32> = (0..1000).flat_map(|i| [i as f32 / 1000.0, 5.0]).collect();
        codes[0] = 1e9;
        codes[2] = f32::NAN;
        let [x, y] = &Manifold::of_codes(&codes, 20).axes;
        assert!(x.range.0 > 0.0 && x.range.0 < 0.02 && x.range.1 > 0.98 && x.range.1 < 1.0, "{:?}", x.range);
        // A collapsed dimension still has a range.
        assert!(y.range.0 < 5.0 && y.range.1 > 5.0);
        assert_eq!(Manifold::of_codes(&[], 20).axes[0].range, (0.0, 1.0));
    }

    #[test]
    fn large_images_are_fewer_and_rows_of_features_none() {
        let shape = |height, width| Shape { height, width, channels: 1 };
        let sides = [shape(8, 8), shape(28, 28), shape(64, 64), shape(256, 128), shape(9000, 9000), shape(1, 30)]
            .map(Manifold::side);
        assert_eq!(sides, [Some(14), Some(20), Some(20), Some(6), Some(4), None]);
        let nowhere = Path::new("never-written.png");
        assert!(Manifold::of_standard_normal(4).save(nowhere, &[0.0; 15 * 4], SQUARE).is_err());
        assert!(!nowhere.exists());
    }
}
