//! Pictures in stacks: what belongs to one row of data stands one below the other, each line with its name; stacks stand beside each
//! other.

use crate::data::Shape;
use std::path::Path;

use super::canvas::Canvas;
use super::palette::{MUTED, ramp};
use super::plot::lettering;
use super::tiles::{Tiles, count_of};
use crate::error::{Error, Result};

const MARGIN: usize = 16;
const BETWEEN: usize = 14;
const LETTERS: usize = 13;

/// How the values `[count, height·width·channels]` of a line are drawn.
#[derive(Clone, Copy, Debug)]
pub enum Paint<'a> {
    /// As samples, see [`super::save_grid`].
    Samples(&'a [f32]),
    /// As amounts, their sum over the channels of a pixel from dark (0 or less) to light (this or more).
    Amounts(&'a [f32], f32),
}

impl<'a> Paint<'a> {
    fn values(self) -> &'a [f32] {
        match self {
            Paint::Samples(values) | Paint::Amounts(values, _) => values,
        }
    }
}

/// Saves lines with their names, `columns` stacks side by side, in the format that the name of the file ends in. Rows of features are
/// drawn on one scale of colours, and amounts only of pictures.
///
/// # Errors
/// When the lines do not hold as many whole samples each, `columns` is 0, amounts are of no pictures, or the file cannot be written.
pub fn save_stacks(path: &Path, lines: &[(&str, Paint)], shape: Shape, columns: usize) -> Result<()> {
    let mut counts = lines.iter().map(|(_, paint)| count_of(shape, paint.values())).collect::<Result<Vec<_>>>()?;
    counts.dedup();
    let [count] = counts[..] else {
        return Err(Error::invalid(format!(
            "a stack needs as many samples in each line, and there are {}",
            counts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
        )));
    };
    let samples = lines.iter().filter_map(|(_, paint)| match paint {
        Paint::Samples(values) => Some(*values),
        Paint::Amounts(..) => None,
    });
    if !shape.is_picture() && samples.clone().count() < lines.len() {
        return Err(Error::invalid("amounts are drawn pixel by pixel, and these rows are no pictures"));
    }
    let across = columns.min(count);
    let places = count.div_ceil(across.max(1)) * lines.len() * across;
    let tiles = Tiles::new(shape, places, columns, samples.flatten())?;
    let across = tiles.columns.min(across);
    let ((width, height), gap) = (tiles.size(), tiles.gap());
    let words = lines.iter().map(|(word, _)| lettering(word, LETTERS, MUTED)).collect::<Result<Vec<_>>>()?;
    let gutter = words.iter().map(|word| word.width() as usize).max().unwrap_or(0) + 10;
    let (rows, stack) = (count.div_ceil(across), lines.len() * (height + gap) - gap);
    let mut canvas = Canvas::new(
        2 * MARGIN + gutter + across * (width + gap) - gap,
        2 * MARGIN + rows * (stack + BETWEEN) - BETWEEN,
    )?;
    for row in 0..rows {
        for (line, word) in words.iter().enumerate() {
            let y = MARGIN + row * (stack + BETWEEN) + line * (height + gap);
            let middle = (y + height / 2).saturating_sub(word.height() as usize / 2);
            canvas.paste((MARGIN + gutter - 10 - word.width() as usize, middle), word);
        }
    }
    let (features, enlarged) = (shape.features(), width / shape.width.min(width));
    for index in 0..count {
        let x = MARGIN + gutter + index % across * (width + gap);
        let top = MARGIN + index / across * (stack + BETWEEN);
        for (line, (_, paint)) in lines.iter().enumerate() {
            let (y, values) = (top + line * (height + gap), &paint.values()[index * features..][..features]);
            let Paint::Amounts(_, brightest) = paint else {
                tiles.draw(&mut canvas, (x, y), values);
                continue;
            };
            for (pixel, amounts) in values.chunks_exact(shape.channels).enumerate() {
                let amount = amounts.iter().sum::<f32>().max(0.0);
                let corner = (x + pixel % shape.width * enlarged, y + pixel / shape.width * enlarged);
                canvas.fill(corner, (enlarged, enlarged), ramp(amount / brightest.max(f32::MIN_POSITIVE)));
            }
        }
    }
    canvas.save(path)
}

/// The amount of a pixel that this share of all pixels does not exceed, which a scale may end at.
pub fn amount_at(values: &[f32], channels: usize, share: f64) -> f32 {
    let pixels = values.chunks_exact(channels).map(|pixel| pixel.iter().sum::<f32>().max(0.0));
    let mut sorted: Vec<f32> = pixels.filter(|value| value.is_finite()).collect();
    sorted.sort_by(f32::total_cmp);
    sorted.get((sorted.len().saturating_sub(1) as f64 * share).round() as usize).copied().unwrap_or(0.0)
}
