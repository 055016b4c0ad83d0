//! What stands at the end of a step: gradients that are gathered, parameters that are assigned, and optimisers.

use std::ops::Range;
use std::sync::Arc;

use super::super::request::{Gradients, Request, Update};
use super::super::{Parameter, ParameterSet, SHARE, SKIPPED, SQUARED_GRADIENT_NORM};
use super::emit::Emitter;
use crate::kernels::{Access, Descent, Expr, Func, Instr, Item, Load, Map, Norm, Reg, Store, View};

/// What an update tells of a gradient: words of an object, a function of them, and the name of the statistic that is the sum of that.
pub(super) struct Told {
    pub object: usize,
    pub count: usize,
    pub what: What,
    pub name: String,
}

/// What is told of a word.
pub(super) enum What {
    /// Itself.
    Itself,
    /// Whether it is above a number: 1 or 0.
    IsAbove(f32),
}

impl Told {
    /// The statistic, its object being bound at `binding`.
    pub fn item(&self, binding: usize) -> Item {
        let mut expr = Expr::default();
        let word = expr.load(Load { binding, view: View { offset: 0, strides: vec![1] } });
        let reg = match self.what {
            What::Itself => word,
            What::IsAbove(bound) => is_above(&mut expr, word, bound),
        };
        Item { extents: vec![self.count], expr, reg }
    }
}

/// 1 where a number is above a bound, else 0.
fn is_above(expr: &mut Expr, number: Reg, bound: f32) -> Reg {
    let bound = expr.push(Instr::Const(bound));
    expr.call(Func::Less, &[bound, number])
}

/// Words of a row of the maps over flat buffers, which are padded to whole ones.
const ROW: usize = 64;

/// Appends a map over flat buffers of so many words: `objects` are read, the last of them is written, with what `make` makes of
/// the registers that hold the elements of those before it; `in_place` if the written one is read as well, behind the others; and behind
/// all, the one word of `beside`.
fn flat_map(
    emitter: &mut Emitter,
    (words, label): (usize, &str),
    (mut objects, beside): (Vec<usize>, Option<usize>),
    in_place: bool,
    make: impl FnOnce(&mut Expr, &[Reg]) -> Reg,
) {
    let extents = vec![words / ROW, ROW];
    let (view, written) = (View::contiguous(&extents), objects.len() - 1);
    let mut expr = Expr::default();
    let mut read: Vec<Reg> =
        (0..written + usize::from(in_place)).map(|binding| expr.load(Load { binding, view: view.clone() })).collect();
    let everywhere = View { offset: 0, strides: vec![0, 0] };
    read.extend(beside.map(|_| expr.load(Load { binding: written + 1, view: everywhere })));
    let reg = make(&mut expr, &read);
    let mut access = vec![Access::Read; written];
    access.push(Access::Write);
    access.extend(beside.map(|_| Access::Read));
    objects.extend(beside);
    let stores = vec![Store { reg, binding: written, view }];
    emitter.push(Arc::new(Map { extents, reduced: 0, expr, stores, reductions: vec![], access }), objects, label);
}

/// a ← s·g + a, or s·g alone for the first batch, of which the scalar [`SHARE`] is −s.
pub(super) fn emit_accumulation(emitter: &mut Emitter, gradients: &Gradients) {
    let (set, len) = (gradients.set, gradients.set.words());
    let (slot, label) = (emitter.slot(SHARE), format!("gradients of {} gathered", set.name));
    for span in emitter.spans(len) {
        let objects = [set.gradients(), set.accumulated()].map(|buffer| emitter.span(&buffer, len, &span));
        flat_map(emitter, (span.len(), &label), (objects.to_vec(), None), true, |expr, read| {
            let [gradient, before] = [read[0], read[1]];
            let (share, zero) = (expr.push(Instr::Scalar(slot)), expr.push(Instr::Const(0.0)));
            let is_first = expr.call(Func::Less, &[share, zero]);
            let kept = expr.call(Func::Select, &[is_first, zero, before]);
            let share = expr.call(Func::Abs, &[share]);
            let part = expr.call(Func::Mul, &[share, gradient]);
            expr.call(Func::Add, &[kept, part])
        });
    }
}

/// Copies what was computed for the assigned parameters to where they lie, those that lie side by side at once.
pub(super) fn emit_assigns(emitter: &mut Emitter, request: &Request) {
    for set in &request.parameters {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        let is_assigned = |p: &&Parameter| request.assigns.iter().any(|(name, _)| *name == p.name);
        for p in set.parameters.iter().filter(is_assigned) {
            let end = p.offset + p.len().next_multiple_of(ROW);
            match runs.last_mut() {
                Some(run) if run.1 == p.offset && end - run.0 <= emitter.pass() => run.1 = end,
                _ => runs.push((p.offset, end)),
            }
        }
        for (start, end) in runs {
            let [from, into] =
                [set.next(), set.values()].map(|buffer| emitter.part(&buffer, set.words(), (start, end - start)));
            let label = format!("{} assigned", set.name);
            flat_map(emitter, (end - start, &label), (vec![from, into], None), false, |_, read| read[0]);
        }
    }
}

