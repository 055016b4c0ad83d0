//! The graph of a part: that of the whole batch, with the part's own rows and with what comes by exchanges.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::exchange::{Exchange, Held, RowBlocks};
use super::spread::{Spread, Spreads};
use super::versions::{Source, Version};
use crate::graph::{Bits, Graph, NodeId, Op, Shape, Tensor};
use crate::program::Request;

/// A version of a tensor, by one name.
type Key = (NodeId, Version);

/// Where a link of the chain has a tensor from.
enum Origin {
    Exchanged,
    /// An earlier link has computed it.
    Kept,
    Made(Vec<Key>),
}

/// A graph of a part that is being made, for the links of a chain.
pub(super) struct Local<'s, 'l> {
    spreads: &'s Spreads<'s>,
    graph: &'l Graph,
    /// What its buffers' names begin with.
    name: &'s str,
    /// The part's rows, and whether all parts have as many.
    rows: usize,
    is_even: bool,
    /// The link that tensors are made for.
    pub link: usize,
    made: HashMap<(Key, usize), Tensor<'l>>,
    /// What comes by an exchange, by the link before which it does.
    exchanged: BTreeMap<usize, BTreeSet<Key>>,
    /// What is kept for later links, by the link that computes it.
    kept: BTreeMap<usize, BTreeSet<Key>>,
}

impl<'s, 'l> Local<'s, 'l> {
    pub fn new(spreads: &'s Spreads<'s>, graph: &'l Graph, name: &'s str, parts: usize) -> Local<'s, 'l> {
        let (rows, is_even) = (spreads.rows.div_ceil(parts), spreads.rows.is_multiple_of(parts));
        let (made, exchanged, kept) = (HashMap::new(), BTreeMap::new(), BTreeMap::new());
        Local { spreads, graph, name, rows, is_even, link: 0, made, exchanged, kept }
    }

    /// Goes on with the last link of the chain: the first in which all is there that a request wants.
    pub fn end_with(&mut self, request: &Request) {
        let gradients = request.gradients.iter().flat_map(|gradients| &gradients.tensors);
        let wanted = gradients.map(|t| (t.id(), self.of_gradient(t.id())));
        let wanted = wanted.chain(request.statistics.iter().map(|(_, t)| (t.id(), Version::Own)));
        let wanted = wanted.chain(request.assigns.iter().map(|(_, t)| (t.id(), Version::Whole)));
        self.link = wanted.map(|(id, version)| self.spreads.link_of(id, version)).max().unwrap_or(0);
    }

    /// What is needed of a gradient, which is laid out as its parameter is: never rows.
    fn of_gradient(&self, id: NodeId) -> Version {
        if let Spread::Rows(_) = self.spreads.spread(id) { Version::Whole } else { Version::Own }
    }

