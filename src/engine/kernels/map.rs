//! Maps and reductions: one fused expression over a dense iteration space.
//!
//! The space is kept dimensions followed by `reduced` trailing ones. At every point the expression is evaluated once;
//! `stores` write registers at that point, `reductions` write their sum or their largest over the reduced dimensions, per
//! kept index.
//! Sample with KL, likelihood with its gradient, activations, bias sums: all are this kernel with another expression.
//!
//! Threads, without a reduction: one per point (four consecutive points where the last extent allows). With one, one
//! workgroup per kept index and a fixed tree over its threads; or one thread per kept index where kept indices are
//! many, reductions short, or the adapter is software.

use std::cell::Cell;
use std::fmt::Write;

use rayon::prelude::*;

use super::args::Args;
use super::expr::{Expr, Store};
use super::expr_cpu::{pieces, store_rows, walk};
use super::expr_wgsl::{Names, body, declare, prelude, register, word};
use super::pairwise::{Pairwise, push_parts};
use super::sharing::least;
use super::step::Step;
use super::wgsl::Shader;
use super::{Access, Cost, Kernel, Module, Traits, Work, grid, strided_loop};

/// How the values of the reduced points become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// Their sum.
    Sum,
    /// The largest.
    Max,
}

impl Fold {
    /// What a reduction starts from: of `Max`, the lowest finite number, since WGSL knows no infinity.
    fn start(self) -> f32 {
        match self {
            Fold::Sum => 0.0,
            Fold::Max => f32::MIN,
        }
    }

    fn wgsl(self, into: &str, value: &str) -> String {
        match self {
            Fold::Sum => format!("{into} += {value};"),
            Fold::Max => format!("{into} = max({into}, {value});"),
        }
    }
}

/// A register reduced over the trailing dimensions, and where the result goes per kept index.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduction {
    /// How.
    pub fold: Fold,
    /// What, and where to.
    pub store: Store,
}

/// A fused elementwise expression over a dense iteration space, with stores and reductions.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// Sizes of the iteration space: kept dimensions, then reduced ones. At least one.
    pub extents: Vec<usize>,
    /// How many trailing dimensions the reductions run over; 0 where there are none.
    pub reduced: usize,
    /// What is evaluated at every point.
    pub expr: Expr,
    /// Registers written at every point.
    pub stores: Vec<Store>,
    /// Registers reduced over the trailing dimensions and written per kept index.
    pub reductions: Vec<Reduction>,
    /// What is done with each binding.
    pub access: Vec<Access>,
}

const SHADER: &str = include_str!("../../../shaders/map.wgsl");
const TREE: &str = include_str!("../../../shaders/reduce_tree.wgsl");
const SERIAL: &str = include_str!("../../../shaders/reduce_serial.wgsl");

impl Map {
    fn kept(&self) -> &[usize] {
        &self.extents[..self.extents.len() - self.reduced]
    }

    fn points(&self) -> usize {
        self.extents.iter().product()
    }

    /// `let i0 = …;` for some dimensions, from a linear index over exactly those.
    fn unflatten(&self, dims: std::ops::Range<usize>, linear: &str) -> String {
        let mut out = String::new();
        let mut below: usize = self.extents[dims.clone()].iter().product();
        for d in dims.clone() {
            below /= self.extents[d];
            let quotient = if below == 1 { linear.to_string() } else { format!("{linear} / {below}u") };
            let value = if d == dims.start { quotient } else { format!("({quotient}) % {}u", self.extents[d]) };
            writeln!(out, "let i{d} = {value};").expect("strings grow");
        }
        out
    }

    fn statements(&self, index: &[&str], suffix: &str) -> String {
        let names = Names { index, symbol: None };
        let mut out = body(&self.expr, &names, "", suffix);
        for s in &self.stores {
            writeln!(out, "b{}[{}] = {};", s.binding, word(&s.view, &names), register(s.reg, suffix))
                .expect("strings grow");
        }
        out
    }

