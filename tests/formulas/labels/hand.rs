//! M2's bounds, put together by hand: every label gone through in plain loops.

use std::sync::Arc;

use elbo::engine::distributions::Bernoulli;
use elbo::engine::graph::eval::{Values, evaluate};
use elbo::engine::graph::{Graph, Tensor};
use elbo::engine::models::{Batch, Labelled, M2, Model, Parts, Rows, parameters};
use elbo::engine::nn::Activation;
use elbo::engine::objectives::BETA;

use crate::common::oracle::{Numbers, values};

const FEATURES: usize = 4;
const LATENT: usize = 2;
const CLASSES: usize = 3;
const HIDDEN: usize = 5;
const ROWS: usize = 3;
const ALPHA: f64 = 0.7;

fn model() -> M2 {
    let parts = Parts::new(Arc::new(Bernoulli));
    M2::new((FEATURES, LATENT, CLASSES), (&[HIDDEN], &[HIDDEN]), Activation::Tanh, parts, ALPHA as f32)
}

/// Random weights for a model.
fn weights(model: &dyn Model) -> Values {
    let (mut values, mut numbers) = (values(ROWS), Numbers(3));
    for spec in parameters(model) {
        values.tensors.insert(spec.name.clone(), numbers.signed(spec.shape.iter().product()));
    }
    values.scalars.insert(BETA.to_string(), 1.0);
    values
}

/// W t + b of a layer.
fn linear(values: &Values, name: &str, t: &[f64]) -> Vec<f64> {
    let (weight, bias) = (&values.tensors[&format!("{name}.weight")], &values.tensors[&format!("{name}.bias")]);
    bias.iter()
        .enumerate()
        .map(|(i, b)| b + t.iter().enumerate().map(|(j, x)| weight[i * t.len() + j] * x).sum::<f64>())
        .collect()
}

/// tanh of a first layer that sees a label.
fn joint(values: &Values, name: &str, t: &[f64], label: usize) -> Vec<f64> {
    let of_label = &values.tensors[&format!("{name}.0.label.weight")];
    let sum = linear(values, &format!("{name}.0"), t);
    let hidden: Vec<f64> = sum.iter().enumerate().map(|(i, s)| (s + of_label[i * CLASSES + label]).tanh()).collect();
    linear(values, &format!("{name}.head"), &hidden)
}

/// L(x, y) of one code, made of this noise: reconstruction, KL and −ln p(y).
fn of_label(values: &Values, x: &[f64], label: usize, noise: &[f64]) -> f64 {
    let outputs = joint(values, "encoder", x, label);
    let (mu, log_var) = outputs.split_at(LATENT);
    let z: Vec<f64> = (0..LATENT).map(|d| mu[d] + (0.5 * log_var[d]).exp() * noise[d]).collect();
    let logits = joint(values, "decoder", &z, label);
    let reconstruction: f64 = x.iter().zip(&logits).map(|(x, l)| l.exp().ln_1p() - x * l).sum();
    let kl: f64 = (0..LATENT).map(|d| 0.5 * (mu[d] * mu[d] + log_var[d].exp() - log_var[d] - 1.0)).sum();
    reconstruction + kl + (CLASSES as f64).ln()
}

/// q(y | x).
fn labels(values: &Values, x: &[f64]) -> Vec<f64> {
    let hidden: Vec<f64> = linear(values, "classifier.0", x).iter().map(|h| h.tanh()).collect();
    let logits = linear(values, "classifier.1", &hidden);
    let total: f64 = logits.iter().map(|l| l.exp()).sum();
    logits.iter().map(|l| l.exp() / total).collect()
}

/// U(x) of codes of every label.
fn of_no_label(values: &Values, x: &[f64], noise: &[f64]) -> f64 {
    let q = labels(values, x);
    (0..CLASSES).map(|y| q[y] * (of_label(values, x, y, &noise[y * LATENT..]) + q[y].ln())).sum()
}

fn data(numbers: &mut Numbers) -> Vec<f64> {
    (0..ROWS * FEATURES).map(|_| numbers.below(2) as f64).collect()
}

/// A graph with rows, and what its noise is: the draws of the streams that the model takes, in their order.
fn inputs<'g>(graph: &'g Graph, values: &mut Values, name: &str) -> (Tensor<'g>, Vec<f64>) {
    let mut numbers = Numbers(name.len() as u64);
    let x = data(&mut numbers);
    values.tensors.insert(name.to_string(), x.clone());
    (graph.input(name, &[ROWS, FEATURES]), x)
}

/// The normals of a stream.
fn normals(values: &Values, stream: u32, shape: &[usize]) -> Vec<f64> {
    let graph = Graph::new();
    let drawn = graph.normal(stream, shape);
    evaluate(values, &[drawn]).remove(0)
}

