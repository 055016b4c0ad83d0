//! The kernels: each with its WGSL, its CPU reference, its bindings, geometry and cost under one name.
//!
//! A kernel here is a value: a [`Map`] of this expression over those extents, a [`Matmul`] of these sizes. Both
//! executors know kernels only through the [`Kernel`] trait, and [`table`] lists every kind with the cases on which
//! the parity tests, the validators, `elbo doctor` and the benchmarks walk it.

mod args;
mod batch;
mod ceilings;
mod columns;
mod conv;
#[cfg(test)]
mod costs;
mod expr;
mod expr_cpu;
mod expr_wgsl;
mod func;
mod map;
pub mod math;
mod matmul;
mod norm;
mod optimiser;
mod pairwise;
pub mod random;
mod readable;
mod sharing;
pub mod simd;
pub mod special;
mod statistics;
mod step;
pub mod table;
mod wgsl;
mod work;

pub use args::{Args, Arithmetic, Words};
pub use batch::{Augment, Augmented, BUFFERS, Batch, Binarise, Order, Packing};
pub use ceilings::{Peak, Stream};
pub use columns::Columns;
pub use conv::{FoldPatches, FoldProduct, PatchProduct, Patches, Side, Window};
pub use expr::{Expr, Instr, Load, RandomStream, Reg, Store, View};
pub use func::{FUNCS, Func, Source};
pub use map::{Fold, Map, Reduction};
pub use matmul::{Matmul, Operand, Pair};
pub use norm::Norm;
pub use optimiser::{Descent, NOT_FINITE, OPTIMISERS, Optimiser, Pass};
pub use readable::readable;
pub use statistics::{Item, Statistics};
pub use step::{DIMS, SCALARS, Step};
pub use work::Work;

use std::fmt::Debug;

/// What a kernel does with one of its bindings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only read.
    Read,
    /// Written; perhaps read as well.
    Write,
}

/// What the text of a kernel may depend on: the traits of the adapter that will run it. By default a GPU without subgroups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Traits {
    /// A driver that runs shaders on the CPU; it wants few, long invocations and no workgroup memory.
    pub software: bool,
    /// The subgroup size, where it is fixed and the adapter offers subgroup operations.
    pub subgroup_size: Option<u32>,
}

impl Traits {
    /// How many of `turns` turns of a loop must be made one, so that the loop comes to its end. llvmpipe, Mesa's software driver,
    /// ends all loops of an invocation after 65,535 turns in all, without a word; short loops beside a long one are allowed
    /// for. A loop whose length is not bounded by the kernel itself takes so many steps a turn.
    pub fn steps_per_turn(&self, turns: usize) -> usize {
        const MOST: usize = 65_000;
        if self.software { turns.div_ceil(MOST).max(1) } else { 1 }
    }
}

/// The WGSL of a loop over `r` from `lane` in steps of 64 up to `end`, which takes so many of them a turn.
pub(crate) fn strided_loop(traits: &Traits, end: usize, body: &str) -> String {
    let steps = traits.steps_per_turn(end.div_ceil(64));
    if steps == 1 {
        return format!("for (var r = lane; r < {end}u; r += 64u) {{\n{body}}}\n");
    }
    let step = |i: usize| format!("if (turn + {0}u < {end}u) {{\nlet r = turn + {0}u;\n{body}}}\n", 64 * i);
    let steps_of_a_turn: String = (0..steps).map(step).collect();
    format!("for (var turn = lane; turn < {end}u; turn += {}u) {{\n{steps_of_a_turn}}}\n", 64 * steps)
}

/// A kernel's WGSL, ready to compile, and how many workgroups to launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The whole text; the entry point is `main`, the bindings are group 0.
    pub text: String,
    /// Workgroups in x, y, z; each at most 65,535.
    pub workgroups: [u32; 3],
}

/// The ways in which one adapter may run a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    /// What decides which of them is fastest: kernels of one shape are tuned once.
    pub shape: String,
    /// Their names, the rule's choice first; at most eight.
    pub names: Vec<String>,
}

/// What one run of a kernel costs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Floating-point operations; a scalar function counts as one, which on a GPU is about an instruction.
    pub flops: f64,
    /// What the CPU executor computes.
    pub work: Work,
    /// Bytes that must be read.
    pub bytes_read: f64,
    /// Bytes that must be written.
    pub bytes_written: f64,
}

impl std::ops::Add for Cost {
    type Output = Cost;

    fn add(self, more: Cost) -> Cost {
        Cost {
            flops: self.flops + more.flops,
            work: self.work.and(more.work),
            bytes_read: self.bytes_read + more.bytes_read,
            bytes_written: self.bytes_written + more.bytes_written,
        }
    }
}

/// One kernel with its sizes settled: what both executors run.
pub trait Kernel: Debug + Send + Sync {
    /// The kind of kernel, as the table names it.
    fn name(&self) -> &'static str;

    /// What it does with each binding, in binding order; at most eight.
    fn bindings(&self) -> Vec<Access>;

    /// Its text for this adapter. `choice` counts through what [`Kernel::choices`] names; 0 is what the rule chooses, and
    /// all there is where a kernel has no choices.
    fn module(&self, traits: &Traits, choice: usize) -> Module;

    /// What a tuner may choose between on such an adapter; none where one text is known to be best.
    fn choices(&self, _: &Traits) -> Option<Choices> {
        None
    }

    /// The sizes that travel behind the [`Step`] as immediates.
    fn dims(&self) -> [u32; DIMS] {
        [0; DIMS]
    }

    /// What one run costs.
    fn cost(&self) -> Cost;

    /// The CPU reference.
    fn run(&self, args: &Args, step: &Step);
}

/// The text every module starts with.
pub(crate) const IMMEDIATES: &str = include_str!("../../../shaders/immediates.wgsl");
pub(crate) const RANDOM: &str = include_str!("../../../shaders/random.wgsl");

/// A launch of `count` workgroups as a grid within the limit of 65,535 per dimension; the kernel guards the excess.
pub(crate) fn grid(count: usize) -> [u32; 3] {
    const LIMIT: usize = 65_535;
    if count <= LIMIT { [count.max(1) as u32, 1, 1] } else { [LIMIT as u32, count.div_ceil(LIMIT) as u32, 1] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_loops_are_shortened_where_the_adapter_ends_them() {
        let [software, gpu] = [true, false].map(|software| Traits { software, subgroup_size: None });
        assert_eq!([1, 65_000, 65_001, 1_000_000].map(|turns| software.steps_per_turn(turns)), [1, 1, 2, 16]);
        assert_eq!(gpu.steps_per_turn(1_000_000), 1);
        // 64 lanes take 4,160,000 terms in 65,000 turns.
        let steps = |traits, end| strided_loop(traits, end, "x += r;").matches("x += r;").count();
        assert_eq!([4_160_000, 4_160_001].map(|end| steps(&software, end)), [1, 2]);
        assert_eq!(steps(&gpu, 4_160_001), 1);
    }
}
