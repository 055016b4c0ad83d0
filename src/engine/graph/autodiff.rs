//! Reverse-mode differentiation: a graph in, more of the graph out.

use std::collections::HashMap;

use super::derivatives::of_call;
use super::{NodeId, Op, Tensor};

/// One consumer's part of a tensor's gradient.
#[derive(Clone, Copy)]
enum Part<'g> {
    /// All of the tensor.
    Whole(Tensor<'g>),
    /// A range of one axis.
    Range(Range<'g>),
}

/// The gradient of a range of one axis, from `start`.
#[derive(Clone, Copy)]
struct Range<'g> {
    axis: usize,
    start: usize,
    gradient: Tensor<'g>,
}

impl<'g> Tensor<'g> {
    /// The gradients of the sum of this tensor's elements with respect to each of `wrt`, zero where there is none.
    pub fn gradients(self, wrt: &[Tensor<'g>]) -> Vec<Tensor<'g>> {
        self.gradients_with(wrt, &[])
    }

    /// The same, where the gradient that comes back through a tensor is multiplied by another: pairs of the two. What it is
    /// multiplied by broadcasts, and is not itself differentiated.
    pub fn gradients_with(self, wrt: &[Tensor<'g>], scales: &[(Tensor<'g>, Tensor<'g>)]) -> Vec<Tensor<'g>> {
        let graph = self.graph();
        let needed = depending_on(self, wrt);
        let mut by: HashMap<NodeId, Vec<Tensor>> = HashMap::new();
        scales.iter().for_each(|(at, scale)| by.entry(at.id()).or_default().push(*scale));
        let mut parts: HashMap<NodeId, Vec<Part>> = HashMap::new();
        parts.insert(self.id(), vec![Part::Whole(graph.full(1.0, self.shape()))]);
        let mut done: HashMap<NodeId, Tensor> = HashMap::new();
        for id in (0..=self.id().0).rev().map(NodeId) {
            let Some(found) = parts.remove(&id) else { continue };
            let y = graph.tensor(id);
            let scales = by.get(&id).into_iter().flatten();
            let g = scales.fold(accumulate(y, &found), |g, &scale| g * scale);
            done.insert(id, g);
            for (input, part) in backward(y, g) {
                if needed[input.id().0 as usize] {
                    parts.entry(input.id()).or_default().push(part);
                }
            }
        }
        wrt.iter().map(|t| done.get(&t.id()).copied().unwrap_or_else(|| graph.full(0.0, t.shape()))).collect()
    }
}

/// Which nodes lie between `wrt` and `loss`: only they get gradients.
fn depending_on(loss: Tensor, wrt: &[Tensor]) -> Vec<bool> {
    let graph = loss.graph();
    let mut needed = vec![false; graph.len()];
    for t in wrt {
        needed[t.id().0 as usize] = true;
    }
    for id in 0..=loss.id().0 {
        let node = graph.node(NodeId(id));
        if node.op != Op::Detach && node.inputs.iter().any(|i| needed[i.0 as usize]) {
            needed[id as usize] = true;
        }
    }
    needed
}

/// The gradient of `y` from its consumers' parts. Ranges that tile an axis are joined; nothing is padded then.
fn accumulate<'g>(y: Tensor<'g>, parts: &[Part<'g>]) -> Tensor<'g> {
    let mut whole: Vec<Tensor> = Vec::new();
    let mut ranges: Vec<Range> = Vec::new();
    for part in parts {
        match *part {
            Part::Whole(t) => whole.push(t),
            Part::Range(range) => {
                let same = |r: &&mut Range<'g>| {
                    (r.axis, r.start) == (range.axis, range.start) && r.gradient.shape() == range.gradient.shape()
                };
                match ranges.iter_mut().find(same) {
                    Some(same) => same.gradient = same.gradient + range.gradient,
                    None => ranges.push(range),
                }
            }
        }
    }
    ranges.sort_by_key(|r| (r.axis, r.start));
    match join(y, &ranges) {
        Some(joined) => whole.push(joined),
        None => whole.extend(ranges.into_iter().map(|range| pad(y, range))),
    }
    whole.into_iter().reduce(|a, b| a + b).expect("a tensor with a gradient has a part of it")
}

/// Ranges that tile an axis of `y`, as one tensor.
fn join<'g>(y: Tensor<'g>, ranges: &[Range<'g>]) -> Option<Tensor<'g>> {
    let axis = ranges.first()?.axis;
    let mut end = 0;
    for range in ranges {
        if range.axis != axis || range.start != end {
            return None;
        }
        end += range.gradient.shape()[axis];
    }
    let parts: Vec<Tensor> = ranges.iter().map(|r| r.gradient).collect();
    (end == y.shape()[axis]).then(|| y.graph().concat(&parts, axis))
}

/// A range of `y` with zeros around it.
fn pad<'g>(y: Tensor<'g>, Range { axis, start, gradient }: Range<'g>) -> Tensor<'g> {
    let graph = y.graph();
    let zeros = |len: usize| {
        let mut shape = y.shape().to_vec();
        shape[axis] = len;
        (len > 0).then(|| graph.full(0.0, &shape))
    };
    let after = y.shape()[axis] - start - gradient.shape()[axis];
    let parts: Vec<Tensor> = zeros(start).into_iter().chain([gradient]).chain(zeros(after)).collect();
    graph.concat(&parts, axis)
}

/// What the gradient `g` of `y` gives each of `y`'s arguments.
fn backward<'g>(y: Tensor<'g>, g: Tensor<'g>) -> Vec<(Tensor<'g>, Part<'g>)> {
    let node = y.node();
    let args: Vec<Tensor> = (0..node.inputs.len()).map(|i| y.argument(i)).collect();
    let whole = |t: Tensor<'g>| vec![(args[0], Part::Whole(t))];
    match &node.op {
        Op::Call(func) => {
            let partials = of_call(*func, &args, y, g);
            args.iter().zip(partials).filter_map(|(&i, p)| Some((i, Part::Whole(p?)))).collect()
        }
        &Op::MatMul { transpose_a, transpose_b } => {
            let (a, b) = (args[0], args[1]);
            let of = |t: Tensor<'g>, transposed: bool| if transposed { t.t() } else { t };
            let da = if transpose_a { of(b, transpose_b).matmul(g.t()) } else { g.matmul(of(b, !transpose_b)) };
            let db = if transpose_b { g.t().matmul(of(a, transpose_a)) } else { of(a, !transpose_a).matmul(g) };
            vec![(a, Part::Whole(da)), (b, Part::Whole(db))]
        }
        &Op::Patches(window) => whole(g.fold(window).reshape(args[0].shape())),
        &Op::Fold(window) => whole(g.patches(window).reshape(args[0].shape())),
        Op::Sum(_) => whole(g.expand(args[0].shape())),
        Op::Max(_) => whole(args[0].less(y).select(y.graph().constant(0.0), g)),
        Op::Expand => {
            let shape = args[0].shape();
            let axes: Vec<usize> = (0..shape.len()).filter(|&d| shape[d] != node.shape[d]).collect();
            whole(g.sum(&axes))
        }
        Op::Reshape => whole(g.reshape(args[0].shape())),
        Op::Permute(order) => {
            let mut inverse = vec![0; order.len()];
            for (d, &from) in order.iter().enumerate() {
                inverse[from] = d;
            }
            whole(g.permute(&inverse))
        }
        &Op::Slice { axis, start } => vec![(args[0], Part::Range(Range { axis, start, gradient: g }))],
        &Op::Concat(axis) => {
            let mut start = 0;
            let mut parts = Vec::new();
            for input in args {
                let len = input.shape()[axis];
                parts.push((input, Part::Whole(g.slice(axis, start, len))));
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
        | Op::RowOffset
        | Op::Coordinate(_)
        | Op::Normal(_)
        | Op::Uniform(_) => vec![],
    }
}
