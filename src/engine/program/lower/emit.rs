//! Turns the units of a plan into kernel calls over memory objects.

mod units;

use std::collections::HashMap;
use std::ops::Range;

use super::Shared;
use super::access::{Access as IndexAccess, Builder, Leaf, Place, contiguous, iteration, view};
use super::memory::Object;
use super::plan::{Destination, Plan};
use crate::graph::{Graph, NodeId, Op};
use crate::kernels::{Access, Expr, Item, Load, Map, Matmul, Reg, Store, View};
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

    /// A statistic: the sum of a tensor.
    pub fn item(&mut self, t: NodeId, objects: &mut Vec<usize>) -> Item {
        let shape = self.graph.shape(t).to_vec();
        let (extents, home) = iteration(&shape, &[]);
        let mut bindings = Bindings { access: vec![Access::Read; objects.len()], objects: std::mem::take(objects) };
        let (expr, regs) = self.expression(&[t], &[], (home, extents.len()), None, &mut bindings);
        *objects = bindings.objects;
        Item { extents, expr, reg: regs[0] }
    }
}

/// The slot of a scalar among the names of all.
fn slot_of(scalars: &[String], name: &str) -> usize {
    scalars.iter().position(|s| s == name).expect("every scalar of the program has a slot")
}
