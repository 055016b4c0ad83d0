//! How tensors are spread over the parts of a batch, by what makes them.

use std::cell::RefCell;
use std::collections::HashMap;

use super::versions::Version;
use crate::graph::{Graph, Node, NodeId, Op};
use crate::kernels::{Func, Order};

/// What the parts have of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    /// Each has all of it.
    Same,
    /// Each has its own rows, along this axis: as many numbers for each row of the batch, those of one row behind each other.
    Rows(usize),
    /// Each has a summand.
    Summands,
}

impl Spread {
    /// The axis along which rows lie.
    pub fn rows(self) -> Option<usize> {
        if let Spread::Rows(axis) = self { Some(axis) } else { None }
    }
}

/// How a tensor is made in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub spread: Spread,
    /// What its operation takes of each argument.
    pub takes: Vec<Version>,
}

/// How all tensors of a graph are spread.
pub(super) struct Spreads<'g> {
    pub graph: &'g Graph,
    /// Rows of the batch.
    pub rows: usize,
    ways: Vec<Way>,
    /// The link in which each version of a tensor is there, as far as that was asked for.
    pub(super) links: RefCell<HashMap<(NodeId, Version), usize>>,
}

impl<'g> Spreads<'g> {
    pub fn of(graph: &'g Graph, rows: usize) -> Spreads<'g> {
        let mut spreads = Spreads { graph, rows, ways: Vec::with_capacity(graph.len()), links: RefCell::default() };
        for id in graph.ids() {
            let way = spreads.find(graph.node(id));
            spreads.ways.push(way);
            // What it needs is known by now, so that nothing is looked for far down.
            spreads.link_of(id, Version::Own);
        }
        spreads
    }

    pub fn way(&self, id: NodeId) -> &Way {
        &self.ways[id.0 as usize]
    }

    pub fn spread(&self, id: NodeId) -> Spread {
        self.way(id).spread
    }

    fn find(&self, node: &Node) -> Way {
        use Spread::{Rows, Same, Summands};
        let of: Vec<Spread> = node.inputs.iter().map(|&input| self.spread(input)).collect();
        let own = |spread| Way { spread, takes: vec![Version::Own; of.len()] };
        let whole = || Way { spread: Same, takes: vec![Version::Whole; of.len()] };
        match &node.op {
            Op::Param(_)
            | Op::Input(_)
            | Op::Const(_)
            | Op::Scalar(_)
            | Op::Rows
            | Op::RowOffset
            | Op::Coordinate(_) => own(Same),
            Op::Batch { order: Order::InTurn, .. } => own(Same),
            Op::Batch { .. } => own(Rows(0)),
            Op::Normal(stream) | Op::Uniform(stream) => own(if stream.per_row > 0 { Rows(0) } else { Same }),
            Op::Call(func) => self.call(*func, node, &of),
            Op::MatMul { transpose_a, transpose_b } => product([*transpose_a, *transpose_b], [of[0], of[1]]),
            Op::Patches(_) | Op::Fold(_) => match of[0] {
                Rows(axis) if axis > 0 => whole(),
                spread => own(spread),
            },
            Op::Sum(axes) => match of[0] {
                Rows(axis) if axes.contains(&axis) => own(Summands),
                spread => own(spread),
            },
            Op::Max(axes) => match of[0] {
                Rows(axis) if !axes.contains(&axis) => own(of[0]),
                _ => whole(),
            },
            Op::Expand | Op::Detach => own(of[0]),
            Op::Reshape => match of[0] {
                Rows(axis) => {
                    let moved = self.moved(axis, self.graph.shape(node.inputs[0]), &node.shape);
                    moved.map_or_else(whole, |axis| own(Rows(axis)))
                }
                spread => own(spread),
            },
            Op::Permute(order) => match of[0] {
                Rows(axis) => own(Rows(order.iter().position(|from| *from == axis).unwrap_or(axis))),
                spread => own(spread),
            },
            Op::Slice { axis, .. } => {
                if of[0] == Rows(*axis) {
                    whole()
                } else {
                    own(of[0])
                }
            }
            Op::Concat(axis) => match first_axis(&of) {
                Some(rows) if rows != *axis => in_rows(rows, &of),
                None if self.are_summands(node, &of) => own(Summands),
                None if of.iter().all(|spread| *spread == Same) => own(Same),
                _ => whole(),
            },
        }
    }

    /// A scalar function.
    fn call(&self, func: Func, node: &Node, of: &[Spread]) -> Way {
        use Spread::{Same, Summands};
        if let Some(axis) = first_axis(of) {
            return in_rows(axis, of);
        }
        let is_linear = match func {
            Func::Neg => of[0] == Summands,
            Func::Add | Func::Sub => self.are_summands(node, of),
            Func::Mul => of.iter().filter(|spread| **spread == Summands).count() == 1,
            Func::Div => of == [Summands, Same],
            _ => false,
        };
        let is_same = of.iter().all(|spread| *spread == Same);
        let version = if is_linear || is_same { Version::Own } else { Version::Whole };
        Way { spread: if is_linear { Summands } else { Same }, takes: vec![version; of.len()] }
    }

    /// Whether these are summands, or zeros, and not all of them zeros.
    fn are_summands(&self, node: &Node, of: &[Spread]) -> bool {
        let is_zero = |id: NodeId| self.graph.tensor(id).constant_value() == Some(0.0);
        let all = node.inputs.iter().zip(of).all(|(&id, spread)| *spread == Spread::Summands || is_zero(id));
        all && of.contains(&Spread::Summands)
    }

    /// The axis of a tensor in another shape along which rows lie that lay along `axis`.
    pub(super) fn moved(&self, axis: usize, from: &[usize], to: &[usize]) -> Option<usize> {
        let outer: usize = from[..axis].iter().product();
        let mut before = 1;
        for (place, &size) in to.iter().enumerate() {
            if before == outer && size > 0 && size.is_multiple_of(self.rows) {
                return Some(place);
            }
            before *= size;
        }
        None
    }
}

/// The axis along which the first of some tensors lie that are spread by rows.
fn first_axis(of: &[Spread]) -> Option<usize> {
    of.iter().copied().filter_map(Spread::rows).min()
}

/// An operation that is done row by row, along this axis.
fn in_rows(axis: usize, of: &[Spread]) -> Way {
    let version = |spread: &Spread| if *spread == Spread::Rows(axis) { Version::Own } else { Version::Rows(axis) };
    Way { spread: Spread::Rows(axis), takes: of.iter().map(version).collect() }
}

/// A product of two matrices, either of them transposed.
fn product(transposed: [bool; 2], of: [Spread; 2]) -> Way {
    use Spread::{Rows, Same, Summands};
    use Version::{Own, Whole};
    // The axes that are summed over.
    let [a, b] = [usize::from(!transposed[0]), usize::from(transposed[1])];
    let way = |spread, takes: [Version; 2]| Way { spread, takes: takes.to_vec() };
    match of {
        [Same, Same] => way(Same, [Own, Own]),
        [Rows(i), second] if i != a => way(Rows(0), [Own, if second == Same { Own } else { Whole }]),
        [first, Rows(i)] if i != b => way(Rows(1), [if first == Same { Own } else { Whole }, Own]),
        [Rows(_), Rows(_)] => way(Summands, [Own, Own]),
        [Rows(_), _] => way(Summands, [Own, Version::Rows(b)]),
        [_, Rows(_)] => way(Summands, [Version::Rows(a), Own]),
        [Summands, Same] | [Same, Summands] => way(Summands, [Own, Own]),
        [Summands, Summands] => way(Same, [Whole, Whole]),
    }
}