    /// A gradient, as summands over all parts.
    pub fn gradient(&mut self, id: NodeId) -> Tensor<'l> {
        let t = self.tensor(id, self.of_gradient(id));
        if self.spreads.spread(id) == Spread::Summands { t } else { self.of_first(t) }
    }

    /// A tensor whose elements sum up, over all parts, to the sum of those of a tensor of the whole batch.
    pub fn statistic(&mut self, id: NodeId) -> Tensor<'l> {
        let t = self.tensor(id, Version::Own);
        match self.spreads.spread(id) {
            Spread::Same => self.of_first(t),
            Spread::Rows(axis) => self.without_padding(t, axis),
            Spread::Summands => t,
        }
    }

    /// The axis of an operation's first argument along which it sums up a part's rows, if it does.
    fn summed_axis(&self, id: NodeId) -> Option<usize> {
        let node = self.spreads.graph.node(id);
        let spreads = || node.inputs.iter().map(|&input| self.spreads.spread(input));
        match (self.spreads.spread(id), &node.op) {
            (Spread::Summands, Op::Sum(_)) => spreads().find_map(Spread::rows),
            (Spread::Summands, Op::MatMul { transpose_a, .. }) => {
                spreads().any(|spread| spread.rows().is_some()).then_some(usize::from(!transpose_a))
            }
            _ => None,
        }
    }

    /// A tensor with zeros in the rows that are past the batch's end, where its rows do not share out evenly.
    fn without_padding(&self, t: Tensor<'l>, axis: usize) -> Tensor<'l> {
        if self.is_even {
            return t;
        }
        let (graph, each) = (self.graph, t.shape()[axis] / self.rows);
        let place = graph.coordinate(axis, t.shape()) + graph.row_offset() * each as f32;
        let is_row = place.less(graph.constant((self.spreads.rows * each) as f32));
        is_row.select(t, graph.constant(0.0))
    }

    /// What all parts have, as summands: the first part's alone is not 0.
    fn of_first(&self, t: Tensor<'l>) -> Tensor<'l> {
        if t.constant_value() == Some(0.0) {
            return t;
        }
        let is_first = self.graph.row_offset().less(self.graph.constant(0.5));
        is_first.select(t, self.graph.constant(0.0))
    }

    /// All of a tensor.
    pub fn whole(&mut self, id: NodeId) -> Tensor<'l> {
        self.tensor(id, Version::Whole)
    }

    /// What a link puts out for later ones, by name.
    pub fn outputs(&mut self, link: usize) -> Vec<(String, Tensor<'l>)> {
        self.link = link;
        let exchanged = self.exchanged.get(&(link + 1)).into_iter().flatten().map(|(id, _)| (*id, Version::Own));
        let all: BTreeSet<Key> = exchanged.chain(self.kept.get(&link).into_iter().flatten().copied()).collect();
        all.into_iter().map(|(id, version)| (self.name_of((id, version)), self.tensor(id, version))).collect()
    }

    /// What is exchanged before a link.
    pub fn exchanges(&self, link: usize) -> Vec<Exchange> {
        let exchange = |&(id, version): &Key| Exchange {
            from: format!("output.{}", self.name_of((id, Version::Own))),
            held: match self.spreads.spread(id) {
                Spread::Same => Held::Whole,
                Spread::Summands => Held::Summand,
                Spread::Rows(axis) => Held::Rows(self.blocks(id, axis)),
            },
            to: format!("input.{}", self.name_of((id, version))),
            taken: match version {
                Version::Rows(axis) => Some(self.blocks(id, axis)),
                _ => None,
            },
        };
        self.exchanged.get(&link).into_iter().flatten().map(exchange).collect()
    }

    /// How the batch's rows lie along an axis of a tensor.
    fn blocks(&self, id: NodeId, axis: usize) -> RowBlocks {
        let shape = self.spreads.graph.shape(id);
        let words: usize = shape[axis..].iter().product();
        RowBlocks { outer: shape[..axis].iter().product(), width: words / self.spreads.rows }
    }

    fn name_of(&self, (NodeId(id), version): Key) -> String {
        match version {
            Version::Own => format!("{}.shared.{id}", self.name),
            Version::Whole => format!("{}.shared.{id}.whole", self.name),
            Version::Rows(axis) => format!("{}.shared.{id}.rows{axis}", self.name),
        }
    }

    /// The shape of a version of a tensor, as a part has it.
    fn shape(&self, (id, version): Key) -> Shape {
        let mut shape = self.spreads.graph.shape(id).to_vec();
        let axis = match (version, self.spreads.spread(id)) {
            (Version::Rows(axis), _) | (Version::Own, Spread::Rows(axis)) => Some(axis),
            _ => None,
        };
        if let Some(axis) = axis {
            shape[axis] = shape[axis] / self.spreads.rows * self.rows;
        }
        shape
    }

    fn origin(&self, (id, version): Key) -> Origin {
        let node = self.spreads.graph.node(id);
        let is_costly = matches!(node.op, Op::MatMul { .. } | Op::Sum(_) | Op::Max(_) | Op::Fold(_));
        match self.spreads.source(id, version) {
            Source::Exchanged => Origin::Exchanged,
            Source::Made(_) if is_costly && self.spreads.link_of(id, version) < self.link => Origin::Kept,
            Source::Made(versions) => {
                let inputs = node.inputs.iter().zip(versions);
                Origin::Made(inputs.map(|(&input, version)| (input, self.spreads.named(input, version))).collect())
            }
        }
    }

    /// A version of a tensor, as the link has it. What it needs is made first, without going deep.
    fn tensor(&mut self, id: NodeId, version: Version) -> Tensor<'l> {
        let (wanted, link) = ((id, self.spreads.named(id, version)), self.link);
        let mut open = vec![wanted];
        while let Some(&key) = open.last() {
            if self.made.contains_key(&(key, link)) {
                open.pop();
                continue;
            }
            let origin = self.origin(key);
            let needed: &[Key] = if let Origin::Made(needed) = &origin { needed } else { &[] };
            let missing: Vec<Key> =
                needed.iter().filter(|key| !self.made.contains_key(&(**key, link))).copied().collect();
            if missing.is_empty() {
                let t = self.make(key, &origin);
                self.made.insert((key, link), t);
            }
            open.extend(missing);
        }
        self.made[&(wanted, link)]
    }

    fn make(&mut self, key: Key, origin: &Origin) -> Tensor<'l> {
        let ((id, version), graph, shape) = (key, self.graph, self.shape(key));
        let node = self.spreads.graph.node(id);
        let leaf = |op: Op| graph.push(op, vec![], shape.clone());
        let needed = match origin {
            Origin::Exchanged => {
                let before = self.spreads.link_of(id, Version::Own) + 1;
                self.exchanged.entry(before).or_default().insert(key);
                return leaf(Op::Input(self.name_of(key)));
            }
            Origin::Kept => {
                let link = self.spreads.link_of(id, version);
                self.kept.entry(link).or_default().insert(key);
                return leaf(Op::Input(format!("output.{}", self.name_of(key))));
            }
            Origin::Made(needed) => needed.iter().map(|key| self.made[&(*key, self.link)]).collect::<Vec<_>>(),
        };
        let needed = match self.summed_axis(id) {
            Some(axis) => [&[self.without_padding(needed[0], axis)], &needed[1..]].concat(),
            None => needed,
        };
        match (&node.op, version) {
            // Of the whole batch, which the graph is about.
            (Op::RowOffset, _) => leaf(Op::Const(Bits::new(0.0))),
            (Op::Coordinate(axis), Version::Rows(rows)) if *axis == rows => {
                let each = node.shape[rows] / self.spreads.rows;
                leaf(node.op.clone()) + leaf(Op::RowOffset) * each as f32
            }
            _ => graph.push(node.op.clone(), needed, shape),
        }
    }
}
