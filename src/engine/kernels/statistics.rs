//! Statistics of one step: each item is a fused expression summed over its whole iteration space, into one slot of
//! the ring that the host reads back: `ring[slot·items + i] = Σ expr_i`.
//!
//! One workgroup per item; its threads stride over the points and meet in a fixed tree.

use std::fmt::Write;

use super::args::Args;
use super::expr::{Expr, Reg};
use super::expr_cpu::{pieces, walk};
use super::expr_wgsl::{Names, body, declare, prelude, register};
use super::pairwise::{Pairwise, push_parts};
use super::step::Step;
use super::wgsl::Shader;
use super::{Access, Cost, Kernel, Module, Traits, Work, strided_loop};

/// One statistic: an expression summed over `extents`.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Sizes of the iteration space; at least one.
    pub extents: Vec<usize>,
    /// What is evaluated at every point.
    pub expr: Expr,
    /// The register that is summed.
    pub reg: Reg,
}

/// All statistics of one step, written into one slot of a ring; the ring is the last binding.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// The statistics, in the order of the slot's words.
    pub items: Vec<Item>,
    /// How many bindings the expressions read.
    pub inputs: usize,
}

const SHADER: &str = include_str!("../../../shaders/statistics.wgsl");

impl Kernel for Statistics {
    fn name(&self) -> &'static str {
        "statistics"
    }

    fn bindings(&self) -> Vec<Access> {
        let mut access = vec![Access::Read; self.inputs];
        access.push(Access::Write);
        access
    }

    fn module(&self, traits: &Traits, _: usize) -> Module {
        let mut cases = String::new();
        for (n, item) in self.items.iter().enumerate() {
            let names: Vec<String> = (0..item.extents.len()).map(|d| format!("i{d}")).collect();
            let index: Vec<&str> = names.iter().map(String::as_str).collect();
            let points: usize = item.extents.iter().product();
            let (mut below, mut inner) = (points, String::new());
            for (d, extent) in item.extents.iter().enumerate() {
                below /= extent;
                writeln!(inner, "let i{d} = (r / {below}u) % {extent}u;").expect("strings grow");
            }
            inner += &body(&item.expr, &Names { index: &index, symbol: None }, "", "");
            writeln!(inner, "sum += {};", register(item.reg, "")).expect("strings grow");
            write!(cases, "case {n}u: {{\n{}}}\n", strided_loop(traits, points, &inner)).expect("strings grow");
        }
        let ring = format!("@group(0) @binding({}) var<storage, read_write> ring: array<f32>;", self.inputs);
        let bindings = declare(&vec![Access::Read; self.inputs], 0) + &ring;
        let shader = Shader::new(SHADER).set("ITEMS", self.items.len()).put("bindings", bindings).put("cases", cases);
        let text = prelude(self.items.iter().map(|i| &i.expr)) + &shader.text();
        Module { text, workgroups: [self.items.len() as u32, 1, 1] }
    }

    fn cost(&self) -> Cost {
        let points = |i: &Item| i.extents.iter().product::<usize>() as f64;
        Cost {
            flops: self.items.iter().map(|i| points(i) * (i.expr.flops() + 1) as f64).sum(),
            work: self
                .items
                .iter()
                .map(|i| i.expr.work().and(Work::of(1.0)).times(points(i)))
                .fold(Work::default(), Work::and),
            bytes_read: self.items.iter().map(|i| points(i) * 4.0 * i.expr.loads.len() as f64).sum(),
            bytes_written: 4.0 * self.items.len() as f64,
        }
    }

    fn run(&self, args: &Args, step: &Step) {
        // Eight bindings are all that a kernel has.
        let mut access = [Access::Read; 8];
        access[self.inputs] = Access::Write;
        let access = &access[..=self.inputs];
        for (n, item) in self.items.iter().enumerate() {
            let (mut sum, all) = (Pairwise::<1>::new(), 0..pieces(&item.expr, &item.extents));
            walk((&item.expr, access, &item.extents), all, args, step, |regs, row| {
                let lanes = regs.read(item.reg, row, args);
                lanes.chunks_exact(row.len).for_each(|lanes| push_parts(&mut sum, lanes));
            });
            let sum = sum.total()[0];
            // SAFETY: this loop is the only writer.
            unsafe { args.write(self.inputs).set(step.slot as usize * self.items.len() + n, sum) };
        }
    }
}