    fn map_module(&self) -> Module {
        let last = self.extents.len() - 1;
        let unroll = if self.extents[last].is_multiple_of(4) { 4 } else { 1 };
        let threads = self.points() / unroll;
        let workgroups = grid(threads.div_ceil(64));
        let index: Vec<String> = (0..=last).map(|d| format!("i{d}")).collect();
        let mut statements = self.unflatten(0..last + 1, "point");
        for lane in 0..unroll {
            let mut index = index.clone();
            if lane > 0 {
                index[last] = format!("(i{last} + {lane}u)");
            }
            let index: Vec<&str> = index.iter().map(String::as_str).collect();
            statements += &self.statements(&index, &format!("_{lane}"));
        }
        let text = prelude([&self.expr])
            + &declare(&self.access, 0)
            + &Shader::new(SHADER)
                .set("LINE", workgroups[0] * 64)
                .set("POINTS", self.points())
                .set("UNROLL", unroll)
                .put("body", statements)
                .text();
        Module { text, workgroups }
    }

    fn reduce_module(&self, traits: &Traits) -> Module {
        let split = self.kept().len();
        let (kept, reduced): (usize, usize) = (self.kept().iter().product(), self.extents[split..].iter().product());
        // Long sums are shared even on software adapters, which end a long loop (see Traits::steps_per_turn).
        let tree = if traits.software { reduced > 4096 } else { reduced >= 16 && (reduced >= 64 || kept < 4096) };
        let names: Vec<String> = (0..self.extents.len()).map(|d| format!("i{d}")).collect();
        let index: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut inner = self.unflatten(split..self.extents.len(), "r");
        inner += &self.statements(&index, "");
        let (mut start, mut finish, mut arrays, mut spill, mut fold) =
            (String::new(), String::new(), String::new(), String::new(), String::new());
        for (n, Reduction { fold: how, store: s }) in self.reductions.iter().enumerate() {
            let kept_names = Names { index: &index[..split], symbol: None };
            writeln!(start, "var fold{n} = {:.1}f;", how.start()).expect("strings grow");
            inner += &(how.wgsl(&format!("fold{n}"), &register(s.reg, "")) + "\n");
            let value = if tree { format!("tree{n}[0]") } else { format!("fold{n}") };
            writeln!(finish, "b{}[{}] = {value};", s.binding, word(&s.view, &kept_names)).expect("strings grow");
            writeln!(arrays, "var<workgroup> tree{n}: array<f32, 64>;").expect("strings grow");
            writeln!(spill, "tree{n}[lane] = fold{n};").expect("strings grow");
            fold += &(how.wgsl(&format!("tree{n}[lane]"), &format!("tree{n}[lane + half]")) + "\n");
        }
        let workgroups = if tree { grid(kept) } else { grid(kept.div_ceil(if traits.software { 8 } else { 64 })) };
        let width = if traits.software { 8 } else { 64 };
        let shader = if tree {
            let points = strided_loop(traits, reduced, &inner);
            let shader = Shader::new(TREE).set("LINE", workgroups[0]).put("loop", points);
            shader.put("arrays", arrays).put("spill", spill).put("fold", fold)
        } else {
            let shader = Shader::new(SERIAL).set("WORKGROUP", width).set("LINE", workgroups[0] * width);
            shader.set("REDUCED", reduced).put("body", inner)
        };
        let index = self.unflatten(0..split, "point");
        let shader = shader.set("KEPT", kept).put("index", index).put("start", start).put("finish", finish);
        Module { text: prelude([&self.expr]) + &declare(&self.access, 0) + &shader.text(), workgroups }
    }

    /// How many parts threads can share: kept indices, or where nothing is reduced, blocks of the rows.
    fn parts(&self) -> usize {
        match self.reduced {
            0 => pieces(&self.expr, &self.extents),
            _ => self.kept().iter().product(),
        }
    }

