//! The calls that build a graph, with shape inference and the simplifications that hold for all numbers.

use super::{Bits, Graph, Op, Tensor};
use crate::kernels::{Func, Order};

impl Graph {
    /// A parameter; its name is preceded by the scope, see [`Graph::scoped`].
    pub fn param(&mut self, name: &str, shape: &[usize]) -> Tensor {
        self.push(Op::Param(self.in_scope(name)), vec![], shape.to_vec())
    }

    /// A tensor that the host writes.
    pub fn input(&mut self, name: &str, shape: &[usize]) -> Tensor {
        self.push(Op::Input(name.to_string()), vec![], shape.to_vec())
    }

    /// A batch `[rows, features]` of a resident data set.
    pub fn batch(&mut self, data: &str, rows: usize, features: usize, order: Order, binarise: Option<u32>) -> Tensor {
        self.push(Op::Batch { data: data.to_string(), order, binarise }, vec![], vec![rows, features])
    }

    /// The same number everywhere.
    pub fn full(&mut self, value: f32, shape: &[usize]) -> Tensor {
        self.push(Op::Const(Bits::new(value)), vec![], shape.to_vec())
    }

    /// A constant, which broadcasts to whatever it meets.
    pub fn constant(&mut self, value: f32) -> Tensor {
        self.full(value, &[])
    }

    /// A number that the host gives anew for every step; its name is preceded by the scope.
    pub fn scalar(&mut self, name: &str) -> Tensor {
        self.push(Op::Scalar(self.in_scope(name)), vec![], vec![])
    }

    /// How many rows of the batch are live.
    pub fn rows(&mut self) -> Tensor {
        self.push(Op::Rows, vec![], vec![])
    }

    /// Each element's index along an axis of `shape`.
    pub fn coordinate(&mut self, axis: usize, shape: &[usize]) -> Tensor {
        assert!(axis < shape.len(), "axis {axis} of shape {shape:?}");
        self.push(Op::Coordinate(axis), vec![], shape.to_vec())
    }

    /// The weight of each row in a mean over the live ones: 1/rows, and 0 for padding. `[batch, 1]`.
    pub fn row_weights(&mut self, batch: usize) -> Tensor {
        let (row, rows) = (self.coordinate(0, &[batch, 1]), self.rows());
        let live = self.call(Func::Less, &[row, rows]);
        self.div(live, rows)
    }

    /// Standard normals.
    pub fn normal(&mut self, stream: u32, shape: &[usize]) -> Tensor {
        self.push(Op::Normal(stream), vec![], shape.to_vec())
    }

    /// Uniforms in (0, 1).
    pub fn uniform(&mut self, stream: u32, shape: &[usize]) -> Tensor {
        self.push(Op::Uniform(stream), vec![], shape.to_vec())
    }

    /// A scalar function, broadcasting its arguments.
    pub fn call(&mut self, func: Func, args: &[Tensor]) -> Tensor {
        assert_eq!(args.len(), func.arity(), "{} takes {} arguments", func.name(), func.arity());
        let mut shape = self.shape(args[0]).to_vec();
        for &arg in &args[1..] {
            shape = broadcast(&shape, self.shape(arg));
        }
        let args: Vec<Tensor> = args.iter().map(|&a| self.expand(a, &shape)).collect();
        if let Some(simpler) = self.simplify(func, &args, &shape) {
            return simpler;
        }
        self.push(Op::Call(func), args, shape)
    }

