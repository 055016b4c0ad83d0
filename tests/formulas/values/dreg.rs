//! The doubly reparameterised gradient where the KL is weighted (Tucker et al. 2019, equation 8, of another weight).
//!
//! With w = p(x | z)·(p(z)/q(z | x))^β the gradient of the bound is E\[Σ_k w̃_k (∂ln w_k/∂z ∂z/∂φ − β ∂ln q/∂φ)\], w̃ being the
//! normalised weights. E_q\[g ∂ln q/∂φ\] = E_q\[∂g/∂z ∂z/∂φ\] with g = w̃_k, whose slope is w̃_k(1 − w̃_k) ∂ln w_k/∂z, makes of
//! it E\[Σ_k w̃_k (1 − β + β w̃_k) ∂ln w_k/∂z ∂z/∂φ\].

use elbo::engine::graph::eval::evaluate;
use elbo::engine::graph::{Graph, Tensor};
use elbo::engine::models::{Batch, Model, parameters};
use elbo::engine::objectives::BETA;

use super::hand::{BATCH, FEATURES, Hand, vae};

const SAMPLES: usize = 4;
const DRAWS: u32 = 300;

/// Draws of the gradient of all parameters, flattened; `honest` leaves the gradient as the value has it.
fn draws(objective: &str, beta: f64, honest: bool) -> Vec<Vec<f64>> {
    let model = vae(&format!("{objective}:samples={SAMPLES}"));
    let graph = Graph::new();
    let x = graph.input("x", &[BATCH, FEATURES]);
    let batch = Batch::whole(x);
    let terms = model.terms(&batch);
    let loss = terms.loss * batch.weights;
    let wrt: Vec<Tensor> = parameters(&model).iter().map(|spec| graph.parameter(&spec.name)).collect();
    let scales: Vec<_> = terms.gradient_scale.into_iter().filter(|_| !honest).collect();
    let wanted = loss.gradients_with(&wrt, &scales);
    let mut values = Hand::new(1).with(BETA, beta).values;
    let mut draw = |step: u32| {
        values.step.step = step;
        evaluate(&values, &wanted).concat()
    };
    (0..DRAWS).map(&mut draw).collect()
}

/// How far the means of two lists of draws, made of the same noise, are apart: the most of any gradient, in standard errors
/// of the difference.
fn apart(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    let n = a.len() as f64;
    let of = |i: usize| {
        let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a[i] - b[i]).collect();
        let mean = differences.iter().sum::<f64>() / n;
        let error = (differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n * (n - 1.0))).sqrt();
        mean.abs() / (error + 1e-12)
    };
    (0..a[0].len()).map(of).fold(0.0, f64::max)
}

#[test]
fn its_mean_is_that_of_the_plain_gradient_at_any_weight_of_the_kl() {
    for beta in [1.0, 0.5] {
        let plain = draws("iwae", beta, true);
        let found = apart(&plain, &draws("dreg", beta, false));
        assert!(found < 5.0, "β = {beta}: {found} standard errors apart");
        // Without the factor on the way back the density's gradient is missing, and that is seen.
        let found = apart(&plain, &draws("dreg", beta, true));
        assert!(found > 10.0, "β = {beta}: {found} standard errors apart");
    }
    // Of other weights of the KL than the same.
    assert!(apart(&draws("iwae", 1.0, true), &draws("dreg", 0.5, false)) > 10.0);
}

/// Where the KL has no weight there is no density whose gradient could be taken twice: the gradients are the same, draw by
/// draw.
#[test]
fn without_the_kl_it_is_the_plain_gradient() {
    let (plain, found) = (draws("iwae", 0.0, true), draws("dreg", 0.0, false));
    let far = plain.concat().iter().zip(found.concat()).map(|(p, f)| (p - f).abs()).fold(0.0, f64::max);
    assert!(far < 1e-9, "{far}");
    let other = draws("dreg", 0.5, false);
    assert!(plain.concat().iter().zip(other.concat()).any(|(p, f)| (p - f).abs() > 1e-2));
}
