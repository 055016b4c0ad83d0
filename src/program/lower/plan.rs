//! Which tensors lie in memory, and which operations run together.
//!
//! A [`Unit`] becomes one call: a fused map or reduction, a matrix product with its epilogue, or a batch. Elementwise
//! tensors are stored only where something needs them in memory: an operand of a product, an output, a gradient, a
//! part of a concatenation, or a costly value that two units would otherwise compute twice.

use std::collections::{BTreeSet, HashMap};

use super::access::{Builder, Dim, Place, regroups};
use crate::graph::{Graph, Op, Shape, Tensor};
use crate::kernels::Instr;

/// Where a copy of a tensor is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Destination {
    /// Memory of its own.
    Scratch,
    /// A part of a concatenation: the tensor, its axis, and the index where the part starts.
    Part(Tensor, usize, usize),
    /// The gradient of a parameter of the updated set, by index.
    Gradient(usize),
    /// An output, by index.
    Output(usize),
}

/// What one call computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Elementwise tensors, and sums of elementwise tensors, over one space.
    Fused {
        /// The shape that all of them share (of the sums: of their arguments).
        space: Shape,
        /// The axes that sums run over; empty without sums.
        axes: Vec<usize>,
        /// Elementwise tensors that are stored.
        stores: Vec<Tensor>,
        /// Sums that are stored.
        sums: Vec<Tensor>,
    },
    /// A matrix product; stores computed from it; the sums of its first operand's columns.
    Product {
        /// The product.
        product: Tensor,
        /// What its epilogue stores; the product itself, if it is plain.
        stores: Vec<Tensor>,
        /// The tensor that is the sums of its first operand's columns.
        sums: Option<Tensor>,
    },
    /// A batch of a data set.
    Batch(Tensor),
}

impl Unit {
    /// The tensors it puts into memory.
    pub fn made(&self) -> Vec<Tensor> {
        match self {
            Unit::Fused { stores, sums, .. } => stores.iter().chain(sums).copied().collect(),
            Unit::Product { stores, sums, .. } => stores.iter().chain(sums).copied().collect(),
            Unit::Batch(t) => vec![*t],
        }
    }
}

/// The plan of a program.
pub(super) struct Plan<'a> {
    pub graph: &'a Graph,
    /// Tensors that lie in memory.
    pub stored: Vec<bool>,
    /// Where copies of them are wanted; the first is where they live.
    pub destinations: HashMap<Tensor, Vec<Destination>>,
    /// The calls, in an order that respects what they need.
    pub units: Vec<Unit>,
    /// Tensors that the statistics read behind all units.
    statistics: Vec<Tensor>,
}

