//! A sheet whose rows of pictures each have a name, and the same pictures one column at a time, as a film.

use crate::data::Shape;
use std::path::Path;

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, DynamicImage, Frame, RgbImage};

use super::canvas::Canvas;
use super::palette::MUTED;
use super::plot::lettering;
use super::tiles::{Tiles, count_of};
use crate::error::{Error, Result};
use crate::files::write_atomically;

const MARGIN: usize = 16;
const LETTERS: usize = 13;
/// Milliseconds that a frame of a film stays.
const DELAY: u16 = 90;

/// Pictures `[rows, columns, height·width·channels]`, and what each row of them is called.
#[derive(Clone, Copy, Debug)]
pub struct NamedRows<'a> {
    /// The values.
    pub images: &'a [f32],
    /// The shape of one.
    pub shape: Shape,
    /// How many stand in a row.
    pub columns: usize,
    /// The names, one for each row.
    pub names: &'a [String],
}

/// What films are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Film {
    /// Of at most 256 colours, which every program shows.
    Gif,
    /// An animated PNG, with all colours.
    Apng,
}

impl NamedRows<'_> {
    fn image(&self, row: usize, column: usize) -> &[f32] {
        let features = self.shape.features();
        &self.images[(row * self.columns + column) * features..][..features]
    }

    fn check(&self) -> Result<()> {
        let count = count_of(self.shape, self.images)?;
        match count == self.names.len() * self.columns && self.shape.is_picture() {
            true => Ok(()),
            false => Err(Error::invalid(format!(
                "{} rows of {} pictures were expected, and there are {count}",
                self.names.len(),
                self.columns
            ))),
        }
    }

    /// Saves all of them as a PNG, a row of pictures beside each name.
    ///
    /// # Errors
    /// If there are not as many as there should be, or the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        self.check()?;
        let rows = self.names.len();
        let tiles = Tiles::new(self.shape, rows * self.columns, self.columns, self.images.iter())?;
        let ((width, height), gap) = (tiles.size(), tiles.gap());
        let words = self.names.iter().map(|name| lettering(name, LETTERS, MUTED)).collect::<Result<Vec<_>>>()?;
        let gutter = words.iter().map(|word| word.width() as usize).max().map_or(0, |widest| widest + 10);
        let mut canvas = Canvas::new(
            2 * MARGIN + gutter + self.columns * (width + gap) - gap,
            2 * MARGIN + rows * (height + gap) - gap,
        )?;
        for (row, word) in words.iter().enumerate() {
            let y = MARGIN + row * (height + gap);
            let middle = (y + height / 2).saturating_sub(word.height() as usize / 2);
            canvas.paste((MARGIN + gutter - 10 - word.width() as usize, middle), word);
            for column in 0..self.columns {
                tiles.draw(&mut canvas, (MARGIN + gutter + column * (width + gap), y), self.image(row, column));
            }
        }
        canvas.save(path)
    }

    /// Saves a film without end: column after column and back again, the rows beside each other with their names below.
    ///
    /// # Errors
    /// As for [`NamedRows::save`].
    pub fn save_film(&self, path: &Path, as_what: Film) -> Result<()> {
        self.check()?;
        let there = 0..self.columns;
        let back = (1..self.columns.saturating_sub(1)).rev();
        let columns: Vec<usize> = there.chain(back).collect();
        let failed = |why: String| Error::malformed(path, format!("the film cannot be encoded: {why}"));
        let count = columns.len();
        let mut frames = columns.into_iter().map(|column| self.frame(column));
        let bytes = match as_what {
            Film::Gif => gif(&mut frames, failed)?,
            Film::Apng => apng(&mut frames, count, failed)?,
        };
        write_atomically(path, |file| file.write_all(&bytes))
    }

    fn frame(&self, column: usize) -> Result<RgbImage> {
        let rows = self.names.len();
        let across = (rows as f64).sqrt().ceil() as usize;
        let tiles = Tiles::new(self.shape, rows, across, self.images.iter())?;
        let (size, gap) = (tiles.size(), tiles.gap());
        let words = self.names.iter().map(|name| lettering(name, LETTERS, MUTED)).collect::<Result<Vec<_>>>()?;
        let below = words.iter().map(|word| word.height() as usize).max().unwrap_or(0) + 4;
        let (width, height) =
            (size.0.max(words.iter().map(|word| word.width() as usize).max().unwrap_or(0)) + gap, size.1 + below + gap);
        let mut canvas = Canvas::new(2 * MARGIN + across * width, 2 * MARGIN + rows.div_ceil(across) * height)?;
        for (row, word) in words.iter().enumerate() {
            let (x, y) = (MARGIN + row % across * width, MARGIN + row / across * height);
            tiles.draw(&mut canvas, (x, y), self.image(row, column));
            canvas.paste((x, y + size.1 + 2), word);
        }
        Ok(canvas.into_image())
    }
}

