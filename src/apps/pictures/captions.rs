//! Words around images: names beside rows and above columns, and the key to the colours of quantities.

use image::RgbImage;
use image::imageops::rotate270;

use super::canvas::Canvas;
use super::palette::{MUTED, ramp};
use super::plot::lettering;
use crate::error::Result;

const LETTERS: usize = 13;
/// Room between words and what they are about.
const GAP: usize = 10;
/// Names are cut to this many characters.
const LONGEST: usize = 22;
/// The bar of colours is so wide, and at most so high.
const BAR: (usize, usize) = (16, 240);

/// What stands around the samples of a grid.
#[derive(Debug, Clone, Copy, Default)]
pub struct Captions<'a> {
    /// A name for each row of the grid, beside it; none where it is empty.
    pub rows: &'a [String],
    /// A name for each value of a row of features, above it; none where it is empty.
    pub columns: &'a [String],
}

/// The words of captions, drawn.
pub(super) struct Margins {
    rows: Vec<RgbImage>,
    columns: Vec<RgbImage>,
    /// The two ends of the bar of colours, from the top.
    ends: Vec<RgbImage>,
}

impl Margins {
    /// The words; `range` is what the colours of quantities run over, where they do.
    pub fn of(captions: &Captions, range: Option<(f64, f64)>) -> Result<Margins> {
        let words = |names: &[String]| -> Result<Vec<RgbImage>> {
            names.iter().map(|name| lettering(&cut(name), LETTERS, MUTED)).collect()
        };
        let ends = range.map_or(vec![], |(low, high)| vec![end(high), end(low)]);
        let columns = words(captions.columns)?;
        Ok(Margins {
            rows: words(captions.rows)?,
            columns: columns.iter().map(rotate270).collect(),
            ends: words(&ends)?,
        })
    }

    /// Room on the left, above, and on the right.
    pub fn room(&self) -> (usize, usize, usize) {
        let widest = |words: &[RgbImage]| words.iter().map(|word| word.width() as usize).max();
        let highest = self.columns.iter().map(|word| word.height() as usize).max();
        let bar = widest(&self.ends).map_or(0, |width| GAP + BAR.0 + GAP / 2 + width);
        (widest(&self.rows).map_or(0, |width| width + GAP), highest.map_or(0, |height| height + GAP), bar)
    }

    /// Lays them around samples whose upper left corner is at `at`, and which take a place of so many pixels each, `columns` side by side
    /// in as many rows as there are; a column of features takes `step` of them.
    pub fn draw(
        &self,
        canvas: &mut Canvas,
        at: (usize, usize),
        place: (usize, usize),
        size: (usize, usize),
        step: usize,
    ) {
        for (row, word) in self.rows.iter().enumerate() {
            let middle = at.1 + row * place.1 + place.1 / 2;
            let x = at.0.saturating_sub(GAP + word.width() as usize);
            canvas.paste((x, middle.saturating_sub(word.height() as usize / 2)), word);
        }
        for (column, word) in self.columns.iter().enumerate() {
            let middle = at.0 + column * step + step / 2;
            let y = at.1.saturating_sub(GAP / 2 + word.height() as usize);
            canvas.paste((middle.saturating_sub(word.width() as usize / 2), y), word);
        }
        if let [top, bottom] = &self.ends[..] {
            let (x, height) = (at.0 + size.0 + GAP, size.1.clamp(40, BAR.1));
            for row in 0..height {
                canvas.fill((x, at.1 + row), (BAR.0, 1), ramp(1.0 - row as f32 / (height - 1) as f32));
            }
            let beside = x + BAR.0 + GAP / 2;
            canvas.paste((beside, at.1), top);
            canvas.paste((beside, at.1 + height - bottom.height() as usize), bottom);
        }
    }

    /// How high the bar of colours is at least.
    pub fn least_height(&self) -> usize {
        if self.ends.is_empty() { 0 } else { 40 }
    }
}

fn cut(name: &str) -> String {
    match name.chars().count() > LONGEST {
        true => name.chars().take(LONGEST - 1).chain(['…']).collect(),
        false => name.to_owned(),
    }
}

/// An end of the range of colours.
fn end(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_string(),
        1e-3..1e5 => format!("{value:.3}").trim_end_matches('0').trim_end_matches('.').to_string(),
        _ => format!("{value:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_take_room_where_there_are_some() {
        let names = ["a".to_string(), "a name much longer than any margin can hold".to_string()];
        let none = Margins::of(&Captions::default(), None).unwrap();
        assert_eq!((none.room(), none.least_height()), ((0, 0, 0), 0));
        let margins = Margins::of(&Captions { rows: &names, columns: &names }, Some((-1.5, 1.0))).unwrap();
        let (left, top, right) = margins.room();
        assert!(left > 100 && left == top && (40..90).contains(&right), "{left} {top} {right}");
        assert_eq!((cut(&names[1]).chars().count(), cut("short")), (LONGEST, "short".to_string()));
        assert_eq!([0.0, 1.0, -2.5, 1e6].map(end), ["0", "1", "-2.5", "1.0e6"]);
    }
}