impl<'a> Plan<'a> {
    /// Plans the computation of the wanted copies, and of what `statistics` read.
    pub fn new(graph: &'a Graph, wanted: &[(Tensor, Destination)], statistics: &[Tensor]) -> Plan<'a> {
        let mut forced = BTreeSet::new();
        loop {
            let mut plan = Plan {
                graph,
                stored: vec![false; graph.len()],
                destinations: HashMap::new(),
                units: vec![],
                statistics: statistics.to_vec(),
            };
            plan.store(wanted, statistics, &forced);
            plan.form_units();
            plan.attach_row_sums();
            plan.merge();
            let shared = plan.costly_and_shared(statistics);
            if shared.is_empty() {
                plan.attach_epilogues();
                plan.order();
                return plan;
            }
            forced.extend(shared);
        }
    }

    /// Decides what lies in memory.
    fn store(&mut self, wanted: &[(Tensor, Destination)], statistics: &[Tensor], forced: &BTreeSet<Tensor>) {
        let graph = self.graph;
        let mut live = vec![false; graph.len()];
        for &t in wanted.iter().map(|(t, _)| t).chain(statistics) {
            live[t.0 as usize] = true;
        }
        for id in (0..graph.len()).rev() {
            if live[id] {
                for input in &graph.node(Tensor(id as u32)).inputs {
                    live[input.0 as usize] = true;
                }
            }
        }
        for &(t, destination) in wanted {
            let t = self.placed(t, destination);
            self.want(t, destination);
        }
        for &t in forced {
            self.stored[t.0 as usize] = true;
        }
        // Users stand behind what they use: going backwards, every wish is known before its tensor is met.
        for id in (0..graph.len()).rev().filter(|&id| live[id]) {
            let t = Tensor(id as u32);
            let node = graph.node(t);
            match &node.op {
                Op::MatMul { .. } => {
                    self.stored[id] = true;
                    for &input in &node.inputs {
                        let operand = self.operand(input);
                        self.stored[operand.0 as usize] = true;
                    }
                }
                Op::Sum(_) | Op::Batch { .. } | Op::Param(_) | Op::Input(_) => self.stored[id] = true,
                Op::Concat(axis) => {
                    self.stored[id] = true;
                    let mut start = 0;
                    for &part in &node.inputs {
                        let placed = self.placed(part, Destination::Part(t, *axis, start));
                        self.want(placed, Destination::Part(t, *axis, start));
                        start += graph.shape(part)[*axis];
                    }
                }
                Op::Reshape if regroups(graph, t) => {
                    // Regrouping wants contiguous memory, which a part of a concatenation is not.
                    let from = node.inputs[0];
                    self.stored[from.0 as usize] = true;
                    if self.destinations.contains_key(&from) {
                        self.destinations.entry(from).or_default().insert(0, Destination::Scratch);
                    }
                }
                _ => {}
            }
        }
    }

    fn want(&mut self, t: Tensor, destination: Destination) {
        self.stored[t.0 as usize] = true;
        self.destinations.entry(t).or_default().push(destination);
    }

    /// The tensor that is written to a destination: a reshape of something computed is that thing, written there.
    fn placed(&self, t: Tensor, destination: Destination) -> Tensor {
        let node = self.graph.node(t);
        let whole = matches!(destination, Destination::Gradient(_) | Destination::Output(_));
        match node.op {
            Op::Reshape if whole => {
                let inner = self.placed(node.inputs[0], destination);
                if self.graph.node(inner).op.is_view() { t } else { inner }
            }
            _ => t,
        }
    }

    /// The tensor that must lie in memory for a product to read `t`: views with rows or columns of stride 1 are read as
    /// they are.
    pub fn operand(&self, t: Tensor) -> Tensor {
        let node = self.graph.node(t);
        let simple = match &node.op {
            Op::Slice { .. } | Op::Permute(_) => true,
            Op::Reshape => !regroups(self.graph, t),
            _ => false,
        };
        if simple && node.shape.len() == 2 && self.graph.shape(node.inputs[0]).len() == 2 {
            return self.operand(node.inputs[0]);
        }
        t
    }

    /// Whether a stored tensor is computed by a fused unit: not external, not the result of a kernel of its own.
    pub fn is_fused(&self, t: Tensor) -> bool {
        let op = &self.graph.node(t).op;
        op.is_elementwise() || op.is_view()
    }

    fn form_units(&mut self) {
        for id in 0..self.graph.len() {
            let t = Tensor(id as u32);
            if !self.stored[id] {
                continue;
            }
            let node = self.graph.node(t);
            let copied = self.destinations.get(&t).is_some_and(|d| !d.is_empty());
            match &node.op {
                Op::Batch { .. } => self.units.push(Unit::Batch(t)),
                Op::MatMul { .. } => self.units.push(Unit::Product { product: t, stores: vec![t], sums: None }),
                Op::Sum(axes) => {
                    let space = self.graph.shape(node.inputs[0]).to_vec();
                    self.units.push(Unit::Fused { space, axes: axes.clone(), stores: vec![], sums: vec![t] });
                }
                // A parameter or an input that is wanted elsewhere is copied there.
                Op::Param(_) | Op::Input(_) if !copied => {}
                // A concatenation is made by its parts; only further copies of it are work of its own.
                Op::Concat(_) if self.destinations.get(&t).is_none_or(|d| d.len() < 2) => {}
                _ => self.units.push(Unit::Fused {
                    space: node.shape.clone(),
                    axes: vec![],
                    stores: vec![t],
                    sums: vec![],
                }),
            }
        }
    }

    /// The tensors in memory that a fused computation reads, and whether it reads them at the point itself only.
    fn leaves(
        &self,
        space: &[usize],
        own: &[Tensor],
        roots: &[Tensor],
        product: Option<Tensor>,
    ) -> HashMap<Tensor, bool> {
        let mut found: HashMap<Tensor, bool> = HashMap::new();
        let home: Vec<Dim> = (0..space.len()).map(|d| Dim { iter: Some(d), offset: 0 }).collect();
        let at_point = home.clone();
        let mut leaf = |expr: &mut crate::kernels::Expr, leaf: super::access::Leaf| {
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
        found
    }

    /// The roots of a fused unit's expression: what is stored, and what is summed.
    pub fn roots(&self, stores: &[Tensor], sums: &[Tensor]) -> Vec<Tensor> {
        stores.iter().copied().chain(sums.iter().map(|&s| self.graph.node(s).inputs[0])).collect()
    }

    /// The tensors in memory that a unit reads.
    fn reads(&self, unit: &Unit) -> HashMap<Tensor, bool> {
        match unit {
            Unit::Fused { space, stores, sums, .. } => {
                let own: Vec<Tensor> = stores.iter().copied().filter(|&t| self.is_fused(t)).collect();
                self.leaves(space, &own, &self.roots(stores, sums), None)
            }
            Unit::Product { product, stores, .. } => {
                let mut reads = HashMap::new();
                if *stores != [*product] {
                    let own: Vec<Tensor> = stores.iter().copied().filter(|&t| self.is_fused(t)).collect();
                    reads = self.leaves(self.graph.shape(*product), &own, stores, Some(*product));
                }
                for &input in &self.graph.node(*product).inputs {
                    reads.insert(self.operand(input), false);
                }
                reads
            }
            Unit::Batch(_) => HashMap::new(),
        }
    }

    /// The tensors that units make so that `t` is in memory: itself, or the parts of a concatenation.
    fn makers(&self, t: Tensor) -> Vec<Tensor> {
        let node = self.graph.node(t);
        match node.op {
            Op::Concat(axis) => {
                let mut start = 0;
                let mut all = Vec::new();
                for &part in &node.inputs {
                    let placed = self.placed(part, Destination::Part(t, axis, start));
                    start += self.graph.shape(part)[axis];
                    // A part that lies elsewhere is copied by the unit that stores it; a nested concatenation likewise.
                    all.extend(if matches!(self.graph.node(placed).op, Op::Concat(_)) {
                        self.makers(placed)
                    } else {
                        vec![placed]
                    });
                }
                all
            }
            _ => vec![t],
        }
    }

    /// For every unit, the units it needs.
    fn needs(&self) -> Vec<BTreeSet<usize>> {
        let mut maker: HashMap<Tensor, usize> = HashMap::new();
        for (u, unit) in self.units.iter().enumerate() {
            for t in unit.made() {
                maker.insert(t, u);
            }
        }
        self.units
            .iter()
            .enumerate()
            .map(|(u, unit)| {
                let read = self.reads(unit);
                let made = read.keys().flat_map(|&t| self.makers(t));
                made.filter_map(|t| maker.get(&t).copied()).filter(|&v| v != u).collect()
            })
            .collect()
    }

    /// Joins fused units over one space that share what they read, or of which one reads the other at the point itself.
    fn merge(&mut self) {
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

    fn find_pair(&self) -> Option<(usize, usize)> {
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

    /// Whether two units together stay within the eight bindings that every adapter has.
    fn fits(&self, a: usize, b: usize, reads: &[HashMap<Tensor, bool>]) -> bool {
        let mut bound: BTreeSet<Tensor> = reads[a].keys().chain(reads[b].keys()).copied().collect();
        bound.extend(self.units[a].made());
        bound.extend(self.units[b].made());
        bound.len() <= 8
    }

    /// Costly elementwise tensors that more than one unit would compute.
    fn costly_and_shared(&self, statistics: &[Tensor]) -> Vec<Tensor> {
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

    /// Lets a product with Aᵀ also sum the columns of A, where they are wanted: the gradient of a bias.
    fn attach_row_sums(&mut self) {
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
                    && self.graph.node(sum).inputs[0] == a
                    && self.destinations.get(&sum).is_none_or(|d| d.len() == 1)
            });
            if let Some(s) = wanted {
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
    fn attach_epilogues(&mut self) {
        while let Some((p, f)) = self.find_epilogue() {
            let Unit::Fused { stores: fused, .. } = self.units[f].clone() else { unreachable!("an epilogue is fused") };
            if let Unit::Product { product, stores, .. } = &mut self.units[p] {
                self.stored[product.0 as usize] = false;
                *stores = fused;
            }
            self.units.remove(f);
        }
    }

    fn find_epilogue(&self) -> Option<(usize, usize)> {
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
            let mut bound: BTreeSet<Tensor> = reads[f].keys().copied().filter(|t| t != product).collect();
            bound.extend(fused.iter().copied());
            bound.extend(sums.iter().copied());
            let fits = bound.len() + 2 <= 8;
            if space == outer
                && axes.is_empty()
                && none.is_empty()
                && reads[f][product]
                && fits
                && !path_around(&needs, p, f)
            {
                return Some((p, f));
            }
        }
        None
    }

    /// Puts the units into an order in which each comes behind what it needs; otherwise as the graph was built.
    fn order(&mut self) {
        let needs = self.needs();
        let mut done = vec![false; self.units.len()];
        let mut order = Vec::new();
        while order.len() < self.units.len() {
            let ready = (0..self.units.len())
                .filter(|&u| !done[u] && needs[u].iter().all(|&v| done[v]))
                .min_by_key(|&u| self.units[u].made().into_iter().min())
                .expect("units need each other in a circle");
            done[ready] = true;
            order.push(ready);
        }
        self.units = order.iter().map(|&u| self.units[u].clone()).collect();
    }
}

/// Whether `to` needs `from` through some other unit.
fn path_around(needs: &[BTreeSet<usize>], from: usize, to: usize) -> bool {
    let mut stack: Vec<usize> = needs[to].iter().copied().filter(|&u| u != from).collect();
    let mut seen = vec![false; needs.len()];
    while let Some(u) = stack.pop() {
        if u == from {
            return true;
        }
        if !std::mem::replace(&mut seen[u], true) {
            stack.extend(needs[u].iter().copied());
        }
    }
    false
}
