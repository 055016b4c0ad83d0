//! Sums of many rows, column by column: a [`Map`] whose one kept dimension lies innermost in memory.
//!
//! On a GPU it is that map. On the CPU the map would walk down one column after the other; here rows are evaluated as they lie, several
//! at once where they are short, and added to the columns' sums, in parts that the shape alone decides.

use rayon::prelude::*;

use super::args::Args;
use super::conv::buffers::{Buffer, Use};
use super::expr::{Expr, Instr, Store, View};
use super::expr_cpu::{pieces, store, store_rows, walk};
use super::map::{Fold, Map};
use super::sharing::least;
use super::simd::vectorised;
use super::step::{DIMS, Step};
use super::{Access, Cost, Kernel, Module, Traits};

/// Rows from which on it pays.
const LEAST_ROWS: usize = least(1024);

/// Dimensions that are walked through.
const MOST_DIMENSIONS: usize = 8;

/// Numbers of a part at least, and how many parts there are at most.
const PART: usize = least(1 << 15);
const PARTS: usize = 16;

/// A map with one kept dimension, and what it does row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    map: Map,
    /// The reduced dimensions, then the kept one.
    extents: Vec<usize>,
    expr: Expr,
    stores: Vec<Store>,
}

impl Columns {
    /// Whether a map is one.
    pub fn takes(map: &Map) -> bool {
        let is_one = (1..MOST_DIMENSIONS).contains(&map.reduced) && map.extents.len() == map.reduced + 1;
        let rows: usize = map.extents.iter().skip(1).product();
        let lies_so = |view: &View| view.strides[0] == 1 && view.strides[map.reduced] != 1;
        is_one
            && rows >= LEAST_ROWS
            && map.expr.loads.iter().any(|load| lies_so(&load.view))
            && map.reductions.iter().all(|reduction| reduction.fold == Fold::Sum)
    }

    /// The sums of a map that [is one](Columns::takes).
    pub fn new(map: Map) -> Columns {
        let turn = |view: &mut View| view.strides.rotate_left(1);
        let (mut extents, mut expr, mut stores) = (map.extents.clone(), map.expr.clone(), map.stores.clone());
        let last = extents.len() - 1;
        extents.rotate_left(1);
        expr.loads.iter_mut().for_each(|load| turn(&mut load.view));
        stores.iter_mut().for_each(|store| turn(&mut store.view));
        for instr in &mut expr.instrs {
            match instr {
                Instr::Coordinate(d, _) => *d = if *d == 0 { last } else { *d - 1 },
                Instr::Normal(_, view) | Instr::Uniform(_, view) => turn(view),
                _ => {}
            }
        }
        Columns { map, extents, expr, stores }
    }

    fn columns(&self) -> usize {
        self.extents[self.extents.len() - 1]
    }

    fn rows(&self) -> usize {
        self.extents[..self.extents.len() - 1].iter().product()
    }

    /// Evaluates some rows, and sums them up: the sums of all reductions, column by column.
    fn part(&self, rows: std::ops::Range<usize>, sums: &mut [f32], args: &Args, step: &Step) {
        let columns = self.columns();
        // Of each row there are so many pieces, one after the other.
        let of_each = pieces(&self.expr, &self.extents) / self.rows();
        sums.fill(0.0);
        let range = rows.start * of_each..rows.end * of_each;
        walk((&self.expr, &self.map.access, &self.extents), range, args, step, |regs, row| {
            for s in &self.stores {
                // SAFETY: every point is evaluated by exactly one thread.
                unsafe { store_rows(regs.read(s.reg, row, args), args, s.binding, &s.view, row) };
            }
            let first = row.index[row.index.len() - 1];
            for (sums, reduction) in sums.chunks_exact_mut(columns).zip(&self.map.reductions) {
                add_rows(&mut sums[first..first + row.len], regs.read(reduction.store.reg, row, args));
            }
        });
    }
}

vectorised! {
    /// Adds rows that lie behind each other to sums, of which a row has as many.
    fn add_rows(sums: &mut [f32], rows: &[f32]) = add;
}

#[inline(always)]
fn add(sums: &mut [f32], rows: &[f32]) {
    for row in rows.chunks_exact(sums.len()) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
}

impl Kernel for Columns {
    fn name(&self) -> &'static str {
        self.map.name()
    }

    fn bindings(&self) -> Vec<Access> {
        self.map.bindings()
    }

    fn module(&self, traits: &Traits, choice: usize) -> Module {
        self.map.module(traits, choice)
    }

    fn dims(&self) -> [u32; DIMS] {
        self.map.dims()
    }

    fn cost(&self) -> Cost {
        self.map.cost()
    }

    fn run(&self, args: &Args, step: &Step) {
        let (rows, columns) = (self.rows(), self.columns());
        let words = self.map.reductions.len() * columns;
        let parts = (rows * columns / PART).clamp(1, PARTS);
        let mut partials = Buffer::take(Use::Partials, parts * words);
        partials
            .par_chunks_mut(words)
            .enumerate()
            .for_each(|(p, sums)| self.part(rows * p / parts..rows * (p + 1) / parts, sums, args, step));
        let (first, rest) = partials.split_at_mut(words);
        rest.chunks_exact(words).for_each(|more| add(first, more));
        for (sums, reduction) in first.chunks_exact(columns).zip(&self.map.reductions) {
            let Store { binding, view, .. } = &reduction.store;
            // SAFETY: all parts are done, and this thread is the only one that writes.
            unsafe { store(sums, args, *binding, view, &[0]) };
        }
    }
}
