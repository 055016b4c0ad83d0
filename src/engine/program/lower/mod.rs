//! Lowering: from the tensors that are wanted to the calls that compute them.
//!
//! [`plan`] decides what lies in memory and what runs together; `emit` turns each unit of the plan into a kernel call
//! over memory objects; `pairs` lets small products share a launch; `memory` places the objects.

mod access;
mod emit;
mod memory;
mod pairs;
mod plan;
mod updates;

use std::sync::Arc;

use super::request::Request;
use super::{Buffer, Call, Output, Program, RING_SLOTS, SHARE, Slice};
use crate::graph::{NodeId, Op, Tensor};
use crate::kernels::{Expr, Instr, Item, Kernel, SCALARS, Statistics};
use emit::{Draft, Emitter};
use memory::Object;
use plan::{Destination, Plan};
use updates::Told;

/// Makes the program that a request asks for.
///
/// # Panics
/// If the graph names a parameter, a data set or more scalars than the request holds: an error in the model, not in
/// what a user gave.
pub fn lower(request: &Request) -> Program {
    let mut request = request.clone();
    let mut plan = make_plan(&request);
    if must_be_gathered(&plan, &request) {
        gather_statistics(&mut request);
        plan = make_plan(&request);
    }
    let statistics = statistics(&request);
    let scalars = scalar_names(&request);
    let mut emitter = Emitter::new(&request, &plan, scalars);
    for unit in &plan.units {
        emitter.unit(unit);
    }
    for gradients in request.gradients.iter().filter(|gradients| gradients.accumulate) {
        updates::emit_accumulation(&mut emitter, gradients);
    }
    updates::emit_assigns(&mut emitter, &request);
    let told: Vec<Told> = request.updates.iter().flat_map(|u| updates::emit_update(&mut emitter, u)).collect();
    pairs::pair(&mut emitter.drafts, &mut emitter.objects);
    let mut names: Vec<String> = request.statistics.iter().map(|s| s.0.to_string()).collect();
    let ring = emit_statistics(&mut emitter, &statistics, &told, &mut names);
    finish(&request, emitter, names, ring)
}

fn statistics(request: &Request) -> Vec<NodeId> {
    request.statistics.iter().map(|s| s.1.id()).collect()
}

fn make_plan<'a>(request: &Request<'a>) -> Plan<'a> {
    let mut wanted: Vec<(NodeId, Destination)> = Vec::new();
    for (set, gradients) in request.gradients.iter().enumerate() {
        let tensors = gradients.tensors.iter().enumerate();
        wanted.extend(tensors.map(|(i, t)| (t.id(), Destination::Gradient(set, i))));
    }
    wanted.extend(request.assigns.iter().enumerate().map(|(i, (_, t))| (t.id(), Destination::Assigned(i))));
    wanted.extend(request.outputs.iter().enumerate().map(|(i, &(_, t))| (t.id(), Destination::Output(i))));
    Plan::new(request.graph, &wanted, &statistics(request))
}

/// Whether the call of the statistics, the last of a step, cannot read what they are made from: more tensors than it can
/// bind beside the ring and what optimisers tell of gradients, or parameters that the optimiser has changed by then.
fn must_be_gathered(plan: &Plan, request: &Request) -> bool {
    let read = plan.statistics_read();
    let is_changed = |t: &NodeId| match &plan.graph.node(*t).op {
        Op::Param(name) => {
            request.updates.iter().any(|update| update.set.get(name).is_some())
                || request.assigns.iter().any(|(assigned, _)| assigned == name)
        }
        _ => false,
    };
    let told: usize = request.updates.iter().map(|update| 1 + usize::from(update.rule.skip.is_some())).sum();
    read.len() + told > 7 || read.iter().any(is_changed)
}

