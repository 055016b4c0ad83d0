//! Which fused units a unit may be joined with, found without looking at those that cannot be.
//!
//! Two units over one space have something to do with each other if one reads what the other makes, or if both read the same.
//! Of the latter only those count that leave the eight bindings of a call enough: a unit with w bindings fits into the s that
//! another has left if at least w − s of the tensors they read are the same. All of it is told by sets of units, 64 at a time.

use std::collections::HashMap;

use super::joined::{Bits, Joined};
use super::{Plan, Unit};
use crate::graph::{NodeId, Shape};
use crate::program::MOST_BINDINGS as MOST;

/// Fused units by what they share.
pub(super) struct Candidates {
    places: usize,
    /// The units over the space of each fused unit, by the number of the space.
    over: Vec<Bits>,
    space_of: Vec<Option<usize>>,
    /// The fused units that read a tensor.
    readers: HashMap<NodeId, Bits>,
    /// Of each fused unit those that make what it reads, or read what it makes.
    related: Vec<Bits>,
    /// How many bindings each unit takes, and the units that take so many.
    bindings: Vec<usize>,
    taking: Vec<Bits>,
}

impl Candidates {
    /// Of units before any has been joined.
    pub fn new(plan: &Plan, units: &Joined) -> Candidates {
        let places = units.places();
        let mut found = Candidates {
            places,
            over: vec![],
            space_of: vec![None; places],
            readers: HashMap::new(),
            related: vec![Bits::new(places); places],
            bindings: vec![0; places],
            taking: vec![Bits::new(places); MOST + 1],
        };
        let mut numbers: HashMap<&Shape, usize> = HashMap::new();
        for u in 0..places {
            let Some(Unit::Fused { space, .. }) = units.unit(u) else { continue };
            let number = *numbers.entry(space).or_insert(found.over.len());
            if number == found.over.len() {
                found.over.push(Bits::new(places));
            }
            found.over[number].insert(u);
            found.space_of[u] = Some(number);
        }
        let is_fused: Vec<bool> = found.space_of.iter().map(Option::is_some).collect();
        for u in (0..places).filter(|&u| is_fused[u]) {
            found.count(plan, units, u);
            for &t in units.reads(u).keys() {
                found.readers.entry(t).or_insert_with(|| Bits::new(places)).insert(u);
                for &maker in units.makers(t).iter().filter(|&&maker| is_fused[maker] && maker != u) {
                    found.related[u].insert(maker);
                    found.related[maker].insert(u);
                }
            }
        }
        found
    }

    /// Notes how many bindings a unit takes.
    fn count(&mut self, plan: &Plan, units: &Joined, u: usize) {
        let made = units.unit(u).map_or(vec![], Unit::made);
        let count = units.reads(u).len() + made.iter().map(|&t| plan.copies(t)).sum::<usize>();
        self.taking[self.bindings[u]].remove(u);
        self.bindings[u] = count.min(MOST);
        self.taking[self.bindings[u]].insert(u);
    }

    /// The units that `a` may be joined with, as far as spaces, bindings and paths tell.
    pub fn of(&self, units: &Joined, a: usize) -> Bits {
        let Some(space) = self.space_of[a] else { return Bits::new(self.places) };
        // In `sharing[k]` those that read at least k of the same tensors.
        let mut sharing = vec![Bits::new(self.places); MOST + 1];
        for t in units.reads(a).keys() {
            let readers = &self.readers[t];
            for k in (1..MOST).rev() {
                let (fewer, more) = sharing.split_at_mut(k + 1);
                more[0].add_both(&fewer[k], readers);
            }
            sharing[1].add(readers);
        }
        let free = MOST - self.bindings[a];
        let mut found = self.related[a].clone();
        for (count, units) in self.taking.iter().enumerate() {
            found.add_both(units, &sharing[count.saturating_sub(free).max(1)]);
        }
        found.keep(&self.over[space]);
        found.remove(a);
        units.without_paths(&found, a)
    }

    /// Follows a join of `a` and `b`, which read these tensors, into `a`.
    pub fn join(&mut self, plan: &Plan, units: &Joined, (a, b): (usize, usize), read: &[NodeId]) {
        for t in read {
            if let Some(readers) = self.readers.get_mut(t) {
                readers.remove(a);
                readers.remove(b);
            }
        }
        for t in units.reads(a).keys() {
            self.readers.get_mut(t).expect("one of the two has read it").insert(a);
        }
        let of_b = std::mem::take(&mut self.related[b]);
        for v in of_b.places() {
            self.related[v].remove(b);
            self.related[v].insert(a);
        }
        self.related[a].add(&of_b);
        self.related[a].remove(a);
        if let Some(space) = self.space_of[b].take() {
            self.over[space].remove(b);
        }
        self.taking[self.bindings[b]].remove(b);
        self.count(plan, units, a);
    }
}
