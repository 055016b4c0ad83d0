//! Units as they are joined: each keeps its place, what it reads and what it needs, and joining two updates no more than what it
//! changes.

use std::collections::{BTreeSet, HashMap};

use super::{Plan, Unit};
use crate::graph::{NodeId, Shape};

/// The tensors in memory that a unit reads, and whether it reads them at the point itself only.
pub(super) type Reads = HashMap<NodeId, bool>;

/// Units in their places; a place is empty once its unit has joined another.
pub(super) struct Joined {
    units: Vec<Option<Unit>>,
    reads: Vec<Reads>,
    /// The number of the space that a fused unit is over; units over one space have one number.
    spaces: Vec<Option<usize>>,
    /// The units that read a tensor, and those that make it: a batch and its copies are made by two.
    readers: HashMap<NodeId, BTreeSet<usize>>,
    makers: HashMap<NodeId, BTreeSet<usize>>,
    /// The units that each unit needs, and those that need it.
    needs: Vec<BTreeSet<usize>>,
    users: Vec<BTreeSet<usize>>,
    /// All units that must run before each unit.
    before: Vec<Bits>,
}

impl Joined {
    /// Units that have not been joined.
    pub fn new(plan: &Plan, units: Vec<Unit>) -> Joined {
        let reads: Vec<Reads> = units.iter().map(|unit| plan.reads(unit)).collect();
        let (mut readers, mut makers): (HashMap<_, BTreeSet<usize>>, HashMap<_, BTreeSet<usize>>) = Default::default();
        for (u, unit) in units.iter().enumerate() {
            reads[u].keys().for_each(|&t| _ = readers.entry(t).or_default().insert(u));
            unit.made().into_iter().for_each(|t| _ = makers.entry(t).or_default().insert(u));
        }
        let needed = |(u, reads): (usize, &Reads)| {
            let made = reads.keys().flat_map(|&t| plan.makers(t));
            made.filter_map(|t| makers.get(&t)).flatten().copied().filter(|&v| v != u).collect()
        };
        let needs: Vec<BTreeSet<usize>> = reads.iter().enumerate().map(needed).collect();
        let mut users = vec![BTreeSet::new(); units.len()];
        for (u, needs) in needs.iter().enumerate() {
            needs.iter().for_each(|&v| _ = users[v].insert(u));
        }
        let mut numbers: HashMap<Shape, usize> = HashMap::new();
        let mut number = |unit: &Unit| match unit {
            Unit::Fused { space, .. } => {
                let next = numbers.len();
                Some(*numbers.entry(space.clone()).or_insert(next))
            }
            _ => None,
        };
        let mut joined = Joined {
            spaces: units.iter().map(&mut number).collect(),
            before: vec![Bits::new(units.len()); units.len()],
            units: units.into_iter().map(Some).collect(),
            reads,
            readers,
            makers,
            needs,
            users,
        };
        for u in joined.order() {
            for v in joined.needs[u].clone() {
                let reached = joined.before[v].clone();
                joined.before[u].add(&reached);
                joined.before[u].insert(v);
            }
        }
        joined
    }

    /// How many places there are.
    pub fn places(&self) -> usize {
        self.units.len()
    }

    /// The unit in a place, if it has not joined another.
    pub fn unit(&self, u: usize) -> Option<&Unit> {
        self.units[u].as_ref()
    }

    /// What the unit in a place reads.
    pub fn reads(&self, u: usize) -> &Reads {
        &self.reads[u]
    }

    /// The units that read a tensor.
    pub fn readers(&self, t: NodeId) -> &BTreeSet<usize> {
        static NONE: BTreeSet<usize> = BTreeSet::new();
        self.readers.get(&t).unwrap_or(&NONE)
    }

    /// Whether one unit needs another directly.
    pub fn needs(&self, u: usize, other: usize) -> bool {
        self.needs[u].contains(&other)
    }

