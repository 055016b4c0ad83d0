//! The programs of a model: one that trains, one that evaluates, and those that encode, decode and reconstruct.

use std::collections::HashMap;

use super::resident::Resident;
use crate::graph::{Graph, Tensor};
use crate::kernels::Order;
use crate::models::{self, Labelled, Model, Rows, Terms};
use crate::program::{AdamOptions, ParameterSet, Program, Request, Update, lower};

/// The names of what the evaluation program of so many rows gives per batch besides its statistics: posterior means
/// `[rows, latent]`, and the KL per dimension as a mean over the live rows `[1, latent]` (`[1, 1]` where it is only known as a whole).
pub fn evaluate_outputs(rows: usize) -> [String; 2] {
    [format!("mu.{rows}"), "kl_per_dimension".to_string()]
}

/// Where the parameters of a model lie: those that are trained, and those that are only read.
pub type Sets<'a> = [&'a ParameterSet; 2];

/// A batch of a data set and the model's terms for it, with the weights of a mean over the live rows.
struct Batch {
    graph: Graph,
    terms: Terms,
    weights: Tensor,
}

/// The terms of `rows` rows of a data set, and of `labelled.1` rows of its labelled part in turn.
fn batch(
    model: &dyn Model,
    (data, rows): (&Resident, usize),
    labelled: Option<(&Resident, usize)>,
    order: Order,
    binarise: bool,
) -> Batch {
    let mut graph = Graph::new();
    let count = data.values.count;
    let data = data.rows(&mut graph, rows, order, binarise);
    let labelled = labelled.map(|(part, rows)| Labelled {
        count: part.values.count,
        rows: part.rows(&mut graph, rows, Order::InTurn, binarise),
    });
    let weights = graph.row_weights(rows);
    let terms = model.terms(&mut graph, &models::Batch { rows: data, weights, count, labelled });
    Batch { graph, terms, weights }
}

/// The means of the terms over the live rows, as statistics.
fn statistics(b: &mut Batch) -> Vec<(&'static str, Tensor)> {
    let kl = match b.terms.kl {
        Some(kl) => b.graph.sum_rows(kl),
        None => {
            let shape = b.graph.shape(b.terms.loss).to_vec();
            b.graph.full(0.0, &shape)
        }
    };
    let mut all = vec![("loss", b.terms.loss), ("reconstruction", b.terms.reconstruction), ("kl", kl)];
    all.extend(&b.terms.parts);
    all.into_iter().map(|(name, t)| (name, b.graph.mul(t, b.weights))).collect()
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
    let mut b = batch(model, (data, rows), labelled, Order::Shuffled, binarise);
    let statistics = statistics(&mut b);
    let loss = statistics[0].1;
    let set = sets[0];
    let parameters: Vec<Tensor> = set.parameters.iter().map(|p| b.graph.param(&p.name, &p.shape)).collect();
    let reweigh: Vec<_> = b.terms.reweigh.into_iter().collect();
    let gradients = b.graph.reweighed_gradients(loss, &parameters, &reweigh);
    lower(&Request {
        name: "train",
        graph: &b.graph,
        parameters: sets.to_vec(),
        data: data.specs().chain(labelled.into_iter().flat_map(|part| part.0.specs())).collect(),
        outputs: vec![],
        statistics,
        update: Some(Update { set, gradients, adam }),
    })
}

/// The program of one evaluation step over a data set in its own order: the same statistics, and [`evaluate_outputs`].
pub fn evaluate_program(model: &dyn Model, sets: Sets, data: &Resident, rows: usize) -> Program {
    let mut b = batch(model, (data, rows), None, Order::Sequential, false);
    let statistics = statistics(&mut b);
    let kl = b.terms.kl.unwrap_or_else(|| b.graph.full(0.0, &[rows, model.latent()]));
    let weighted = b.graph.mul(kl, b.weights);
    let per_dimension = b.graph.sum(weighted, &[0]);
    lower(&Request {
        name: &format!("evaluate.{}", data.name),
        graph: &b.graph,
        parameters: sets.to_vec(),
        data: data.specs().collect(),
        outputs: evaluate_outputs(rows).iter().map(String::as_str).zip([b.terms.mu, per_dimension]).collect(),
        statistics,
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
    model: &dyn Model,
    sets: Sets,
    data: &Resident,
    (rows, codes): (usize, usize),
) -> Program {
    let mut graph = Graph::new();
    let given = data.rows(&mut graph, rows, Order::Sequential, false);
    let log_weights = model.log_weights(&mut graph, given, codes).expect("the model has a prior, which was checked");
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
    work: impl FnOnce(&mut Graph, Rows) -> Tensor,
) -> Program {
    generator(name, sets, |graph| {
        let x = graph.input(name, &[rows, width]);
        let y = (condition > 0).then(|| graph.input(&known(name), &[rows, condition]));
        work(graph, Rows { x, y })
    })
}

/// A program to one output, named after it.
pub(super) fn generator(name: &str, sets: Sets, work: impl FnOnce(&mut Graph) -> Tensor) -> Program {
    let mut graph = Graph::new();
    let output = work(&mut graph);
    lower(&Request {
        name,
        graph: &graph,
        parameters: sets.to_vec(),
        data: HashMap::new(),
        outputs: vec![(name, output)],
        statistics: vec![],
        update: None,
    })
}
