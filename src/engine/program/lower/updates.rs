//! What stands at the end of a step: gradients that are gathered, parameters that are assigned, and optimisers.

use std::sync::Arc;

use super::super::request::{Gradients, Request, Update};
use super::super::{Parameter, ParameterSet, SHARE, SQUARED_GRADIENT_NORM};
use super::emit::Emitter;
use crate::kernels::{Access, Descent, Expr, Func, Instr, Load, Map, Norm, Reg, Store, View};

/// The partials of Σg² of an update: their object, how many there are, and the name of the statistic that is their sum.
pub(super) struct Partials {
    pub object: usize,
    pub count: usize,
    pub name: String,
}

/// Words of a row of the maps over flat buffers, which are padded to whole ones.
const ROW: usize = 64;

/// Appends a map over flat buffers of so many words: `objects` are read, the last of them is written, with what `make` makes of
/// the registers that hold the elements of those before it; `in_place` if the written one is read as well, behind the others.
fn flat_map(
    emitter: &mut Emitter,
    (words, label): (usize, &str),
    objects: Vec<usize>,
    in_place: bool,
    make: impl FnOnce(&mut Expr, &[Reg]) -> Reg,
) {
    let extents = vec![words / ROW, ROW];
    let (view, written) = (View::contiguous(&extents), objects.len() - 1);
    let mut expr = Expr::default();
    let read: Vec<Reg> =
        (0..written + usize::from(in_place)).map(|binding| expr.load(Load { binding, view: view.clone() })).collect();
    let reg = make(&mut expr, &read);
    let mut access = vec![Access::Read; written];
    access.push(Access::Write);
    let stores = vec![Store { reg, binding: written, view }];
    emitter.push(Arc::new(Map { extents, reduced: 0, expr, stores, reductions: vec![], access }), objects, label);
}

/// a ← s·g + a, or s·g alone for the first batch, of which the scalar [`SHARE`] is −s.
pub(super) fn emit_accumulation(emitter: &mut Emitter, gradients: &Gradients) {
    let (set, len) = (gradients.set, gradients.set.words());
    let (from, into) = (emitter.whole(&set.gradients(), len), emitter.whole(&set.accumulated(), len));
    let slot = emitter.slot(SHARE);
    flat_map(emitter, (len, &format!("gradients of {} gathered", set.name)), vec![from, into], true, |expr, read| {
        let [gradient, before] = [read[0], read[1]];
        let (share, zero) = (expr.push(Instr::Scalar(slot)), expr.push(Instr::Const(0.0)));
        let is_first = expr.call(Func::Less, &[share, zero]);
        let kept = expr.call(Func::Select, &[is_first, zero, before]);
        let share = expr.call(Func::Abs, &[share]);
        let part = expr.call(Func::Mul, &[share, gradient]);
        expr.call(Func::Add, &[kept, part])
    });
}

/// Copies what was computed for the assigned parameters to where they lie, those that lie side by side at once.
pub(super) fn emit_assigns(emitter: &mut Emitter, request: &Request) {
    for set in &request.parameters {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        let is_assigned = |p: &&Parameter| request.assigns.iter().any(|(name, _)| *name == p.name);
        for p in set.parameters.iter().filter(is_assigned) {
            let end = p.offset + p.len().next_multiple_of(ROW);
            match runs.last_mut() {
                Some(run) if run.1 == p.offset => run.1 = end,
                _ => runs.push((p.offset, end)),
            }
        }
        for (start, end) in runs {
            let [from, into] =
                [set.next(), set.values()].map(|buffer| emitter.part(&buffer, set.words(), (start, end - start)));
            let label = format!("{} assigned", set.name);
            flat_map(emitter, (end - start, &label), vec![from, into], false, |_, read| read[0]);
        }
    }
}

/// The calls of an optimiser, and of the running mean of what it moves.
pub(super) fn emit_update(emitter: &mut Emitter, update: &Update) -> Partials {
    let (set, rule) = (update.set, &update.rule);
    let len = set.words();
    let values = emitter.whole(&set.values(), len);
    let gradients = if update.accumulated { set.accumulated() } else { set.gradients() };
    let gradients = emitter.whole(&gradients, len);
    let count = Descent::partials(len);
    let partials = emitter.scratch(count);
    let mut objects = vec![values];
    objects.extend(rule.optimiser.state().iter().map(|name| emitter.whole(&set.state(name), len)));
    objects.extend([gradients, partials]);
    if rule.clip.is_some() {
        let (parts, norm) = (emitter.scratch(count), emitter.scratch(1));
        let by_chunk = Norm { len, chunk: Descent::chunk(len), square: true };
        emitter.push(Arc::new(by_chunk), vec![gradients, parts], "squared gradient norm, by chunk");
        let whole = Norm { len: count, chunk: count, square: false };
        emitter.push(Arc::new(whole), vec![parts, norm], "squared gradient norm");
        objects.push(norm);
    }
    let optimiser = rule.optimiser.clone();
    let slots = optimiser.scalars().iter().map(|name| emitter.slot(&set.scalar(name))).collect();
    let label = format!("{} over {}", optimiser.id(), set.name);
    emitter.push(Arc::new(Descent { optimiser, len, slots, clip: rule.clip }), objects, &label);
    if let Some(decay) = rule.average {
        emit_average(emitter, set, decay);
    }
    Partials { object: partials, count, name: set.scalar(SQUARED_GRADIENT_NORM) }
}

/// e ← d·e + (1 − d)·θ.
fn emit_average(emitter: &mut Emitter, set: &ParameterSet, decay: f32) {
    let len = set.words();
    let [values, averages] = [set.values(), set.averages().values()].map(|name| emitter.whole(&name, len));
    flat_map(emitter, (len, &format!("mean of {}", set.name)), vec![values, averages], true, |expr, read| {
        let difference = expr.call(Func::Sub, &[read[0], read[1]]);
        let share = expr.push(Instr::Const(1.0 - decay));
        let part = expr.call(Func::Mul, &[share, difference]);
        expr.call(Func::Add, &[read[1], part])
    });
}
