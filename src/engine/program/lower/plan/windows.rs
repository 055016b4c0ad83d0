//! Products with patches: an operand that is patches is computed as it is read, and a product that is folded is never stored.

use super::Plan;
use crate::graph::{NodeId, Op};
use crate::kernels::{FoldProduct, Side, Window};

impl Plan<'_> {
    /// The operand of a product that is patches, and computed where it is read: which one, and of what window.
    pub(in crate::engine::program::lower) fn patches_of(&self, product: NodeId) -> Option<(Side, Window)> {
        let node = self.graph.node(product);
        let Op::MatMul { transpose_a, transpose_b } = node.op else { return None };
        let window = |i: usize| match self.graph.node(node.inputs[i]).op {
            Op::Patches(window) => Some(window),
            _ => None,
        };
        let of_b = window(1).filter(|_| !transpose_b).map(|window| (Side::B, window));
        of_b.or_else(|| window(0).filter(|_| !transpose_a).map(|window| (Side::A, window)))
    }

    /// The product that a fold is of, if the two are one call.
    pub(in crate::engine::program::lower) fn folded_by(&self, fold: NodeId) -> Option<NodeId> {
        let node = self.graph.node(fold);
        matches!(node.op, Op::Fold(_)).then(|| node.inputs[0]).filter(|product| self.folded[product.0 as usize])
    }

    /// Whether a tensor is a product, or the fold of one, that a call computes.
    pub(super) fn is_product(&self, t: NodeId) -> bool {
        let is_matmul = matches!(self.graph.node(t).op, Op::MatMul { .. });
        is_matmul && !self.folded[t.0 as usize] || self.folded_by(t).is_some()
    }

    /// What must lie in memory for a product, or the fold of one, to read its operands.
    pub(in crate::engine::program::lower) fn operands(&self, product: NodeId) -> [NodeId; 2] {
        let product = self.folded_by(product).unwrap_or(product);
        let inputs = &self.graph.node(product).inputs;
        let mut operands = [0, 1].map(|i| self.operand(inputs[i]));
        if let Some((side, _)) = self.patches_of(product) {
            let i = usize::from(side == Side::B);
            operands[i] = self.graph.node(inputs[i]).inputs[0];
        }
        operands
    }

    /// The patches that something reads which cannot compute them.
    pub(super) fn patches_read(&self, live: &[bool]) -> Vec<bool> {
        let mut read = vec![false; self.graph.len()];
        for t in (0..self.graph.len()).filter(|&id| live[id]).map(|id| NodeId(id as u32)) {
            let computed = self.patches_of(t).map(|(side, _)| usize::from(side == Side::B));
            for (i, input) in self.graph.node(t).inputs.iter().enumerate() {
                read[input.0 as usize] |= computed != Some(i) && matches!(self.graph.node(*input).op, Op::Patches(_));
            }
        }
        read
    }

    /// Finds the products that are folded and read by nothing else; `wanted` says what is wanted by itself.
    pub(super) fn find_folded(&mut self, live: &[bool], wanted: impl Fn(NodeId) -> bool) {
        let graph = self.graph;
        let mut users = vec![0; graph.len()];
        let nodes = || (0..graph.len()).filter(|&id| live[id]).map(|id| NodeId(id as u32));
        nodes().flat_map(|t| &graph.node(t).inputs).for_each(|input| users[input.0 as usize] += 1);
        self.folded = vec![false; graph.len()];
        for t in nodes() {
            let Op::Fold(window) = &graph.node(t).op else { continue };
            let product = graph.node(t).inputs[0];
            let node = graph.node(product);
            let is_plain =
                |&input: &NodeId| self.operand(input) == input && !matches!(graph.node(input).op, Op::Patches(_));
            self.folded[product.0 as usize] = FoldProduct::takes(window)
                && node.op == Op::MatMul { transpose_a: false, transpose_b: false }
                && node.inputs.iter().all(is_plain)
                && users[product.0 as usize] == 1
                && !wanted(product);
        }
    }
}
