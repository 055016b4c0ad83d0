//! Keeping calls within the eight bindings that every adapter has.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::joined::Reads;
use super::{Plan, Unit};
use crate::graph::{NodeId, Op};
use crate::program::MOST_BINDINGS as MOST;

impl Plan<'_> {
    /// Whether two units together stay within the eight bindings that every adapter has.
    pub(super) fn fits(&self, units: [&Unit; 2], reads: [&Reads; 2]) -> bool {
        let read: BTreeSet<NodeId> = reads.into_iter().flat_map(HashMap::keys).copied().collect();
        let made: BTreeSet<NodeId> = units.into_iter().flat_map(Unit::made).collect();
        self.bindings(&read, &made) <= MOST
    }

    /// How many bindings a unit needs at most, that reads and makes these tensors.
    pub(super) fn bindings(&self, read: &BTreeSet<NodeId>, made: &BTreeSet<NodeId>) -> usize {
        // What is only copied is read from where it lives.
        let from_memory = |t: &&NodeId| !(made.contains(t) && self.is_fused(**t));
        read.iter().filter(from_memory).count() + made.iter().map(|&t| self.copies(t)).sum::<usize>()
    }

    /// In how many places the unit that makes a tensor writes it.
    pub(super) fn copies(&self, t: NodeId) -> usize {
        self.places(t).0.len().max(1)
    }

    /// Where fused units need more than eight bindings, lets tensors within them lie in memory, until none does; gives those.
    ///
    /// Units are taken in the order of the graph, so that one sees what others before it have put into memory; and in the end
    /// all of them once more, as some may read what later ones have.
    pub(super) fn split_large_units(&mut self) -> BTreeSet<NodeId> {
        let (mut units, mut split, mut known) = (self.form_units(), BTreeSet::new(), BTreeMap::new());
        loop {
            let before = split.len();
            let mut u = 0;
            while u < units.len() {
                match self.part_of(&units[u], &mut known) {
                    Some(t) => {
                        self.stored[t.0 as usize] = true;
                        split.insert(t);
                        // What comes behind it in the graph may be computed from it.
                        known.split_off(&t);
                        let space = self.graph.shape(t).to_vec();
                        units.push(Unit::Fused { space, axes: vec![], stores: vec![t], sums: vec![] });
                    }
                    None => u += 1,
                }
            }
            if split.len() == before {
                return split;
            }
        }
    }

    /// The part to split off a unit that needs more than eight bindings, if there is one.
    fn part_of(&self, unit: &Unit, known: &mut BTreeMap<NodeId, Under>) -> Option<NodeId> {
        let Unit::Fused { stores, sums, .. } = unit else { return None };
        let mut all = Under::default();
        let mut join = |t: NodeId| all.join(self.under(t, known));
        for &t in stores {
            match self.is_fused(t) {
                true => self.graph.node(t).inputs.iter().for_each(|&i| join(i)),
                false => join(t),
            }
        }
        sums.iter().for_each(|&s| join(self.graph.node(s).inputs[0]));
        let made = unit.made().into_iter().collect();
        let is_large = all.read.is_none_or(|read| self.bindings(&read, &made) > MOST);
        all.part.filter(|_| is_large).map(|(_, t)| t)
    }

    /// What a tensor's elements are computed from; of others what is known already.
    fn under<'k>(&self, t: NodeId, known: &'k mut BTreeMap<NodeId, Under>) -> &'k Under {
        let mut stack = vec![t];
        while let Some(&t) = stack.last() {
            let node = self.graph.node(t);
            let is_stored = self.stored[t.0 as usize];
            let open = stack.len();
            if !is_stored && !known.contains_key(&t) {
                stack.extend(node.inputs.iter().filter(|i| !known.contains_key(i)));
            }
            if stack.len() > open {
                continue;
            }
            stack.pop();
            if known.contains_key(&t) {
                continue;
            }
            self.visit();
            let mut under = Under::default();
            if is_stored {
                under = Under::leaf(t);
            } else {
                node.inputs.iter().for_each(|i| under.join(&known[i]));
                // A part that is sure to fit: some call has two tensors to read, or there were not so many.
                let count = under.read.as_ref().map_or(0, BTreeSet::len);
                if (2..=MOST - 2).contains(&count) && matches!(node.op, Op::Call(_)) {
                    under.part = under.part.max(Some((count, t)));
                }
            }
            known.insert(t, under);
        }
        &known[&t]
    }
}

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
