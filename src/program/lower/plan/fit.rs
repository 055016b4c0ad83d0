//! Keeping calls within the eight bindings that every adapter has.

use std::collections::{BTreeSet, HashMap};

use super::joined::{Joined, Reads};
use super::{Plan, Unit};
use crate::graph::{Op, Tensor};

impl Plan<'_> {
    /// Whether two units together stay within the eight bindings that every adapter has.
    pub(super) fn fits(&self, units: [&Unit; 2], reads: [&Reads; 2]) -> bool {
        let read: BTreeSet<Tensor> = reads.into_iter().flat_map(HashMap::keys).copied().collect();
        let made: BTreeSet<Tensor> = units.into_iter().flat_map(Unit::made).collect();
        self.bindings(&read, &made) <= 8
    }

    /// How many bindings a unit needs at most, that reads and makes these tensors.
    pub(super) fn bindings(&self, read: &BTreeSet<Tensor>, made: &BTreeSet<Tensor>) -> usize {
        let copies = |t: &Tensor| self.destinations.get(t).map_or(1, |d| d.len().max(1));
        // What is only copied is read from where it lives.
        let from_memory = |t: &&Tensor| !(made.contains(t) && self.is_fused(**t));
        read.iter().filter(from_memory).count() + made.iter().map(copies).sum::<usize>()
    }

    /// Where fused units need more than eight bindings: tensors within them that shall lie in memory.
    pub(super) fn parts_of_large_units(&self, units: &Joined) -> Vec<Tensor> {
        let mut parts = Vec::new();
        for u in 0..units.places() {
            let Some(unit @ Unit::Fused { stores, sums, .. }) = units.unit(u) else { continue };
            let read: BTreeSet<Tensor> = units.reads(u).keys().copied().collect();
            if self.bindings(&read, &unit.made().into_iter().collect()) <= 8 {
                continue;
            }
            let mut known = HashMap::new();
            for root in self.roots(stores, sums) {
                self.tensors_read(root, true, &mut known);
            }
            // The largest part that is sure to fit: some call has two tensors to read, or there were not so many.
            let inner = known.iter().filter(|(t, read)| {
                !self.stored[t.0 as usize]
                    && (2..=6).contains(&read.len())
                    && matches!(self.graph.node(**t).op, Op::Call(_))
            });
            parts.extend(inner.max_by_key(|(t, read)| (read.len(), **t)).map(|(t, _)| *t));
        }
        parts
    }

    /// The tensors in memory that the elements of `t` are computed from, for it and for all between.
    pub(super) fn tensors_read(
        &self,
        t: Tensor,
        root: bool,
        known: &mut HashMap<Tensor, BTreeSet<Tensor>>,
    ) -> BTreeSet<Tensor> {
        if let Some(read) = known.get(&t) {
            return read.clone();
        }
        if self.stored[t.0 as usize] && !(root && self.is_fused(t)) {
            return BTreeSet::from([t]);
        }
        let inputs = self.graph.node(t).inputs.iter();
        let read: BTreeSet<Tensor> = inputs.flat_map(|&i| self.tensors_read(i, false, known)).collect();
        known.insert(t, read.clone());
        read
    }
}
