//! Evaluates an [`Expr`] on the CPU, a block of lanes at a time.
//!
//! Every instruction is one loop over a block that stays in the first-level cache, compiled for the widest vectors the
//! processor has.

use std::cell::RefCell;

use super::args::Args;
use super::expr::{Expr, Instr, RandomStream, Reg, View};
use super::random::{fill_normals, fill_uniforms, normal4, uniform4};
use super::simd::vectorised;
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

vectorised! {
    /// Computes every register of the expression for one row of lanes.
    pub(super) fn evaluate(expr: &Expr, regs: &mut [Lanes], row: &Row, args: &Args, step: &Step) = compute;
}

#[inline(always)]
fn compute(expr: &Expr, regs: &mut [Lanes], row: &Row, args: &Args, step: &Step) {
    // Registers whose lanes may differ, as far as there are bits; of the others one lane is computed, and fills the rest.
    let mut varying = !0u128;
    for (i, instr) in expr.instrs.iter().enumerate() {
        let (before, rest) = regs.split_at_mut(i);
        let varies = is_varying(expr, instr, row.index.len(), varying);
        if !varies && i < 128 {
            varying &= !(1 << i);
        }
        let (out, beyond) = rest[0][..row.len].split_at_mut(if varies { row.len } else { 1 });
        let len = out.len();
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
            Instr::Acc => out.copy_from_slice(&row.acc[..len]),
            Instr::Const(c) => out.fill(*c),
            Instr::Scalar(slot) => out.fill(step.scalars[*slot]),
            Instr::Rows => out.fill(step.rows as f32),
            Instr::RowOffset => out.fill(step.row_offset as f32),
            Instr::Coordinate(d, offset) => {
                let start = row.index[*d] + offset;
                let lane = usize::from(*d + 1 == row.index.len());
                for (j, out) in out.iter_mut().enumerate() {
                    *out = (start + j * lane) as f32;
                }
            }
            Instr::Normal(stream, view) => draw::<true>(out, view, row.index, step, *stream),
            Instr::Uniform(stream, view) => draw::<false>(out, view, row.index, step, *stream),
            Instr::Call(func, regs) => {
                let arg = |r: Reg| before.get(r as usize).map_or(&[][..], |lanes| &lanes[..len]);
                func.block(out, arg(regs[0]), arg(regs[1]), arg(regs[2]));
            }
        }
        if let Some(&first) = out.first() {
            beyond.fill(first);
        }
    }
}

/// Whether the lanes of an instruction's register may differ, those of the registers before it being known.
#[inline(always)]
fn is_varying(expr: &Expr, instr: &Instr, rank: usize, varying: u128) -> bool {
    let moves = |view: &View| view.strides.last().is_some_and(|&stride| stride > 0);
    match instr {
        Instr::Load(l) => moves(&expr.loads[*l].view),
        Instr::Acc => true,
        Instr::Const(_) | Instr::Scalar(_) | Instr::Rows | Instr::RowOffset => false,
        Instr::Coordinate(d, _) => *d + 1 == rank,
        Instr::Normal(_, view) | Instr::Uniform(_, view) => moves(view),
        Instr::Call(func, regs) => {
            regs[..func.arity()].iter().any(|&r| varying.checked_shr(u32::from(r)).is_none_or(|bits| bits & 1 == 1))
        }
    }
}

/// The first lane's word and the words from one lane to the next.
pub(super) fn lanes_of(view: &View, index: &[usize]) -> (usize, usize) {
    (view.at(index), view.strides.last().copied().unwrap_or(0))
}

/// Standard normals of a stream, or else uniforms.
#[inline(always)]
fn draw<const NORMAL: bool>(out: &mut [f32], view: &View, index: &[usize], step: &Step, stream: RandomStream) {
    let (start, stride) = lanes_of(view, index);
    let (start, stream) = (start + stream.start(step.row_offset), stream.number);
    if stride == 1 {
        let fill = if NORMAL { fill_normals } else { fill_uniforms };
        return fill(out, start, step, stream);
    }
    let (mut at, mut four) = (usize::MAX, [0.0; 4]);
    for (j, out) in out.iter_mut().enumerate() {
        let element = start + j * stride;
        if element / 4 != at {
            at = element / 4;
            four = if NORMAL { normal4(step, stream, at as u32) } else { uniform4(step, stream, at as u32) };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{FUNCS, Load};

    /// What is compiled for the widest vectors of this processor gives the bits that one number at a time does, without any.
    #[test]
    fn vectors_of_any_width_give_the_same_bits() {
        let edges = [0.0, -0.0, 1.0, -1.0, 1e-40, -88.0, 89.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 1e30, -1e-6];
        let number = |i: usize| match edges.get(i % 23) {
            Some(&edge) if !i.is_multiple_of(3) => edge,
            _ => ((i * 7919 % 10_007) as f32 / 500.0 - 10.0) * if i.is_multiple_of(7) { 10.0 } else { 1.0 },
        };
        let mut memory: Vec<u32> = (0..3 * BLOCK).map(|i| number(i * 31 + i / 5).to_bits()).collect();
        let bound: Vec<_> = memory.chunks_mut(BLOCK).map(|words| (words.as_mut_ptr(), BLOCK)).collect();
        // SAFETY: three parts of memory that nothing else touches, and that lives on.
        let args = unsafe { Args::new(&bound) };
        for &(func, name, arity, ..) in FUNCS {
            let mut expr = Expr::default();
            let loads: Vec<Reg> = (0..arity)
                .map(|binding| expr.load(Load { binding, view: View { offset: 0, strides: vec![1] } }))
                .collect();
            let reg = expr.call(func, &loads);
            let found = with_registers(expr.instrs.len(), |regs| {
                evaluate(&expr, regs, &Row { index: &[0], len: BLOCK, acc: &[] }, &args, &Step::default());
                regs[reg as usize]
            });
            let at = |binding: usize, i: usize| if binding < arity { args.read(binding)[i] } else { 0.0 };
            for (i, found) in found.iter().enumerate() {
                let [a, b, c] = [0, 1, 2].map(|binding| at(binding, i));
                let one = func.at(a, b, c);
                let same = found.to_bits() == one.to_bits() || found.is_nan() && one.is_nan();
                assert!(same, "{name}({a}, {b}, {c}): {found:e} and {one:e}");
            }
        }
    }
}