#[test]
fn the_bound_of_no_label_is_the_sum_over_labels() {
    let model = model();
    let (graph, mut values) = (Graph::new(), weights(&model));
    let (input, x) = inputs(&graph, &mut values, "x");
    let score = model.score(input.into());
    let found = evaluate(&values, &[score]).remove(0);
    let noise = normals(&values, 1, &[ROWS * CLASSES, LATENT]);
    for row in 0..ROWS {
        let x = &x[row * FEATURES..][..FEATURES];
        let by_hand = of_no_label(&values, x, &noise[row * CLASSES * LATENT..]);
        assert!((found[row] - by_hand).abs() < 1e-6, "row {row}: {} and {by_hand}", found[row]);
        // Without the entropy of the labels, or with the codes of other labels, it is another number.
        let q = labels(&values, x);
        let without: f64 = by_hand - q.iter().map(|q| q * q.ln()).sum::<f64>();
        let other = of_no_label(&values, x, &noise[(row + 1) % ROWS * CLASSES * LATENT..]);
        assert!((found[row] - without).abs() > 1e-2 && (found[row] - other).abs() > 1e-3);
    }
}

#[test]
fn the_loss_weighs_labelled_and_other_rows_as_the_paper_does() {
    let model = model();
    let (graph, mut values) = (Graph::new(), weights(&model));
    let (plain, x) = inputs(&graph, &mut values, "plain");
    let (known, x_known) = inputs(&graph, &mut values, "known rows");
    let label = [2, 0, 1];
    let one_hot: Vec<f64> =
        label.iter().flat_map(|&l| (0..CLASSES).map(move |c| f64::from(u8::from(c == l)))).collect();
    values.tensors.insert("y".to_string(), one_hot);
    let y = graph.input("y", &[ROWS, CLASSES]);
    let labelled = Some(Labelled { rows: Rows { y: Some(y), ..known.into() }, count: 30 });
    let batch = Batch { count: 120, labelled, ..Batch::whole(plain) };
    let terms = model.terms(&batch);
    let accuracy = terms.parts.iter().find(|part| part.0 == "accuracy").unwrap().1;
    let found = evaluate(&values, &[terms.loss, accuracy]);
    // The streams of the model: codes of the unlabelled rows, then those of the labelled.
    let noise = normals(&values, 1, &[ROWS * CLASSES, LATENT]);
    let noise_known = normals(&values, 2, &[ROWS, LATENT]);
    let row = |x: &[f64], i: usize| x[i * FEATURES..][..FEATURES].to_vec();
    let (mut bound, mut entropy, mut right) = (0.0, 0.0, 0.0);
    for i in 0..ROWS {
        let x = row(&x_known, i);
        bound += of_label(&values, &x, label[i], &noise_known[i * LATENT..]) / ROWS as f64;
        let q = labels(&values, &x);
        entropy -= q[label[i]].ln() / ROWS as f64;
        right += f64::from(u8::from(q.iter().all(|other| *other <= q[label[i]]))) / ROWS as f64;
    }
    for i in 0..ROWS {
        let of_row = of_no_label(&values, &row(&x, i), &noise[i * CLASSES * LATENT..]);
        let by_hand = 0.75 * of_row + 0.25 * bound + f64::from(ALPHA as f32) * entropy;
        assert!((found[0][i] - by_hand).abs() < 1e-6, "row {i}: {} and {by_hand}", found[0][i]);
        assert!((found[0][i] - (0.75 * of_row + 0.25 * bound)).abs() > 1e-2);
        assert!((found[1][i] - right).abs() < 1e-6);
    }
}

/// Where neither code nor label says anything of the rows but by a bias, ln p(x) is known, and every estimate exact.
#[test]
fn the_likelihood_sums_over_labels() {
    let model = model();
    let (graph, mut values) = (Graph::new(), weights(&model));
    for (name, numbers) in &mut values.tensors {
        // The decoder sees the label alone, and the posterior is the prior.
        if name == "decoder.0.weight" || name.starts_with("encoder.head") {
            numbers.fill(0.0);
        }
    }
    let (input, x) = inputs(&graph, &mut values, "x");
    let weights = model.can().density().unwrap().log_weights(input.into(), 4);
    let found = evaluate(&values, &[weights]).remove(0);
    for row in 0..ROWS {
        let x = &x[row * FEATURES..][..FEATURES];
        let likelihood = |label: usize| -> f64 {
            let logits = joint(&values, "decoder", &[0.0; LATENT], label);
            x.iter().zip(&logits).map(|(x, l)| x * l - l.exp().ln_1p()).sum()
        };
        let exact = ((0..CLASSES).map(|y| likelihood(y).exp()).sum::<f64>() / CLASSES as f64).ln();
        for k in 0..4 {
            assert!((found[row * 4 + k] - exact).abs() < 1e-6, "{} and {exact}", found[row * 4 + k]);
        }
        assert!((likelihood(0) - exact).abs() > 1e-3, "labels say nothing, so the test does not either");
    }
}
