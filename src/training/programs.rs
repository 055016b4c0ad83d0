//! The programs of a model: one that trains, one that evaluates, and those that encode, decode and reconstruct.

use std::collections::HashMap;

use super::resident::Resident;
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::kernels::Order;
use crate::models::{Batch, Density, Labelled, Model, Rows, Terms};
use crate::program::{AdamOptions, ParameterSet, Program, Request, Update, lower};

/// The names of what the evaluation program of so many rows gives per batch besides its statistics: posterior means
/// `[rows, latent]`, and the KL per dimension as a mean over the live rows `[1, latent]` (`[1, 1]` where it is only known as a whole).
pub fn evaluate_outputs(rows: usize) -> [String; 2] {
    [format!("mu.{rows}"), "kl_per_dimension".to_string()]
}

/// Where the parameters of a model lie: those that are trained, and those that are only read.
pub type Sets<'a> = [&'a ParameterSet; 2];

/// Rows of a data set, and rows of its labelled part in turn, as a batch of the graph.
fn batch<'g>(
    graph: &'g Graph,
    (data, rows): (&Resident, usize),
    labelled: Option<(&Resident, usize)>,
    order: Order,
    binarise: bool,
) -> Batch<'g> {
    let count = data.values.count;
    let data = data.rows(graph, rows, order, binarise);
    let labelled = labelled.map(|(part, rows)| Labelled {
        count: part.values.count,
        rows: part.rows(graph, rows, Order::InTurn, binarise),
    });
    Batch { rows: data, weights: graph.row_weights(rows), count, labelled }
}

/// The means of the terms over the live rows, as statistics.
fn statistics<'g>(terms: &Terms<'g>, weights: Tensor<'g>) -> Vec<(&'static str, Tensor<'g>)> {
    let kl = terms.kl.map_or_else(|| weights.graph().full(0.0, terms.loss.shape()), Tensor::sum_rows);
    let mut all = vec![("loss", terms.loss), ("reconstruction", terms.reconstruction), ("kl", kl)];
    all.extend(&terms.parts);
    all.into_iter().map(|(name, t)| (name, t * weights)).collect()
}

/// The program of one training step: statistics `loss`, `reconstruction`, `kl`, then the parts of the objective; means over
/// the batch in nats.
pub fn train_program(
    model: &dyn Model,
    sets: Sets,
    (data, rows): (&Resident, usize),
    labelled: Option<(&Resident, usize)>,
    binarise: bool,
    adam: AdamOptions,
) -> Program {
    let graph = Graph::new();
    let batch = batch(&graph, (data, rows), labelled, Order::Shuffled, binarise);
    let terms = model.terms(&batch);
    let statistics = statistics(&terms, batch.weights);
    let set = sets[0];
    let parameters: Vec<Tensor> = set.parameters.iter().map(|p| graph.parameter(&p.name)).collect();
    let scales: Vec<_> = terms.gradient_scale.into_iter().collect();
    let gradients = statistics[0].1.gradients_with(&parameters, &scales);
    lower(&Request {
        name: "train",
        graph: &graph,
        parameters: sets.to_vec(),
        data: data.specs().chain(labelled.into_iter().flat_map(|part| part.0.specs())).collect(),
        outputs: vec![],
        statistics,
        update: Some(Update { set, gradients, adam }),
    })
}

/// The program of one evaluation step over a data set in its own order: the same statistics, and [`evaluate_outputs`].
pub fn evaluate_program(model: &dyn Model, sets: Sets, data: &Resident, rows: usize) -> Program {
    let graph = Graph::new();
    let batch = batch(&graph, (data, rows), None, Order::Sequential, false);
    let terms = model.terms(&batch);
    let kl = terms.kl.unwrap_or_else(|| graph.full(0.0, terms.mu.shape()));
    let per_dimension = (kl * batch.weights).sum(&[0]);
    lower(&Request {
        name: &format!("evaluate.{}", data.name),
        graph: &graph,
        parameters: sets.to_vec(),
        data: data.specs().collect(),
        outputs: evaluate_outputs(rows).iter().map(String::as_str).zip([terms.mu, per_dimension]).collect(),
        statistics: statistics(&terms, batch.weights),
        update: None,
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
    sets: Sets,
    data: &Resident,
    (rows, codes): (usize, usize),
) -> Program {
    let graph = Graph::new();
    let log_weights = density.log_weights(data.rows(&graph, rows, Order::Sequential, false), codes);
    lower(&Request {
        name: &format!("{}.{codes}", data.name),
        graph: &graph,
        parameters: sets.to_vec(),
        data: data.specs().collect(),
        outputs: vec![(&log_weights_of(codes), log_weights)],
        statistics: vec![],
        update: None,
    })
}

/// The name of the input that holds what is known of the rows that a program takes.
pub(super) fn known(name: &str) -> String {
    format!("{name}.known")
}

/// A program from an input `[rows, width]`, and what is known of its rows `[rows, condition]` if that is anything, to one
/// output; input and output are named after it.
pub(super) fn transform(
    name: &str,
    sets: Sets,
    rows: usize,
    (width, condition): (usize, usize),
    work: impl for<'g> FnOnce(Rows<'g>) -> Result<Tensor<'g>>,
) -> Result<Program> {
    generator(name, sets, |graph| {
        let x = graph.input(name, &[rows, width]);
        let y = (condition > 0).then(|| graph.input(&known(name), &[rows, condition]));
        work(Rows { x, y })
    })
}

/// A program to one output, named after it.
pub(super) fn generator(
    name: &str,
    sets: Sets,
    work: impl for<'g> FnOnce(&'g Graph) -> Result<Tensor<'g>>,
) -> Result<Program> {
    let graph = Graph::new();
    let output = work(&graph)?;
    Ok(lower(&Request {
        name,
        graph: &graph,
        parameters: sets.to_vec(),
        data: HashMap::new(),
        outputs: vec![(name, output)],
        statistics: vec![],
        update: None,
    }))
}
