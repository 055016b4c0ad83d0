//! Rows in memory, as a model is given them.

/// Rows: their values, and what is known of each besides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Given<'a> {
    /// The values `[rows, width]`; NaN for one that was not observed.
    pub x: &'a [f32],
    /// What is known of each `[rows, condition]`; empty where a model is not given anything.
    pub y: &'a [f32],
}

impl<'a> From<&'a [f32]> for Given<'a> {
    fn from(x: &'a [f32]) -> Given<'a> {
        Given { x, y: &[] }
    }
}

impl<'a, const N: usize> From<&'a [f32; N]> for Given<'a> {
    fn from(x: &'a [f32; N]) -> Given<'a> {
        Given { x, y: &[] }
    }
}

impl<'a> From<&'a Vec<f32>> for Given<'a> {
    fn from(x: &'a Vec<f32>) -> Given<'a> {
        Given { x, y: &[] }
    }
}
