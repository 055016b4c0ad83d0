//! What went in above what came out: a row of originals, their reconstructions under it, and so on.

use std::path::Path;

use super::canvas::Canvas;
use super::palette::MUTED;
use super::plot::lettering;
use super::tiles::{ImageShape, Tiles};
use crate::error::{Error, Result};

const MARGIN: usize = 16;
const BETWEEN_PAIRS: usize = 14;
const LETTERS: usize = 13;

/// Saves originals and reconstructions, `columns` pairs side by side, in the format that the name of the file ends in.
///
/// Both are `[count, height·width·channels]` and drawn as [`super::save_grid`] draws them; rows of features are drawn in
/// pairs, on one scale of colours.
///
/// # Errors
/// When the two do not hold the same number of whole samples, `columns` is 0, or the file cannot be written.
pub fn save_reconstructions(
    path: &Path,
    originals: &[f32],
    reconstructions: &[f32],
    shape: ImageShape,
    columns: usize,
) -> Result<()> {
    let count = shape.count(originals)?;
    let came_out = shape.count(reconstructions)?;
    if came_out != count {
        return Err(Error::invalid(format!(
            "cannot pair {count} originals with {came_out} reconstructions; give as many of one as of the other"
        )));
    }
    // Room is needed for twice the rows.
    let across = columns.min(count);
    let places = count.div_ceil(across.max(1)) * 2 * across;
    let tiles = Tiles::new(shape, places, columns, originals.iter().chain(reconstructions))?;
    let columns = tiles.columns.min(across);
    let ((width, height), gap) = (tiles.size(), tiles.gap());
    let pairs = count.div_ceil(columns);

    let above = lettering("original", LETTERS, MUTED)?;
    let below = lettering("reconstruction", LETTERS, MUTED)?;
    let gutter = above.width().max(below.width()) as usize + 10;
    let pair = 2 * height + gap;
    let mut canvas = Canvas::new(
        2 * MARGIN + gutter + columns * (width + gap) - gap,
        2 * MARGIN + pairs * (pair + BETWEEN_PAIRS) - BETWEEN_PAIRS,
    )?;
    for row in 0..pairs {
        let y = MARGIN + row * (pair + BETWEEN_PAIRS);
        for (word, top) in [(&above, y), (&below, y + height + gap)] {
            let x = MARGIN + gutter - 10 - word.width() as usize;
            let middle = (top + height / 2).saturating_sub(word.height() as usize / 2);
            canvas.paste((x, middle), word);
        }
    }
    let features = shape.features();
    let samples = originals.chunks_exact(features).zip(reconstructions.chunks_exact(features));
    for (index, (original, reconstruction)) in samples.enumerate() {
        let x = MARGIN + gutter + (index % columns) * (width + gap);
        let y = MARGIN + (index / columns) * (pair + BETWEEN_PAIRS);
        tiles.draw(&mut canvas, (x, y), original);
        tiles.draw(&mut canvas, (x, y + height + gap), reconstruction);
    }
    canvas.save(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn originals_stand_above_their_reconstructions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pairs.png");
        let shape = ImageShape { height: 2, width: 2, channels: 1 };
        let flat = |tones: [f32; 3]| tones.iter().flat_map(|&tone| [tone; 4]).collect::<Vec<_>>();
        save_reconstructions(&path, &flat([0.0, 0.2, 0.4]), &flat([0.6, 0.8, 1.0]), shape, 2).unwrap();
        let picture = image::open(&path).unwrap().to_rgb8();
        // The greys, in reading order along the middle of each row.
        let (w, h) = picture.dimensions();
        let (tile, right) = (280, w - 16 - 140);
        let row = |y: u32| [right - tile - 4, right].map(|x| picture.get_pixel(x, y).0[0]);
        assert_eq!(row(16 + 140), [0, 51]);
        assert_eq!(row(16 + 280 + 4 + 140), [153, 204]);
        assert_eq!(row(h - 16 - 140), [255, 218]); // the second is empty
        assert_eq!(row(h - 16 - 280 - 4 - 140)[0], 102);
    }

    #[test]
    fn unequal_numbers_are_refused() {
        let shape = ImageShape { height: 1, width: 2, channels: 1 };
        let nowhere = Path::new("never-written.png");
        let error = save_reconstructions(nowhere, &[0.0; 4], &[0.0; 6], shape, 2).unwrap_err();
        assert!(error.to_string().contains("2 originals with 3"), "{error}");
        assert!(save_reconstructions(nowhere, &[0.0; 4], &[0.0; 4], shape, 0).is_err());
        assert!(!nowhere.exists());
    }
}
