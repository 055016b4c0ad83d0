//! Fusing: units over one space that are better computed together, and costly values that are better stored.

use std::collections::{BTreeSet, HashMap};

use super::{Plan, Unit, path_around};
use crate::graph::{Op, Tensor};

impl Plan<'_> {
    /// Joins fused units over one space that share what they read, or of which one reads the other at the point itself.
    pub(super) fn merge(&mut self) {
        while let Some((a, b)) = self.find_pair() {
            let second = self.units.remove(b);
            let (Unit::Fused { axes, stores, sums, .. }, Unit::Fused { axes: axes2, stores: stores2, sums: sums2, .. }) =
                (&mut self.units[a], second)
            else {
                unreachable!("only fused units are paired");
            };
            if axes.is_empty() {
                *axes = axes2;
            }
            stores.extend(stores2);
            sums.extend(sums2);
            stores.sort();
        }
    }

    pub(super) fn find_pair(&self) -> Option<(usize, usize)> {
        let needs = self.needs();
        let reads: Vec<HashMap<Tensor, bool>> = self.units.iter().map(|u| self.reads(u)).collect();
        for a in 0..self.units.len() {
            for b in a + 1..self.units.len() {
                let (Unit::Fused { space, axes, .. }, Unit::Fused { space: space2, axes: axes2, .. }) =
                    (&self.units[a], &self.units[b])
                else {
                    continue;
                };
                if space != space2 || !(axes.is_empty() || axes2.is_empty() || axes == axes2) {
                    continue;
                }
                let made = |u: usize| self.units[u].made();
                let direct = |from: usize, to: usize| made(from).iter().any(|t| reads[to].contains_key(t));
                let pointwise = |from: usize, to: usize| {
                    let Unit::Fused { stores, .. } = &self.units[from] else { return false };
                    made(from).iter().all(|t| reads[to].get(t).is_none_or(|&here| here && stores.contains(t)))
                };
                let shares = reads[a].keys().any(|t| reads[b].contains_key(t));
                let together = shares || direct(a, b) || direct(b, a);
                if together
                    && pointwise(a, b)
                    && pointwise(b, a)
                    && !self.joins(a, &reads[b])
                    && !self.joins(b, &reads[a])
                    && !path_around(&needs, a, b)
                    && !path_around(&needs, b, a)
                    && self.fits(a, b, &reads)
                {
                    return Some((a, b));
                }
            }
        }
        None
    }

    /// Costly elementwise tensors that more than one unit would compute.
    pub(super) fn costly_and_shared(&self, statistics: &[Tensor]) -> Vec<Tensor> {
        let mut computed_by: HashMap<Tensor, BTreeSet<usize>> = HashMap::new();
        let mut walk = |roots: Vec<Tensor>, unit: usize| {
            let mut stack: Vec<(Tensor, bool)> = roots.into_iter().map(|t| (t, true)).collect();
            let mut seen = BTreeSet::new();
            while let Some((t, root)) = stack.pop() {
                let stored = self.stored[t.0 as usize];
                if stored && !(root && self.is_fused(t)) || !seen.insert(t) {
                    continue;
                }
                computed_by.entry(t).or_default().insert(unit);
                stack.extend(self.graph.node(t).inputs.iter().map(|&i| (i, false)));
            }
        };
        for (u, unit) in self.units.iter().enumerate() {
            if let Unit::Fused { stores, sums, .. } = unit {
                walk(self.roots(stores, &[]), u);
                // What is summed is computed here unless it lies in memory.
                let summed: Vec<Tensor> = self.roots(&[], sums);
                walk(summed.iter().copied().filter(|t| !self.stored[t.0 as usize]).collect(), u);
            }
        }
        for (s, &t) in statistics.iter().enumerate() {
            if !self.stored[t.0 as usize] {
                walk(vec![t], self.units.len() + s);
            }
        }
        let costly = |t: &Tensor| match &self.graph.node(*t).op {
            Op::Call(func) => func.is_costly(),
            Op::Normal(_) | Op::Uniform(_) => true,
            _ => false,
        };
        let mut shared: Vec<Tensor> = computed_by
            .iter()
            .filter(|(t, units)| units.len() > 1 && !self.stored[t.0 as usize] && costly(t))
            .map(|(t, _)| *t)
            .collect();
        shared.sort();
        shared
    }
}
