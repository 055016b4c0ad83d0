//! Units of a plan as calls of kernels.

use std::ops::Range;
use std::sync::Arc;

use super::super::access::{Access as IndexAccess, Dim, iteration, through, view};
use super::super::plan::Unit;
use super::super::{Shared, plain};
use super::{Bindings, Draft, Emitter, Storage};
use crate::graph::{NodeId, Op};
use crate::kernels::{
    Access, BUFFERS, Batch, Binarise, Columns, Fold, FoldPatches, FoldProduct, Map, Matmul, Operand, PatchProduct,
    Patches, Reduction, Side, Store, View,
};

impl Emitter<'_> {
    /// Appends the call of a unit.
    pub fn unit(&mut self, unit: &Unit) {
        match unit {
            Unit::Fused { space, axes, stores, sums } => self.fused(space, axes, stores, sums),
            Unit::Product { product, stores, sums } => self.product(*product, stores, *sums),
            Unit::Batch(t) => self.batch(*t),
            Unit::Window(t) => self.window(*t),
        }
        if let Unit::Fused { .. } | Unit::Product { .. } = unit {
            self.copies(&unit.made());
        }
    }

    fn fused(&mut self, space: &[usize], axes: &[usize], stores: &[NodeId], sums: &[NodeId]) {
        let (extents, home) = iteration(space, axes);
        let rank = extents.len();
        let own: Vec<NodeId> = stores.iter().copied().filter(|&t| self.plan.is_fused(t)).collect();
        let mut bindings = Bindings::default();
        let roots = self.plan.roots(stores, sums);
        let (expr, regs) = self.expression(&roots, &own, (home.clone(), rank), None, &mut bindings);
        let mut written = Vec::new();
        for (&t, &reg) in stores.iter().zip(&regs) {
            for storage in self.targets(t) {
                let view = view(storage.offset, &storage.strides, &home, rank);
                written.push(Store { reg, binding: bindings.bind(storage.object, Access::Write), view });
            }
        }
        let kept = rank - axes.len();
        let mut reductions = Vec::new();
        for (&t, &reg) in sums.iter().zip(&regs[stores.len()..]) {
            for storage in self.targets(t) {
                let mut view = view(storage.offset, &storage.strides, &home, rank);
                view.strides.truncate(kept);
                let store = Store { reg, binding: bindings.bind(storage.object, Access::Write), view };
                let fold = if matches!(self.graph.node(t).op, Op::Max(_)) { Fold::Max } else { Fold::Sum };
                reductions.push(Reduction { fold, store });
            }
        }
        let label = self.label(stores.iter().chain(sums));
        let map = Map { extents, reduced: axes.len(), expr, stores: written, reductions, access: bindings.access };
        let kernel: Shared = match Columns::takes(&map) {
            true => Arc::new(Columns::new(map)),
            false => Arc::new(map),
        };
        self.push(kernel, bindings.objects, &label);
    }

    fn product(&mut self, product: NodeId, stores: &[NodeId], sums: Option<NodeId>) {
        let (shape, fold) = (self.graph.shape(product).to_vec(), self.plan.folded_by(product));
        let inner = fold.unwrap_or(product);
        let node = self.graph.node(inner).clone();
        let Op::MatMul { transpose_a, transpose_b } = node.op else { unreachable!("a product is a matmul") };
        let patches = self.plan.patches_of(inner);
        let [(a_object, a), (b_object, b)] =
            [(Side::A, 0, transpose_a), (Side::B, 1, transpose_b)].map(|(side, i, transpose)| match patches {
                Some((computed, window)) if computed == side => {
                    let pictures = self.home(self.graph.node(node.inputs[i]).inputs[0]);
                    let Storage { object, offset, .. } = pictures;
                    (object, Operand { offset, stride: window.channels, transposed: false })
                }
                _ => self.operand(node.inputs[i], transpose),
            });
        let (m, n) = (shape[0], shape[1]);
        let k = self.graph.shape(node.inputs[0])[usize::from(!transpose_a)];
        // Operands keep bindings of their own; what the epilogue reads or writes comes behind them.
        let mut bindings = Bindings::default();
        let home: IndexAccess = (0..2).map(|d| Dim { iter: Some(d), offset: 0 }).collect();
        let own: Vec<NodeId> = stores.iter().copied().filter(|&t| self.plan.is_fused(t)).collect();
        let (mut expr, regs) = if *stores == [product] {
            let (expr, reg) = plain();
            (expr, vec![reg])
        } else {
            self.expression(stores, &own, (home.clone(), 2), Some(product), &mut bindings)
        };
        for load in &mut expr.loads {
            load.binding += 2;
        }
        let mut written = Vec::new();
        for (&t, &reg) in stores.iter().zip(&regs) {
            for storage in self.targets(t) {
                let view = view(storage.offset, &storage.strides, &home, 2);
                written.push(Store { reg, binding: 2 + bindings.bind(storage.object, Access::Write), view });
            }
        }
        let row_sums = sums.map(|t| {
            let storage = self.home(t);
            // The sums of A's rows are the tensor [1, m], or [m]: its last dimension is the row.
            let stride = storage.strides.last().copied().unwrap_or(1);
            let binding = 2 + bindings.bind(storage.object, Access::Write);
            Store { reg: 0, binding, view: View { offset: storage.offset, strides: vec![stride] } }
        });
        let label = self.label(stores.iter().chain(&sums));
        let mut access = vec![Access::Read; 2];
        access.extend(bindings.access);
        let mut objects = vec![a_object, b_object];
        objects.extend(bindings.objects);
        let label = format!("{m}×{n}×{k} {label}");
        if let Op::Fold(window) = self.graph.node(product).op {
            let sizes = (window, m / window.pixels(), k);
            let kernel = FoldProduct::new(sizes, [a, b], expr, written, access);
            return self.push(Arc::new(kernel), objects, &label);
        }
        let kernel = Matmul { m, n, k, a, b, expr, stores: written, row_sums, access };
        if let Some((side, window)) = patches {
            return self.push(Arc::new(PatchProduct::new(kernel, window, side)), objects, &label);
        }
        self.drafts.push(Draft { kernel: Arc::new(kernel.clone()), objects, label, product: Some(kernel) });
    }

    /// How a product reads an operand that may be a view of a tensor in memory.
    fn operand(&mut self, t: NodeId, transpose: bool) -> (usize, Operand) {
        let base = self.plan.operand(t);
        let mut access: IndexAccess = (0..2).map(|d| Dim { iter: Some(d), offset: 0 }).collect();
        let mut at = t;
        while at != base {
            access = through(self.graph, at, &access).expect("an operand is never regrouped");
            at = self.graph.node(at).inputs[0];
        }
        let storage = self.home(base);
        let view = view(storage.offset, &storage.strides, &access, 2);
        let [rows, cols] = view.strides[..] else { unreachable!("an operand has two dimensions") };
        // As stored, one of the two strides is 1 (or its extent is, and the stride does not matter).
        let (stride, flipped) = if cols == 1 { (rows, false) } else { (cols, true) };
        (storage.object, Operand { offset: view.offset, stride, transposed: transpose != flipped })
    }

    fn batch(&mut self, t: NodeId) {
        let node = self.graph.node(t).clone();
        let Op::Batch { data, order, augment, binarise } = node.op else { unreachable!("a batch is a batch") };
        let spec = self.request.data.get(&data).unwrap_or_else(|| panic!("no data set is named {data}"));
        assert_eq!(spec.features, node.shape[1], "the features of the data set {data}");
        let of_buffer = |(name, rows): (String, Range<usize>)| self.whole(&name, rows.len() * spec.row_words());
        let sources: Vec<usize> = spec.buffers(&data).map(of_buffer).collect();
        let target = self.home(t).object;
        for (i, sources) in sources.chunks(BUFFERS).enumerate() {
            let kernel = Batch {
                rows: node.shape[0],
                features: spec.features,
                count: spec.count,
                packing: spec.packing,
                order,
                augment,
                binarise: binarise.map_or(Binarise::Never, Binarise::Sample),
                window: spec.window,
                buffer: spec.buffer,
                read: (i * BUFFERS, sources.len()),
            };
            let objects = sources.iter().copied().chain([target]).collect();
            self.push(Arc::new(kernel), objects, &format!("batch of {data}"));
        }
    }

    /// Patches of pictures, or their fold.
    fn window(&mut self, t: NodeId) {
        let node = self.graph.node(t).clone();
        let (from, to) = (self.home(node.inputs[0]), self.home(t));
        let objects = vec![from.object, to.object];
        let count = |per_picture: usize| node.shape.iter().product::<usize>() / per_picture;
        let kernel: Shared = match node.op {
            Op::Patches(window) => Arc::new(Patches { window, pictures: count(window.rows() * window.width()) }),
            Op::Fold(window) => Arc::new(FoldPatches { window, pictures: count(window.pixels() * window.channels) }),
            op => unreachable!("{op:?} has no window"),
        };
        let label = self.label([t].iter());
        self.push(kernel, objects, &label);
    }

    /// What a call computes, in a few words: the operations of its results.
    fn label<'t>(&self, made: impl Iterator<Item = &'t NodeId>) -> String {
        let name = |t: &NodeId| match &self.graph.node(*t).op {
            Op::Call(func) => func.name().to_string(),
            Op::MatMul { .. } => "product".to_string(),
            Op::Sum(_) => "sum".to_string(),
            Op::Max(_) => "max".to_string(),
            Op::Normal(_) => "normal".to_string(),
            op => format!("{op:?}").split([' ', '(']).next().unwrap_or_default().to_lowercase(),
        };
        made.map(name).collect::<Vec<_>>().join(", ")
    }
}
