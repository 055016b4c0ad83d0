//! Matrix products with a fused epilogue: `C[i, j] = Σ_k A(i, k)·B(k, j)`, then one expression over (i, j).
//!
//! Operands are strided views, either of them transposed in place; bias, activation, an activation's derivative, sums
//! with further terms and several outputs are all the epilogue's expression. For weight gradients (A = dYᵀ) the sums of
//! A's rows, which are the bias gradient, come out of the same pass.
//!
//! On the CPU the product itself is `faer`'s, or the exact one, one thread per half of C. The WGSL stands in `text`; there a bias that is added
//! first is where the sums start from.

pub(super) mod choose;
mod operand;
mod pair;
mod product;
pub(super) mod text;

pub use operand::Operand;
pub use pair::Pair;

use std::fmt::Write;

use choose::{Config, Layout};
use product::{Factor, Target, product};
use text::Hooks;

use super::args::Args;
use super::expr::{Expr, Instr, Load, Reg, Store, View};
use super::expr_cpu::{Row, evaluate, store, with_registers};
use super::expr_wgsl::{Names, body, declare, prelude, register, word};
use super::func::Func;
use super::pairwise::{sum_columns, sum_strided};
use super::sharing::least;
use super::step::{DIMS, Step};
use super::{Access, Choices, Cost, Kernel, Module, Traits, Work};

/// A matrix product with its epilogue. Bindings: A, B, then those of the epilogue.
#[derive(Clone, Debug, PartialEq)]
pub struct Matmul {
    /// Rows of C.
    pub m: usize,
    /// Columns of C.
    pub n: usize,
    /// Length of the sums.
    pub k: usize,
    /// A, m×k as it is used.
    pub a: Operand,
    /// B, k×n as it is used.
    pub b: Operand,
    /// The epilogue over (row, column); `Instr::Acc` is the product's element.
    pub expr: Expr,
    /// What the epilogue writes.
    pub stores: Vec<Store>,
    /// Where Σ_k A(i, k) goes, if it is wanted: the view has one dimension, the row.
    pub row_sums: Option<Store>,
    /// What is done with each binding.
    pub access: Vec<Access>,
}

impl Matmul {
    pub(super) fn layout(&self) -> Layout {
        Layout::of(self.m, self.n, self.k, &self.a, &self.b)
    }

    pub(super) fn hooks(&self) -> Hooks {
        Hooks { initial: self.bias().is_some(), row_sum: self.row_sums.is_some() }
    }

    /// The sum of the product's element and a bias of its column, where the element has no other use: its register, and
    /// the load that is the bias.
    pub(super) fn bias(&self) -> Option<(usize, &Load)> {
        let acc = self.expr.instrs.iter().position(|instr| *instr == Instr::Acc)? as Reg;
        let reads = |instr: &Instr| matches!(instr, Instr::Call(func, args) if args[..func.arity()].contains(&acc));
        let stored = self.stores.iter().any(|store| store.reg == acc);
        let mut users = self.expr.instrs.iter().enumerate().filter(|(_, instr)| reads(instr));
        let (Some((at, Instr::Call(Func::Add, [a, b, _]))), None, false) = (users.next(), users.next(), stored) else {
            return None;
        };
        match &self.expr.instrs[usize::from(if *a == acc { *b } else { *a })] {
            Instr::Load(load) => Some((at, &self.expr.loads[*load])).filter(|(_, load)| load.view.strides[0] == 0),
            _ => None,
        }
    }

    /// The configurations it may be run with, the rule's choice first.
    fn configs(&self, traits: &Traits) -> Vec<Config> {
        choose::candidates(self.m, self.n, self.k, self.layout(), traits)
    }

    fn config(&self, traits: &Traits) -> Config {
        choose::choose(self.m, self.n, self.k, self.layout(), traits)
    }

    /// The configuration of a choice.
    pub(super) fn chosen(&self, traits: &Traits, choice: usize) -> Config {
        if choice == 0 { self.config(traits) } else { self.configs(traits)[choice] }
    }

    /// Blocks of the sum that a turn of its loop takes.
    pub(super) fn blocks(&self, config: Config, traits: &Traits) -> usize {
        traits.steps_per_turn(config.turns(self.k))
    }

