//! Evaluates an [`Expr`] on the CPU, a block of lanes at a time.
//!
//! Every instruction is one loop over a block that stays in the first-level cache, compiled for the widest vectors the
//! processor has. A block is a piece of a row, or several short rows. What lies in memory lane by lane is read where it is; what is the same in all lanes
//! is computed once, and spread where its lanes are asked for. Two functions that begin with the same exponential are computed together.

use std::cell::Cell;
use std::ops::Range;

use super::Access;
use super::args::Args;
use super::conv::buffers::{Buffer, Use};
use super::expr::{Expr, Instr, Load, RandomStream, Reg, View};
use super::func::Func;
use super::pairwise::PART;
use super::random::{fill_normals, fill_uniforms, normal4, uniform4};
use super::simd::vectorised;
use super::step::Step;

/// The most lanes of a block.
const MOST: usize = 4 * PART;

/// Words that the registers of a block may take up: most of a small first-level cache.
const ROOM: usize = 7168;

/// Words between the lanes of two registers: whole pages apart, they would push each other out of the cache.
const GAP: usize = 48;

/// Registers that can be read in place, or be computed with another.
const PLACES: usize = 64;

/// A block of lanes: rows of a fixed outer index, and consecutive inner indices.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    /// Indices of all dimensions; the last is the first lane's.
    pub index: &'a [usize],
    /// How many lanes a row has; those of all rows are at most [`Registers::lanes`].
    pub len: usize,
    /// How many rows, of which the last dimension but one counts the further ones. More than one only by [`walk`].
    pub rows: usize,
    /// The accumulators, where the expression is an epilogue.
    pub acc: &'a [f32],
}

impl Row<'_> {
    /// The lanes of all rows.
    #[inline(always)]
    pub fn lanes(&self) -> usize {
        self.rows * self.len
    }

    /// The word of the first lane, and the words from one lane and from one row to the next.
    #[inline(always)]
    fn span(&self, view: &View) -> Span {
        let (first, lane) = lanes_of(view, self.index);
        let row = if self.rows > 1 { view.strides[view.strides.len() - 2] } else { self.len * lane };
        Span { first, lane, row }
    }
}

/// Where the lanes of a block lie.
#[derive(Clone, Copy)]
struct Span {
    first: usize,
    lane: usize,
    row: usize,
}

impl Span {
    /// Whether all of them lie behind each other, of rows of so many.
    #[inline(always)]
    fn is_dense(self, len: usize) -> bool {
        self.lane == 1 && self.row == len
    }
}

/// Where the lanes of a register are.
#[derive(Clone, Copy)]
enum Place {
    /// Among the registers.
    Here,
    /// In a binding, from this word on.
    Memory(usize, usize),
    /// They are the accumulators.
    Acc,
}

/// The registers of an expression.
pub(super) struct Registers<'a> {
    /// Those that have lanes of their own, one after the other.
    words: &'a mut [f32],
    /// Words from one to the next.
    stride: usize,
    /// What is done with each binding.
    access: &'a [Access],
    places: [Place; PLACES],
    /// Registers of which only the first lane is there, all being equal; as far as there are bits.
    single: u128,
    /// Whether blocks may have several rows.
    along_rows: bool,
    plan: Option<Plan>,
}

/// What is the same for all rows, as far as there are bits.
#[derive(Clone, Copy)]
struct Plan {
    /// Registers whose lanes may differ.
    varying: u128,
    /// Registers that are computed with another one.
    seconds: u64,
    /// For the first of such two registers, how far behind it the second is.
    twins: [u8; PLACES],
}

impl Plan {
    fn of(expr: &Expr, rank: usize, along_rows: bool) -> Plan {
        let mut plan = Plan { varying: !0, seconds: 0, twins: [0; PLACES] };
        for (i, instr) in expr.instrs.iter().enumerate().take(128) {
            if !is_varying(expr, instr, (rank, along_rows), plan.varying) {
                plan.varying ^= 1 << i;
            } else if let Some(other) = expr.twin(i).filter(|&other| other < PLACES) {
                plan.seconds |= 1 << other;
                plan.twins[i] = (other - i) as u8;
            }
        }
        plan
    }
}

thread_local! {
    // Kept between calls, so that a step allocates nothing.
    static INDEX: Cell<Vec<usize>> = const { Cell::new(Vec::new()) };
}

