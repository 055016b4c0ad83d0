//! Fusing: units over one space that are better computed together, and costly values that are better stored.

use std::collections::{BTreeSet, HashMap};

use super::candidates::Candidates;
use super::joined::{Joined, Reads};
use super::{Plan, Unit};
use crate::graph::{NodeId, Op};

impl Plan<'_> {
    /// Joins fused units over one space that share what they read, or of which one reads the other at the point itself: the
    /// first pair that may be joined, again and again.
    ///
    /// Joining two units can only keep others apart. So a pair that was refused is looked at again only when one of the two
    /// has changed.
    pub(super) fn merge(&self, units: &mut Joined) {
        let mut candidates = Candidates::new(self, units);
        for place in 0..units.places() {
            let (mut a, mut changed) = (place, false);
            while units.unit(a).is_some() {
                let some = candidates.of(units, a);
                let mut some = some.places().filter(|&x| x > a || changed);
                let Some(x) = some.find(|&x| self.goes_together(units, x.min(a), x.max(a))) else { break };
                let (first, second) = (x.min(a), x.max(a));
                let read: Vec<NodeId> = units.reads(a).keys().chain(units.reads(x).keys()).copied().collect();
                self.join(units, first, second);
                candidates.join(self, units, (first, second), &read);
                (a, changed) = (first, true);
            }
        }
    }

    fn join(&self, units: &mut Joined, a: usize, b: usize) {
        let (
            Some(Unit::Fused { space, axes, stores, sums }),
            Some(Unit::Fused { axes: axes2, stores: stores2, sums: sums2, .. }),
        ) = (units.unit(a), units.unit(b))
        else {
            unreachable!("only fused units are paired");
        };
        let axes = if axes.is_empty() { axes2 } else { axes }.clone();
        let mut stores = [&stores[..], stores2].concat();
        stores.sort();
        // What one stores and the other reads is taken from its register.
        let mut reads = units.reads(a).clone();
        for (&t, &at_point) in units.reads(b) {
            reads.entry(t).and_modify(|known| *known &= at_point).or_insert(at_point);
        }
        stores.iter().filter(|&&t| self.is_fused(t)).for_each(|t| _ = reads.remove(t));
        let unit = Unit::Fused { space: space.clone(), axes, stores, sums: [&sums[..], sums2].concat() };
        units.join((a, b), unit, reads);
    }

    /// Whether two units, of which one has to do with what the other reads, may be one.
    fn goes_together(&self, units: &Joined, a: usize, b: usize) -> bool {
        self.visit();
        let (Some(first), Some(second)) = (units.unit(a), units.unit(b)) else { return false };
        let (Unit::Fused { space, axes, .. }, Unit::Fused { space: space2, axes: axes2, .. }) = (first, second) else {
            return false;
        };
        if space != space2 || !(axes.is_empty() || axes2.is_empty() || axes == axes2) {
            return false;
        }
        let pointwise = |from: &Unit, reads: &Reads| {
            let Unit::Fused { stores, .. } = from else { return false };
            from.made().iter().all(|t| reads.get(t).is_none_or(|&here| here && stores.contains(t)))
        };
        let reads = [units.reads(a), units.reads(b)];
        pointwise(first, reads[1])
            && pointwise(second, reads[0])
            && !self.joins(first, reads[1])
            && !self.joins(second, reads[0])
            && self.fits([first, second], reads)
    }

    /// Costly elementwise tensors that more than one unit would compute.
    pub(super) fn costly_and_shared(&self, units: &Joined, statistics: &[NodeId]) -> Vec<NodeId> {
        let mut computed_by: HashMap<NodeId, BTreeSet<usize>> = HashMap::new();
        let mut walk = |roots: Vec<NodeId>, unit: usize| {
            let mut stack: Vec<(NodeId, bool)> = roots.into_iter().map(|t| (t, true)).collect();
            let mut seen = BTreeSet::new();
            while let Some((t, root)) = stack.pop() {
                let stored = self.stored[t.0 as usize];
                self.visit();
                if stored && !(root && self.is_fused(t)) || !seen.insert(t) {
                    continue;
                }
                computed_by.entry(t).or_default().insert(unit);
                stack.extend(self.graph.node(t).inputs.iter().map(|&i| (i, false)));
            }
        };
        for u in 0..units.places() {
            if let Some(Unit::Fused { stores, sums, .. }) = units.unit(u) {
                walk(self.roots(stores, &[]), u);
                // What is summed is computed here unless it lies in memory.
                let summed: Vec<NodeId> = self.roots(&[], sums);
                walk(summed.iter().copied().filter(|t| !self.stored[t.0 as usize]).collect(), u);
            }
        }
        for (s, &t) in statistics.iter().enumerate() {
            if !self.stored[t.0 as usize] {
                walk(vec![t], units.places() + s);
            }
        }
        let costly = |t: &NodeId| match &self.graph.node(*t).op {
            Op::Call(func) => func.is_costly(),
            Op::Normal(_) | Op::Uniform(_) => true,
            _ => false,
        };
        let mut shared: Vec<NodeId> = computed_by
            .iter()
            .filter(|(t, units)| units.len() > 1 && !self.stored[t.0 as usize] && costly(t))
            .map(|(t, _)| *t)
            .collect();
        shared.sort();
        shared
    }
}
