//! Which tensors lie in memory, and which operations run together.
//!
//! A [`Unit`] becomes one call: a fused map or reduction, a matrix product with its epilogue, or a batch. Elementwise
//! tensors are stored only where something needs them in memory: an operand of a product, an output, a gradient, a
//! part of a concatenation, or a costly value that two units would otherwise compute twice.

mod candidates;
mod fit;
mod fuse;
mod joined;
mod products;
mod store;
mod units;
#[cfg(test)]
mod visits;
mod windows;

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};

use crate::graph::{Graph, NodeId, Shape};
use joined::Joined;

/// Where a copy of a tensor is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Destination {
    /// Memory of its own.
    Scratch,
    /// A part of a concatenation: the tensor, its axis, and the index where the part starts.
    Part(NodeId, usize, usize),
    /// The gradient of a parameter: the index of its set among those of the request, and its own.
    Gradient(usize, usize),
    /// What an assigned parameter becomes, by index.
    Assigned(usize),
    /// An output, by index.
    Output(usize),
}

/// What one call computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Elementwise tensors, and sums of elementwise tensors, over one space.
    Fused {
        /// The shape that all of them share (of the sums: of their arguments).
        space: Shape,
        /// The axes that sums run over; empty without sums.
        axes: Vec<usize>,
        /// Elementwise tensors that are stored.
        stores: Vec<NodeId>,
        /// Sums that are stored.
        sums: Vec<NodeId>,
    },
    /// A matrix product; stores computed from it; the sums of its first operand's columns.
    Product {
        /// The product, or the fold of one.
        product: NodeId,
        /// What its epilogue stores; the product itself, if it is plain.
        stores: Vec<NodeId>,
        /// The tensor that is the sums of its first operand's columns.
        sums: Option<NodeId>,
    },
    /// A batch of a data set.
    Batch(NodeId),
    /// Patches of pictures, or their fold.
    Window(NodeId),
}

impl Unit {
    /// The tensors it puts into memory.
    pub fn made(&self) -> Vec<NodeId> {
        match self {
            Unit::Fused { stores, sums, .. } => stores.iter().chain(sums).copied().collect(),
            Unit::Product { stores, sums, .. } => stores.iter().chain(sums).copied().collect(),
            Unit::Batch(t) | Unit::Window(t) => vec![*t],
        }
    }
}

/// The plan of a program.
pub(super) struct Plan<'a> {
    pub graph: &'a Graph,
    /// Tensors that lie in memory.
    pub stored: Vec<bool>,
    /// Products that are folded in the same call, and lie nowhere.
    pub folded: Vec<bool>,
    /// Where copies of them are wanted; the first is where they live.
    pub destinations: HashMap<NodeId, Vec<Destination>>,
    /// The calls, in an order that respects what they need.
    pub units: Vec<Unit>,
    /// Tensors that the statistics read behind all units.
    statistics: Vec<NodeId>,
    /// How often something has been looked at, in all rounds: tensors, and pairs of units.
    visits: Cell<u64>,
}

impl<'a> Plan<'a> {
    /// Plans the computation of the wanted copies, and of what `statistics` read.
    pub fn new(graph: &'a Graph, wanted: &[(NodeId, Destination)], statistics: &[NodeId]) -> Plan<'a> {
        let (mut forced, mut private) = (BTreeSet::new(), BTreeSet::new());
        let mut visits = 0;
        loop {
            let mut plan = Plan {
                graph,
                stored: vec![false; graph.len()],
                folded: vec![],
                destinations: HashMap::new(),
                units: vec![],
                statistics: statistics.to_vec(),
                visits: Cell::new(visits),
            };
            plan.store(wanted, statistics, &forced);
            plan.give_homes(&private);
            forced.extend(plan.split_large_units());
            let mut units = Joined::new(&plan, plan.form_units());
            plan.attach_row_sums(&mut units);
            plan.merge(&mut units);
            let shared = plan.costly_and_shared(&units, statistics);
            visits = plan.visits.get();
            if !shared.is_empty() {
                forced.extend(shared);
                continue;
            }
            plan.attach_epilogues(&mut units);
            let conflicts = plan.conflicts(&units);
            if conflicts.is_empty() {
                let order = units.order();
                plan.units = order.into_iter().filter_map(|u| units.unit(u).cloned()).collect();
                return plan;
            }
            private.extend(conflicts);
        }
    }

    /// Counts a look at something.
    fn visit(&self) {
        self.visits.set(self.visits.get() + 1);
    }

    /// The tensors in memory that the statistics read.
    pub fn statistics_read(&self) -> BTreeSet<NodeId> {
        let read = self.statistics.iter().flat_map(|&t| self.leaves(self.graph.shape(t), &[], &[t], None).into_keys());
        read.collect()
    }

    /// The roots of a fused unit's expression: what is stored, and what is summed.
    pub fn roots(&self, stores: &[NodeId], sums: &[NodeId]) -> Vec<NodeId> {
        stores.iter().copied().chain(sums.iter().map(|&s| self.graph.node(s).inputs[0])).collect()
    }
}
