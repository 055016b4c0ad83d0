//! What the axes of an array are.

use std::path::Path;

use super::super::origin::Origin;
use super::super::shape::Shape;
use super::numbers::{channels_last, last_axis_fastest};
use crate::error::{Error, Result};

/// What the axes of an array are.
pub(in super::super) struct Axes {
    /// Their lengths.
    pub(super) sizes: Vec<usize>,
    /// The shape of a row.
    pub(in super::super) shape: Shape,
    /// Whether the channels come before height and width, as some programs have them.
    pub(super) is_channels_first: bool,
}

impl Axes {
    pub(in super::super) fn new(path: &Path, sizes: &[usize]) -> Result<Axes> {
        // Pictures have few channels, and are wider than that.
        let is_channels_first = matches!(sizes[..], [_, 1 | 3, height, width] if height.min(width) > 4);
        let (rows, shape) = match sizes[..] {
            [rows, width] => (rows, Shape::vector(width)),
            [rows, height, width] => (rows, Shape { height, width, channels: 1 }),
            [rows, channels, height, width] if is_channels_first => (rows, Shape { height, width, channels }),
            [rows, height, width, channels] => (rows, Shape { height, width, channels }),
            _ => {
                return Err(Error::malformed(
                    path,
                    format!(
                        "the array has the shape {sizes:?}: expected [rows, width], [rows, height, width] or [rows, height, \
                         width, channels]"
                    ),
                ));
            }
        };
        let features = [shape.height, shape.width, shape.channels].into_iter().try_fold(1usize, usize::checked_mul);
        match features {
            Some(1..=16_777_216) if rows > 0 => Ok(Axes { sizes: sizes.to_vec(), shape, is_channels_first }),
            _ => Err(Error::malformed(
                path,
                format!("the array has the shape {sizes:?}, which holds no rows that could be learnt from"),
            )),
        }
    }

    /// Says what was taken for channels.
    pub(super) fn tell(&self, origin: &mut Origin) {
        if self.is_channels_first {
            let said = "the second axis of the array was taken for channels, as PyTorch has them; where it is none, give it the \
                        shape [rows, width]";
            origin.guesses.push(said.to_owned());
        }
    }

    /// The values row by row, `[height, width, channels]` each; `ordered` where the last axis varies fastest already.
    pub(in super::super) fn in_order<T: Copy>(&self, values: Vec<T>, ordered: bool) -> Vec<T> {
        let values = if ordered { values } else { last_axis_fastest(&values, &self.sizes) };
        match self.shape {
            Shape { height, width, channels } if self.is_channels_first => {
                channels_last(&values, channels, height * width)
            }
            _ => values,
        }
    }
}
