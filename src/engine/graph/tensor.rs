//! Tensors: handles of a graph's nodes, and the operations that change their shape, sum them up or multiply matrices.

use std::fmt;

use super::{Graph, Node, NodeId, Op};

/// A tensor of a graph: the result of one operation.
#[derive(Clone, Copy)]
pub struct Tensor<'g> {
    graph: &'g Graph,
    id: NodeId,
}

impl<'g> Tensor<'g> {
    pub(super) fn new(graph: &'g Graph, id: NodeId) -> Tensor<'g> {
        Tensor { graph, id }
    }

    /// The graph it belongs to.
    pub fn graph(self) -> &'g Graph {
        self.graph
    }

    /// The number of its node.
    pub fn id(self) -> NodeId {
        self.id
    }

    /// Its node.
    pub fn node(self) -> &'g Node {
        self.graph.node(self.id)
    }

    /// Its shape.
    pub fn shape(self) -> &'g [usize] {
        &self.node().shape
    }

    /// Its shape, which has so many dimensions.
    ///
    /// # Panics
    /// If it has more or fewer.
    #[track_caller]
    pub fn dims<const N: usize>(self) -> [usize; N] {
        let shape = self.shape();
        shape
            .try_into()
            .unwrap_or_else(|_| panic!("a tensor of {N} dimensions was expected, and its shape is {shape:?}"))
    }

    /// The size of its last dimension.
    pub fn width(self) -> usize {
        self.shape()[self.shape().len() - 1]
    }

    /// The tensor that its operation takes as argument `i`.
    pub fn argument(self, i: usize) -> Tensor<'g> {
        self.graph.tensor(self.node().inputs[i])
    }

    /// Its value, if it is the same constant everywhere.
    pub fn constant_value(self) -> Option<f32> {
        match self.node().op {
            Op::Const(bits) => Some(bits.get()),
            _ => None,
        }
    }

    /// The matrix product A·B. A transposed operand ([`Tensor::t`]) is read as it lies.
    #[track_caller]
    pub fn matmul(self, b: Tensor<'g>) -> Tensor<'g> {
        let plain = |t: Tensor<'g>| match &t.node().op {
            Op::Permute(order) if order[..] == [1, 0] => (t.argument(0), true),
            _ => (t, false),
        };
        let ([m, k], [k2, n]) = (self.dims(), b.dims());
        assert_eq!(k, k2, "a product of {m}×{k} with {k2}×{n}");
        let ((a, transpose_a), (b, transpose_b)) = (plain(self), plain(b));
        self.graph.push(Op::MatMul { transpose_a, transpose_b }, vec![a, b], vec![m, n])
    }

    /// The transpose of a matrix.
    #[track_caller]
    pub fn t(self) -> Tensor<'g> {
        let [_, _] = self.dims();
        self.permute(&[1, 0])
    }

    /// The sum over some axes, which stay with size 1.
    #[track_caller]
    pub fn sum(self, axes: &[usize]) -> Tensor<'g> {
        self.reduce(axes, Op::Sum)
    }

    /// The sum over the last axis, which stays with size 1: `[rows, cols]` to `[rows, 1]`.
    pub fn sum_rows(self) -> Tensor<'g> {
        self.sum(&[self.shape().len() - 1])
    }

    /// The mean over some axes, which stay with size 1.
    #[track_caller]
    pub fn mean(self, axes: &[usize]) -> Tensor<'g> {
        let count: usize = axes.iter().map(|&d| self.shape()[d]).product();
        self.sum(axes) * (1.0 / count as f32)
    }

    /// The largest element over some axes, which stay with size 1. Its gradient goes to every element that is as large.
    #[track_caller]
    pub fn max(self, axes: &[usize]) -> Tensor<'g> {
        self.reduce(axes, Op::Max)
    }

    #[track_caller]
    fn reduce(self, axes: &[usize], op: fn(Vec<usize>) -> Op) -> Tensor<'g> {
        let mut shape = self.shape().to_vec();
        let axes: Vec<usize> = axes.iter().copied().filter(|&d| shape[d] != 1).collect();
        if axes.is_empty() {
            return self;
        }
        for &d in &axes {
            shape[d] = 1;
        }
        self.graph.push(op(axes), vec![self], shape)
    }

    /// ln Σ eᵃ over some axes, which stay with size 1; the largest element is taken out first, so that nothing overflows.
    #[track_caller]
    pub fn log_sum_exp(self, axes: &[usize]) -> Tensor<'g> {
        let largest = self.max(axes).detach();
        (self - largest).exp().sum(axes).ln() + largest
    }

    /// Axes of size 1 (or missing in front) repeated to `shape`.
    #[track_caller]
    pub fn expand(self, shape: &[usize]) -> Tensor<'g> {
        if self.shape() == shape {
            return self;
        }
        let (node, graph) = (self.node(), self.graph);
        // What is the same everywhere simply has another shape.
        if matches!(node.op, Op::Const(_) | Op::Scalar(_) | Op::Rows | Op::RowOffset) {
            return graph.push(node.op.clone(), vec![], shape.to_vec());
        }
        let broadcasts = shape.len() >= node.shape.len();
        let mut full = vec![1; shape.len().saturating_sub(node.shape.len())];
        full.extend(&node.shape);
        let fits = full.iter().zip(shape).all(|(&from, &to)| from == to || from == 1);
        assert!(broadcasts && fits, "shape {:?} does not broadcast to {shape:?}", node.shape);
        let a = self.reshape(&full);
        if full == shape {
            return a;
        }
        graph.push(Op::Expand, vec![a], shape.to_vec())
    }

    /// Every row so many times behind each other: `[rows, n]` to `[rows·times, n]`.
    #[track_caller]
    pub fn repeat_rows(self, times: usize) -> Tensor<'g> {
        let [rows, n] = self.dims();
        self.reshape(&[rows, 1, n]).expand(&[rows, times, n]).reshape(&[rows * times, n])
    }

    /// The same elements in another shape.
    #[track_caller]
    pub fn reshape(self, shape: &[usize]) -> Tensor<'g> {
        if self.shape() == shape {
            return self;
        }
        let count = |s: &[usize]| s.iter().product::<usize>();
        assert_eq!(count(self.shape()), count(shape), "{:?} as {shape:?}", self.shape());
        // Of two reshapes in a row, only the second matters.
        if self.node().op == Op::Reshape {
            return self.argument(0).reshape(shape);
        }
        self.graph.push(Op::Reshape, vec![self], shape.to_vec())
    }

    /// Axes in another order: axis d of the result is axis `order[d]` of this.
    #[track_caller]
    pub fn permute(self, order: &[usize]) -> Tensor<'g> {
        let shape = order.iter().map(|&d| self.shape()[d]).collect();
        self.graph.push(Op::Permute(order.to_vec()), vec![self], shape)
    }

    /// The range `start..start + len` of an axis.
    #[track_caller]
    pub fn slice(self, axis: usize, start: usize, len: usize) -> Tensor<'g> {
        let mut shape = self.shape().to_vec();
        assert!(start + len <= shape[axis], "{start}..{} of axis {axis} of {shape:?}", start + len);
        if len == shape[axis] {
            return self;
        }
        shape[axis] = len;
        self.graph.push(Op::Slice { axis, start }, vec![self], shape)
    }

    /// The last axis in so many equal parts.
    #[track_caller]
    pub fn split<const N: usize>(self) -> [Tensor<'g>; N] {
        let (axis, width) = (self.shape().len() - 1, self.width() / N);
        std::array::from_fn(|i| self.slice(axis, i * width, width))
    }

    /// The same tensor, through which no gradient flows.
    pub fn detach(self) -> Tensor<'g> {
        self.graph.push(Op::Detach, vec![self], self.shape().to_vec())
    }
}

/// Tensors are equal if they are one.
impl PartialEq for Tensor<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.graph, other.graph) && self.id == other.id
    }
}

impl Eq for Tensor<'_> {}

impl fmt::Debug for Tensor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Tensor({}, {:?})", self.id.0, self.shape())
    }
}
