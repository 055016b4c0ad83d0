//! How the element of a tensor follows from a point of an iteration space, and expressions built from that.
//!
//! Views (slices, permutations, broadcasts) are never run: they are composed into the accesses of what reads through
//! them, down to tensors that lie in memory.

use std::collections::HashMap;

use crate::graph::{Graph, NodeId, Op};
use crate::kernels::{Expr, Func, Instr, Reg, View};

/// The index along one dimension of a tensor: that of a dimension of the iteration space (or none), plus an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Dim {
    pub iter: Option<usize>,
    pub offset: usize,
}

/// The index of a tensor's element, dimension by dimension.
pub(super) type Access = Vec<Dim>;

/// A tensor in memory that an expression reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Leaf {
    pub tensor: NodeId,
    pub at: Place,
}

/// Where in that tensor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// By its own dimensions.
    Dims(Access),
    /// By its row-major index, for a tensor that was reshaped.
    Linear(View),
}

/// Row-major strides.
pub(super) fn contiguous(shape: &[usize]) -> Vec<usize> {
    View::contiguous(shape).strides
}

/// The view of a tensor with these strides under an access.
pub(super) fn view(offset: usize, strides: &[usize], access: &Access, rank: usize) -> View {
    let mut out = View { offset, strides: vec![0; rank] };
    for (dim, stride) in access.iter().zip(strides) {
        out.offset += dim.offset * stride;
        if let Some(iter) = dim.iter {
            out.strides[iter] += stride;
        }
    }
    out
}

/// The access of the argument of a view operation, given that of its result; `None` for a reshape that regroups.
pub(super) fn through(graph: &Graph, t: NodeId, access: &Access) -> Option<Access> {
    let node = graph.node(t);
    let from = graph.shape(node.inputs[0]);
    match &node.op {
        Op::Expand => Some(
            access
                .iter()
                .zip(from)
                .map(|(&dim, &size)| if size == 1 { Dim { iter: None, offset: 0 } } else { dim })
                .collect(),
        ),
        Op::Slice { axis, start } => {
            let mut inner = access.clone();
            inner[*axis].offset += start;
            Some(inner)
        }
        Op::Permute(order) => {
            let mut inner = vec![Dim { iter: None, offset: 0 }; from.len()];
            for (d, &axis) in order.iter().enumerate() {
                inner[axis] = access[d];
            }
            Some(inner)
        }
        Op::Reshape => {
            let solid = |shape: &[usize]| shape.iter().copied().filter(|&s| s != 1).collect::<Vec<_>>();
            if solid(from) != solid(&node.shape) {
                return None;
            }
            let mut dims = access.iter().zip(&node.shape).filter(|(_, s)| **s != 1).map(|(d, _)| *d);
            let unit = Dim { iter: None, offset: 0 };
            Some(from.iter().map(|&s| if s == 1 { unit } else { dims.next().unwrap_or(unit) }).collect())
        }
        _ => Some(access.clone()),
    }
}

/// The iteration space of a shape, some of whose axes are summed, and where each of its dimensions is in it: kept ones first, in
/// their order, then those that are summed. Of kept dimensions of size 1 there is no need; but there is one dimension at least.
pub(super) fn iteration(shape: &[usize], axes: &[usize]) -> (Vec<usize>, Access) {
    let mut order: Vec<usize> = (0..shape.len()).filter(|d| !axes.contains(d) && shape[*d] > 1).collect();
    order.extend(axes);
    if order.is_empty() {
        order.push(0);
    }
    let extents = order.iter().map(|&d| shape.get(d).copied().unwrap_or(1)).collect();
    let home = (0..shape.len()).map(|d| Dim { iter: order.iter().position(|&o| o == d), offset: 0 }).collect();
    (extents, home)
}

/// Whether a reshape regroups dimensions, so that its argument must lie contiguously in memory.
pub(super) fn regroups(graph: &Graph, t: NodeId) -> bool {
    let access = vec![Dim { iter: None, offset: 0 }; graph.shape(t).len()];
    graph.node(t).op == Op::Reshape && through(graph, t, &access).is_none()
}