fn gif(frames: &mut dyn Iterator<Item = Result<RgbImage>>, failed: impl Fn(String) -> Error) -> Result<Vec<u8>> {
    let failed = |error: image::ImageError| failed(error.to_string());
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, 10);
    encoder.set_repeat(Repeat::Infinite).map_err(failed)?;
    for picture in frames {
        let picture = DynamicImage::from(picture?).into_rgba8();
        let frame = Frame::from_parts(picture, 0, 0, Delay::from_numer_denom_ms(u32::from(DELAY), 1));
        encoder.encode_frame(frame).map_err(failed)?;
    }
    drop(encoder);
    Ok(bytes)
}

/// The first frame is what programs show that know no animation.
fn apng(
    frames: &mut dyn Iterator<Item = Result<RgbImage>>,
    count: usize,
    failed: impl Fn(String) -> Error,
) -> Result<Vec<u8>> {
    let failed = |error: png::EncodingError| failed(error.to_string());
    let mut bytes = Vec::new();
    let Some(first) = frames.next().transpose()? else { return Ok(bytes) };
    let mut encoder = png::Encoder::new(&mut bytes, first.width(), first.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_animated(count as u32, 0).map_err(failed)?;
    encoder.set_frame_delay(DELAY, 1000).map_err(failed)?;
    let mut writer = encoder.write_header().map_err(failed)?;
    for picture in std::iter::once(Ok(first)).chain(frames) {
        writer.write_image_data(&picture?).map_err(failed)?;
    }
    writer.finish().map_err(failed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use image::AnimationDecoder;
    use image::codecs::gif::GifDecoder;
    use image::codecs::png::PngDecoder;

    use super::*;

    #[test]
    fn a_sheet_has_all_and_a_film_goes_there_and_back() {
        let folder = tempfile::tempdir().unwrap();
        let shape = Shape { height: 2, width: 2, channels: 1 };
        // Two rows of four: dark to light, and all light.
        let tones = [0.0, 0.2, 0.4, 0.6, 1.0, 1.0, 1.0, 1.0];
        let images: Vec<f32> = tones.iter().flat_map(|&tone| [tone; 4]).collect();
        let names = ["first".to_string(), "second".to_string()];
        let rows = NamedRows { images: &images, shape, columns: 4, names: &names };
        rows.save(&folder.path().join("sheet.png")).unwrap();
        let sheet = image::open(folder.path().join("sheet.png")).unwrap().to_rgb8();
        let seen = |tone: u8| sheet.pixels().filter(|pixel| pixel.0 == [tone; 3]).count();
        assert!(seen(51) > 1000 && seen(255) == 4 * seen(51) && seen(102) == seen(51), "{}", seen(255));

        rows.save_film(&folder.path().join("film.gif"), Film::Gif).unwrap();
        let bytes = std::fs::read(folder.path().join("film.gif")).unwrap();
        let frames = GifDecoder::new(std::io::Cursor::new(bytes)).unwrap().into_frames().collect_frames().unwrap();
        let tone = |frame: &Frame| frame.buffer().get_pixel(20, 20).0[0];
        let found: Vec<u8> = frames.iter().map(tone).collect();
        assert_eq!(found.len(), 6);
        for (tone, wanted) in found.iter().zip([0, 51, 102, 153, 102, 51]) {
            assert!(tone.abs_diff(wanted) < 6, "{found:?}");
        }
        // The other format has the same frames, with the very tones.
        rows.save_film(&folder.path().join("film.apng"), Film::Apng).unwrap();
        let bytes = std::fs::read(folder.path().join("film.apng")).unwrap();
        let decoder = PngDecoder::new(std::io::Cursor::new(&bytes)).unwrap().apng().unwrap();
        let frames = decoder.into_frames().collect_frames().unwrap();
        assert_eq!(frames.iter().map(tone).collect::<Vec<_>>(), [0, 51, 102, 153, 102, 51]);
        let (milliseconds, of) = frames[0].delay().numer_denom_ms();
        assert_eq!(milliseconds, u32::from(DELAY) * of);
        let still = image::load_from_memory_with_format(&bytes, image::ImageFormat::Png).unwrap().to_rgba8();
        assert_eq!(&still, frames[0].buffer());
        let short = NamedRows { names: &names[..1], ..rows };
        assert!(short.save(&folder.path().join("never.png")).is_err());
    }
}