    /// Evaluates some of the parts.
    fn evaluate(&self, parts: std::ops::Range<usize>, args: &Args, step: &Step) {
        let split = self.kept().len();
        // Of each kept index there are so many pieces, one after the other.
        let of_each = if self.reduced == 0 { 1 } else { pieces(&self.expr, &self.extents) / self.parts() };
        let mut folds = FOLDS.take();
        folds.resize_with(self.reductions.len(), || (0.0, Pairwise::new()));
        let mut done = 0;
        let range = parts.start * of_each..parts.end * of_each;
        walk((&self.expr, &self.access, &self.extents), range, args, step, |regs, row| {
            for s in &self.stores {
                // SAFETY: every point is evaluated by exactly one thread.
                unsafe { store_rows(regs.read(s.reg, row, args), args, s.binding, &s.view, row) };
            }
            for ((largest, sum), Reduction { fold, store: s }) in folds.iter_mut().zip(&self.reductions) {
                let lanes = regs.read(s.reg, row, args);
                // Rows of one block have a kept index each, or one in common.
                let (first, next) =
                    (s.view.at(&row.index[..split]), if self.reduced == 1 { s.view.strides.last() } else { None });
                for (r, lanes) in lanes.chunks_exact(row.len).enumerate() {
                    if (done + r).is_multiple_of(of_each) {
                        *largest = fold.start();
                        sum.clear();
                    }
                    match fold {
                        Fold::Sum => push_parts(sum, lanes),
                        Fold::Max => *largest = lanes.iter().fold(*largest, |a, &b| if a < b { b } else { a }),
                    }
                    if (done + r + 1).is_multiple_of(of_each) {
                        let value = if *fold == Fold::Sum { sum.total()[0] } else { *largest };
                        // SAFETY: every kept index belongs to exactly one thread.
                        unsafe { args.write(s.binding).set(first + r * next.unwrap_or(&0), value) };
                    }
                }
            }
            done += row.rows;
        });
        FOLDS.set(folds);
    }
}

/// A reduction of a row so far: the largest value, or the sum.
type Folding = (f32, Pairwise<1>);

thread_local! {
    // Kept between calls, so that a step allocates nothing.
    static FOLDS: Cell<Vec<Folding>> = const { Cell::new(Vec::new()) };
}

impl Kernel for Map {
    fn name(&self) -> &'static str {
        if self.reductions.is_empty() { "map" } else { "reduce" }
    }

    fn bindings(&self) -> Vec<Access> {
        self.access.clone()
    }

    fn module(&self, traits: &Traits, _: usize) -> Module {
        if self.reductions.is_empty() { self.map_module() } else { self.reduce_module(traits) }
    }

    fn cost(&self) -> Cost {
        let points = self.points() as f64;
        let touched = |view: &super::View, extents: &[usize]| -> f64 {
            let along = view.strides.iter().zip(extents).filter(|(s, _)| **s > 0);
            4.0 * along.map(|(_, e)| *e as f64).product::<f64>()
        };
        Cost {
            flops: points * (self.expr.flops() + self.reductions.len()) as f64,
            work: self.expr.work().and(Work::of(self.reductions.len() as f64)).times(points),
            bytes_read: self.expr.loads.iter().map(|l| touched(&l.view, &self.extents)).sum(),
            bytes_written: self.stores.iter().map(|s| touched(&s.view, &self.extents)).sum::<f64>()
                + self.reductions.iter().map(|r| touched(&r.store.view, self.kept())).sum::<f64>(),
        }
    }

    fn run(&self, args: &Args, step: &Step) {
        let parts = self.parts();
        let work = self.points() * self.expr.instrs.len().max(1);
        let tasks = (work / least(32_768)).clamp(1, rayon::current_num_threads() * 2).min(parts);
        if tasks < 2 {
            return self.evaluate(0..parts, args, step);
        }
        let shares = (0..tasks).into_par_iter();
        shares.for_each(|t| self.evaluate(parts * t / tasks..parts * (t + 1) / tasks, args, step));
    }
}
