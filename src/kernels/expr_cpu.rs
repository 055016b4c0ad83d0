//! Evaluates an [`Expr`] on the CPU, a block of lanes at a time.
//!
//! Every instruction is one loop over a block that stays in the first-level cache, compiled for the widest vectors the
//! processor has.

use std::cell::RefCell;

use multiversion::multiversion;

use super::args::Args;
use super::expr::{Expr, Instr, Reg, View};
use super::random::{normal4, uniform4};
use super::step::Step;

/// Lanes per block.
pub(super) const BLOCK: usize = 256;

type Lanes = [f32; BLOCK];

/// One row of lanes: a fixed outer index, and consecutive inner indices.
pub(super) struct Row<'a> {
    /// Indices of all dimensions; the last is the first lane's.
    pub index: &'a [usize],
    /// How many lanes, at most [`BLOCK`].
    pub len: usize,
    /// The accumulators, where the expression is an epilogue.
    pub acc: &'a [f32],
}

thread_local! {
    // Registers are kept between blocks, so that a step allocates nothing.
    static REGISTERS: RefCell<Vec<Lanes>> = const { RefCell::new(Vec::new()) };
}

/// Runs `work` with this thread's registers, at least `count` of them.
pub(super) fn with_registers<R>(count: usize, work: impl FnOnce(&mut [Lanes]) -> R) -> R {
    REGISTERS.with_borrow_mut(|registers| {
        if registers.len() < count {
            registers.resize(count, [0.0; BLOCK]);
        }
        work(&mut registers[..count])
    })
}

/// Computes every register of the expression for one row of lanes.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2+fma"))]
pub(super) fn evaluate(expr: &Expr, regs: &mut [Lanes], row: &Row, args: &Args, step: &Step) {
    let len = row.len;
    for (i, instr) in expr.instrs.iter().enumerate() {
        let (before, rest) = regs.split_at_mut(i);
        let out = &mut rest[0][..len];
        match instr {
            Instr::Load(l) => {
                let load = &expr.loads[*l];
                let (start, stride) = lanes_of(&load.view, row.index);
                let memory = args.read(load.binding);
                match stride {
                    0 => out.fill(memory[start]),
                    1 => out.copy_from_slice(&memory[start..start + len]),
                    _ => {
                        for (j, out) in out.iter_mut().enumerate() {
                            *out = memory[start + j * stride];
                        }
                    }
                }
            }
            Instr::Acc => out.copy_from_slice(row.acc),
            Instr::Const(c) => out.fill(*c),
            Instr::Scalar(slot) => out.fill(step.scalars[*slot]),
            Instr::Rows => out.fill(step.rows as f32),
            Instr::Coordinate(d, offset) => {
                let start = row.index[*d] + offset;
                let lane = usize::from(*d + 1 == row.index.len());
                for (j, out) in out.iter_mut().enumerate() {
                    *out = (start + j * lane) as f32;
                }
            }
            Instr::Normal(stream, view) => draw(out, view, row.index, |block| normal4(step, *stream, block)),
            Instr::Uniform(stream, view) => draw(out, view, row.index, |block| uniform4(step, *stream, block)),
            Instr::Call(func, regs) => {
                let arg = |r: Reg| before.get(r as usize).map_or(&[][..], |lanes| &lanes[..len]);
                func.block(out, arg(regs[0]), arg(regs[1]), arg(regs[2]));
            }
        }
    }
}

/// The first lane's word and the words from one lane to the next.
pub(super) fn lanes_of(view: &View, index: &[usize]) -> (usize, usize) {
    (view.at(index), view.strides.last().copied().unwrap_or(0))
}

fn draw(out: &mut [f32], view: &View, index: &[usize], block: impl Fn(u32) -> [f32; 4]) {
    let (start, stride) = lanes_of(view, index);
    let (mut at, mut four) = (usize::MAX, [0.0; 4]);
    for (j, out) in out.iter_mut().enumerate() {
        let element = start + j * stride;
        if element / 4 != at {
            at = element / 4;
            four = block(at as u32);
        }
        *out = four[element % 4];
    }
}

/// Writes the lanes of a register through a view.
///
/// # Safety
/// As for [`Args::write`]: no other thread touches these words.
pub(super) unsafe fn store(lanes: &[f32], args: &Args, binding: usize, view: &View, index: &[usize]) {
    let (start, stride) = lanes_of(view, index);
    // SAFETY: the caller's.
    let memory = unsafe { args.write(binding) };
    if stride == 1 {
        memory[start..start + lanes.len()].copy_from_slice(lanes);
    } else {
        for (j, &lane) in lanes.iter().enumerate() {
            memory[start + j * stride] = lane;
        }
    }
}
