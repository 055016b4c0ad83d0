//! The sheet that plots are drawn on: typeface, sizes, and the way to a file.
//!
//! Everything is drawn [`FINE`] times as large as it will be and then averaged down, since lines and letters fall on whole
//! pixels while they are drawn.

use std::path::Path;
use std::sync::LazyLock;

use image::RgbImage;
use image::imageops::thumbnail;
use plotters::coord::Shift;
use plotters::prelude::{BitMapBackend, DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, RGBColor, TextStyle, register_font};

use super::canvas::save_picture;
use super::palette::{MAT, PAPER, Rgb};
use crate::error::{Error, Result};

/// How much finer than the finished picture we draw.
const FINE: i32 = 3;

const TYPEFACE: &str = "DejaVu Sans";

static TYPEFACE_IS_KNOWN: LazyLock<bool> =
    LazyLock::new(|| register_font(TYPEFACE, FontStyle::Normal, dejavu::sans::regular()).is_ok());

/// A part of the sheet, in fine pixels.
pub type Sheet<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

/// What drawing returns.
pub type Drawn<T = ()> = std::result::Result<
    T,
    DrawingAreaErrorKind<<BitMapBackend<'static> as plotters::prelude::DrawingBackend>::ErrorType>,
>;

/// Pixels of the finished picture, as fine pixels.
pub const fn px(pixels: i32) -> i32 {
    pixels * FINE
}

/// A palette's colour for the plotting library.
pub fn colour([r, g, b]: Rgb) -> RGBColor {
    RGBColor(r, g, b)
}

/// Letters of `size` pixels, hung by their left end and their middle.
pub fn letters(size: i32, ink: Rgb) -> TextStyle<'static> {
    (TYPEFACE, px(size)).into_font().color(&colour(ink)).pos(Pos::new(HPos::Left, VPos::Center))
}

/// Writes a line of text with its left end and the middle of its small letters at `at`.
pub fn write_text(sheet: &Sheet, text: &str, size: i32, ink: Rgb, at: (i32, i32)) -> Drawn {
    sheet.draw_text(text, &letters(size, ink), (at.0, at.1 + lower(size)))
}

/// The plotting library hangs letters by their whole height, tails included, and they would sit too high.
pub fn lower(size: i32) -> i32 {
    px(size) / 7
}

/// How wide a line of such letters becomes, in fine pixels.
pub fn width_of(text: &str, size: i32) -> i32 {
    LazyLock::force(&TYPEFACE_IS_KNOWN);
    let measured = (TYPEFACE, px(size)).into_font().box_size(text);
    measured.map_or(0, |(width, _)| width as i32)
}

/// Draws on a sheet of `size` finished pixels and saves it as a PNG.
pub fn save_plot(path: &Path, size: (u32, u32), draw: impl FnOnce(&Sheet) -> Drawn) -> Result<()> {
    save_picture(path, &drawn(path, size, draw)?)
}

/// What is drawn on a sheet of `size` finished pixels; `path` is where it is to go.
pub fn drawn(path: &Path, size: (u32, u32), draw: impl FnOnce(&Sheet) -> Drawn) -> Result<RgbImage> {
    drawn_on(PAPER, size, draw)
        .map_err(|reason| Error::malformed(path, format!("the picture cannot be drawn: {reason}")))
}

/// A word as a small picture to be laid beside images, `size` pixels high and just as wide as it needs.
pub fn lettering(word: &str, size: usize, ink: Rgb) -> Result<RgbImage> {
    let size = size as i32;
    let width = width_of(word, size) as u32 / FINE as u32 + 2;
    drawn_on(MAT, (width, size as u32 + 4), |sheet| write_text(sheet, word, size, ink, (0, px(size + 4) / 2)))
        .map_err(|reason| Error::invalid(format!("cannot write {word:?} into a picture: {reason}")))
}

fn drawn_on(
    ground: Rgb,
    (width, height): (u32, u32),
    draw: impl FnOnce(&Sheet) -> Drawn,
) -> std::result::Result<RgbImage, String> {
    if !*TYPEFACE_IS_KNOWN {
        return Err("the built-in typeface is damaged".to_owned());
    }
    let (fine_width, fine_height) = (width * FINE as u32, height * FINE as u32);
    let mut fine = RgbImage::new(fine_width, fine_height);
    {
        let sheet = BitMapBackend::with_buffer(&mut fine, (fine_width, fine_height)).into_drawing_area();
        sheet.fill(&colour(ground).to_rgba()).map_err(|error| error.to_string())?;
        draw(&sheet).map_err(|error| error.to_string())?;
        sheet.present().map_err(|error| error.to_string())?;
    }
    Ok(thumbnail(&fine, width, height))
}

#[cfg(test)]
mod tests {
    use super::super::palette::INK;
    use super::*;

    fn ink(picture: &RgbImage) -> u32 {
        picture.pixels().map(|pixel| u32::from(MAT[0] - pixel.0[0].min(MAT[0]))).sum()
    }

    #[test]
    fn letters_are_drawn_with_the_built_in_typeface() {
        let word = lettering("original", 13, INK).unwrap();
        let empty = lettering("        ", 13, INK).unwrap();
        assert!(ink(&word) > 5_000, "{}", ink(&word));
        assert_eq!(ink(&empty), 0);
        assert!(width_of("wwww", 13) > width_of("iiii", 13));
    }

    #[test]
    fn a_plot_is_as_large_as_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plot.png");
        save_plot(&path, (120, 80), |_| Ok(())).unwrap();
        assert_eq!(image::open(&path).unwrap().to_rgb8().dimensions(), (120, 80));
    }
}
