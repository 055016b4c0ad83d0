//! Turns the units of a plan into kernel calls over memory objects.

use std::collections::HashMap;
use std::ops::Range;

use super::access::{Access as IndexAccess, Builder, Dim, Leaf, Place, contiguous, iteration, view};
use super::memory::Object;
use super::plan::{Destination, Plan, Unit};
use super::{Shared, plain};
use crate::graph::{Graph, NodeId, Op};
use crate::kernels::{
    Access, BUFFERS, Batch, Binarise, Columns, Expr, Fold, FoldPatches, FoldProduct, Item, Load, Map, Matmul, Operand,
    PatchProduct, Patches, Reduction, Reg, Side, Store, View,
};
use crate::program::{Buffer, MOST_BINDINGS as MOST, Parameter, ParameterSet, Request};

/// A call whose objects have no place yet.
pub(super) struct Draft {
    pub kernel: Shared,
    pub objects: Vec<usize>,
    pub label: String,
    /// The matrix product that the kernel is, if it is one.
    pub product: Option<Matmul>,
}

/// Where a tensor's elements lie.
#[derive(Clone, Debug)]
struct Storage {
    object: usize,
    offset: usize,
    strides: Vec<usize>,
}

/// Collects calls, objects and buffers.
pub(super) struct Emitter<'a> {
    request: &'a Request<'a>,
    plan: &'a Plan<'a>,
    graph: &'a Graph,
    pub scalars: Vec<String>,
    pub buffers: Vec<Buffer>,
    pub objects: Vec<Object>,
    pub drafts: Vec<Draft>,
    /// The object of each output.
    pub outputs: Vec<usize>,
    /// The objects of the gradients of each set.
    gradients: Vec<Vec<usize>>,
    /// The object of what each assigned parameter becomes.
    assigned: Vec<usize>,
    storage: HashMap<NodeId, Storage>,
}

/// The bindings of one call: each object once, written if anything writes it.
#[derive(Default)]
struct Bindings {
    objects: Vec<usize>,
    access: Vec<Access>,
}

impl Bindings {
    fn bind(&mut self, object: usize, access: Access) -> usize {
        let known = self.objects.iter().position(|&o| o == object);
        let at = known.unwrap_or_else(|| {
            self.objects.push(object);
            self.access.push(access);
            self.objects.len() - 1
        });
        if access == Access::Write {
            self.access[at] = access;
        }
        at
    }
}