/// Builds the expression of tensors over one iteration space.
pub(super) struct Builder<'a> {
    pub graph: &'a Graph,
    /// Tensors that lie in memory.
    pub stored: &'a [bool],
    /// Tensors that this very expression computes: read at the point itself, they are taken from their register.
    pub own: &'a [NodeId],
    /// The access of a tensor that is read at the point itself.
    pub home: Access,
    /// Dimensions of the iteration space.
    pub rank: usize,
    /// The slot of a scalar.
    pub scalar: &'a dyn Fn(&str) -> usize,
    /// The product whose accumulator the expression may use.
    pub accumulator: Option<NodeId>,
    /// Gives the register of a leaf.
    pub leaf: &'a mut dyn FnMut(&mut Expr, Leaf) -> Reg,
    /// What has been built.
    pub expr: Expr,
    known: HashMap<(NodeId, Access), Reg>,
}

impl<'a> Builder<'a> {
    pub fn new(
        graph: &'a Graph,
        stored: &'a [bool],
        own: &'a [NodeId],
        home: Access,
        rank: usize,
        scalar: &'a dyn Fn(&str) -> usize,
        leaf: &'a mut dyn FnMut(&mut Expr, Leaf) -> Reg,
    ) -> Builder<'a> {
        let (expr, known) = (Expr::default(), HashMap::new());
        Builder { graph, stored, own, home, rank, scalar, accumulator: None, leaf, expr, known }
    }

    /// The register of a tensor at the point itself.
    pub fn at_home(&mut self, t: NodeId) -> Reg {
        let home = self.home.clone();
        self.reg(t, &home)
    }

    fn reg(&mut self, t: NodeId, access: &Access) -> Reg {
        let key = (t, access.clone());
        if let Some(&reg) = self.known.get(&key) {
            return reg;
        }
        let reg = self.build(t, access);
        self.known.insert(key, reg);
        reg
    }

    fn build(&mut self, t: NodeId, access: &Access) -> Reg {
        let node = self.graph.node(t);
        let own = self.own.contains(&t) && *access == self.home;
        if self.accumulator == Some(t) && *access == self.home {
            return self.expr.push(Instr::Acc);
        }
        if self.stored[t.0 as usize] && !own {
            return (self.leaf)(&mut self.expr, Leaf { tensor: t, at: Place::Dims(access.clone()) });
        }
        let element = |rank: usize| view(0, &contiguous(&node.shape), access, rank);
        match &node.op {
            Op::Const(bits) => self.expr.push(Instr::Const(bits.get())),
            Op::Scalar(name) => {
                let slot = (self.scalar)(name);
                self.expr.push(Instr::Scalar(slot))
            }
            Op::Rows => self.expr.push(Instr::Rows),
            Op::RowOffset => self.expr.push(Instr::RowOffset),
            Op::Coordinate(axis) => match access[*axis] {
                Dim { iter: Some(d), offset } => self.expr.push(Instr::Coordinate(d, offset)),
                Dim { iter: None, offset } => self.expr.push(Instr::Const(offset as f32)),
            },
            Op::Normal(stream) => self.expr.push(Instr::Normal(*stream, element(self.rank))),
            Op::Uniform(stream) => self.expr.push(Instr::Uniform(*stream, element(self.rank))),
            Op::Call(func) => {
                let args: Vec<Reg> = node.inputs.iter().map(|&i| self.reg(i, access)).collect();
                // x·x is a square: one register less to read.
                match (func, args.as_slice()) {
                    (Func::Mul, [a, b]) if a == b => self.expr.call(Func::Square, &[*a]),
                    _ => self.expr.call(*func, &args),
                }
            }
            Op::Detach => self.reg(node.inputs[0], access),
            op if op.is_view() => match through(self.graph, t, access) {
                Some(inner) => self.reg(node.inputs[0], &inner),
                None => {
                    let leaf = Leaf { tensor: node.inputs[0], at: Place::Linear(element(self.rank)) };
                    (self.leaf)(&mut self.expr, leaf)
                }
            },
            op => unreachable!("{op:?} lies in memory"),
        }
    }
}
