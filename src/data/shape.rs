//! How the values of a row lie.

use serde::{Deserialize, Serialize};

/// The shape of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    /// Rows of pixels; 1 for vectors.
    pub height: usize,
    /// Pixels in a row; the length, for vectors.
    pub width: usize,
    /// Values per pixel: 1 for grey, 3 for colour.
    pub channels: usize,
}

impl Shape {
    /// Rows that are no pictures: `features` values each.
    pub fn vector(features: usize) -> Self {
        Self { height: 1, width: features, channels: 1 }
    }

    /// Whether rows are pictures.
    pub fn is_picture(&self) -> bool {
        self.height > 1 || self.channels > 1
    }

    /// The sides of an array of rows, without the axis of rows: those of a picture, or the width of a vector.
    pub fn sides(&self) -> Vec<usize> {
        let mut sides = vec![self.width];
        if self.is_picture() {
            sides.insert(0, self.height);
            sides.extend((self.channels > 1).then_some(self.channels));
        }
        sides
    }

    /// Values per row: height × width × channels.
    pub fn features(&self) -> usize {
        self.height.saturating_mul(self.width).saturating_mul(self.channels)
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.height, self.channels) {
            (1, 1) => write!(f, "{}", self.width),
            (_, 1) => write!(f, "{}×{}", self.height, self.width),
            _ => write!(f, "{}×{}×{}", self.height, self.width, self.channels),
        }
    }
}
