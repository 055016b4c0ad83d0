//! Pictures that stand out, what a model makes of them, and which of their pixels surprise it.

use crate::data::Shape;
use std::path::Path;

use super::stacks::{Paint, amount_at, save_stacks};
use crate::error::Result;

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
    shape: Shape,
    columns: usize,
) -> Result<()> {
    let lines = [
        ("picture", Paint::Samples(originals)),
        ("reconstruction", Paint::Samples(reconstructions)),
        ("cost of a pixel", Paint::Amounts(losses, amount_at(losses, shape.channels, BRIGHTEST))),
    ];
    save_stacks(path, &lines, shape, columns)
}

#[cfg(test)]
mod tests {
    use super::super::palette::ramp;
    use super::*;

    #[test]
    fn the_dearest_pixel_is_the_lightest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("strange.png");
        let shape = Shape { height: 2, width: 2, channels: 1 };
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
