//! The operations of a graph and the tensors between them.

use crate::kernels::{Augmented, Func, Order, RandomStream, Window};

/// Sizes of a tensor's dimensions, outermost first; row-major. The empty shape is a scalar.
pub type Shape = Vec<usize>;

/// The number of a node in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(crate) u32);

/// An f32 that is compared and hashed by its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bits(u32);

impl Bits {
    /// Wraps a number.
    pub fn new(value: f32) -> Bits {
        Bits(value.to_bits())
    }

    /// The number.
    pub fn get(self) -> f32 {
        f32::from_bits(self.0)
    }
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// A parameter, by name.
    Param(String),
    /// A tensor that the host writes, by name; or, by a name that begins with `output.`, what another program has written there.
    Input(String),
    /// A batch of a resident data set, by name: `[rows, features]`, decoded to f32.
    Batch {
        /// Which data set.
        data: String,
        /// In which order an epoch visits its rows.
        order: Order,
        /// How pictures are changed, if they are.
        augment: Option<Augmented>,
        /// The stream that binarises grey values, if they are to be binarised.
        binarise: Option<u32>,
    },
    /// The same number everywhere.
    Const(Bits),
    /// A number that the host gives anew for every step, by name.
    Scalar(String),
    /// How many rows of the batch are live.
    Rows,
    /// The row of the batch at which this part of it begins.
    RowOffset,
    /// Each element's index along an axis.
    Coordinate(usize),
    /// Standard normals of a stream.
    Normal(RandomStream),
    /// Uniforms in (0, 1) of a stream.
    Uniform(RandomStream),
    /// A scalar function of tensors of one shape.
    Call(Func),
    /// The product of two matrices, either of them transposed.
    MatMul {
        /// Whether the first is transposed.
        transpose_a: bool,
        /// Whether the second is transposed.
        transpose_b: bool,
    },
    /// What a kernel sees at each place of pictures, `[pictures·places, kh·kw·C]`.
    Patches(Window),
    /// Patches added to the pixels that they are of, `[pictures·h·w, C]`: the adjoint of taking them.
    Fold(Window),
    /// The sum over some axes, which stay with size 1.
    Sum(Vec<usize>),
    /// The largest element over some axes, which stay with size 1.
    Max(Vec<usize>),
    /// Axes of size 1 repeated to the tensor's shape.
    Expand,
    /// The same elements in another shape.
    Reshape,
    /// Axes in another order: axis d of the result is axis `[d]` of the argument.
    Permute(Vec<usize>),
    /// A range of one axis.
    Slice {
        /// The axis.
        axis: usize,
        /// The first index kept.
        start: usize,
    },
    /// Tensors joined along an axis.
    Concat(usize),
    /// The same tensor, through which no gradient flows.
    Detach,
}

impl Op {
    /// Whether each element depends on the arguments' elements at the same index alone.
    pub fn is_elementwise(&self) -> bool {
        matches!(
            self,
            Op::Const(_)
                | Op::Scalar(_)
                | Op::Rows
                | Op::RowOffset
                | Op::Coordinate(_)
                | Op::Normal(_)
                | Op::Uniform(_)
                | Op::Call(_)
                | Op::Detach
        )
    }

    /// Whether the operation only looks at its argument differently.
    pub fn is_view(&self) -> bool {
        matches!(self, Op::Expand | Op::Reshape | Op::Permute(_) | Op::Slice { .. })
    }
}

/// An operation in its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// What is done.
    pub op: Op,
    /// To what.
    pub inputs: Vec<NodeId>,
    /// The shape of the result.
    pub shape: Shape,
}
