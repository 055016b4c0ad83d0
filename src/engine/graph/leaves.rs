//! The leaves of a graph: what a step is given, numbers, and draws.

use super::{Bits, Graph, Op, Tensor};
use crate::kernels::{Augmented, Func, Order, RandomStream};

impl Graph {
    /// A tensor that the host writes.
    pub fn input(&self, name: &str, shape: &[usize]) -> Tensor<'_> {
        self.push(Op::Input(name.to_string()), vec![], shape.to_vec())
    }

    /// A batch `[rows, features]` of a resident data set. The rows of the first one are those of the batch that the graph works on.
    pub fn batch(&self, data: &str, rows: usize, features: usize, order: Order, binarise: Option<u32>) -> Tensor<'_> {
        self.batch.set(self.batch.get().or(Some(rows)));
        self.push(Op::Batch { data: data.to_string(), order, augment: None, binarise }, vec![], vec![rows, features])
    }

    /// A batch as [`Graph::batch`] gives it of pictures that are changed on the way.
    pub fn batch_of_changed(
        &self,
        data: &str,
        rows: usize,
        augment: Augmented,
        order: Order,
        binarise: Option<u32>,
    ) -> Tensor<'_> {
        self.batch.set(self.batch.get().or(Some(rows)));
        let op = Op::Batch { data: data.to_string(), order, augment: Some(augment), binarise };
        self.push(op, vec![], vec![rows, augment.features()])
    }

    /// The same number everywhere.
    pub fn full(&self, value: f32, shape: &[usize]) -> Tensor<'_> {
        self.push(Op::Const(Bits::new(value)), vec![], shape.to_vec())
    }

    /// A constant, which broadcasts to whatever it meets.
    pub fn constant(&self, value: f32) -> Tensor<'_> {
        self.full(value, &[])
    }

    /// A number that the host gives anew for every step; its name is preceded by the scope, see [`Graph::scope`].
    pub fn scalar(&self, name: &str) -> Tensor<'_> {
        self.push(Op::Scalar(self.in_scope(name)), vec![], vec![])
    }

    /// How many rows of the batch are live, of all its parts together.
    pub fn rows(&self) -> Tensor<'_> {
        self.push(Op::Rows, vec![], vec![])
    }

    /// The row of the batch at which this part of it begins; 0 where it is not in parts.
    pub fn row_offset(&self) -> Tensor<'_> {
        self.push(Op::RowOffset, vec![], vec![])
    }

    /// Each element's index along an axis of `shape`.
    #[track_caller]
    pub fn coordinate(&self, axis: usize, shape: &[usize]) -> Tensor<'_> {
        assert!(axis < shape.len(), "axis {axis} of shape {shape:?}");
        self.push(Op::Coordinate(axis), vec![], shape.to_vec())
    }

    /// The weight of each row in a mean over the live ones, of all parts of the batch: 1/rows, and 0 for padding. `[batch, 1]`.
    pub fn row_weights(&self, batch: usize) -> Tensor<'_> {
        let row = self.coordinate(0, &[batch, 1]) + self.row_offset();
        row.less(self.rows()) / self.rows()
    }

    /// The weight of each of so many rows in a mean over the live ones `[rows, 1]`, and how many are live. Where they are the batch's,
    /// or several to each of its rows that stand behind each other, those of padding weigh 0; other rows are all live.
    pub fn live(&self, rows: usize) -> (Tensor<'_>, Tensor<'_>) {
        match self.batch.get().filter(|batch| rows.is_multiple_of(*batch)) {
            None => (self.full(1.0 / rows as f32, &[rows, 1]), self.constant(rows as f32)),
            Some(batch) => {
                let each = rows / batch;
                let weights = (self.row_weights(batch) * (1.0 / each as f32)).repeat_rows(each);
                (weights, self.rows() * each as f32)
            }
        }
    }

    /// Does `work` on rows that are not the batch's, however many there are: all of them are live, see [`Graph::live`].
    pub fn beside_batch<T>(&self, work: impl FnOnce() -> T) -> T {
        let batch = self.batch.take();
        let out = work();
        self.batch.set(batch);
        out
    }

    /// Standard normals of a stream. Where the first axis is the batch's rows, or several to each of them that stand behind each other, a
    /// part of a batch draws the numbers of its own rows; not so in a transform of parameters, which all rows have in common.
    pub fn normal(&self, stream: u32, shape: &[usize]) -> Tensor<'_> {
        self.push(Op::Normal(self.drawn(stream, shape)), vec![], shape.to_vec())
    }

    /// Uniforms in (0, 1) of a stream; see [`Graph::normal`].
    pub fn uniform(&self, stream: u32, shape: &[usize]) -> Tensor<'_> {
        self.push(Op::Uniform(self.drawn(stream, shape)), vec![], shape.to_vec())
    }

    /// A stream as a tensor of this shape draws from it.
    fn drawn(&self, number: u32, shape: &[usize]) -> RandomStream {
        let rows = self.batch.get().filter(|_| !self.is_transforming());
        let rows = rows.filter(|rows| shape.first().is_some_and(|first| *first > 0 && first.is_multiple_of(*rows)));
        let per_row = rows.map_or(0, |rows| shape.iter().product::<usize>() / rows);
        RandomStream { number, per_row: per_row as u32 }
    }

    /// A scalar function, broadcasting its arguments.
    #[track_caller]
    pub fn call<'g>(&'g self, func: Func, args: &[Tensor<'g>]) -> Tensor<'g> {
        assert_eq!(args.len(), func.arity(), "{} takes {} arguments", func.name(), func.arity());
        let shape = args[1..].iter().fold(args[0].shape().to_vec(), |shape, arg| broadcast(&shape, arg.shape()));
        let args: Vec<Tensor> = args.iter().map(|a| a.expand(&shape)).collect();
        if let Some(simpler) = self.simplify(func, &args, &shape) {
            return simpler;
        }
        self.push(Op::Call(func), args, shape)
    }

    /// What a call comes to by rules that hold for all numbers, if one applies.
    fn simplify<'g>(&'g self, func: Func, args: &[Tensor<'g>], shape: &[usize]) -> Option<Tensor<'g>> {
        let values: Vec<Option<f32>> = args.iter().map(|a| a.constant_value()).collect();
        if let Some(known) = values.iter().copied().collect::<Option<Vec<f32>>>() {
            let at = |i: usize| known.get(i).copied().unwrap_or(0.0);
            return Some(self.full(func.at(at(0), at(1), at(2)), shape));
        }
        match (func, values.as_slice()) {
            (Func::Mul, [Some(1.0), _]) | (Func::Add, [Some(0.0), _]) => Some(args[1]),
            (Func::Mul | Func::Div, [_, Some(1.0)]) | (Func::Add | Func::Sub, [_, Some(0.0)]) => Some(args[0]),
            (Func::Mul, [Some(-1.0), _]) => Some(-args[1]),
            (Func::Mul, [_, Some(-1.0)]) => Some(-args[0]),
            (Func::Neg, _) if args[0].node().op == Op::Call(Func::Neg) => Some(args[0].argument(0)),
            _ => None,
        }
    }

    /// Tensors joined along an axis.
    #[track_caller]
    pub fn concat<'g>(&'g self, parts: &[Tensor<'g>], axis: usize) -> Tensor<'g> {
        if let [only] = parts {
            return *only;
        }
        let mut shape = parts[0].shape().to_vec();
        shape[axis] = parts.iter().map(|p| p.shape()[axis]).sum();
        self.push(Op::Concat(axis), parts.to_vec(), shape)
    }
}

/// The shape two shapes broadcast to: aligned at the end, sizes of 1 stretch.
#[track_caller]
fn broadcast(a: &[usize], b: &[usize]) -> Vec<usize> {
    let rank = a.len().max(b.len());
    let at = |s: &[usize], d: usize| if d + s.len() < rank { 1 } else { s[d + s.len() - rank] };
    let mut out = Vec::with_capacity(rank);
    for d in 0..rank {
        out.push(match (at(a, d), at(b, d)) {
            (x, y) if x == y => x,
            (1, y) => y,
            (x, 1) => x,
            _ => panic!("shapes {a:?} and {b:?} do not broadcast"),
        });
    }
    out
}
