//! A second model that learns from labels: what a second stage hands on to it.

use std::sync::Arc;

use elbo::engine::distributions::{Gaussian, Measure};
use elbo::engine::graph::eval::evaluate;
use elbo::engine::graph::{Graph, Tensor};
use elbo::engine::models::{
    Batch, Can, Condition, Encode, Generate, Labelled, Model, Parts, Rows, SecondStage, Terms, TrainingPlan, Vae,
    parameters,
};
use elbo::engine::nn::Activation;

use crate::common::oracle::{Numbers, values};

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

    fn condition(&self) -> Condition {
        Condition::Inferred(CLASSES)
    }

    fn measure(&self, _: bool) -> Measure {
        Measure::Probability
    }

    fn plan(&self) -> TrainingPlan<'_> {
        TrainingPlan::of_one_loss(self)
    }

    fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        let loss = batch.rows.x.sum_rows();
        let labelled = batch.labelled.expect("there are labelled rows");
        let both = labelled.rows.x * labelled.rows.y.expect("they have labels");
        let part = (both.sum(&[0, 1]) * labelled.count as f32).expand(loss.shape());
        let parts = vec![("given", part)];
        Terms { loss, reconstruction: loss, kl: None, mu: batch.rows.x, parts, gradient_scale: None }
    }

    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        rows.x.sum_rows()
    }

    fn scalar(&self, _: &str, _: f64) -> Option<f64> {
        None
    }

    fn can(&self) -> Can<'_> {
        Can {
            encode: Some(self),
            decode: None,
            reconstruct: None,
            generate: Some(self),
            density: None,
            posterior: None,
            classify: None,
            fit_prior: None,
            compress: None,
        }
    }
}

impl Encode for Probe {
    fn latent(&self) -> usize {
        LATENT
    }

    fn mean<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        rows.x
    }

    fn draw<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        rows.x.repeat_rows(samples)
    }

    fn variance<'g>(&self, _: Rows<'g>) -> Option<Tensor<'g>> {
        None
    }
}

impl Generate for Probe {
    fn codes<'g>(&self, graph: &'g Graph, rows: usize) -> Tensor<'g> {
        graph.full(0.5, &[rows, LATENT])
    }

    fn gaussian<'g>(&self, _: &'g Graph) -> Option<[Tensor<'g>; 2]> {
        None
    }

    fn rows<'g>(&self, graph: &'g Graph, rows: usize, _: Option<Tensor<'g>>) -> Tensor<'g> {
        self.codes(graph, rows)
    }
}

#[test]
fn labelled_rows_go_through_the_first_encoder_with_their_labels() {
    const ROWS: usize = 4;
    let parts = Parts::new(Arc::new(Gaussian { sigma: 0.5 }));
    let first = Vae::new(FEATURES, LATENT, (&[], &[]), Activation::Relu, parts);
    let model = SecondStage::new(Box::new(first.clone()), Box::new(Probe)).unwrap();
    assert_eq!((model.condition(), model.latent()), (Condition::Inferred(CLASSES), LATENT));
    let can = model.can();
    assert!(can.decode.is_none() && can.density.is_none() && can.classify.is_none(), "the second model cannot");
    assert_eq!(model.measure(true), Measure::Density, "rows are measured, not codes");
    let (graph, mut numbers, mut values) = (Graph::new(), Numbers(8), values(ROWS));
    for spec in parameters(&first) {
        values.tensors.insert(format!("first.{}", spec.name), numbers.signed(spec.shape.iter().product()));
    }
    // Codes almost without noise, so that they are known.
    values.tensors.get_mut("first.head.weight").unwrap()[LATENT * FEATURES..].fill(0.0);
    values.tensors.get_mut("first.head.bias").unwrap()[LATENT..].fill(-30.0);
    for (name, width) in [("x", FEATURES), ("some", FEATURES), ("y", CLASSES)] {
        values.tensors.insert(name.to_string(), numbers.signed(ROWS * width));
    }
    let x = graph.input("x", &[ROWS, FEATURES]);
    let rows = Rows { y: Some(graph.input("y", &[ROWS, CLASSES])), ..graph.input("some", &[ROWS, FEATURES]).into() };
    let batch = Batch { labelled: Some(Labelled { rows, count: 3 }), ..Batch::whole(x) };
    let terms = model.terms(&batch);
    let [codes, of_labelled] =
        [x, rows.x].map(|x| graph.freeze(|_| true, || graph.scope("first", || Encode::mean(&first, x.into()))));
    assert_eq!(terms.parts[0].0, "given");
    let found = evaluate(&values, &[terms.loss, terms.parts[0].1, codes, of_labelled]);
    let close = |a: f64, b: f64| (a - b).abs() < 1e-5;
    for row in 0..ROWS {
        let z: f64 = found[2][row * LATENT..][..LATENT].iter().sum();
        assert!(close(found[0][row], z) && z.abs() > 1e-3, "{} is not {z}", found[0][row]);
    }
    let product = |z: &[f64]| 3.0 * z.iter().zip(&values.tensors["y"]).map(|(z, y)| z * y).sum::<f64>();
    assert!(close(found[1][0], product(&found[3])), "{} is not {}", found[1][0], product(&found[3]));
    assert!(!close(found[1][0], product(&found[2])), "other rows are told apart");
}
