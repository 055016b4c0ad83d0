//! How one sample is drawn: an image pixel by pixel, a row of features as a strip of colours.
//!
//! Pixels are enlarged by whole factors, without smoothing, so that a 28×28 digit is comfortable to look at and still
//! shows every pixel as it is.

use super::canvas::Canvas;
use super::palette::{self, NOT_FINITE, Rgb};
use crate::data::Shape;
use crate::error::{Error, Result};

/// About how wide, and at most about how high, a picture should become, in pixels.
const WIDTH: usize = 900;
const HEIGHT: usize = 1600;
/// An image is not made larger than this, nor smaller than the other to save height.
const LARGEST_TILE: usize = 280;
const SMALLEST_TILE: usize = 84;
/// More features than this are averaged in neighbouring bins.
const MOST_BINS: usize = 1200;

/// How many samples of a shape `values` holds.
pub(super) fn count_of(shape: Shape, values: &[f32]) -> Result<usize> {
    let Shape { height, width, channels } = shape;
    let features = shape.features();
    if features == 0 {
        return Err(Error::invalid(format!(
            "cannot draw samples of {height} × {width} pixels with {channels} channels: expected at least one of each"
        )));
    }
    if values.is_empty() || !values.len().is_multiple_of(features) {
        return Err(Error::invalid(format!(
            "cannot draw {} values as samples of {height} × {width} × {channels} = {features} values: expected one or more whole \
             samples",
            values.len()
        )));
    }
    Ok(values.len() / features)
}

/// How all samples of one picture are drawn.
pub struct Tiles {
    shape: Shape,
    /// Samples side by side; rows of features stand one below the other.
    pub columns: usize,
    enlarged: (usize, usize),
    bins: usize,
    range: (f64, f64),
}

impl Tiles {
    /// Chooses the enlargement for `count` samples, `columns` of them side by side; `values` says which range the
    /// colours of feature rows must cover.
    pub fn new<'a>(shape: Shape, count: usize, columns: usize, values: impl Iterator<Item = &'a f32>) -> Result<Tiles> {
        if columns == 0 {
            return Err(Error::invalid("a picture with 0 columns has no room for samples; give at least 1"));
        }
        if !shape.is_picture() {
            let bins = shape.width.min(MOST_BINS);
            return Ok(Tiles {
                shape,
                columns: 1,
                enlarged: (nearest(WIDTH, bins).min(60), nearest(WIDTH, count).clamp(4, 24)),
                bins,
                range: range(values),
            });
        }
        let columns = columns.min(count);
        let (rows, side) = (count.div_ceil(columns), shape.height.max(shape.width));
        let by_height = nearest(HEIGHT, rows * shape.height).max(SMALLEST_TILE.div_ceil(side));
        let scale = nearest(WIDTH, columns * shape.width).min(by_height).min((LARGEST_TILE / side).max(1));
        Ok(Tiles { shape, columns, enlarged: (scale, scale), bins: shape.width, range: of_pixels(range(values)) })
    }

    /// Width and height of one sample in the picture.
    pub fn size(&self) -> (usize, usize) {
        (self.bins * self.enlarged.0, self.shape.height * self.enlarged.1)
    }

    /// Pixels of the picture from one value of a row to the next.
    pub fn step(&self) -> usize {
        self.enlarged.0
    }

    /// What the colours of features run over; nothing where samples are images.
    pub fn colours(&self) -> Option<(f64, f64)> {
        (!self.shape.is_picture()).then_some(self.range)
    }

    /// The space between two samples.
    pub fn gap(&self) -> usize {
        match self.size() {
            _ if !self.shape.is_picture() => 1,
            (width, height) if width.min(height) < 48 => 2,
            _ => 4,
        }
    }

    /// Draws one sample with its upper left corner at `at`.
    pub fn draw(&self, canvas: &mut Canvas, at: (usize, usize), sample: &[f32]) {
        for row in 0..self.shape.height {
            for column in 0..self.bins {
                let corner = (at.0 + column * self.enlarged.0, at.1 + row * self.enlarged.1);
                let colour = if self.shape.is_picture() {
                    let first = (row * self.shape.width + column) * self.shape.channels;
                    pixel(&sample[first..first + self.shape.channels], self.range)
                } else {
                    self.feature(column, sample)
                };
                canvas.fill(corner, self.enlarged, colour);
            }
        }
    }

    fn feature(&self, bin: usize, sample: &[f32]) -> Rgb {
        let edge = |bin: usize| bin * self.shape.width / self.bins;
        let values = &sample[edge(bin)..edge(bin + 1)];
        let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64;
        palette::ramp(((mean - self.range.0) / (self.range.1 - self.range.0)) as f32)
    }
}

/// The whole factor that brings `size` closest to `target`, at least 1.
fn nearest(target: usize, size: usize) -> usize {
    ((target + size / 2) / size.max(1)).max(1)
}

/// The range that is drawn from black to white: [0, 1], unless values lie far outside of it.
pub fn of_pixels((low, high): (f64, f64)) -> (f64, f64) {
    // A model may be a little off at black and white.
    const OFF: f64 = 0.1;
    if low < -OFF || high > 1.0 + OFF { (low, high) } else { (0.0, 1.0) }
}

