//! What products compute on the side: the sums of an operand's columns, and whole fused units as epilogues.

use std::collections::{BTreeSet, HashMap};

use super::{Plan, Unit, path_around};
use crate::graph::{Op, Tensor};

impl Plan<'_> {
    /// Lets a product with Aᵀ also sum the columns of A, where they are wanted: the gradient of a bias.
    pub(super) fn attach_row_sums(&mut self) {
        for p in 0..self.units.len() {
            let Unit::Product { product, sums: None, .. } = self.units[p] else { continue };
            let node = self.graph.node(product);
            if !matches!(node.op, Op::MatMul { transpose_a: true, .. })
                || self.operand(node.inputs[0]) != node.inputs[0]
            {
                continue;
            }
            let a = node.inputs[0];
            let wanted = self.units.iter().position(|unit| {
                let Unit::Fused { axes, stores, sums, .. } = unit else { return false };
                let [sum] = sums[..] else { return false };
                stores.is_empty()
                    && *axes == [0]
                    && matches!(self.graph.node(sum).op, Op::Sum(_))
                    && self.graph.node(sum).inputs[0] == a
                    && self.destinations.get(&sum).is_none_or(|d| d.len() == 1)
            });
            if let Some(s) = wanted {
                // The product may itself need those sums.
                let needs = self.needs();
                if needs[p].contains(&s) || path_around(&needs, s, p) {
                    continue;
                }
                let sum = self.units[s].made()[0];
                if let Unit::Product { sums, .. } = &mut self.units[p] {
                    *sums = Some(sum);
                }
                self.units.remove(s);
                return self.attach_row_sums();
            }
        }
    }

    /// Lets products compute, as epilogues, the fused units that alone read them.
    pub(super) fn attach_epilogues(&mut self) {
        while let Some((p, f)) = self.find_epilogue() {
            let Unit::Fused { stores: fused, .. } = self.units[f].clone() else { unreachable!("an epilogue is fused") };
            if let Unit::Product { product, stores, .. } = &mut self.units[p] {
                self.stored[product.0 as usize] = false;
                *stores = fused;
            }
            self.units.remove(f);
        }
    }

    pub(super) fn find_epilogue(&self) -> Option<(usize, usize)> {
        let reads: Vec<HashMap<Tensor, bool>> = self.units.iter().map(|u| self.reads(u)).collect();
        let needs = self.needs();
        // The largest product first: only one can be the accumulator.
        let mut order: Vec<usize> = (0..self.units.len()).collect();
        order.sort_by_key(|&u| match &self.units[u] {
            Unit::Product { product, .. } => std::cmp::Reverse(self.graph.shape(*product).iter().product::<usize>()),
            _ => std::cmp::Reverse(0),
        });
        for p in order {
            let Unit::Product { product, stores, sums } = &self.units[p] else { continue };
            let in_statistics = |&s: &Tensor| self.leaves(self.graph.shape(s), &[], &[s], None).contains_key(product);
            if *stores != [*product]
                || self.destinations.contains_key(product)
                || self.statistics.iter().any(in_statistics)
            {
                continue;
            }
            let users: Vec<usize> = (0..self.units.len()).filter(|&u| reads[u].contains_key(product)).collect();
            let [f] = users[..] else { continue };
            let Unit::Fused { space, axes, stores: fused, sums: none } = &self.units[f] else { continue };
            let outer = self.graph.shape(*product);
            let read: BTreeSet<Tensor> = reads[f].keys().copied().filter(|t| t != product).collect();
            let fits = self.bindings(&read, &fused.iter().chain(sums).copied().collect()) + 2 <= 8;
            if space == outer
                && axes.is_empty()
                && none.is_empty()
                && reads[f][product]
                && fits
                && !self.joins(p, &reads[f])
                && !path_around(&needs, p, f)
            {
                return Some((p, f));
            }
        }
        None
    }
}
