//! An operand of a matrix product.

/// One operand: where element (0, 0) lies, the words between rows as stored, and whether it is used transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operand {
    /// Words before the first element.
    pub offset: usize,
    /// Words from one stored row to the next.
    pub stride: usize,
    /// Whether stored rows are the operand's columns.
    pub transposed: bool,
}

impl Operand {
    /// Strides of (row, column) of the operand as it is used.
    pub(in crate::engine::kernels) fn strides(&self) -> (usize, usize) {
        if self.transposed { (1, self.stride) } else { (self.stride, 1) }
    }
}