    /// The WGSL functions that receive the product's elements and the sums of A's rows.
    pub(super) fn epilogue(&self) -> String {
        let names = Names { index: &["row", "col"], symbol: Some((self.n, "im.d0.y")) };
        let (mut expr, mut out) = (self.expr.clone(), String::new());
        if let Some((sum, load)) = self.bias() {
            // Sums start from the bias, so that it is read once a tile and not once a result.
            let start = word(&load.view, &names);
            writeln!(out, "fn initial(col: u32) -> f32 {{\nreturn b{}[{start}];\n}}", load.binding)
                .expect("strings grow");
            expr.instrs[sum] = Instr::Acc;
        }
        out += "fn epilogue(row: u32, col: u32, acc: f32) {\n";
        out += &body(&expr, &names, "acc", "");
        for s in &self.stores {
            writeln!(out, "b{}[{}] = {};", s.binding, word(&s.view, &names), register(s.reg, ""))
                .expect("strings grow");
        }
        out += "}\n";
        if let Some(sums) = &self.row_sums {
            let names = Names { index: &["row"], symbol: None };
            writeln!(
                out,
                "fn epilogue_row_sum(row: u32, sum: f32) {{\nb{}[{}] = sum;\n}}",
                sums.binding,
                word(&sums.view, &names)
            )
            .expect("strings grow");
        }
        out
    }

    /// The product of some rows and columns into the words of the first store, which must be row-major, then the epilogue.
    fn block(&self, rows: std::ops::Range<usize>, cols: std::ops::Range<usize>, args: &Args, step: &Step) {
        let first = &self.stores[0];
        let (ldc, start) = (first.view.strides[0], first.view.at(&[rows.start, cols.start]));
        let ((a_rows, a_terms), (b_terms, b_cols)) = (self.a.strides(), self.b.strides());
        let a = &args.read(0)[self.a.offset + rows.start * a_rows..];
        let b = &args.read(1)[self.b.offset + cols.start * b_cols..];
        let (a, b) = (
            Factor::new(a, (rows.len(), a_rows), (self.k, a_terms)),
            Factor::new(b, (cols.len(), b_cols), (self.k, b_terms)),
        );
        let last = first.view.at(&[rows.end - 1, cols.end - 1]);
        let c = Target { start: args.write(first.binding).from(&(start..last + 1)), strides: (ldc, 1) };
        // SAFETY: this block's words of the output belong to this thread; they lie within the binding.
        unsafe { product(args.arithmetic(), c, a, b) };
        let plain = self.stores.len() == 1 && self.expr.instrs[first.reg as usize] == Instr::Acc;
        if plain {
            return;
        }
        // Where all that is read and written follows C word by word, its rows are one.
        let (rows, cols) = match self.is_flat() && cols.len() == self.n {
            true => (rows.start..rows.start + 1, 0..rows.len() * self.n),
            false => (rows, cols),
        };
        with_registers(&self.expr, &self.access, |regs| {
            for row in rows {
                for col in cols.clone().step_by(regs.lanes()) {
                    let (index, len) = ([row, col], regs.lanes().min(cols.end - col));
                    let at = first.view.at(&index);
                    // SAFETY: words of this block, which are written when all that is made of them is.
                    let acc = unsafe { args.part(first.binding, at..at + len) };
                    let row = Row { index: &index, len, rows: 1, acc };
                    evaluate(&self.expr, regs, &row, args, step);
                    // Where the product stands, which is the accumulators, comes last.
                    for s in self.stores.iter().rev() {
                        // SAFETY: this block's words of every output belong to this thread.
                        unsafe { store(regs.read(s.reg, &row, args), args, s.binding, &s.view, &index) };
                    }
                }
            }
        });
    }

    /// Whether everything in the epilogue follows the words of C one by one.
    fn is_flat(&self) -> bool {
        let follows = |view: &View| matches!(view.strides[..], [rows, 1] if rows == self.n) || view.strides == [0, 0];
        let instr = |instr: &Instr| match instr {
            Instr::Coordinate(..) => false,
            Instr::Normal(_, view) | Instr::Uniform(_, view) => follows(view),
            _ => true,
        };
        self.stores.iter().all(|store| follows(&store.view))
            && self.expr.loads.iter().all(|load| follows(&load.view))
            && self.expr.instrs.iter().all(instr)
    }

