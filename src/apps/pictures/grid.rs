//! Samples in a grid: what a model dreams, or what its data look like.

use crate::data::Shape;
use std::path::Path;

use super::canvas::Canvas;
use super::captions::{Captions, Margins};
use super::tiles::{Tiles, count_of};
use crate::error::Result;

const MARGIN: usize = 16;
/// Names above columns are left out where those are narrower.
const CLOSEST: usize = 14;

/// Saves samples side by side, row by row, in the format that the name of the file ends in.
///
/// `images` is `[count, height·width·channels]`. One channel is grey, three are red, green and blue; of two, the first is red and the second
/// green, and of more than three the first three count. Values lie between 0 (dark) and 1 (light). Images are enlarged by a whole factor to a picture
/// of some 600 to 1200 pixels across; values outside [0, 1] are clipped, unless many lie far outside: then black and white are the
/// ends of what nearly all values cover. Those that are not finite are magenta. Data that are not images become a heat map with one
/// sample a row, whatever `columns` says, and a bar that says what its colours mean.
///
/// # Errors
/// When `images` does not hold whole samples, `columns` is 0, or the file cannot be written.
pub fn save_grid(path: &Path, images: &[f32], shape: Shape, columns: usize) -> Result<()> {
    save_grid_with(path, images, shape, columns, &Captions::default())
}

/// As [`save_grid`], with names beside its rows and above the columns of a heat map.
///
/// # Errors
/// As for [`save_grid`].
pub fn save_grid_with(path: &Path, images: &[f32], shape: Shape, columns: usize, captions: &Captions) -> Result<()> {
    let count = count_of(shape, images)?;
    let tiles = Tiles::new(shape, count, columns, images.iter())?;
    let ((width, height), gap) = (tiles.size(), tiles.gap());
    let (columns, rows) = (tiles.columns, count.div_ceil(tiles.columns));
    // Names that stand closer than letters are high could not be read.
    let names = if tiles.step() >= CLOSEST { captions.columns } else { &[] };
    let margins = Margins::of(&Captions { columns: names, ..*captions }, tiles.colours())?;
    let (left, above, right) = margins.room();
    let span = |n: usize, side: usize| n * side + (n - 1) * gap;
    let size = (span(columns, width), span(rows, height));
    let corner = (MARGIN + left, MARGIN + above);
    let whole = (corner.0 + size.0 + right + MARGIN, corner.1 + size.1.max(margins.least_height()) + MARGIN);
    let mut canvas = Canvas::new(whole.0, whole.1)?;
    margins.draw(&mut canvas, corner, (width + gap, height + gap), size, tiles.step());
    for (index, image) in images.chunks_exact(shape.features()).enumerate() {
        let x = corner.0 + (index % columns) * (width + gap);
        let y = corner.1 + (index / columns) * (height + gap);
        tiles.draw(&mut canvas, (x, y), image);
    }
    canvas.save(path)
}

#[cfg(test)]
mod tests {
    use super::super::palette::{MAT, NOT_FINITE};
    use super::*;

    fn saved(images: &[f32], shape: Shape, columns: usize) -> image::RgbImage {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grid.png");
        save_grid(&path, images, shape, columns).unwrap();
        image::open(&path).unwrap().to_rgb8()
    }

    #[test]
    fn every_pixel_lands_in_its_place() {
        // Three 2×2 images in two columns; the fourth place stays empty.
        let shape = Shape { height: 2, width: 2, channels: 1 };
        let mut values = [0.0; 12];
        values[1] = 1.0; // first image, upper right
        values[4 + 2] = f32::NAN; // second image, lower left
        let picture = saved(&values, shape, 2);
        let (tile, gap) = (280, 4);
        assert_eq!(picture.width(), 2 * 16 + 2 * tile + gap);
        let at = |column: u32, row: u32, x: u32, y: u32| {
            let corner = |n: u32, half: u32| 16 + n * (tile + gap) + half * tile / 2 + tile / 4;
            picture.get_pixel(corner(column, x), corner(row, y)).0
        };
        assert_eq!((at(0, 0, 0, 0), at(0, 0, 1, 0), at(0, 0, 1, 1)), ([0; 3], [255; 3], [0; 3]));
        assert_eq!((at(1, 0, 0, 1), at(1, 0, 0, 0)), (NOT_FINITE, [0; 3]));
        assert_eq!((at(0, 1, 0, 0), at(1, 1, 0, 0)), ([0; 3], MAT));
    }

    #[test]
    fn colours_keep_their_channels_and_rows_of_features_become_a_heat_map() {
        let red = saved(&[1.0, 0.0, 0.0], Shape { height: 1, width: 1, channels: 3 }, 1);
        assert_eq!(red.get_pixel(30, 30).0, [255, 0, 0]);
        let table = Shape { height: 1, width: 30, channels: 1 };
        let values: Vec<f32> = (0..300).map(|i| i as f32 / 30.0 - 5.0).collect();
        let picture = saved(&values, table, 4);
        // Beside it stands the bar of colours.
        assert!(picture.width() > 32 + 900 + 30 && picture.height() == 32 + 10 * 24 + 9, "{:?}", picture.dimensions());
        let (first, last) = (picture.get_pixel(20, 20).0, picture.get_pixel(910, 260).0);
        assert!(first[1] < 60 && last[1] > 200, "{first:?} {last:?}");
    }

    #[test]
    fn names_move_the_grid_aside_and_standardised_pictures_are_not_black() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grid.png");
        let shape = Shape { height: 2, width: 2, channels: 1 };
        let names = ["seven".to_owned(), "two".to_owned()];
        // Two rows of one image each, dark and light, around 0.
        let images = [-2.0, -2.0, -2.0, -2.0, 2.0, 2.0, 2.0, 0.0];
        save_grid_with(&path, &images, shape, 1, &Captions { rows: &names, columns: &[] }).unwrap();
        let picture = image::open(&path).unwrap().to_rgb8();
        let plain = saved(&images, shape, 1);
        let moved = picture.width() - plain.width();
        assert!(moved > 30 && picture.height() == plain.height(), "{moved}");
        let at = |x: u32, y: u32| picture.get_pixel(moved + 16 + x, 16 + y).0[0];
        assert_eq!([at(5, 5), at(5, 289), at(275, 559)], [0, 255, 128]);
        // The words are there, and no further to the right than the grid.
        let dark = |x: u32| (0..picture.height()).any(|y| picture.get_pixel(x, y).0[0] < 150);
        assert!((16..16 + moved - 10).any(dark) && !(16 + moved - 8..16 + moved).any(dark));
    }

    #[test]
    fn a_refused_picture_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grid.png");
        let shape = Shape { height: 2, width: 2, channels: 1 };
        assert!(save_grid(&path, &[0.0; 5], shape, 2).is_err());
        assert!(save_grid(&path, &[0.0; 4], shape, 0).is_err());
        assert!(!path.exists());
    }
}
