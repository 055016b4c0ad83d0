//! What products compute on the side: the sums of an operand's columns, and whole fused units as epilogues.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use super::joined::Joined;
use super::{Plan, Unit};
use crate::graph::{NodeId, Op};
use crate::program::MOST_BINDINGS as MOST;

impl Plan<'_> {
    /// Lets a product with Aᵀ also sum the columns of A, where they are wanted: the gradient of a bias.
    pub(super) fn attach_row_sums(&self, units: &mut Joined) {
        let mut sums_of: HashMap<NodeId, Vec<usize>> = HashMap::new();
        for u in 0..units.places() {
            let Some(Unit::Fused { axes, stores, sums, .. }) = units.unit(u) else { continue };
            let [sum] = sums[..] else { continue };
            if stores.is_empty()
                && *axes == [0]
                && matches!(self.graph.node(sum).op, Op::Sum(_))
                && self.destinations.get(&sum).is_none_or(|d| d.len() == 1)
            {
                sums_of.entry(self.graph.node(sum).inputs[0]).or_default().push(u);
            }
        }
        let mut p = 0;
        while p < units.places() {
            match self.row_sums_for(units, p, &sums_of) {
                Some((a, unit)) => {
                    let s = sums_of.get_mut(&a).expect("there are such sums").remove(0);
                    let reads = self.reads(&unit);
                    units.join((p, s), unit, reads);
                    // Which sums come next may suit a product that could not take these.
                    p = 0;
                }
                None => p += 1,
            }
        }
    }

    /// A product with the first of the sums of its operand's columns that wait for one, and that operand.
    fn row_sums_for(&self, units: &Joined, p: usize, sums_of: &HashMap<NodeId, Vec<usize>>) -> Option<(NodeId, Unit)> {
        let &Unit::Product { product, ref stores, sums: None } = units.unit(p)? else { return None };
        let node = self.graph.node(product);
        let a = node.inputs[0];
        if !matches!(node.op, Op::MatMul { transpose_a: true, .. }) || self.operand(a) != a {
            return None;
        }
        let &s = sums_of.get(&a)?.first()?;
        // The product may itself need those sums.
        if units.needs(p, s) || units.path_around(s, p) {
            return None;
        }
        let sums = units.unit(s).map(|unit| unit.made()[0]);
        Some((a, Unit::Product { product, stores: stores.clone(), sums }))
    }

    /// Lets products compute, as epilogues, the fused units that alone read them: the largest product first, as only one can be
    /// the accumulator.
    pub(super) fn attach_epilogues(&mut self, units: &mut Joined) {
        let for_statistics = self.statistics_read();
        let mut order: Vec<usize> = (0..units.places()).collect();
        order.sort_by_key(|&u| match units.unit(u) {
            Some(Unit::Product { product, .. }) => Reverse(self.graph.shape(*product).iter().product::<usize>()),
            _ => Reverse(0),
        });
        for p in order {
            let Some(f) = self.epilogue_of(units, p, &for_statistics) else { continue };
            let (Some(&Unit::Product { product, sums, .. }), Some(Unit::Fused { stores, .. })) =
                (units.unit(p), units.unit(f))
            else {
                unreachable!("an epilogue is fused");
            };
            self.stored[product.0 as usize] = false;
            let unit = Unit::Product { product, stores: stores.clone(), sums };
            let reads = self.reads(&unit);
            units.join((p, f), unit, reads);
        }
    }

    /// The fused unit that a product may compute as its epilogue.
    fn epilogue_of(&self, units: &Joined, p: usize, for_statistics: &BTreeSet<NodeId>) -> Option<usize> {
        let maker @ Unit::Product { product, stores, sums } = units.unit(p)? else { return None };
        if *stores != [*product] || self.destinations.contains_key(product) || for_statistics.contains(product) {
            return None;
        }
        let mut users = units.readers(*product).iter();
        let (&f, None) = (users.next()?, users.next()) else { return None };
        let Unit::Fused { space, axes, stores: fused, sums: none } = units.unit(f)? else { return None };
        let reads = units.reads(f);
        let read: BTreeSet<NodeId> = reads.keys().copied().filter(|t| t != product).collect();
        let fits = self.bindings(&read, &fused.iter().chain(sums).copied().collect()) + 2 <= MOST;
        let allowed = space == self.graph.shape(*product)
            && axes.is_empty()
            && none.is_empty()
            && reads[product]
            && fits
            && !self.joins(maker, reads)
            && !units.path_around(p, f);
        allowed.then_some(f)
    }
}