/// Sums statistics one by one into one tensor, which is all that their call then reads.
fn gather_statistics(request: &mut Request) {
    let whole = |t: Tensor| (0..t.shape().len()).collect::<Vec<usize>>();
    let sums = request.statistics.iter().map(|&(_, t)| t.sum(&whole(t)).reshape(&[1]));
    // A second part, so that even a single one is joined, and lies in memory.
    let parts: Vec<Tensor> = sums.chain([request.graph.full(0.0, &[1])]).collect();
    let all = request.graph.concat(&parts, 0);
    for (i, statistic) in request.statistics.iter_mut().enumerate() {
        statistic.1 = all.slice(0, i, 1);
    }
}

fn scalar_names(request: &Request) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for update in &request.updates {
        names.extend(update.rule.optimiser.scalars().iter().map(|name| update.set.scalar(name)));
    }
    if request.gradients.iter().any(|gradients| gradients.accumulate) {
        names.push(SHARE.to_string());
    }
    for id in request.graph.ids() {
        if let Op::Scalar(name) = &request.graph.node(id).op
            && !names.contains(name)
        {
            names.push(name.clone());
        }
    }
    assert!(names.len() <= SCALARS, "{} scalars ({names:?}), at most {SCALARS} travel with a step", names.len());
    names
}

/// The call that sums the statistics; gives the object of the ring.
fn emit_statistics(
    emitter: &mut Emitter,
    statistics: &[NodeId],
    told: &[Told],
    names: &mut Vec<String>,
) -> Option<usize> {
    let mut objects = Vec::new();
    let mut items: Vec<Item> = statistics.iter().map(|&t| emitter.item(t, &mut objects)).collect();
    for of_gradient in told {
        items.push(of_gradient.item(objects.len()));
        objects.push(of_gradient.object);
        names.push(of_gradient.name.clone());
    }
    if items.is_empty() {
        return None;
    }
    let ring = emitter.whole(&format!("ring.{}", emitter.program()), RING_SLOTS * items.len());
    let kernel = Statistics { items, inputs: objects.len() };
    objects.push(ring);
    emitter.push(Arc::new(kernel), objects, &names.join(", "));
    Some(ring)
}

/// Places the objects and settles every binding.
fn finish(request: &Request, emitter: Emitter, statistics: Vec<String>, ring: Option<usize>) -> Program {
    let Emitter { mut buffers, objects, drafts, outputs, scalars, .. } = emitter;
    let mut uses = vec![Vec::new(); objects.len()];
    for (c, draft) in drafts.iter().enumerate() {
        for &object in &draft.objects {
            uses[object].push(c);
        }
    }
    let (places, sizes) = memory::plan(&objects, &uses);
    let first_scratch = buffers.len();
    buffers.extend(sizes.iter().enumerate().map(|(i, &words)| Buffer { name: format!("scratch{i}"), words }));
    let slice = |object: usize| {
        let Object { fixed, words } = objects[object];
        let (buffer, offset) = match (fixed, places[object]) {
            (Some(fixed), _) => fixed,
            (None, Some(scratch)) => (first_scratch + scratch, 0),
            (None, None) => unreachable!("an object that no call uses is not bound"),
        };
        Slice { buffer, offset, words }
    };
    let calls = drafts
        .iter()
        .map(|Draft { kernel, objects, label, .. }| Call {
            kernel: kernel.clone(),
            bindings: objects.iter().map(|&o| slice(o)).collect(),
            label: label.clone(),
        })
        .collect();
    let outputs = outputs
        .iter()
        .enumerate()
        .map(|(i, &object)| {
            let (name, t) = request.outputs[i];
            Output { name: name.to_string(), shape: t.shape().to_vec(), slice: slice(object) }
        })
        .collect();
    let ring = ring.map(|object| slice(object).buffer);
    Program { name: request.name.to_string(), buffers, calls, scalars, statistics, ring, outputs }.check()
}

/// An epilogue that only stores the product.
fn plain() -> (Expr, u16) {
    let mut expr = Expr::default();
    let reg = expr.push(Instr::Acc);
    (expr, reg)
}

/// A kernel with the objects it is bound to is kept as a draft until memory is planned.
type Shared = Arc<dyn Kernel>;
