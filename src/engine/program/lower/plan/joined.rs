//! Units as they are joined: each keeps its place, what it reads and what it needs, and joining two updates no more than what it
//! changes.

use std::collections::{BTreeSet, HashMap};

use super::{Plan, Unit};
use crate::graph::NodeId;

/// The tensors in memory that a unit reads, and whether it reads them at the point itself only.
pub(super) type Reads = HashMap<NodeId, bool>;

/// Units in their places; a place is empty once its unit has joined another.
pub(super) struct Joined {
    units: Vec<Option<Unit>>,
    reads: Vec<Reads>,
    /// The units that read a tensor, and those that make it: a batch and its copies are made by two.
    readers: HashMap<NodeId, BTreeSet<usize>>,
    makers: HashMap<NodeId, BTreeSet<usize>>,
    /// The units that each unit needs, and those that need it.
    needs: Vec<BTreeSet<usize>>,
    users: Vec<BTreeSet<usize>>,
    /// All units that must run before each unit, and all that must run behind it.
    before: Vec<Bits>,
    after: Vec<Bits>,
    /// Of those the units between which and this one there is another.
    far_before: Vec<Bits>,
    far_after: Vec<Bits>,
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
        let none = vec![Bits::new(units.len()); units.len()];
        let mut joined = Joined {
            units: units.into_iter().map(Some).collect(),
            reads,
            readers,
            makers,
            needs,
            users,
            before: none.clone(),
            after: none.clone(),
            far_before: none.clone(),
            far_after: none,
        };
        let order = joined.order();
        for &u in &order {
            reach(u, &joined.needs[u], &mut joined.before, &mut joined.far_before);
        }
        for &u in order.iter().rev() {
            reach(u, &joined.users[u], &mut joined.after, &mut joined.far_after);
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

    /// The units that make a tensor.
    pub fn makers(&self, t: NodeId) -> &BTreeSet<usize> {
        static NONE: BTreeSet<usize> = BTreeSet::new();
        self.makers.get(&t).unwrap_or(&NONE)
    }

    /// Whether `to` needs `from` through some other unit.
    pub fn path_around(&self, from: usize, to: usize) -> bool {
        self.far_before[to].contains(from)
    }

    /// Of some units those that can be one with `u`: where neither needs the other through a third.
    pub fn without_paths(&self, units: &Bits, u: usize) -> Bits {
        units.without(&self.far_before[u]).without(&self.far_after[u])
    }

    /// Puts one unit, which reads what is told, in place of two: it stands where `a` stood, and `b`'s place is empty.
    pub fn join(&mut self, (a, b): (usize, usize), unit: Unit, reads: Reads) {
        for u in [a, b] {
            for t in std::mem::take(&mut self.reads[u]).into_keys() {
                self.readers.entry(t).or_default().remove(&u);
            }
            for t in self.units[u].take().map_or(vec![], |unit| unit.made()) {
                self.makers.entry(t).or_default().remove(&u);
            }
        }
        reads.keys().for_each(|&t| _ = self.readers.entry(t).or_default().insert(a));
        unit.made().into_iter().for_each(|t| _ = self.makers.entry(t).or_default().insert(a));
        (self.reads[a], self.units[a]) = (reads, Some(unit));
        rewire((a, b), &mut self.needs, &mut self.users);
        rewire((a, b), &mut self.users, &mut self.needs);
        let [behind, ahead] = [&self.after, &self.before].map(|reached| reached[a].with(&reached[b]));
        join_reach((a, b), [&self.needs, &self.users], &behind, &mut self.before, &mut self.far_before);
        join_reach((a, b), [&self.users, &self.needs], &ahead, &mut self.after, &mut self.far_after);
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

/// All that `u` reaches through its neighbours on one side, who are known: and all that it reaches only through another.
fn reach(u: usize, neighbours: &BTreeSet<usize>, reached: &mut [Bits], far: &mut [Bits]) {
    for &v in neighbours {
        far[u].add(&reached[v].clone());
        reached[u].insert(v);
    }
    reached[u].add(&far[u].clone());
}

/// What is reached on one side, where `a` and `b` are one now, by it and by those on the other side of it. `neighbours` are
/// those on this side and those on the other.
fn join_reach(
    (a, b): (usize, usize),
    [neighbours, others]: [&[BTreeSet<usize>]; 2],
    behind: &Bits,
    reached: &mut [Bits],
    far: &mut [Bits],
) {
    let of_b = std::mem::take(&mut reached[b]);
    reached[a].add(&of_b);
    reached[a].remove(a);
    reached[a].remove(b);
    let of_both = reached[a].clone();
    far[a].clear();
    neighbours[a].iter().for_each(|&v| far[a].add(&reached[v]));
    let behind = || behind.places().filter(|&w| w != a && w != b);
    for w in behind() {
        reached[w].add(&of_both);
        reached[w].insert(a);
        reached[w].remove(b);
    }
    for w in behind() {
        far[w].add(&of_both);
        far[w].remove(b);
        let through_another = !others[a].contains(&w) || neighbours[w].iter().any(|&v| reached[v].contains(a));
        far[w].set(a, through_another);
    }
}

/// Hands the neighbours of `b` on one side to `a`, and tells them so.
fn rewire((a, b): (usize, usize), ours: &mut [BTreeSet<usize>], theirs: &mut [BTreeSet<usize>]) {
    for v in std::mem::take(&mut ours[b]) {
        theirs[v].remove(&b);
        if v != a {
            theirs[v].insert(a);
            ours[a].insert(v);
        }
    }
    ours[a].remove(&b);
}

/// A set of places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// None of so many.
    pub fn new(places: usize) -> Bits {
        Bits(vec![0; places.div_ceil(64)])
    }

    /// Puts in what is in two others.
    pub fn add_both(&mut self, one: &Bits, other: &Bits) {
        self.0.iter_mut().zip(one.0.iter().zip(&other.0)).for_each(|(a, (b, c))| *a |= b & c);
    }

    /// Whether a place is in it.
    pub fn contains(&self, place: usize) -> bool {
        self.0[place / 64] >> (place % 64) & 1 == 1
    }

    /// Puts a place in.
    pub fn insert(&mut self, place: usize) {
        self.0[place / 64] |= 1 << (place % 64);
    }

    /// Takes a place out.
    pub fn remove(&mut self, place: usize) {
        self.0[place / 64] &= !(1 << (place % 64));
    }

    fn clear(&mut self) {
        self.0.fill(0);
    }

    fn set(&mut self, place: usize, is_in: bool) {
        if is_in { self.insert(place) } else { self.remove(place) }
    }

    /// Puts all of another in.
    pub fn add(&mut self, other: &Bits) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }

    /// Takes all out that are not in another.
    pub fn keep(&mut self, other: &Bits) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a &= b);
    }

    fn with(&self, other: &Bits) -> Bits {
        Bits(self.0.iter().zip(&other.0).map(|(a, b)| a | b).collect())
    }

    fn without(&self, other: &Bits) -> Bits {
        Bits(self.0.iter().zip(&other.0).map(|(a, b)| a & !b).collect())
    }

    /// The places in it, in their order.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(word, &bits)| {
            let rest = |bits: &u64| Some(bits & (bits - 1)).filter(|&rest| rest != 0);
            let each = std::iter::successors(Some(bits).filter(|&bits| bits != 0), rest);
            each.map(move |bits| 64 * word + bits.trailing_zeros() as usize)
        })
    }
}