/// Runs `work` with this thread's registers for an expression, whose kernel does this with its bindings. Each begins at a line of the cache: a vector
/// across two lines takes longer.
pub(super) fn with_registers<R>(expr: &Expr, access: &[Access], work: impl FnOnce(&mut Registers) -> R) -> R {
    let stride = lanes_of_block(expr) + GAP;
    let mut words = Buffer::take(Use::Registers, expr.instrs.len() * stride);
    let places = [Place::Here; PLACES];
    work(&mut Registers { words: &mut words, stride, access, places, single: 0, along_rows: false, plan: None })
}

/// Lanes of a block for an expression: a multiple of [`PART`], so that sums do not depend on it.
pub(super) fn lanes_of_block(expr: &Expr) -> usize {
    let calls = expr.instrs.iter().filter(|instr| matches!(instr, Instr::Call(..))).count();
    (ROOM / calls.max(1) / PART * PART).clamp(PART, MOST)
}

impl Registers<'_> {
    /// The most lanes of a row.
    pub fn lanes(&self) -> usize {
        self.stride - GAP
    }

    /// What a register has for the row that was evaluated last.
    pub fn read<'r>(&'r mut self, reg: Reg, row: &Row<'r>, args: &'r Args) -> &'r [f32] {
        self.spread(reg, row.lanes());
        lanes(reg, &*self.words, self.stride, &self.places, (row, row.lanes()), args)
    }

    /// Whether of a register only the first lane is there.
    #[inline(always)]
    fn is_single(&self, reg: Reg) -> bool {
        self.single.checked_shr(u32::from(reg)).unwrap_or(0) & 1 == 1
    }

    /// Gives all lanes of a register what the first has, if that is the only one.
    #[inline(always)]
    fn spread(&mut self, reg: Reg, len: usize) {
        let bit = 1u128.checked_shl(u32::from(reg)).unwrap_or(0);
        if self.single & bit != 0 {
            self.single ^= bit;
            let words = &mut self.words[reg as usize * self.stride..][..len];
            words.fill(words[0]);
        }
    }
}

/// The lanes of a register, of which those that are not elsewhere are in `words`.
#[inline(always)]
fn lanes<'r>(
    reg: Reg,
    words: &'r [f32],
    stride: usize,
    places: &[Place],
    (row, len): (&Row<'r>, usize),
    args: &'r Args,
) -> &'r [f32] {
    match places.get(reg as usize) {
        Some(&Place::Memory(binding, start)) => &args.read(binding)[start..start + len],
        Some(Place::Acc) => &row.acc[..len],
        // Beyond a function's arity there may be none.
        _ => match words.get(reg as usize * stride..) {
            Some(words) => &words[..len.min(words.len())],
            None => &[],
        },
    }
}

vectorised! {
    /// Computes every register of the expression for one row of lanes.
    pub(super) fn evaluate(expr: &Expr, regs: &mut Registers, row: &Row, args: &Args, step: &Step) = compute;
}

