//! Rows in memory, as a model is given them.

/// Rows: their values, and what is known of each besides.
///
/// It is made of flat values, `&[f32]`, `&[f32; N]` or `&Vec<f32>`, or of rows of a fixed width, `&[[f32; W]]`, `&[[f32; W]; N]` or
/// `&Vec<[f32; W]>`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Given<'a> {
    /// The values `[rows, width]`; NaN for one that was not observed.
    pub x: &'a [f32],
    /// What is known of each `[rows, condition]`; empty where a model is not given anything.
    pub y: &'a [f32],
    /// The width of a row, where their type says it.
    pub width: Option<usize>,
    /// What an encoder is shown in place of values that were not observed `[rows, width]`; 0, where there is nothing.
    pub guess: Option<&'a [f32]>,
}

impl<'a> Given<'a> {
    /// Values `[rows, width]`, and what is known of each row `[rows, condition]`.
    pub fn new(x: &'a [f32], y: &'a [f32]) -> Given<'a> {
        Given { x, y, width: None, guess: None }
    }
}

impl<'a> From<&'a [f32]> for Given<'a> {
    fn from(x: &'a [f32]) -> Given<'a> {
        Given::new(x, &[])
    }
}

impl<'a, const N: usize> From<&'a [f32; N]> for Given<'a> {
    fn from(x: &'a [f32; N]) -> Given<'a> {
        Given::new(x, &[])
    }
}

impl<'a> From<&'a Vec<f32>> for Given<'a> {
    fn from(x: &'a Vec<f32>) -> Given<'a> {
        Given::new(x, &[])
    }
}

impl<'a, const W: usize> From<&'a [[f32; W]]> for Given<'a> {
    fn from(rows: &'a [[f32; W]]) -> Given<'a> {
        Given { width: Some(W), ..Given::new(rows.as_flattened(), &[]) }
    }
}

impl<'a, const W: usize, const N: usize> From<&'a [[f32; W]; N]> for Given<'a> {
    fn from(rows: &'a [[f32; W]; N]) -> Given<'a> {
        rows.as_slice().into()
    }
}

impl<'a, const W: usize> From<&'a Vec<[f32; W]>> for Given<'a> {
    fn from(rows: &'a Vec<[f32; W]>) -> Given<'a> {
        rows.as_slice().into()
    }
}
