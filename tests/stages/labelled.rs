//! A second model that learns from labels: what a second stage hands on to it.

use std::sync::Arc;

use elbo::distributions::{Gaussian, Measure};
use elbo::graph::eval::evaluate;
use elbo::graph::{Graph, Tensor};
use elbo::models::{Batch, Labelled, Model, Parts, Rows, SecondStage, Terms, Vae};
use elbo::nn::{Activation, ParameterSpec};

use crate::oracle::{Numbers, values};

const FEATURES: usize = 3;
const LATENT: usize = 2;
const CLASSES: usize = 2;

/// Tells what it was given: its loss is the sum of a row, and its part a sum over the labelled rows and their labels.
#[derive(Debug)]
struct Probe;

impl Model for Probe {
    fn features(&self) -> usize {
        LATENT
    }

    fn latent(&self) -> usize {
        LATENT
    }

    fn condition(&self) -> usize {
        CLASSES
    }

    fn infers_label(&self) -> bool {
        true
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        vec![]
    }

    fn measure(&self, _: bool) -> Measure {
        Measure::Probability
    }

    fn terms(&self, graph: &mut Graph, batch: &Batch) -> Terms {
        let loss = graph.sum_rows(batch.rows.x);
        let labelled = batch.labelled.expect("there are labelled rows");
        let both = graph.mul(labelled.rows.x, labelled.rows.y.expect("they have labels"));
        let part = graph.sum(both, &[0, 1]);
        let count = graph.constant(labelled.count as f32);
        let part = graph.mul(part, count);
        let rows = graph.shape(loss).to_vec();
        let part = graph.expand(part, &rows);
        Terms { loss, reconstruction: loss, kl: None, mu: batch.rows.x, parts: vec![("given", part)], reweigh: None }
    }

    fn score(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        graph.sum_rows(rows.x)
    }

    fn log_weights(&self, _: &mut Graph, _: Rows, _: usize) -> Option<Tensor> {
        None
    }

    fn draw_code(&self, _: &mut Graph, rows: Rows) -> Tensor {
        rows.x
    }

    fn encode(&self, _: &mut Graph, rows: Rows) -> Tensor {
        rows.x
    }

    fn decode(&self, _: &mut Graph, z: Tensor, _: Option<Tensor>) -> Tensor {
        z
    }

    fn prior_sample(&self, graph: &mut Graph, rows: usize) -> Option<Tensor> {
        Some(graph.full(0.5, &[rows, LATENT]))
    }
}

#[test]
fn labelled_rows_go_through_the_first_encoder_with_their_labels() {
    const ROWS: usize = 4;
    let parts = Parts::new(Arc::new(Gaussian { sigma: 0.5 }));
    let first = Vae::new(FEATURES, LATENT, (&[], &[]), Activation::Relu, parts);
    let model = SecondStage::new(Box::new(first.clone()), Box::new(Probe)).unwrap();
    assert_eq!((model.condition(), model.infers_label(), model.latent()), (CLASSES, true, LATENT));
    assert_eq!(model.measure(true), Measure::Density, "rows are measured, not codes");
    let (mut graph, mut numbers, mut values) = (Graph::new(), Numbers(8), values(ROWS));
    for spec in model.frozen() {
        values.tensors.insert(spec.name, numbers.signed(spec.shape.iter().product()));
    }
    // Codes almost without noise, so that they are known.
    values.tensors.get_mut("first.head.weight").unwrap()[LATENT * FEATURES..].fill(0.0);
    values.tensors.get_mut("first.head.bias").unwrap()[LATENT..].fill(-30.0);
    for (name, width) in [("x", FEATURES), ("some", FEATURES), ("y", CLASSES)] {
        values.tensors.insert(name.to_string(), numbers.signed(ROWS * width));
    }
    let x = graph.input("x", &[ROWS, FEATURES]);
    let rows = Rows { x: graph.input("some", &[ROWS, FEATURES]), y: Some(graph.input("y", &[ROWS, CLASSES])) };
    let batch = Batch { labelled: Some(Labelled { rows, count: 3 }), ..Batch::whole(&mut graph, x) };
    let terms = model.terms(&mut graph, &batch);
    let [codes, of_labelled] = [x, rows.x].map(|x| graph.scoped("first.", |graph| first.encode(graph, x.into())));
    assert_eq!(terms.parts[0].0, "given");
    let found = evaluate(&graph, &values, &[terms.loss, terms.parts[0].1, codes, of_labelled]);
    let close = |a: f64, b: f64| (a - b).abs() < 1e-5;
    for row in 0..ROWS {
        let z: f64 = found[2][row * LATENT..][..LATENT].iter().sum();
        assert!(close(found[0][row], z) && z.abs() > 1e-3, "{} is not {z}", found[0][row]);
    }
    let product = |z: &[f64]| 3.0 * z.iter().zip(&values.tensors["y"]).map(|(z, y)| z * y).sum::<f64>();
    assert!(close(found[1][0], product(&found[3])), "{} is not {}", found[1][0], product(&found[3]));
    assert!(!close(found[1][0], product(&found[2])), "other rows are told apart");
}