#[inline(always)]
fn compute(expr: &Expr, regs: &mut Registers, row: &Row, args: &Args, step: &Step) {
    let plan = regs.plan.unwrap_or_else(|| Plan::of(expr, row.index.len(), regs.along_rows));
    (regs.plan, regs.single) = (Some(plan), !plan.varying);
    for (i, instr) in expr.instrs.iter().enumerate() {
        if i < PLACES && plan.seconds >> i & 1 == 1 {
            continue;
        }
        let varies = i >= 128 || plan.varying >> i & 1 == 1;
        if let Some(place) = regs.places.get_mut(i) {
            *place = match instr {
                Instr::Acc => Place::Acc,
                // What is overwritten is copied.
                Instr::Load(l) => match (&expr.loads[*l], row.span(&expr.loads[*l].view)) {
                    (load, span) if span.is_dense(row.len) && regs.access[load.binding] == Access::Read => {
                        Place::Memory(load.binding, span.first)
                    }
                    _ => Place::Here,
                },
                _ => Place::Here,
            };
            if !matches!(place, Place::Here) {
                continue;
            }
        }
        if let Instr::Call(func, args) = instr {
            // A single lane is computed of single lanes, and a product may have a factor of one; beyond what there are bits for, lanes are computed
            // that are all equal, of factors that may both be of one.
            let is_product_with_lanes = *func == Func::Mul && !args[..2].iter().all(|&arg| regs.is_single(arg));
            let spread = if varies && !is_product_with_lanes { func.arity() } else { 0 };
            for &arg in &args[..spread] {
                regs.spread(arg, row.lanes());
            }
        }
        let (before, rest) = regs.words.split_at_mut(i * regs.stride);
        let (len, width) = if varies { (row.lanes(), row.len) } else { (1, 1) };
        let (out, rest) = rest.split_at_mut(regs.stride);
        let out = &mut out[..len];
        match instr {
            Instr::Load(l) => gather((out, width), &expr.loads[*l], row, args),
            Instr::Acc => out.copy_from_slice(&row.acc[..len]),
            Instr::Const(c) => out.fill(*c),
            Instr::Scalar(slot) => out.fill(step.scalars[*slot]),
            Instr::Rows => out.fill(step.rows as f32),
            Instr::RowOffset => out.fill(step.row_offset as f32),
            Instr::Coordinate(d, offset) => count((out, width), (*d, *offset), row),
            Instr::Normal(stream, view) => draw::<true>((out, width), view, row, step, *stream),
            Instr::Uniform(stream, view) => draw::<false>((out, width), view, row, step, *stream),
            Instr::Call(func, regs_of) => {
                // No closures here, which would not be compiled for the vectors of this function.
                let a = lanes(regs_of[0], before, regs.stride, &regs.places, (row, len), args);
                let b = lanes(regs_of[1], before, regs.stride, &regs.places, (row, len), args);
                let c = lanes(regs_of[2], before, regs.stride, &regs.places, (row, len), args);
                match plan.twins.get(i) {
                    Some(&behind) if behind > 0 => {
                        let other = &mut rest[(usize::from(behind) - 1) * regs.stride..][..len];
                        func.block_with_twin(out, other, a, b, c);
                    }
                    _ => {
                        let is_single =
                            |reg: Reg| varies && regs.single.checked_shr(u32::from(reg)).unwrap_or(0) & 1 == 1;
                        let (a, b) = match func {
                            Func::Mul if is_single(regs_of[0]) => (&a[..1], b),
                            Func::Mul if is_single(regs_of[1]) => (&b[..1], a),
                            _ => (a, b),
                        };
                        func.block(out, a, b, c);
                    }
                }
            }
        }
    }
}