    /// The fused units over the same space that read something that this one reads or makes, or make something that it reads.
    pub fn neighbours(&self, u: usize) -> BTreeSet<usize> {
        let made = self.units[u].as_ref().map_or(vec![], Unit::made);
        let reading = self.reads[u].keys().chain(&made).filter_map(|t| self.readers.get(t));
        let making = self.reads[u].keys().filter_map(|t| self.makers.get(t));
        let alike = |v: &usize| *v != u && self.spaces[*v].is_some() && self.spaces[*v] == self.spaces[u];
        reading.chain(making).flatten().copied().filter(alike).collect()
    }

    /// Whether `to` needs `from` through some other unit.
    pub fn path_around(&self, from: usize, to: usize) -> bool {
        self.needs[to].iter().any(|&u| u != from && self.before[u].contains(from))
    }

    /// Puts one unit in place of two: it stands where `a` stood, and `b`'s place is empty.
    pub fn join(&mut self, plan: &Plan, (a, b): (usize, usize), unit: Unit) {
        for u in [a, b] {
            for t in std::mem::take(&mut self.reads[u]).into_keys() {
                self.readers.entry(t).or_default().remove(&u);
            }
            for t in self.units[u].take().map_or(vec![], |unit| unit.made()) {
                self.makers.entry(t).or_default().remove(&u);
            }
        }
        self.reads[a] = plan.reads(&unit);
        self.reads[a].keys().for_each(|&t| _ = self.readers.entry(t).or_default().insert(a));
        unit.made().into_iter().for_each(|t| _ = self.makers.entry(t).or_default().insert(a));
        self.units[a] = Some(unit);

        for v in std::mem::take(&mut self.needs[b]) {
            self.users[v].remove(&b);
            if v != a {
                self.users[v].insert(a);
                self.needs[a].insert(v);
            }
        }
        for u in std::mem::take(&mut self.users[b]) {
            self.needs[u].remove(&b);
            if u != a {
                self.needs[u].insert(a);
                self.users[a].insert(u);
            }
        }
        self.needs[a].remove(&b);
        self.users[a].remove(&b);
        let of_b = self.before[b].clone();
        self.before[a].add(&of_b);
        self.before[a].remove(a);
        self.before[a].remove(b);
        let reached = self.before[a].clone();
        for w in 0..self.units.len() {
            if w != a && self.units[w].is_some() && (self.before[w].contains(a) || self.before[w].contains(b)) {
                self.before[w].add(&reached);
                self.before[w].insert(a);
            }
        }
    }

    /// The places in an order in which each unit comes behind what it needs; otherwise as the graph was built.
    pub fn order(&self) -> Vec<usize> {
        let first = |u: usize| (self.units[u].as_ref().and_then(|unit| unit.made().into_iter().min()), u);
        let mut open: Vec<usize> = self.needs.iter().map(BTreeSet::len).collect();
        let live = || (0..self.units.len()).filter(|&u| self.units[u].is_some());
        let mut ready: BTreeSet<_> = live().filter(|&u| open[u] == 0).map(first).collect();
        let mut order = Vec::new();
        while let Some((_, u)) = ready.pop_first() {
            order.push(u);
            for &v in &self.users[u] {
                open[v] -= 1;
                if open[v] == 0 {
                    ready.insert(first(v));
                }
            }
        }
        assert_eq!(order.len(), live().count(), "units need each other in a circle");
        order
    }
}

/// A set of places.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(places: usize) -> Bits {
        Bits(vec![0; places.div_ceil(64)])
    }

    fn contains(&self, place: usize) -> bool {
        self.0[place / 64] >> (place % 64) & 1 == 1
    }

    fn insert(&mut self, place: usize) {
        self.0[place / 64] |= 1 << (place % 64);
    }

    fn remove(&mut self, place: usize) {
        self.0[place / 64] &= !(1 << (place % 64));
    }

    fn add(&mut self, other: &Bits) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }
}
