//! Keeping calls within the eight bindings that every adapter has.

use std::collections::{BTreeSet, HashMap};

use super::joined::Reads;
use super::{Plan, Unit};
use crate::graph::{NodeId, Op};

impl Plan<'_> {
    /// Whether two units together stay within the eight bindings that every adapter has.
    pub(super) fn fits(&self, units: [&Unit; 2], reads: [&Reads; 2]) -> bool {
        let read: BTreeSet<NodeId> = reads.into_iter().flat_map(HashMap::keys).copied().collect();
        let made: BTreeSet<NodeId> = units.into_iter().flat_map(Unit::made).collect();
        self.bindings(&read, &made) <= MOST
    }

    /// How many bindings a unit needs at most, that reads and makes these tensors.
    pub(super) fn bindings(&self, read: &BTreeSet<NodeId>, made: &BTreeSet<NodeId>) -> usize {
        let copies = |t: &NodeId| self.destinations.get(t).map_or(1, |d| d.len().max(1));
        // What is only copied is read from where it lives.
        let from_memory = |t: &&NodeId| !(made.contains(t) && self.is_fused(**t));
        read.iter().filter(from_memory).count() + made.iter().map(copies).sum::<usize>()
    }

    /// Where fused units need more than eight bindings, lets tensors within them lie in memory, until none does; gives those.
    ///
    /// Each round splits a part off every unit that is too large.
    pub(super) fn split_large_units(&mut self) -> BTreeSet<NodeId> {
        let (mut units, mut split) = (self.form_units(), BTreeSet::new());
        loop {
            let under = self.under();
            let parts: BTreeSet<NodeId> = units.iter().filter_map(|unit| self.part_of(unit, &under)).collect();
            if parts.is_empty() {
                return split;
            }
            for &t in &parts {
                self.stored[t.0 as usize] = true;
                let space = self.graph.shape(t).to_vec();
                units.push(Unit::Fused { space, axes: vec![], stores: vec![t], sums: vec![] });
            }
            split.extend(parts);
        }
    }

    /// The part to split off a unit that needs more than eight bindings.
    fn part_of(&self, unit: &Unit, under: &[Under]) -> Option<NodeId> {
        let Unit::Fused { stores, sums, .. } = unit else { return None };
        let mut all = Under::default();
        for &t in stores {
            match self.is_fused(t) {
                true => self.graph.node(t).inputs.iter().for_each(|i| all.join(&under[i.0 as usize])),
                false => all.join(&Under::leaf(t)),
            }
        }
        sums.iter().for_each(|&s| all.join(&under[self.graph.node(s).inputs[0].0 as usize]));
        let made = unit.made().into_iter().collect();
        let large = all.read.is_none_or(|read| self.bindings(&read, &made) > MOST);
        all.part.filter(|_| large).map(|(_, t)| t)
    }

    /// What each tensor's elements are computed from.
    fn under(&self) -> Vec<Under> {
        let mut all: Vec<Under> = Vec::with_capacity(self.graph.len());
        for id in 0..self.graph.len() {
            let t = NodeId(id as u32);
            let mut under = Under::default();
            if self.stored[id] {
                under = Under::leaf(t);
            } else {
                let node = self.graph.node(t);
                node.inputs.iter().for_each(|i| under.join(&all[i.0 as usize]));
                // A part that is sure to fit: some call has two tensors to read, or there were not so many.
                let count = under.read.as_ref().map_or(0, BTreeSet::len);
                if (2..=MOST - 2).contains(&count) && matches!(node.op, Op::Call(_)) {
                    under.part = under.part.max(Some((count, t)));
                }
            }
            all.push(under);
        }
        all
    }
}

/// The bindings that every adapter has.
pub(super) const MOST: usize = 8;

/// What the elements of a tensor are computed from.
#[derive(Clone)]
struct Under {
    /// The tensors in memory; `None` if they are more than a call can bind.
    read: Option<BTreeSet<NodeId>>,
    /// The part of that computation that reads most, but not too much, with how many tensors it reads.
    part: Option<(usize, NodeId)>,
}

impl Default for Under {
    /// Of nothing.
    fn default() -> Under {
        Under { read: Some(BTreeSet::new()), part: None }
    }
}

impl Under {
    /// A tensor that lies in memory.
    fn leaf(t: NodeId) -> Under {
        Under { read: Some(BTreeSet::from([t])), part: None }
    }

    /// What two computations need together.
    fn join(&mut self, other: &Under) {
        self.part = self.part.max(other.part);
        self.read = match (self.read.take(), &other.read) {
            (Some(mut read), Some(more)) => {
                read.extend(more);
                Some(read).filter(|read| read.len() <= MOST)
            }
            _ => None,
        };
    }
}
