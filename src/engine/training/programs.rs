//! The programs of a model: one that trains, one that evaluates, and those that encode, decode and reconstruct.

use super::layout::Layout;
use super::resident::{Resident, Seen};
use super::scalars::Moved;
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::kernels::Order;
use crate::models::{Batch, Density, GroupLoss, Labelled, Losses, Model, Rows, example};
use crate::program::{Gradients, Link, ParameterSet, Program, Request, Update, lower, lower_in_parts};

/// The names of what the evaluation program of so many rows gives per batch besides its statistics: posterior means
/// `[rows, latent]`, and the KL per dimension as a mean over the live rows `[1, latent]` (`[1, 1]` where it is only known as a whole).
pub fn evaluate_outputs(rows: usize) -> [String; 2] {
    [format!("mu.{rows}"), "kl_per_dimension".to_string()]
}

/// Rows of a data set, and rows of its labelled part in turn, as a batch of the graph.
fn batch<'g>(
    graph: &'g Graph,
    (data, rows): (&Resident, usize),
    labelled: Option<(&Resident, usize)>,
    order: Order,
    seen: &Seen,
) -> Batch<'g> {
    let count = data.values.count;
    let values = data.rows(graph, rows, order, seen);
    let labelled = labelled
        .map(|(part, rows)| Labelled { count: part.values.count, rows: part.rows(graph, rows, Order::InTurn, seen) });
    Batch { rows: values, weights: data.row_weights(graph, rows, order), count, labelled }
}

/// Means over the live rows, as statistics.
fn means<'g>(rows: Vec<(&'static str, Tensor<'g>)>, weights: Tensor<'g>) -> Vec<(&'static str, Tensor<'g>)> {
    rows.into_iter().map(|(name, t)| (name, t * weights)).collect()
}

/// What the programs of a model's training are made of.
#[derive(Clone, Debug)]
pub struct TrainingStep<'a> {
    /// How the parameters of each group are moved.
    pub groups: &'a [Moved],
    /// What is learnt from, and the rows of a batch, of all its parts together.
    pub data: (&'a Resident, usize),
    /// Its labelled part, and the rows of a batch, of semi-supervised models.
    pub labelled: Option<(&'a Resident, usize)>,
    /// How rows are seen.
    pub seen: Seen,
    /// Whether gradients are only gathered, over several batches or several trainers, and parameters moved along them by a program of its
    /// own ([`TrainingStep::apply`]).
    pub gathers: bool,
    /// The bytes of the largest buffer that the device has.
    pub largest_buffer: u64,
}

/// Streams between those of two phases, which see the same batch, changed and binarised alike, and draw numbers of their own.
const STREAMS: u32 = 1 << 16;

impl TrainingStep<'_> {
    /// The program of a phase of the model's plan: its statistics, means over the batch, and the gradients of the groups that it
    /// moves; and unless gradients are gathered, their optimisers.
    pub fn phase(&self, model: &dyn Model, layout: &Layout, place: usize) -> Program {
        self.requested(model, layout, place, lower)
    }

    /// The same as the chain of programs that each of so many parts of a batch runs.
    pub(super) fn in_parts(&self, (model, layout): (&dyn Model, &Layout), place: usize, parts: usize) -> Vec<Link> {
        self.requested(model, layout, place, |request| lower_in_parts(request, self.data.1, parts))
    }

    /// What becomes of the request for the program of a phase.
    fn requested<T>(&self, model: &dyn Model, layout: &Layout, place: usize, work: impl FnOnce(&Request) -> T) -> T {
        let plan = model.plan();
        let graph = Graph::of_training();
        let batch = batch(&graph, self.data, self.labelled, Order::Shuffled, &self.seen);
        if place > 0 {
            graph.start_streams_at(place as u32 * STREAMS);
        }
        let Losses { losses, statistics } = (plan.phases[place].losses)(&batch);
        let sets = layout.trained();
        let mut gradients = Vec::new();
        for GroupLoss { groups, loss, gradient_scale } in losses {
            let moved: Vec<&ParameterSet> = groups.iter().map(|name| &sets[plan.group(name)]).collect();
            let of = |set: &&ParameterSet| -> Vec<Tensor> {
                set.parameters.iter().map(|p| graph.parameter(&p.name)).collect()
            };
            let wrt: Vec<Vec<Tensor>> = moved.iter().map(of).collect();
            let scales: Vec<_> = gradient_scale.into_iter().collect();
            let mut all = (loss * batch.weights).gradients_with(&wrt.concat(), &scales).into_iter();
            gradients.extend(moved.into_iter().zip(wrt).map(|(set, wrt)| Gradients {
                set,
                tensors: all.by_ref().take(wrt.len()).collect(),
                accumulate: self.gathers,
            }));
        }
        let moved: Vec<&ParameterSet> = gradients.iter().map(|gradients| gradients.set).collect();
        let assigns = graph.assigns();
        work(&Request {
            parameters: sets.iter().collect(),
            data: self.data.0.specs().chain(self.labelled.into_iter().flat_map(|part| part.0.specs())).collect(),
            statistics: means(statistics, batch.weights),
            gradients,
            assigns: assigns.iter().map(|(name, t)| (name.as_str(), *t)).collect(),
            updates: if self.gathers { vec![] } else { self.updates(&moved) },
            ..Request::new(plan.phases[place].name, &graph).within(self.largest_buffer)
        })
    }

    /// The program that moves the groups of a phase along the gradients that were gathered.
    pub fn apply(&self, model: &dyn Model, layout: &Layout, place: usize) -> Program {
        let (plan, graph, sets) = (model.plan(), Graph::new(), layout.trained());
        let moved: Vec<&ParameterSet> = moved_by(model, place).into_iter().map(|group| &sets[group]).collect();
        let name = format!("{}.apply", plan.phases[place].name);
        lower(&Request {
            parameters: sets.iter().collect(),
            updates: self.updates(&moved),
            ..Request::new(&name, &graph).within(self.largest_buffer)
        })
    }

    /// The optimisers' steps of some groups.
    fn updates<'s>(&self, moved: &[&'s ParameterSet]) -> Vec<Update<'s>> {
        let rule = |set: &ParameterSet| {
            let group = self.groups.iter().find(|group| group.name == set.name);
            group.expect("what is moved is a group").rule.clone()
        };
        moved.iter().map(|&set| Update { set, rule: rule(set), accumulated: self.gathers }).collect()
    }
}