/// Whether the lanes of an instruction's register may differ, those of the registers before it being known: of an index of so many dimensions, in blocks
/// that may have several rows.
#[inline(always)]
fn is_varying(expr: &Expr, instr: &Instr, (rank, along_rows): (usize, bool), varying: u128) -> bool {
    let counted = if along_rows { 2 } else { 1 };
    let moves = |view: &View| view.strides.iter().rev().take(counted).any(|&stride| stride > 0);
    match instr {
        Instr::Load(l) => moves(&expr.loads[*l].view),
        Instr::Acc => true,
        Instr::Const(_) | Instr::Scalar(_) | Instr::Rows | Instr::RowOffset => false,
        Instr::Coordinate(d, _) => *d + counted >= rank,
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

/// The lanes of a load, of rows of so many.
fn gather((out, width): (&mut [f32], usize), load: &Load, row: &Row, args: &Args) {
    let span = row.span(&load.view);
    for (r, out) in out.chunks_exact_mut(width).enumerate() {
        let start = span.first + r * span.row;
        match span.lane {
            // SAFETY: of what a call writes, a thread reads the words that it writes itself.
            1 => out.copy_from_slice(unsafe { args.part(load.binding, start..start + width) }),
            // SAFETY: likewise.
            0 => out.fill(unsafe { args.part(load.binding, start..start + 1)[0] }),
            stride => {
                for (j, out) in out.iter_mut().enumerate() {
                    let at = start + j * stride;
                    // SAFETY: likewise.
                    *out = unsafe { args.part(load.binding, at..at + 1)[0] };
                }
            }
        }
    }
}

/// The index along a dimension, plus an offset.
fn count((out, width): (&mut [f32], usize), (d, offset): (usize, usize), row: &Row) {
    let (start, rank) = (row.index[d] + offset, row.index.len());
    let (lane, next) = (usize::from(d + 1 == rank), usize::from(d + 2 == rank));
    for (r, out) in out.chunks_exact_mut(width).enumerate() {
        for (j, out) in out.iter_mut().enumerate() {
            *out = (start + r * next + j * lane) as f32;
        }
    }
}

/// Standard normals of a stream, or else uniforms.
fn draw<const NORMAL: bool>(
    (out, width): (&mut [f32], usize),
    view: &View,
    row: &Row,
    step: &Step,
    stream: RandomStream,
) {
    let span = row.span(view);
    let (first, stream) = (span.first + stream.start(step.row_offset), stream.number);
    let fill = if NORMAL { fill_normals } else { fill_uniforms };
    if span.is_dense(width) {
        return fill(out, first, step, stream);
    }
    for (r, out) in out.chunks_exact_mut(width).enumerate() {
        let start = first + r * span.row;
        if span.lane == 1 {
            fill(out, start, step, stream);
            continue;
        }
        let (mut at, mut four) = (usize::MAX, [0.0; 4]);
        for (j, out) in out.iter_mut().enumerate() {
            let element = start + j * span.lane;
            if element / 4 != at {
                at = element / 4;
                four = if NORMAL { normal4(step, stream, at as u32) } else { uniform4(step, stream, at as u32) };
            }
            *out = four[element % 4];
        }
    }
}

/// How many pieces the rows of an iteration space are evaluated in: more than there are rows where one has more lanes than a block.
pub(super) fn pieces(expr: &Expr, extents: &[usize]) -> usize {
    let (&inner, outer) = extents.split_last().expect("an iteration space has at least one dimension");
    outer.iter().product::<usize>() * inner.div_ceil(lanes_of_block(expr))
}

/// Evaluates some of the [`pieces`] of an iteration space in their order, several rows at once where they are short; hands `each` the registers of every block.
pub(super) fn walk(
    (expr, access, extents): (&Expr, &[Access], &[usize]),
    pieces: Range<usize>,
    args: &Args,
    step: &Step,
    mut each: impl FnMut(&mut Registers, &Row),
) {
    let (&inner, outer) = extents.split_last().expect("an iteration space has at least one dimension");
    let mut index = INDEX.take();
    index.clear();
    index.resize(extents.len(), 0);
    with_registers(expr, access, |regs| {
        let most = regs.lanes();
        let (in_a_row, together) = (inner.div_ceil(most), most / inner);
        regs.along_rows = together > 1 && !outer.is_empty();
        let mut piece = pieces.start;
        while piece < pieces.end {
            let (mut rest, start) = (piece / in_a_row, piece % in_a_row * most);
            for d in (0..outer.len()).rev() {
                index[d] = rest % outer[d];
                rest /= outer[d];
            }
            index[outer.len()] = start;
            let rows = match outer.last() {
                Some(&extent) if together > 1 => together.min(extent - index[outer.len() - 1]).min(pieces.end - piece),
                _ => 1,
            };
            let row = Row { index: &index, len: most.min(inner - start), rows, acc: &[] };
            evaluate(expr, regs, &row, args, step);
            each(regs, &row);
            piece += rows;
        }
    });
    INDEX.set(index);
}

/// Writes the lanes of a register through a view.
///
/// # Safety
/// As for [`super::Words::part`]: no other thread touches these words.
pub(super) unsafe fn store(lanes: &[f32], args: &Args, binding: usize, view: &View, index: &[usize]) {
    let (start, stride) = lanes_of(view, index);
    // SAFETY: the caller's.
    unsafe { put(lanes, args, binding, (start, stride)) };
}

/// The same of a block that may have several rows.
///
/// # Safety
/// Likewise.
pub(super) unsafe fn store_rows(lanes: &[f32], args: &Args, binding: usize, view: &View, row: &Row) {
    let span = row.span(view);
    if span.is_dense(row.len) {
        // SAFETY: the caller's.
        return unsafe { put(lanes, args, binding, (span.first, 1)) };
    }
    for (r, lanes) in lanes.chunks_exact(row.len).enumerate() {
        // SAFETY: the caller's.
        unsafe { put(lanes, args, binding, (span.first + r * span.row, span.lane)) };
    }
}

/// Writes lanes to words that lie so far apart, from one on.
///
/// # Safety
/// Likewise.
unsafe fn put(lanes: &[f32], args: &Args, binding: usize, (start, stride): (usize, usize)) {
    let words = args.write(binding);
    if stride == 1 {
        let range = start..start + lanes.len();
        // Accumulators that are read in place are where they belong already.
        if words.from(&range).cast_const() != lanes.as_ptr() {
            // SAFETY: the caller's.
            unsafe { words.part(range) }.copy_from_slice(lanes);
        }
    } else {
        for (j, &lane) in lanes.iter().enumerate() {
            // SAFETY: the caller's.
            unsafe { words.set(start + j * stride, lane) };
        }
    }
}

#[cfg(test)]
mod tests;