/// The calls of an optimiser, and of the running mean of what it moves; gives what is told of the gradient.
pub(super) fn emit_update(emitter: &mut Emitter, update: &Update) -> Vec<Told> {
    let (set, rule, len) = (update.set, &update.rule, update.set.words());
    let gradients = if update.accumulated { set.accumulated() } else { set.gradients() };
    let spans: Vec<Range<usize>> = emitter.spans(len).collect();
    // The partials of each pass begin where a binding may.
    let counts: Vec<usize> = spans.iter().map(|span| Descent::partials(span.len())).collect();
    let before = |i: usize| counts[..i].iter().map(|count| count.next_multiple_of(ROW)).sum::<usize>();
    let count = before(counts.len() - 1) + counts[counts.len() - 1];
    let partials = |emitter: &mut Emitter, what: &str| -> (usize, Vec<usize>) {
        if spans.len() == 1 {
            let all = emitter.scratch(count);
            return (all, vec![all]);
        }
        let name = format!("scratch.{}.{what}", set.name);
        let each = (0..counts.len()).map(|i| emitter.part(&name, count, (before(i), counts[i]))).collect();
        (emitter.whole(&name, count), each)
    };
    let (found, found_by) = partials(emitter, "partials");
    let mut norm = None;
    if rule.clip.or(rule.skip).is_some() {
        let (parts, parts_by) = partials(emitter, "norms");
        for (span, &part) in spans.iter().zip(&parts_by) {
            let gradients = emitter.span(&gradients, len, span);
            let by_chunk = Norm { len: span.len(), chunk: Descent::chunk(span.len()), square: true };
            emitter.push(Arc::new(by_chunk), vec![gradients, part], "squared gradient norm, by chunk");
        }
        let (whole, of_all) = (Norm { len: count, chunk: count, square: false }, emitter.scratch(1));
        emitter.push(Arc::new(whole), vec![parts, of_all], "squared gradient norm");
        norm = Some(of_all);
    }
    let optimiser = &rule.optimiser;
    let slots: Vec<usize> = optimiser.scalars().iter().map(|name| emitter.slot(&set.scalar(name))).collect();
    let label = format!("{} over {}", optimiser.id(), set.name);
    for (span, part) in spans.iter().zip(found_by) {
        let buffers = [set.values()].into_iter().chain(optimiser.state().iter().map(|name| set.state(name)));
        let buffers: Vec<String> = buffers.chain([gradients.clone()]).collect();
        let objects = buffers.iter().map(|buffer| emitter.span(buffer, len, span)).collect::<Vec<_>>();
        let objects = objects.into_iter().chain([part]).chain(norm).collect();
        let (optimiser, slots) = (optimiser.clone(), slots.clone());
        let descent = Descent { optimiser, len: span.len(), slots, clip: rule.clip, skip: rule.skip };
        emitter.push(Arc::new(descent), objects, &label);
    }
    let skipped = norm.zip(rule.skip.map(Descent::most));
    if let Some(decay) = rule.average {
        emit_average(emitter, (set, decay), skipped);
    }
    let norm = Told { object: found, count, what: What::Itself, name: set.scalar(SQUARED_GRADIENT_NORM) };
    let skipped =
        skipped.map(|(object, most)| Told { object, count: 1, what: What::IsAbove(most), name: set.scalar(SKIPPED) });
    [norm].into_iter().chain(skipped).collect()
}

/// e ← d·e + (1 − d)·θ; nothing where a step is skipped, because the word of an object is above a number.
fn emit_average(emitter: &mut Emitter, (set, decay): (&ParameterSet, f32), skipped: Option<(usize, f32)>) {
    let (len, label) = (set.words(), format!("mean of {}", set.name));
    for span in emitter.spans(len) {
        let objects = [set.values(), set.averages().values()].map(|name| emitter.span(&name, len, &span));
        let beside = skipped.map(|(object, _)| object);
        flat_map(emitter, (span.len(), &label), (objects.to_vec(), beside), true, |expr, read| {
            let difference = expr.call(Func::Sub, &[read[0], read[1]]);
            let share = expr.push(Instr::Const(1.0 - decay));
            let part = expr.call(Func::Mul, &[share, difference]);
            let moved = expr.call(Func::Add, &[read[1], part]);
            let Some((_, most)) = skipped else { return moved };
            let is_skipped = is_above(expr, read[2], most);
            expr.call(Func::Select, &[is_skipped, read[1], moved])
        });
    }
}