pub fn pixel(channels: &[f32], (low, high): (f64, f64)) -> Rgb {
    if channels.iter().any(|value| !value.is_finite()) {
        return NOT_FINITE;
    }
    let share = |value: f32| (f64::from(value) - low) / (high - low);
    let level = |channel: usize| {
        (channels.get(channel).map_or(0.0, |&value| share(value).clamp(0.0, 1.0)) * 255.0).round() as u8
    };
    if channels.len() == 1 { [level(0); 3] } else { [0, 1, 2].map(level) }
}

/// [0, 1] if that covers the values; else what all but the most extreme 2 % on either side cover.
pub fn range<'a>(values: impl Iterator<Item = &'a f32>) -> (f64, f64) {
    let mut finite: Vec<f32> = values.copied().filter(|value| value.is_finite()).collect();
    if finite.iter().all(|value| (0.0..=1.0).contains(value)) {
        return (0.0, 1.0);
    }
    finite.sort_by(f32::total_cmp);
    let (low, high) = (finite[finite.len() / 50], finite[finite.len() - 1 - finite.len() / 50]);
    // One value alone stands in the middle of a range of its own size.
    let margin = if high > low { 0.0 } else { f64::from(low).abs().max(1.0) / 2.0 };
    (f64::from(low) - margin, f64::from(high) + margin)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGIT: Shape = Shape { height: 28, width: 28, channels: 1 };

    #[test]
    fn common_grids_come_out_comfortably_wide() {
        for (side, columns) in [(28, 8), (28, 10), (28, 16), (28, 20), (32, 8), (32, 10), (64, 8), (8, 10)] {
            let shape = Shape { height: side, width: side, channels: 1 };
            let tiles = Tiles::new(shape, columns * columns, columns, [].iter()).unwrap();
            let width = tiles.columns * (tiles.size().0 + tiles.gap());
            assert!((600..=1250).contains(&width), "{side} × {columns}: {width}");
        }
        let single = Tiles::new(DIGIT, 1, 8, [].iter()).unwrap();
        assert_eq!((single.columns, single.size()), (1, (280, 280)));
    }

    #[test]
    fn pixels_are_clipped_and_what_is_not_finite_is_loud() {
        let pixel = |channels: &[f32]| super::pixel(channels, (0.0, 1.0));
        assert_eq!(pixel(&[0.5]), [128; 3]);
        assert_eq!(pixel(&[-2.0, 0.2, 9.0]), [0, 51, 255]);
        assert_eq!((pixel(&[0.2, 0.4]), pixel(&[1.0, 0.2, 0.4, 0.6])), ([51, 102, 0], [255, 51, 102]));
        assert_eq!(pixel(&[0.0, f32::NAN, 0.0]), NOT_FINITE);
        assert_eq!(pixel(&[f32::INFINITY]), NOT_FINITE);
        assert_eq!(super::pixel(&[-1.0, 0.0, 3.0], (-1.0, 3.0)), [0, 64, 255]);
        assert_eq!([(-0.09, 1.09), (-0.11, 1.0), (0.2, 1.2)].map(of_pixels), [(0.0, 1.0), (-0.11, 1.0), (0.2, 1.2)]);
    }

    #[test]
    fn shapes_that_cannot_be_drawn_are_explained() {
        let shape = |height, width, channels| Shape { height, width, channels };
        for (shape, values, expected) in [
            (shape(2, 2, 0), 4, "0 channels"),
            (shape(0, 2, 1), 4, "at least one of each"),
            (shape(usize::MAX, 2, 1), 4, "whole samples"),
            (shape(2, 2, 1), 5, "5 values"),
            (shape(2, 2, 1), 0, "one or more"),
        ] {
            let error = count_of(shape, &vec![0.0; values]).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(count_of(shape(2, 2, 3), &[0.0; 24]).unwrap(), 2);
        assert!(Tiles::new(DIGIT, 3, 0, [].iter()).is_err());
    }

    #[test]
    fn feature_rows_cover_the_range_of_the_data() {
        assert_eq!(range([0.2, 0.4, f32::NAN].iter()), (0.0, 1.0));
        assert_eq!(range([-3.0, 2.0, f32::INFINITY].iter()), (-3.0, 2.0));
        for extreme in [[f32::MIN, f32::MAX], [f32::MAX; 2], [5.0; 2], [f32::MIN; 2]] {
            let (low, high) = range(extreme.iter());
            assert!((high - low).is_finite() && high > low, "{extreme:?}: {low} {high}");
        }
        let mut many = vec![0.5_f32; 1000];
        many[..4].copy_from_slice(&[-900.0, -1.0, 3.0, 1e9]);
        many[4..104].fill(-2.0);
        many[104..204].fill(2.0);
        assert_eq!(range(many.iter()), (-2.0, 2.0));
        let table = Shape { height: 1, width: 5000, channels: 1 };
        let tiles = Tiles::new(table, 3, 3, [].iter()).unwrap();
        assert_eq!((tiles.columns, tiles.size().0), (1, MOST_BINS));
    }
}