    fn simplify(&mut self, func: Func, args: &[Tensor], shape: &[usize]) -> Option<Tensor> {
        let values: Vec<Option<f32>> = args.iter().map(|&a| self.constant_value(a)).collect();
        if let Some(known) = values.iter().copied().collect::<Option<Vec<f32>>>() {
            let at = |i: usize| known.get(i).copied().unwrap_or(0.0);
            return Some(self.full(func.at(at(0), at(1), at(2)), shape));
        }
        match (func, values.as_slice()) {
            (Func::Mul, [Some(1.0), _]) | (Func::Add, [Some(0.0), _]) => Some(args[1]),
            (Func::Mul | Func::Div, [_, Some(1.0)]) | (Func::Add | Func::Sub, [_, Some(0.0)]) => Some(args[0]),
            (Func::Mul, [Some(-1.0), _]) => Some(self.neg(args[1])),
            (Func::Mul, [_, Some(-1.0)]) => Some(self.neg(args[0])),
            (Func::Neg, _) if self.node(args[0]).op == Op::Call(Func::Neg) => Some(self.node(args[0]).inputs[0]),
            _ => None,
        }
    }

    /// −a.
    pub fn neg(&mut self, a: Tensor) -> Tensor {
        self.call(Func::Neg, &[a])
    }

    /// a + b.
    pub fn add(&mut self, a: Tensor, b: Tensor) -> Tensor {
        self.call(Func::Add, &[a, b])
    }

    /// a − b.
    pub fn sub(&mut self, a: Tensor, b: Tensor) -> Tensor {
        self.call(Func::Sub, &[a, b])
    }

    /// a·b, element by element.
    pub fn mul(&mut self, a: Tensor, b: Tensor) -> Tensor {
        self.call(Func::Mul, &[a, b])
    }

    /// a/b, element by element.
    pub fn div(&mut self, a: Tensor, b: Tensor) -> Tensor {
        self.call(Func::Div, &[a, b])
    }

    /// c·a for a constant c.
    pub fn scale(&mut self, a: Tensor, c: f32) -> Tensor {
        let c = self.constant(c);
        self.mul(a, c)
    }

    /// a limited to [low, high]; the gradient is 0 where the limit holds.
    pub fn clamp(&mut self, a: Tensor, low: f32, high: f32) -> Tensor {
        let (low, high) = (self.constant(low), self.constant(high));
        let a = self.call(Func::Max, &[a, low]);
        self.call(Func::Min, &[a, high])
    }

    /// The product of two matrices, either of them transposed.
    pub fn matmul(&mut self, a: Tensor, b: Tensor, transpose_a: bool, transpose_b: bool) -> Tensor {
        let pair = |shape: &[usize], transposed: bool| match *shape {
            [r, c] if transposed => (c, r),
            [r, c] => (r, c),
            _ => panic!("a matrix product of shape {shape:?}, expected two dimensions"),
        };
        let ((m, k), (k2, n)) = (pair(self.shape(a), transpose_a), pair(self.shape(b), transpose_b));
        assert_eq!(k, k2, "a product of {m}×{k} with {k2}×{n}");
        self.push(Op::MatMul { transpose_a, transpose_b }, vec![a, b], vec![m, n])
    }

    /// The sum over some axes, which stay with size 1.
    pub fn sum(&mut self, a: Tensor, axes: &[usize]) -> Tensor {
        self.reduce(a, axes, Op::Sum)
    }

    /// The largest element over some axes, which stay with size 1. Its gradient goes to every element that is as large.
    pub fn max(&mut self, a: Tensor, axes: &[usize]) -> Tensor {
        self.reduce(a, axes, Op::Max)
    }

    fn reduce(&mut self, a: Tensor, axes: &[usize], op: fn(Vec<usize>) -> Op) -> Tensor {
        let mut shape = self.shape(a).to_vec();
        let axes: Vec<usize> = axes.iter().copied().filter(|&d| shape[d] != 1).collect();
        if axes.is_empty() {
            return a;
        }
        for &d in &axes {
            shape[d] = 1;
        }
        self.push(op(axes), vec![a], shape)
    }

    /// ln Σ eᵃ over some axes, which stay with size 1; the largest element is taken out first, so that nothing overflows.
    pub fn log_sum_exp(&mut self, a: Tensor, axes: &[usize]) -> Tensor {
        let largest = self.max(a, axes);
        let largest = self.detach(largest);
        let shifted = self.sub(a, largest);
        let exp = self.call(Func::Exp, &[shifted]);
        let sum = self.sum(exp, axes);
        let log = self.call(Func::Log, &[sum]);
        self.add(log, largest)
    }