/// The places of the groups that a phase moves.
pub(super) fn moved_by(model: &dyn Model, place: usize) -> Vec<usize> {
    let (plan, graph) = (model.plan(), Graph::of_training());
    let losses = (plan.phases[place].losses)(&example(model, &graph)).losses;
    losses.iter().flat_map(|loss| &loss.groups).map(|name| plan.group(name)).collect()
}

/// The program of one evaluation step over a data set in its own order: the same statistics, and [`evaluate_outputs`].
pub fn evaluate_program(model: &dyn Model, sets: &[ParameterSet], data: &Resident, rows: usize) -> Program {
    let graph = Graph::new();
    let batch = batch(&graph, (data, rows), None, Order::Sequential, &Seen::default());
    let terms = model.terms(&batch);
    let kl = terms.kl.unwrap_or_else(|| graph.full(0.0, terms.mu.shape()));
    let per_dimension = (kl * batch.weights).sum(&[0]);
    let name = format!("evaluate.{}", data.name);
    let statistics = means(terms.statistics(), batch.weights);
    lower(&Request {
        parameters: sets.iter().collect(),
        data: data.specs().collect(),
        outputs: evaluate_outputs(rows).iter().map(String::as_str).zip([terms.mu, per_dimension]).collect(),
        statistics,
        ..Request::new(&name, &graph)
    })
}

/// The name of the output that holds ln w of so many codes a row.
pub(super) fn log_weights_of(codes: usize) -> String {
    format!("log_weights.{codes}")
}

/// The program of one step of importance sampling over a data set in its own order: its output [`log_weights_of`] `[rows, codes]`
/// holds ln w of every code.
pub(super) fn importance_program(
    density: &dyn Density,
    sets: &[ParameterSet],
    data: &Resident,
    (rows, codes): (usize, usize),
) -> Program {
    let graph = Graph::new();
    let log_weights = density.log_weights(data.rows(&graph, rows, Order::Sequential, &Seen::default()), codes);
    let name = format!("{}.{codes}", data.name);
    lower(&Request {
        parameters: sets.iter().collect(),
        data: data.specs().collect(),
        outputs: vec![(&log_weights_of(codes), log_weights)],
        ..Request::new(&name, &graph)
    })
}

/// The name of the input that holds what is known of the rows that a program takes.
pub(super) fn known(name: &str) -> String {
    format!("{name}.known")
}

/// The name of the input that says which values of the rows that a program takes were observed.
pub(super) fn observed(name: &str) -> String {
    format!("{name}.observed")
}

/// Rows that a program takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    /// Values of each.
    pub width: usize,
    /// Values that are known of each besides; 0 for none.
    pub condition: usize,
    /// Whether some of their values may not have been observed.
    pub gaps: bool,
    /// Whether those are guessed, and not 0.
    pub guessed: bool,
}

/// A program from an input `[rows, width]`, what is known of its rows `[rows, condition]` if that is anything, and what of them
/// was observed `[rows, width]` if not all was, to one output; input and output are named after it.
pub(super) fn transform(
    name: &str,
    sets: &[ParameterSet],
    rows: usize,
    taken: Taken,
    work: impl for<'g> FnOnce(Rows<'g>) -> Result<Tensor<'g>>,
) -> Result<Program> {
    generator(name, sets, |graph| {
        let x = graph.input(name, &[rows, taken.width]);
        let y = (taken.condition > 0).then(|| graph.input(&known(name), &[rows, taken.condition]));
        let observed = taken.gaps.then(|| graph.input(&observed(name), &[rows, taken.width]));
        work(Rows { y, observed, is_guessed: taken.guessed, ..x.into() })
    })
}

/// A program to one output, named after it.
pub(super) fn generator(
    name: &str,
    sets: &[ParameterSet],
    work: impl for<'g> FnOnce(&'g Graph) -> Result<Tensor<'g>>,
) -> Result<Program> {
    let graph = Graph::new();
    let output = work(&graph)?;
    Ok(lower(&Request {
        parameters: sets.iter().collect(),
        outputs: vec![(name, output)],
        ..Request::new(name, &graph)
    }))
}
