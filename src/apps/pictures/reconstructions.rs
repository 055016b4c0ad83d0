//! What went in above what came out: a row of originals, their reconstructions under it, and so on.

use crate::data::Shape;
use std::path::Path;

use super::stacks::{Paint, save_stacks};
use crate::error::Result;

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
    shape: Shape,
    columns: usize,
) -> Result<()> {
    let lines = [("original", Paint::Samples(originals)), ("reconstruction", Paint::Samples(reconstructions))];
    save_stacks(path, &lines, shape, columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn originals_stand_above_their_reconstructions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pairs.png");
        let shape = Shape { height: 2, width: 2, channels: 1 };
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
        let shape = Shape { height: 1, width: 2, channels: 1 };
        let nowhere = Path::new("never-written.png");
        let error = save_reconstructions(nowhere, &[0.0; 4], &[0.0; 6], shape, 2).unwrap_err();
        assert!(error.to_string().contains("there are 2 and 3"), "{error}");
        assert!(save_reconstructions(nowhere, &[0.0; 4], &[0.0; 4], shape, 0).is_err());
        assert!(!nowhere.exists());
    }
}
