//! The units: what each computes, reads and needs.

use std::collections::HashMap;

use super::super::access::{Builder, Dim, Leaf, Place};
use super::joined::Reads;
use super::{Plan, Unit};
use crate::graph::{NodeId, Op};
use crate::kernels::{Expr, Instr};

impl Plan<'_> {
    /// One unit for every tensor that work puts into memory.
    pub(super) fn form_units(&self) -> Vec<Unit> {
        let mut units = Vec::new();
        for id in 0..self.graph.len() {
            let t = NodeId(id as u32);
            if !self.stored[id] {
                continue;
            }
            let node = self.graph.node(t);
            let copied = self.destinations.get(&t).is_some_and(|d| !d.is_empty());
            match &node.op {
                Op::Batch { .. } => {
                    units.push(Unit::Batch(t));
                    self.copies_of(t, &mut units);
                }
                _ if self.is_product(t) => units.push(Unit::Product { product: t, stores: vec![t], sums: None }),
                Op::Patches(_) | Op::Fold(_) => {
                    units.push(Unit::Window(t));
                    self.copies_of(t, &mut units);
                }
                Op::Sum(axes) | Op::Max(axes) => {
                    let space = self.graph.shape(node.inputs[0]).to_vec();
                    units.push(Unit::Fused { space, axes: axes.clone(), stores: vec![], sums: vec![t] });
                }
                // A parameter or an input that is wanted elsewhere is copied there.
                Op::Param(_) | Op::Input(_) if !copied => {}
                // A concatenation is made by its parts; only further copies of it are work of its own.
                Op::Concat(_) if self.destinations.get(&t).is_none_or(|d| d.len() < 2) => {}
                _ => units.push(Unit::Fused { space: node.shape.clone(), axes: vec![], stores: vec![t], sums: vec![] }),
            }
        }
        units
    }

    /// A unit for the further copies of a tensor whose kernel writes one.
    fn copies_of(&self, t: NodeId, units: &mut Vec<Unit>) {
        if self.destinations.get(&t).is_some_and(|d| d.len() > 1) {
            let space = self.graph.shape(t).to_vec();
            units.push(Unit::Fused { space, axes: vec![], stores: vec![t], sums: vec![] });
        }
    }

    /// The tensors in memory that a fused computation reads, and whether it reads them at the point itself only.
    pub(super) fn leaves(&self, space: &[usize], own: &[NodeId], roots: &[NodeId], product: Option<NodeId>) -> Reads {
        let mut found: Reads = HashMap::new();
        let home: Vec<Dim> = (0..space.len()).map(|d| Dim { iter: Some(d), offset: 0 }).collect();
        let at_point = home.clone();
        let mut leaf = |expr: &mut Expr, leaf: Leaf| {
            let here = matches!(&leaf.at, Place::Dims(access) if *access == at_point);
            let entry = found.entry(leaf.tensor).or_insert(true);
            *entry &= here;
            expr.push(Instr::Rows)
        };
        let mut builder = Builder::new(self.graph, &self.stored, own, home, space.len(), &|_| 0, &mut leaf);
        builder.accumulator = product;
        for &root in roots {
            builder.at_home(root);
        }
        let walked = builder.expr.instrs.len();
        self.visits.set(self.visits.get() + walked as u64);
        found
    }

    /// The tensors in memory that a unit reads.
    pub(super) fn reads(&self, unit: &Unit) -> Reads {
        match unit {
            Unit::Fused { space, stores, sums, .. } => {
                let own: Vec<NodeId> = stores.iter().copied().filter(|&t| self.is_fused(t)).collect();
                self.leaves(space, &own, &self.roots(stores, sums), None)
            }
            Unit::Product { product, stores, .. } => {
                let mut reads = HashMap::new();
                if *stores != [*product] {
                    let own: Vec<NodeId> = stores.iter().copied().filter(|&t| self.is_fused(t)).collect();
                    reads = self.leaves(self.graph.shape(*product), &own, stores, Some(*product));
                }
                for operand in self.operands(*product) {
                    reads.insert(operand, false);
                }
                reads
            }
            Unit::Batch(_) => HashMap::new(),
            Unit::Window(t) => HashMap::from([(self.graph.node(*t).inputs[0], false)]),
        }
    }

    /// The tensors that units make so that `t` is in memory: itself, or the parts of a concatenation.
    pub(super) fn makers(&self, t: NodeId) -> Vec<NodeId> {
        let node = self.graph.node(t);
        if !matches!(node.op, Op::Concat(_)) {
            return vec![t];
        }
        // A part that lies elsewhere is copied by the unit that stores it; a nested concatenation, by one of its own.
        let nested = |&part: &NodeId| std::iter::once(part).chain(self.makers(part)).collect::<Vec<_>>();
        node.inputs.iter().flat_map(nested).collect()
    }

    /// Whether something reads a concatenation of which a unit makes a part: it must run behind that unit, not in it.
    pub(super) fn joins(&self, maker: &Unit, reads: &Reads) -> bool {
        let mut joined = reads.keys().filter(|t| matches!(self.graph.node(**t).op, Op::Concat(_))).peekable();
        if joined.peek().is_none() {
            return false;
        }
        let made = maker.made();
        joined.flat_map(|&t| self.makers(t)).any(|part| made.contains(&part))
    }
}
