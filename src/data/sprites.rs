//! The built-in data set: white shapes on black, made on the spot from known factors, after dSprites (Matthey, Higgins,
//! Hassabis & Lerchner 2017, <https://github.com/google-deepmind/dsprites-dataset>).
//!
//! | factor      | values | meaning                                                                        |
//! |-------------|--------|--------------------------------------------------------------------------------|
//! | shape       | 3      | square, ellipse, heart                                                         |
//! | scale       | 6      | 0.5, 0.6 … 1                                                                   |
//! | orientation | 40     | `2π k / 39`, counter-clockwise; as in dSprites the last is a full turn, so that |
//! |             |        | it looks like the first                                                        |
//! | x           | 32     | centre at `(33 + 2 k) / 128` of the width, from the left                       |
//! | y           | 32     | the same, from the top                                                         |
//!
//! The 737,280 combinations are the grid, in that order with y fastest. At 64×64, the resolution of dSprites, a step in
//! x or y is one pixel. The outlines are this module's own, so the pictures are like those of dSprites, not equal.
//!
//! By default rows are drawn from the grid without repetition and without the last orientation, so no combination is
//! drawn twice and none is in both training and test set. Small pictures, above all black and white ones, cannot tell all
//! combinations apart: with seed 0, of 2,000 test rows none equals a training row at 32×32 in grey, and 28 do in black and white.
//! The label is the shape.

mod draw;
pub(super) mod options;
mod outline;

use rayon::prelude::*;

use super::dataset::Dataset;
use super::labels::{Factors, Labels};
use super::shape::Shape;
use super::splits::choose;
use super::values::{Values, pack_row};
use crate::error::{Error, Result};
use draw::Sprite;
pub use options::SpriteOptions;

/// The number of values of each factor: shape, scale, orientation, x, y.
pub const SIZES: [usize; 5] = [3, 6, 40, 32, 32];

/// The number of combinations of the factors.
pub const GRID: usize = 3 * 6 * 40 * 32 * 32;

const NAMES: [&str; 5] = ["shape", "scale", "orientation", "x", "y"];
const SHAPES: [&str; 3] = ["square", "ellipse", "heart"];

/// Combinations that look different: all but those with the last orientation.
const DISTINCT: usize = GRID / 40 * 39;

const DEFAULT_COUNT: usize = 20_000;
const RESOLUTIONS: std::ops::RangeInclusive<usize> = 8..=1024;

/// The most memory sprites may take; larger sets are more likely a slip than a wish.
const MAX_BYTES: u64 = 8 << 30;

/// Draws training and test rows; the whole grid has no test rows.
///
/// # Errors
/// When the resolution is out of range, when more rows are asked for than the grid has, or when they would not fit in 8 GiB.
pub fn generate(options: &SpriteOptions, seed: u64) -> Result<(Dataset, Option<Dataset>)> {
    let resolution = options.resolution;
    if !RESOLUTIONS.contains(&resolution) {
        return Err(Error::invalid(format!(
            "sprites of {resolution}×{resolution} pixels cannot be drawn: choose a resolution from {} to {}",
            RESOLUTIONS.start(),
            RESOLUTIONS.end()
        )));
    }
    if options.full {
        if options.count.is_some() {
            return Err(Error::invalid(
                "the full grid of sprites and a count of random ones exclude each other: ask for one of them",
            ));
        }
        check_memory(GRID, resolution, true)?;
        let grid: Vec<usize> = (0..GRID).collect();
        return Ok((render(&grid, resolution, true)?, None));
    }
    let train = options.count.unwrap_or(DEFAULT_COUNT);
    let test = (train / 10).clamp(1, 2000);
    if train == 0 || train.saturating_add(test) > DISTINCT {
        return Err(Error::invalid(format!(
            "{train} sprites for training and {test} for testing were asked for; there must be at least 1, and there are \
             only {DISTINCT} different ones"
        )));
    }
    check_memory(train + test, resolution, options.binary)?;
    let drawn: Vec<usize> =
        choose(DISTINCT, train + test, seed, *b"sprites\0").into_iter().map(distinct_to_grid).collect();
    let (train, test) = drawn.split_at(train);
    Ok((render(train, resolution, options.binary)?, Some(render(test, resolution, options.binary)?)))
}

/// The grid row of the `i`-th combination when the last orientation is left out.
fn distinct_to_grid(i: usize) -> usize {
    let places = SIZES[3] * SIZES[4];
    let (shape_and_scale, rest) = (i / (39 * places), i % (39 * places));
    shape_and_scale * 40 * places + rest
}

/// The factors of a row of the grid: shape, scale, orientation, x, y; y varies fastest.
fn factors_of(row: usize) -> [u32; 5] {
    let mut left = row;
    let mut factors = [0; 5];
    for (factor, size) in factors.iter_mut().zip(SIZES).rev() {
        *factor = (left % size) as u32;
        left /= size;
    }
    factors
}

fn check_memory(rows: usize, resolution: usize, binary: bool) -> Result<()> {
    let pixels = (resolution * resolution) as u64;
    let bytes = rows as u64 * if binary { pixels.div_ceil(32) * 4 } else { pixels };
    if bytes > MAX_BYTES {
        return Err(Error::invalid(format!(
            "{rows} sprites of {resolution}×{resolution} pixels take {:.1} GiB, more than the {} GiB allowed: ask for \
             fewer, smaller or binary ones",
            bytes as f64 / (1u64 << 30) as f64,
            MAX_BYTES >> 30
        )));
    }
    Ok(())
}

/// Draws rows of the grid, `[rows.len(), resolution, resolution]`.
fn render(rows: &[usize], resolution: usize, binary: bool) -> Result<Dataset> {
    let pixels = resolution * resolution;
    let values = if binary {
        let row_words = pixels.div_ceil(32);
        let mut words = vec![0u32; rows.len() * row_words];
        words.par_chunks_exact_mut(row_words).zip(rows).for_each_init(
            || vec![0u8; pixels],
            |canvas, (out, &row)| {
                canvas.fill(0);
                Sprite::new(factors_of(row)).draw::<1>(resolution, canvas);
                pack_row(canvas, out);
            },
        );
        Values::Bits(words)
    } else {
        let mut bytes = vec![0u8; rows.len() * pixels];
        bytes.par_chunks_exact_mut(pixels).zip(rows).for_each(|(out, &row)| {
            Sprite::new(factors_of(row)).draw::<4>(resolution, out);
            // 0 to 16 of a pixel's 4×4 samples lie inside.
            out.iter_mut().for_each(|pixel| *pixel = (u16::from(*pixel) * 255 / 16) as u8);
        });
        Values::Bytes(bytes)
    };
    let shape = Shape { height: resolution, width: resolution, channels: 1 };
    let mut data = Dataset::new("sprites", values, shape)?;
    let factors: Vec<u32> = rows.iter().flat_map(|&row| factors_of(row)).collect();
    data.labels = Some(Labels {
        values: factors.iter().step_by(SIZES.len()).copied().collect(),
        classes: SHAPES.len(),
        names: SHAPES.map(String::from).into(),
    });
    data.factors = Some(Factors { names: NAMES.map(String::from).into(), sizes: SIZES.into(), values: factors });
    Ok(data)
}

#[cfg(test)]
mod tests;
