//! What lies in memory, and where copies of it are wanted.

use std::collections::BTreeSet;

use super::super::access::regroups;
use super::joined::Joined;
use super::{Destination, Plan};
use crate::graph::{NodeId, Op};

/// Memory that calls bind as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Memory {
    Own(NodeId),
    Gradients(usize),
    Assigned,
    Output(usize),
}

/// The most places in which the unit that makes a tensor writes it.
const COPIES: usize = 3;

impl Plan<'_> {
    /// Decides what lies in memory.
    pub(super) fn store(&mut self, wanted: &[(NodeId, Destination)], statistics: &[NodeId], forced: &BTreeSet<NodeId>) {
        let graph = self.graph;
        let mut live = vec![false; graph.len()];
        for &t in wanted.iter().map(|(t, _)| t).chain(statistics) {
            live[t.0 as usize] = true;
        }
        for id in (0..graph.len()).rev() {
            if live[id] {
                for input in &graph.node(NodeId(id as u32)).inputs {
                    live[input.0 as usize] = true;
                }
            }
        }
        for &(t, destination) in wanted {
            let t = self.placed(t, destination);
            self.want(t, destination);
        }
        for &t in forced {
            self.stored[t.0 as usize] = true;
        }
        let by_itself: Vec<NodeId> = wanted.iter().map(|w| w.0).chain(statistics.iter().copied()).collect();
        let placed: Vec<NodeId> = wanted.iter().map(|&(t, destination)| self.placed(t, destination)).collect();
        self.find_folded(&live, |t| by_itself.contains(&t) || placed.contains(&t) || forced.contains(&t));
        let mut read = self.patches_read(&live);
        by_itself.iter().for_each(|t| read[t.0 as usize] = true);
        // Users stand behind what they use: going backwards, every wish is known before its tensor is met.
        for id in (0..graph.len()).rev().filter(|&id| live[id]) {
            let t = NodeId(id as u32);
            let node = graph.node(t);
            match &node.op {
                Op::MatMul { .. } if self.folded[id] => {}
                _ if self.is_product(t) => {
                    self.stored[id] = true;
                    for operand in self.operands(t) {
                        self.stored[operand.0 as usize] = true;
                    }
                }
                Op::Sum(_) | Op::Max(_) | Op::Batch { .. } | Op::Param(_) | Op::Input(_) => self.stored[id] = true,
                Op::Concat(axis) => {
                    self.stored[id] = true;
                    let mut start = 0;
                    for &part in &node.inputs {
                        let placed = self.placed(part, Destination::Part(t, *axis, start));
                        self.want(placed, Destination::Part(t, *axis, start));
                        start += graph.shape(part)[*axis];
                    }
                }
                // Patches that are only read by products are stored nowhere.
                Op::Patches(_) if !read[id] && !self.stored[id] => {}
                Op::Patches(_) | Op::Fold(_) => {
                    self.stored[id] = true;
                    self.stored[node.inputs[0].0 as usize] = true;
                }
                Op::Reshape if regroups(graph, t) => self.stored[node.inputs[0].0 as usize] = true,
                _ => {}
            }
        }
        // Regrouping reads contiguous memory, a batch writes it, and windows do both; a part of a concatenation is not contiguous.
        let contiguous = (0..graph.len()).filter(|&id| live[id]).map(|id| NodeId(id as u32)).flat_map(|t| {
            let node = graph.node(t);
            match node.op {
                Op::Reshape if regroups(graph, t) => vec![node.inputs[0]],
                Op::Batch { .. } => vec![t],
                Op::Fold(_) if self.folded_by(t).is_some() => self.operands(t).to_vec(),
                Op::Patches(_) | Op::Fold(_) => vec![node.inputs[0], t],
                _ => vec![],
            }
        });
        let is_part = |t: &NodeId| self.destinations.get(t).is_some_and(|d| matches!(d[0], Destination::Part(..)));
        let parts = contiguous.filter(is_part);
        // Nor is what lies in memory of its own ever part of what it is copied to.
        let is_outside = |t: &NodeId| matches!(graph.node(*t).op, Op::Param(_) | Op::Input(_));
        let wanted_often =
            self.destinations.iter().filter(|(t, d)| d.len() > COPIES && !is_outside(t)).map(|(&t, _)| t);
        let private: BTreeSet<NodeId> = parts.chain(wanted_often).collect();
        self.give_homes(&private);
    }

    /// Where a tensor is written by the unit that makes it, and where it is copied to behind that unit, since a call has
    /// eight bindings.
    pub(in crate::engine::program::lower) fn places(&self, t: NodeId) -> (&[Destination], &[Destination]) {
        let all = self.destinations.get(&t).map_or(&[][..], |d| d);
        all.split_at(all.len().min(COPIES))
    }

    /// Gives tensors memory of their own to live in; where else they are wanted, they are written as well.
    pub(super) fn give_homes(&mut self, private: &BTreeSet<NodeId>) {
        for t in private {
            if let Some(destinations) = self.destinations.get_mut(t) {
                destinations.insert(0, Destination::Scratch);
            }
        }
    }

    pub(super) fn want(&mut self, t: NodeId, destination: Destination) {
        self.stored[t.0 as usize] = true;
        self.destinations.entry(t).or_default().push(destination);
    }

    /// The tensor that is written to a destination: a reshape of something computed is that thing, written there.
    pub(super) fn placed(&self, t: NodeId, destination: Destination) -> NodeId {
        let node = self.graph.node(t);
        let whole =
            matches!(destination, Destination::Gradient(..) | Destination::Assigned(_) | Destination::Output(_));
        match node.op {
            Op::Reshape if whole => {
                let inner = self.placed(node.inputs[0], destination);
                if self.graph.node(inner).op.is_view() { t } else { inner }
            }
            _ => t,
        }
    }

    /// The tensor that must lie in memory for a product to read `t`: views with rows or columns of stride 1 are read as
    /// they are.
    pub(in crate::engine::program::lower) fn operand(&self, t: NodeId) -> NodeId {
        let node = self.graph.node(t);
        let simple = match &node.op {
            Op::Slice { .. } | Op::Permute(_) => true,
            Op::Reshape => !regroups(self.graph, t),
            _ => false,
        };
        if simple && node.shape.len() == 2 && self.graph.shape(node.inputs[0]).len() == 2 {
            return self.operand(node.inputs[0]);
        }
        t
    }

    /// Tensors that some unit reads out of the very memory it writes to: no call may bind a buffer both ways.
    pub(super) fn conflicts(&self, units: &Joined) -> BTreeSet<NodeId> {
        let mut found = BTreeSet::new();
        let copies = |t: NodeId| self.destinations.get(&t).map_or(&[][..], |d| d.as_slice());
        for u in 0..units.places() {
            let Some(unit) = units.unit(u) else { continue };
            let written: Vec<Memory> =
                unit.made().into_iter().flat_map(|t| copies(t).iter().map(move |&d| self.memory(t, d))).collect();
            let placed = |t: &NodeId| copies(*t).first().is_some_and(|d| *d != Destination::Scratch);
            let read = units.reads(u).keys().copied().filter(placed);
            found.extend(read.filter(|&t| written.contains(&self.memory(t, copies(t)[0]))));
        }
        found
    }

    /// The memory that a destination is a range of.
    pub(super) fn memory(&self, t: NodeId, destination: Destination) -> Memory {
        match destination {
            Destination::Scratch => Memory::Own(t),
            Destination::Gradient(set, _) => Memory::Gradients(set),
            Destination::Assigned(_) => Memory::Assigned,
            Destination::Output(i) => Memory::Output(i),
            Destination::Part(whole, ..) => match self.destinations.get(&whole).and_then(|d| d.first()) {
                Some(&first) => self.memory(whole, first),
                None => Memory::Own(whole),
            },
        }
    }

    /// Whether a stored tensor is computed by a fused unit: not external, not the result of a kernel of its own.
    pub(in crate::engine::program::lower) fn is_fused(&self, t: NodeId) -> bool {
        let op = &self.graph.node(t).op;
        op.is_elementwise() || op.is_view()
    }
}
