//! Pictures that stand out, what a model makes of them, and which of their pixels surprise it.

use std::path::Path;

use super::canvas::Canvas;
use super::palette::{MUTED, ramp};
use super::plot::lettering;
use super::tiles::{ImageShape, Tiles};
use crate::error::{Error, Result};

const MARGIN: usize = 16;
const BETWEEN: usize = 14;
const LETTERS: usize = 13;
/// The share of pixels that are at most as bright as the brightest colour.
const BRIGHTEST: f64 = 0.995;

/// Saves pictures above their reconstructions above what each pixel costs, `columns` side by side, as a PNG.
///
/// All are `[count, height·width·channels]`; `losses` are summed over the channels of a pixel and drawn from dark (0 or less) to light,
/// on one scale for the whole sheet.
///
/// # Errors
/// When they are no pictures or not as many of each, `columns` is 0, or the file cannot be written.
pub fn save_strange(
    path: &Path,
    [originals, reconstructions, losses]: [&[f32]; 3],
    shape: ImageShape,
    columns: usize,
) -> Result<()> {
    let count = shape.count(originals)?;
    if originals.len() != reconstructions.len() || originals.len() != losses.len() || !shape.is_image() {
        return Err(Error::invalid("pictures that stand out need as many reconstructions and costs, of each pixel"));
    }
    let across = columns.min(count);
    let tiles = Tiles::new(shape, count.div_ceil(across.max(1)) * 3 * across, columns, originals.iter())?;
    let across = tiles.columns.min(across);
    let ((width, height), gap) = (tiles.size(), tiles.gap());
    let costs: Vec<f32> = losses.chunks_exact(shape.channels).map(|pixel| pixel.iter().sum::<f32>().max(0.0)).collect();
    let brightest = quantile(&costs, BRIGHTEST).max(f32::MIN_POSITIVE);

    let words = ["picture", "reconstruction", "cost of a pixel"];
    let words = words.map(|word| lettering(word, LETTERS, MUTED)).into_iter().collect::<Result<Vec<_>>>()?;
    let gutter = words.iter().map(|word| word.width() as usize).max().unwrap_or(0) + 10;
    let (rows, block) = (count.div_ceil(across), 3 * height + 2 * gap);
    let mut canvas = Canvas::new(
        2 * MARGIN + gutter + across * (width + gap) - gap,
        2 * MARGIN + rows * (block + BETWEEN) - BETWEEN,
    )?;
    let (features, pixels) = (shape.features(), shape.height * shape.width);
    let enlarged = width / shape.width;
    for row in 0..rows {
        for (line, word) in words.iter().enumerate() {
            let y = MARGIN + row * (block + BETWEEN) + line * (height + gap);
            let middle = (y + height / 2).saturating_sub(word.height() as usize / 2);
            canvas.paste((MARGIN + gutter - 10 - word.width() as usize, middle), word);
        }
    }
    for index in 0..count {
        let x = MARGIN + gutter + index % across * (width + gap);
        let y = MARGIN + index / across * (block + BETWEEN);
        for (line, all) in [originals, reconstructions].into_iter().enumerate() {
            tiles.draw(&mut canvas, (x, y + line * (height + gap)), &all[index * features..][..features]);
        }
        for (pixel, cost) in costs[index * pixels..][..pixels].iter().enumerate() {
            let (row, column) = (pixel / shape.width, pixel % shape.width);
            let corner = (x + column * enlarged, y + 2 * (height + gap) + row * enlarged);
            canvas.fill(corner, (enlarged, enlarged), ramp(cost / brightest));
        }
    }
    canvas.save(path)
}

fn quantile(values: &[f32], share: f64) -> f32 {
    let mut sorted: Vec<f32> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f32::total_cmp);
    sorted.get(((sorted.len().saturating_sub(1)) as f64 * share).round() as usize).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::palette::ramp;
    use super::*;

    #[test]
    fn the_dearest_pixel_is_the_lightest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("strange.png");
        let shape = ImageShape { height: 2, width: 2, channels: 1 };
        // Of one picture, the lower right pixel costs most, the upper left less than nothing.
        save_strange(&path, [&[1.0, 0.0, 0.0, 1.0], &[0.0; 4], &[-3.0, 1.0, 2.0, 4.0]], shape, 1).unwrap();
        let picture = image::open(&path).unwrap().to_rgb8();
        let seen = |colour: [u8; 3]| picture.pixels().filter(|pixel| pixel.0 == colour).count();
        let tile = seen(ramp(1.0));
        assert!(tile > 100 && seen(ramp(0.0)) == tile && seen(ramp(0.5)) == tile, "{tile}");
        assert_eq!(seen([255; 3]), 2 * tile, "the light pixels of the picture itself");
        assert!(save_strange(&path, [&[1.0; 4], &[0.0; 4], &[0.0; 3]], shape, 1).is_err());
    }
}
