//! Reverse-mode differentiation: a graph in, more of the graph out.

use std::collections::HashMap;

use super::derivatives::of_call;
use super::{Graph, NodeId, Op, Tensor};
use crate::kernels::Func;

/// One consumer's part of a tensor's gradient.
#[derive(Clone, Copy)]
enum Part {
    /// All of the tensor.
    Whole(Tensor),
    /// A range of one axis: from (axis, start).
    Range(usize, usize, Tensor),
}

impl Graph {
    /// The gradients of the sum of `loss`'s elements with respect to each of `wrt`, zero where there is none.
    pub fn gradients(&mut self, loss: Tensor, wrt: &[Tensor]) -> Vec<Tensor> {
        self.reweighed_gradients(loss, wrt, &[])
    }

    /// The same, where the gradient that comes back through a tensor is multiplied by another: pairs of the two. What it is
    /// multiplied by broadcasts, and is not itself differentiated.
    pub fn reweighed_gradients(&mut self, loss: Tensor, wrt: &[Tensor], weights: &[(Tensor, Tensor)]) -> Vec<Tensor> {
        let needed = self.depending_on(loss, wrt);
        let mut parts: HashMap<Tensor, Vec<Part>> = HashMap::new();
        let shape = self.shape(loss).to_vec();
        let one = self.full(1.0, &shape);
        parts.insert(loss, vec![Part::Whole(one)]);
        let mut done: HashMap<Tensor, Tensor> = HashMap::new();
        for id in (0..=loss.0).rev() {
            let y = NodeId(id);
            let Some(found) = parts.remove(&y) else { continue };
            let mut g = self.accumulate(y, &found);
            for &(_, by) in weights.iter().filter(|(at, _)| *at == y) {
                g = self.mul(g, by);
            }
            done.insert(y, g);
            for (input, part) in self.backward(y, g) {
                if needed[input.0 as usize] {
                    parts.entry(input).or_default().push(part);
                }
            }
        }
        wrt.iter()
            .map(|&t| match done.get(&t) {
                Some(&g) => g,
                None => {
                    let shape = self.shape(t).to_vec();
                    self.full(0.0, &shape)
                }
            })
            .collect()
    }

    /// Which tensors lie between `wrt` and `loss`: only they get gradients.
    fn depending_on(&self, loss: Tensor, wrt: &[Tensor]) -> Vec<bool> {
        let mut needed = vec![false; self.len()];
        for t in wrt {
            needed[t.0 as usize] = true;
        }
        for id in 0..=loss.0 as usize {
            let node = &self.nodes[id];
            if node.op != Op::Detach && node.inputs.iter().any(|i| needed[i.0 as usize]) {
                needed[id] = true;
            }
        }
        needed
    }

    /// The gradient of `y` from its consumers' parts. Ranges that tile an axis are joined; nothing is padded then.
    fn accumulate(&mut self, y: Tensor, parts: &[Part]) -> Tensor {
        let mut whole: Vec<Tensor> = Vec::new();
        let mut ranges: Vec<(usize, usize, Tensor)> = Vec::new();
        for part in parts {
            match *part {
                Part::Whole(t) => whole.push(t),
                Part::Range(axis, start, t) => {
                    match ranges.iter_mut().find(|r| (r.0, r.1) == (axis, start) && self.shape(r.2) == self.shape(t)) {
                        Some(same) => same.2 = self.add(same.2, t),
                        None => ranges.push((axis, start, t)),
                    }
                }
            }
        }
        ranges.sort_by_key(|r| (r.0, r.1));
        if let Some(joined) = self.join(y, &ranges) {
            whole.push(joined);
        } else {
            for range in ranges {
                let padded = self.pad(y, range);
                whole.push(padded);
            }
        }
        whole.into_iter().reduce(|a, b| self.add(a, b)).expect("a tensor with a gradient has a part of it")
    }