    /// The sum over the last axis of a matrix: `[rows, cols]` to `[rows, 1]`.
    pub fn sum_rows(&mut self, a: Tensor) -> Tensor {
        let last = self.shape(a).len() - 1;
        self.sum(a, &[last])
    }

    /// Axes of size 1 (or missing in front) repeated to `shape`.
    pub fn expand(&mut self, a: Tensor, shape: &[usize]) -> Tensor {
        if self.shape(a) == shape {
            return a;
        }
        let node = self.node(a).clone();
        // What is the same everywhere simply has another shape.
        if matches!(node.op, Op::Const(_) | Op::Scalar(_) | Op::Rows) {
            return self.push(node.op, vec![], shape.to_vec());
        }
        let missing = shape.len() - node.shape.len();
        let mut full = vec![1; missing];
        full.extend(&node.shape);
        assert!(
            full.iter().zip(shape).all(|(&from, &to)| from == to || from == 1),
            "shape {:?} does not broadcast to {shape:?}",
            node.shape
        );
        let a = self.reshape(a, &full);
        if full == shape {
            return a;
        }
        self.push(Op::Expand, vec![a], shape.to_vec())
    }

    /// The same elements in another shape.
    pub fn reshape(&mut self, a: Tensor, shape: &[usize]) -> Tensor {
        if self.shape(a) == shape {
            return a;
        }
        let count = |s: &[usize]| s.iter().product::<usize>();
        assert_eq!(count(self.shape(a)), count(shape), "{:?} as {shape:?}", self.shape(a));
        // Of two reshapes in a row, only the second matters.
        let node = self.node(a);
        if node.op == Op::Reshape {
            let inner = node.inputs[0];
            return self.reshape(inner, shape);
        }
        self.push(Op::Reshape, vec![a], shape.to_vec())
    }

    /// Axes in another order: axis d of the result is axis `order[d]` of `a`.
    pub fn permute(&mut self, a: Tensor, order: &[usize]) -> Tensor {
        let shape = order.iter().map(|&d| self.shape(a)[d]).collect();
        self.push(Op::Permute(order.to_vec()), vec![a], shape)
    }

    /// The range `start..start + len` of an axis.
    pub fn slice(&mut self, a: Tensor, axis: usize, start: usize, len: usize) -> Tensor {
        let mut shape = self.shape(a).to_vec();
        assert!(start + len <= shape[axis], "{start}..{} of axis {axis} of {shape:?}", start + len);
        if len == shape[axis] {
            return a;
        }
        shape[axis] = len;
        self.push(Op::Slice { axis, start }, vec![a], shape)
    }

    /// Tensors joined along an axis.
    pub fn concat(&mut self, parts: &[Tensor], axis: usize) -> Tensor {
        if let [only] = parts {
            return *only;
        }
        let mut shape = self.shape(parts[0]).to_vec();
        shape[axis] = parts.iter().map(|&p| self.shape(p)[axis]).sum();
        self.push(Op::Concat(axis), parts.to_vec(), shape)
    }

    /// The same tensor, through which no gradient flows.
    pub fn detach(&mut self, a: Tensor) -> Tensor {
        let shape = self.shape(a).to_vec();
        self.push(Op::Detach, vec![a], shape)
    }
}

/// The shape two shapes broadcast to: aligned at the end, sizes of 1 stretch.
fn broadcast(a: &[usize], b: &[usize]) -> Vec<usize> {
    let rank = a.len().max(b.len());
    let at = |s: &[usize], d: usize| if d + s.len() < rank { 1 } else { s[d + s.len() - rank] };
    (0..rank)
        .map(|d| match (at(a, d), at(b, d)) {
            (x, y) if x == y => x,
            (1, y) => y,
            (x, 1) => x,
            _ => panic!("shapes {a:?} and {b:?} do not broadcast"),
        })
        .collect()
}