impl<'a> Emitter<'a> {
    pub fn new(request: &'a Request<'a>, plan: &'a Plan<'a>, scalars: Vec<String>) -> Emitter<'a> {
        let mut emitter = Emitter {
            request,
            plan,
            graph: request.graph,
            scalars,
            buffers: vec![],
            objects: vec![],
            drafts: vec![],
            outputs: vec![],
            gradients: vec![],
            assigned: vec![],
            storage: HashMap::new(),
        };
        for (name, t) in &request.outputs {
            let words = t.shape().iter().product();
            let object = emitter.whole(&format!("output.{name}"), words);
            emitter.outputs.push(object);
        }
        for gradients in &request.gradients {
            let set = gradients.set;
            let of = |p: &Parameter| emitter.part(&set.gradients(), set.words(), (p.offset, p.len()));
            let objects = set.parameters.iter().map(of).collect();
            emitter.gradients.push(objects);
        }
        for (name, _) in &request.assigns {
            let (set, parameter) = emitter.parameter(name);
            let object = emitter.part(&set.next(), set.words(), (parameter.offset, parameter.len()));
            emitter.assigned.push(object);
        }
        emitter
    }

    /// The program's name.
    pub fn program(&self) -> &'a str {
        self.request.name
    }

    /// The slot of a scalar.
    pub fn slot(&self, name: &str) -> usize {
        slot_of(&self.scalars, name)
    }

    /// A parameter of the request's sets, and the set.
    fn parameter(&self, name: &str) -> (&'a ParameterSet, &'a Parameter) {
        let found = self.request.parameters.iter().find_map(|set| Some((*set, set.get(name)?)));
        found.unwrap_or_else(|| panic!("no set holds the parameter {name}"))
    }

    fn count(&self, t: NodeId) -> usize {
        self.graph.shape(t).iter().product()
    }

    fn buffer(&mut self, name: &str, words: usize) -> usize {
        let known = self.buffers.iter().position(|b| b.name == name);
        known.unwrap_or_else(|| {
            self.buffers.push(Buffer { name: name.to_string(), words });
            self.buffers.len() - 1
        })
    }

    /// The object that is a whole named buffer.
    pub fn whole(&mut self, name: &str, words: usize) -> usize {
        let fixed = Some((self.buffer(name, words), 0));
        let object = Object { fixed, words };
        if let Some(known) = self.objects.iter().position(|o| *o == object) {
            return known;
        }
        self.objects.push(object);
        self.objects.len() - 1
    }

    /// The object that is a range of a named buffer: its first word, and how many.
    pub fn part(&mut self, name: &str, words: usize, (start, len): (usize, usize)) -> usize {
        let fixed = Some((self.buffer(name, words), start));
        self.objects.push(Object { fixed, words: len });
        self.objects.len() - 1
    }

    /// The most words that a pass over a flat buffer binds.
    pub fn pass(&self) -> usize {
        self.request.pass
    }

    /// A range of a named buffer as one of the passes over it binds it.
    pub fn span(&mut self, name: &str, words: usize, span: &Range<usize>) -> usize {
        if span.len() == words { self.whole(name, words) } else { self.part(name, words, (span.start, span.len())) }
    }

    /// The ranges that passes over a flat buffer of so many words take one by one.
    pub fn spans(&self, words: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let pass = self.pass();
        (0..words.div_ceil(pass)).map(move |i| i * pass..words.min((i + 1) * pass))
    }

    /// A new object of the program's own.
    pub fn scratch(&mut self, words: usize) -> usize {
        self.objects.push(Object { fixed: None, words });
        self.objects.len() - 1
    }

    /// Appends a call.
    pub fn push(&mut self, kernel: Shared, objects: Vec<usize>, label: &str) {
        self.drafts.push(Draft { kernel, objects, label: label.to_string(), product: None });
    }

    /// Where a copy of `t` goes.
    fn target(&mut self, t: NodeId, destination: Destination) -> Storage {
        let strides = contiguous(self.graph.shape(t));
        match destination {
            Destination::Scratch => {
                let words = self.count(t);
                Storage { object: self.scratch(words), offset: 0, strides }
            }
            Destination::Gradient(set, i) => Storage { object: self.gradients[set][i], offset: 0, strides },
            Destination::Assigned(i) => Storage { object: self.assigned[i], offset: 0, strides },
            Destination::Output(i) => Storage { object: self.outputs[i], offset: 0, strides },
            Destination::Part(concat, axis, start) => {
                let whole = self.home(concat);
                Storage {
                    object: whole.object,
                    offset: whole.offset + start * whole.strides[axis],
                    strides: whole.strides,
                }
            }
        }
    }

    /// Where a tensor lives: its first destination, or the memory of a parameter, an input or a data set.
    fn home(&mut self, t: NodeId) -> Storage {
        if let Some(known) = self.storage.get(&t) {
            return known.clone();
        }
        let strides = contiguous(self.graph.shape(t));
        let words = self.count(t);
        let storage = match &self.graph.node(t).op {
            Op::Param(name) => {
                let (set, parameter) = self.parameter(name);
                assert_eq!(parameter.shape, self.graph.shape(t), "the shape of the parameter {name}");
                let object = self.part(&set.values(), set.words(), (parameter.offset, words));
                Storage { object, offset: 0, strides }
            }
            Op::Input(name) => {
                let buffer = if name.starts_with("output.") { name.clone() } else { format!("input.{name}") };
                Storage { object: self.whole(&buffer, words), offset: 0, strides }
            }
            _ => {
                let first = self.plan.destinations.get(&t).map_or(Destination::Scratch, |d| d[0]);
                self.target(t, first)
            }
        };
        self.storage.insert(t, storage.clone());
        storage
    }

    /// The places where the unit that makes a tensor writes it.
    fn targets(&mut self, t: NodeId) -> Vec<Storage> {
        let destinations = self.plan.places(t).0;
        let op = &self.graph.node(t).op;
        match op {
            // These live elsewhere: every destination is a copy.
            Op::Param(_) | Op::Input(_) => destinations.iter().map(|&d| self.target(t, d)).collect(),
            Op::Concat(_) | Op::Batch { .. } | Op::Patches(_) => {
                destinations.iter().skip(1).map(|&d| self.target(t, d)).collect()
            }
            Op::Fold(_) if self.plan.folded_by(t).is_none() => {
                destinations.iter().skip(1).map(|&d| self.target(t, d)).collect()
            }
            _ => {
                let mut all = vec![self.home(t)];
                all.extend(destinations.iter().skip(1).map(|&d| self.target(t, d)));
                all
            }
        }
    }

    /// Appends the calls that copy tensors to where else they are wanted.
    fn copies(&mut self, made: &[NodeId]) {
        for &t in made {
            let (extents, home) = iteration(self.graph.shape(t), &[]);
            let rank = extents.len();
            for destinations in self.plan.places(t).1.chunks(MOST - 1) {
                let mut bindings = Bindings::default();
                let (expr, regs) = self.expression(&[t], &[], (home.clone(), rank), None, &mut bindings);
                let mut stores = Vec::new();
                for &destination in destinations {
                    let storage = self.target(t, destination);
                    let view = view(storage.offset, &storage.strides, &home, rank);
                    stores.push(Store { reg: regs[0], binding: bindings.bind(storage.object, Access::Write), view });
                }
                let (extents, access) = (extents.clone(), bindings.access);
                let map = Map { extents, reduced: 0, expr, stores, reductions: vec![], access };
                self.push(std::sync::Arc::new(map), bindings.objects, "copies");
            }
        }
    }

    /// Builds the expression of some roots over an iteration space; gives it with the roots' registers.
    fn expression(
        &mut self,
        roots: &[NodeId],
        own: &[NodeId],
        (home, rank): (IndexAccess, usize),
        product: Option<NodeId>,
        bindings: &mut Bindings,
    ) -> (Expr, Vec<Reg>) {
        let (graph, plan, scalars) = (self.graph, self.plan, self.scalars.clone());
        let slot = |name: &str| slot_of(&scalars, name);
        let mut leaf = |expr: &mut Expr, leaf: Leaf| {
            let storage = self.home(leaf.tensor);
            let view = match &leaf.at {
                Place::Dims(access) => view(storage.offset, &storage.strides, access, rank),
                Place::Linear(at) => View { offset: storage.offset + at.offset, strides: at.strides.clone() },
            };
            expr.load(Load { binding: bindings.bind(storage.object, Access::Read), view })
        };
        let mut builder = Builder::new(graph, &plan.stored, own, home, rank, &slot, &mut leaf);
        builder.accumulator = product;
        let regs = roots.iter().map(|&t| builder.at_home(t)).collect();
        (builder.expr, regs)
    }

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
            true => std::sync::Arc::new(Columns::new(map)),
            false => std::sync::Arc::new(map),
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
            return self.push(std::sync::Arc::new(kernel), objects, &label);
        }
        let kernel = Matmul { m, n, k, a, b, expr, stores: written, row_sums, access };
        if let Some((side, window)) = patches {
            return self.push(std::sync::Arc::new(PatchProduct::new(kernel, window, side)), objects, &label);
        }
        self.drafts.push(Draft { kernel: std::sync::Arc::new(kernel.clone()), objects, label, product: Some(kernel) });
    }

    /// How a product reads an operand that may be a view of a tensor in memory.
    fn operand(&mut self, t: NodeId, transpose: bool) -> (usize, Operand) {
        let base = self.plan.operand(t);
        let mut access: IndexAccess = (0..2).map(|d| Dim { iter: Some(d), offset: 0 }).collect();
        let mut at = t;
        while at != base {
            access = super::access::through(self.graph, at, &access).expect("an operand is never regrouped");
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
            self.push(std::sync::Arc::new(kernel), objects, &format!("batch of {data}"));
        }
    }

    /// Patches of pictures, or their fold.
    fn window(&mut self, t: NodeId) {
        let node = self.graph.node(t).clone();
        let (from, to) = (self.home(node.inputs[0]), self.home(t));
        let objects = vec![from.object, to.object];
        let count = |per_picture: usize| node.shape.iter().product::<usize>() / per_picture;
        let kernel: Shared = match node.op {
            Op::Patches(window) => {
                std::sync::Arc::new(Patches { window, pictures: count(window.rows() * window.width()) })
            }
            Op::Fold(window) => {
                std::sync::Arc::new(FoldPatches { window, pictures: count(window.pixels() * window.channels) })
            }
            op => unreachable!("{op:?} has no window"),
        };
        let label = self.label([t].iter());
        self.push(kernel, objects, &label);
    }

    /// A statistic: the sum of a tensor.
    pub fn item(&mut self, t: NodeId, objects: &mut Vec<usize>) -> Item {
        let shape = self.graph.shape(t).to_vec();
        let (extents, home) = iteration(&shape, &[]);
        let mut bindings = Bindings { access: vec![Access::Read; objects.len()], objects: std::mem::take(objects) };
        let (expr, regs) = self.expression(&[t], &[], (home, extents.len()), None, &mut bindings);
        *objects = bindings.objects;
        Item { extents, expr, reg: regs[0] }
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

/// The slot of a scalar among the names of all.
fn slot_of(scalars: &[String], name: &str) -> usize {
    scalars.iter().position(|s| s == name).expect("every scalar of the program has a slot")
}