    fn join(&mut self, y: Tensor, ranges: &[(usize, usize, Tensor)]) -> Option<Tensor> {
        let axis = ranges.first()?.0;
        let mut end = 0;
        for &(a, start, t) in ranges {
            if a != axis || start != end {
                return None;
            }
            end += self.shape(t)[axis];
        }
        let parts: Vec<Tensor> = ranges.iter().map(|r| r.2).collect();
        (end == self.shape(y)[axis]).then(|| self.concat(&parts, axis))
    }

    fn pad(&mut self, y: Tensor, (axis, start, t): (usize, usize, Tensor)) -> Tensor {
        let shape = self.shape(y).to_vec();
        let (len, mut parts) = (self.shape(t)[axis], Vec::new());
        let zeros = |graph: &mut Graph, len: usize| {
            let mut shape = shape.clone();
            shape[axis] = len;
            graph.full(0.0, &shape)
        };
        if start > 0 {
            parts.push(zeros(self, start));
        }
        parts.push(t);
        let after = shape[axis] - start - len;
        if after > 0 {
            parts.push(zeros(self, after));
        }
        self.concat(&parts, axis)
    }

    /// What the gradient `g` of `y` gives each of `y`'s inputs.
    fn backward(&mut self, y: Tensor, g: Tensor) -> Vec<(Tensor, Part)> {
        let node = self.node(y).clone();
        let input_shape = |graph: &Graph| graph.shape(node.inputs[0]).to_vec();
        let whole = |t: Tensor| vec![(node.inputs[0], Part::Whole(t))];
        match node.op {
            Op::Call(func) => {
                let partials = of_call(self, func, &node.inputs, y, g);
                node.inputs.iter().zip(partials).filter_map(|(&i, p)| Some((i, Part::Whole(p?)))).collect()
            }
            Op::MatMul { transpose_a, transpose_b } => {
                let (a, b) = (node.inputs[0], node.inputs[1]);
                let da = if transpose_a {
                    self.matmul(b, g, transpose_b, true)
                } else {
                    self.matmul(g, b, false, !transpose_b)
                };
                let db = if transpose_b {
                    self.matmul(g, a, true, transpose_a)
                } else {
                    self.matmul(a, g, !transpose_a, false)
                };
                vec![(a, Part::Whole(da)), (b, Part::Whole(db))]
            }
            Op::Sum(_) => {
                let shape = input_shape(self);
                whole(self.expand(g, &shape))
            }
            Op::Max(_) => {
                let below = self.call(Func::Less, &[node.inputs[0], y]);
                let zero = self.constant(0.0);
                whole(self.call(Func::Select, &[below, zero, g]))
            }
            Op::Expand => {
                let shape = input_shape(self);
                let axes: Vec<usize> = (0..shape.len()).filter(|&d| shape[d] != node.shape[d]).collect();
                whole(self.sum(g, &axes))
            }
            Op::Reshape => {
                let shape = input_shape(self);
                whole(self.reshape(g, &shape))
            }
            Op::Permute(order) => {
                let mut inverse = vec![0; order.len()];
                for (d, &from) in order.iter().enumerate() {
                    inverse[from] = d;
                }
                whole(self.permute(g, &inverse))
            }
            Op::Slice { axis, start } => vec![(node.inputs[0], Part::Range(axis, start, g))],
            Op::Concat(axis) => {
                let mut start = 0;
                let mut parts = Vec::new();
                for &input in &node.inputs {
                    let len = self.shape(input)[axis];
                    parts.push((input, Part::Whole(self.slice(g, axis, start, len))));
                    start += len;
                }
                parts
            }
            Op::Detach
            | Op::Param(_)
            | Op::Input(_)
            | Op::Batch { .. }
            | Op::Const(_)
            | Op::Scalar(_)
            | Op::Rows
            | Op::Coordinate(_)
            | Op::Normal(_)
            | Op::Uniform(_) => vec![],
        }
    }
}
