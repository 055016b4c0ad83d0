//! The regularised autoencoder: its loss by hand, of a decoder that is one linear layer.

use std::sync::Arc;

use elbo::catalogue::build;
use elbo::engine::distributions::{PRIORS, SquaredError};
use elbo::engine::graph::Graph;
use elbo::engine::graph::eval::{Values, evaluate};
use elbo::engine::models::{Autoencoder, Batch, Model, NetworkPair, Rae, Regulariser, Rows, Sizes, parameters};
use elbo::engine::nn::Activation;

const WEIGHT: [f64; 6] = [1.5, -0.5, 0.25, 2.0, -1.0, 0.75];
const BIAS: [f64; 3] = [0.1, -0.2, 0.3];
const ROWS: [f64; 6] = [0.5, -1.0, 2.0, 0.25, 1.5, -0.75];
const BETA: f64 = 0.25;
const LAMBDA: f64 = 0.125;

fn model(regulariser: Regulariser, prior: &str) -> Rae {
    let (sizes, hidden) = (Sizes::vector(3, 0), NetworkPair::mlp((&[], &[]), Activation::Tanh));
    let plain = Autoencoder::with_networks(sizes, 2, hidden, Arc::new(SquaredError));
    let prior = build(PRIORS, &prior.parse().unwrap()).unwrap();
    Rae::new(plain, prior, regulariser, [BETA as f32, LAMBDA as f32])
}

fn leaves(model: &Rae) -> Values {
    let mut values = Values::default();
    for spec in parameters(model) {
        let count: usize = spec.shape.iter().product();
        values.tensors.insert(spec.name, (0..count).map(|i| 0.3 - 0.2 * i as f64).collect());
    }
    values.tensors.insert("decoder.0.weight".into(), WEIGHT.to_vec());
    values.tensors.insert("decoder.0.bias".into(), BIAS.to_vec());
    values.tensors.insert("x".into(), ROWS.to_vec());
    values
}

/// What the loss is made of besides, by name, of both rows.
type Parts = Vec<(&'static str, Vec<f64>)>;

/// The loss, the codes and the parts of both rows.
fn told(model: &Rae, values: &Values) -> (Vec<f64>, Vec<f64>, Parts) {
    let graph = Graph::new();
    let terms = model.terms(&Batch::whole(Rows::from(graph.input("x", &[2, 3]))));
    let found = evaluate(values, &[terms.loss, terms.mu]);
    let parts = terms.parts.into_iter().map(|(name, part)| (name, evaluate(values, &[part]).remove(0)));
    (found[0].clone(), found[1].clone(), parts.collect())
}

/// Σ (x − W z/scale − b)² and ½‖z‖² of a row.
fn by_hand(row: usize, z: &[f64], scale: f64) -> [f64; 2] {
    let made = |j: usize| BIAS[j] + (0..2).map(|d| WEIGHT[2 * j + d] / scale * z[d]).sum::<f64>();
    let error = (0..3).map(|j| (ROWS[3 * row + j] - made(j)).powi(2)).sum();
    [error, 0.5 * z.iter().map(|z| z * z).sum::<f64>()]
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-5 * b.abs().max(1.0)
}

#[test]
fn the_loss_is_that_of_the_paper() {
    let squares = WEIGHT.iter().chain(&BIAS).map(|w| w * w).sum::<f64>();
    for (regulariser, cost) in [(Regulariser::L2, LAMBDA * squares), (Regulariser::None, 0.0)] {
        let model = model(regulariser, "standard-normal");
        let (loss, mu, parts) = told(&model, &leaves(&model));
        assert_eq!(parts[0].0, "code_length");
        for row in 0..2 {
            let [error, length] = by_hand(row, &mu[2 * row..][..2], 1.0);
            assert!(near(loss[row], error + BETA * length + cost), "{regulariser:?}: {loss:?}");
            assert!(!near(loss[row], error + BETA * length + cost + 0.01) && near(parts[0].1[row], length));
        }
    }
}

/// E‖vᵀW‖² = ‖W‖²: the mean over draws is the squared Frobenius norm, wherever the code is.
#[test]
fn the_gradient_penalty_is_the_squared_jacobian() {
    const DRAWS: u32 = 4000;
    let model = model(Regulariser::GradientPenalty, "standard-normal");
    let mut values = leaves(&model);
    let mut draws = Vec::new();
    for step in 0..DRAWS {
        values.step.step = step;
        let (_, _, parts) = told(&model, &values);
        assert_eq!(parts[1].0, "smoothness");
        draws.extend(parts[1].1.clone());
    }
    let n = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / n;
    let error = (draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n * n)).sqrt();
    let exact = WEIGHT.iter().map(|w| w * w).sum::<f64>();
    assert!((mean - exact).abs() < 5.0 * error && error < 0.1 * exact, "{mean} ± {error} is not {exact}");
}

#[test]
fn a_spectral_decoder_has_weights_of_norm_1() {
    let model = model(Regulariser::Spectral, "standard-normal");
    let mut values = leaves(&model);
    // σ by its definition: the root of the largest eigenvalue of WᵀW.
    let dot = |a: usize, b: usize| (0..3).map(|j| WEIGHT[2 * j + a] * WEIGHT[2 * j + b]).sum::<f64>();
    let (p, q, r) = (dot(0, 0), dot(1, 1), dot(0, 1));
    let largest = (0.5 * (p + q + ((p - q).powi(2) + 4.0 * r * r).sqrt())).sqrt();
    // u where the iteration has come to its end: W v of the eigenvector v.
    let v = [r, largest * largest - p];
    let u: Vec<f64> = (0..3).map(|j| WEIGHT[2 * j] * v[0] + WEIGHT[2 * j + 1] * v[1]).collect();
    assert!(values.tensors.insert("decoder.0.weight.u".into(), u).is_some());
    let (loss, mu, _) = told(&model, &values);
    for row in 0..2 {
        let of = |scale: f64| by_hand(row, &mu[2 * row..][..2], scale);
        let [error, length] = of(largest);
        assert!(near(loss[row], error + BETA * length) && !near(loss[row], of(1.0)[0] + BETA * length), "{loss:?}");
    }
}

/// A prior that is learnt learns from the codes, and does not move them.
#[test]
fn a_learnt_prior_has_no_say_in_the_codes() {
    let (plain, learnt) = (model(Regulariser::L2, "standard-normal"), model(Regulariser::L2, "diagonal-gaussian"));
    let values = leaves(&learnt);
    let gradient = |model: &Rae, name: &str| {
        let graph = Graph::new();
        let terms = model.terms(&Batch::whole(Rows::from(graph.input("x", &[2, 3]))));
        evaluate(&values, &[terms.loss.gradients(&[graph.parameter(name)])[0]]).remove(0)
    };
    assert_eq!(gradient(&plain, "head.weight"), gradient(&learnt, "head.weight"));
    let of_prior = parameters(&learnt).into_iter().find(|spec| spec.name.starts_with("prior.")).unwrap().name;
    assert!(gradient(&learnt, &of_prior).iter().any(|g| g.abs() > 1e-3));
}