    /// The sums of some of A's rows, each in a tree of its own.
    fn sum_rows(&self, rows: std::ops::Range<usize>, args: &Args) {
        let Some(sums) = &self.row_sums else { return };
        let a = args.read(0);
        let (rs, cs) = self.a.strides();
        let out = args.write(sums.binding);
        let at = |row: usize| sums.view.at(&[row]);
        if rs == 1 && sums.view.strides[0] == 1 {
            // SAFETY: these rows' sums belong to this thread.
            let out = unsafe { out.part(at(rows.start)..at(rows.start) + rows.len()) };
            return sum_columns(&a[self.a.offset + rows.start..], self.a.stride, self.k, out);
        }
        for row in rows {
            // SAFETY: likewise.
            unsafe { out.set(at(row), sum_strided(a, self.a.offset + row * rs, cs, self.k)) };
        }
    }
}

impl Kernel for Matmul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn bindings(&self) -> Vec<Access> {
        self.access.clone()
    }

    fn module(&self, traits: &Traits, choice: usize) -> Module {
        let config = self.chosen(traits, choice);
        let epilogue = prelude([&self.expr]) + &declare(&self.access, 2) + &self.epilogue();
        Module {
            text: text::wgsl(config, self.layout(), self.hooks(), self.blocks(config, traits), &epilogue),
            workgroups: choose::workgroups(config, self.m, self.n),
        }
    }

    fn choices(&self, traits: &Traits) -> Option<Choices> {
        let names = self.configs(traits).iter().map(Config::to_string).collect();
        let sums = if self.row_sums.is_some() { " with row sums" } else { "" };
        Some(Choices { shape: format!("{}×{}×{} {}{sums}", self.m, self.n, self.k, self.layout()), names })
    }

    fn dims(&self) -> [u32; DIMS] {
        let mut dims = [0; DIMS];
        let sizes = [self.m, self.n, self.k, self.a.offset, self.a.stride, self.b.offset, self.b.stride];
        for (d, size) in dims.iter_mut().zip(sizes) {
            *d = size as u32;
        }
        dims
    }

    fn cost(&self) -> Cost {
        let (m, n, k) = (self.m as f64, self.n as f64, self.k as f64);
        let extra = (self.expr.loads.len() as f64) * m * n;
        Cost {
            flops: m * n * (2.0 * k + self.expr.flops() as f64),
            work: Work::of(2.0 * k).and(self.expr.work()).times(m * n),
            bytes_read: 4.0 * (m * k + k * n + extra),
            bytes_written: 4.0 * m * n * self.stores.len() as f64,
        }
    }

    fn run(&self, args: &Args, step: &Step) {
        let threads = if self.work() < least(1 << 19) { 1 } else { rayon::current_num_threads() };
        self.run_on(threads, args, step);
    }
}

impl Matmul {
    /// Multiplications.
    fn work(&self) -> usize {
        self.m * self.n * self.k
    }

    /// Runs it on so many threads at most.
    fn run_on(&self, threads: usize, args: &Args, step: &Step) {
        let split_columns = self.n > 4 * self.m;
        let long = if split_columns { self.n } else { self.m };
        let parts = threads.min(long.div_ceil(16)).max(1);
        let part = long.div_ceil(parts).next_multiple_of(16);
        let block = |p: usize| {
            let range = (p * part).min(long)..((p + 1) * part).min(long);
            match (range.is_empty(), split_columns) {
                (true, _) => {}
                (false, true) => {
                    if p == 0 {
                        self.sum_rows(0..self.m, args);
                    }
                    self.block(0..self.m, range, args, step);
                }
                // Each thread sums up the rows that it is about to multiply, which brings them into its cache.
                (false, false) => {
                    self.sum_rows(range.clone(), args);
                    self.block(range, 0..self.n, args, step);
                }
            }
        };
        each(0..parts, &block);
    }
}

/// Calls `work` with every number of a range, on as many threads as are free; allocates nothing.
pub(super) fn each(range: std::ops::Range<usize>, work: &(impl Fn(usize) + Sync)) {
    match range.len() {
        0 => {}
        1 => work(range.start),
        n => {
            let middle = range.start + n / 2;
            rayon::join(|| each(range.start..middle, work), || each(middle..range.end, work));
        }
    }
}
