//! The Hamiltonian VAE (Caterini, Doucet & Sejdinovic 2018, algorithm 1) by hand, of a linear model in which all gradients are known.

use std::sync::Arc;

use elbo::catalogue::build;
use elbo::engine::distributions::Gaussian;
use elbo::engine::graph::eval::{Values, evaluate};
use elbo::engine::graph::{Graph, Tensor};
use elbo::engine::kernels::random::normal4;
use elbo::engine::models::{Batch, Dynamics, Parts, Vae, parameters};
use elbo::engine::nn::Activation;
use elbo::engine::objectives::{BETA, OBJECTIVES};

use super::figures::session;
use super::hand::{log_normal, log_sum, other, same};
use crate::common::oracle::{Numbers, values};

const SIGMA: f64 = 0.5;
const WEIGHT: [f64; 3] = [1.2, -0.8, 0.5];
const BIAS: [f64; 3] = [0.3, -0.2, 0.1];
const ROWS: usize = 3;
const CODES: usize = 2;
const STEPS: usize = 3;
const LARGEST: f64 = 0.4;
/// What ε and β₀ are the logistics of.
const STEP: f64 = 0.7;
const COLD: f64 = -0.4;

fn model(steps: usize) -> Vae {
    let objective = build(OBJECTIVES, &format!("iwae:samples={CODES}").parse().unwrap()).unwrap();
    let parts = Parts { objective, ..Parts::new(Arc::new(Gaussian { sigma: SIGMA as f32 })) };
    Vae::new(3, 1, (&[], &[]), Activation::Tanh, parts).moved_by(Dynamics { steps, largest: LARGEST as f32 })
}

fn leaves() -> Values {
    let (mut all, mut numbers) = (values(ROWS), Numbers(8));
    for (name, given) in [
        ("decoder.0.weight", WEIGHT.to_vec()),
        ("decoder.0.bias", BIAS.to_vec()),
        ("head.weight", vec![0.4, -0.3, 0.2, 0.0, 0.0, 0.0]),
        ("head.bias", vec![-0.1, 0.2]),
        ("dynamics.step", vec![STEP]),
        ("dynamics.cold", vec![COLD]),
    ] {
        all.tensors.insert(name.into(), given);
    }
    assert!(parameters(&model(STEPS)).iter().all(|spec| all.tensors.contains_key(&spec.name)));
    all.tensors.insert("x".into(), numbers.signed(3 * ROWS).iter().map(|x| 2.0 * x).collect());
    all.tensors.insert("noise".into(), numbers.signed(ROWS * CODES));
    all.scalars.insert(BETA.into(), 1.0);
    all
}

fn logistic(a: f64) -> f64 {
    1.0 / (1.0 + (-a).exp())
}

/// What is wrong on purpose.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    Nothing,
    /// The momentum does not cool.
    Warm,
    /// The momenta are left out of the weight.
    Forgotten,
    /// Codes are moved the other way.
    Uphill,
}

/// −ln of the mean weight of row `i`.
fn minus_bound(values: &Values, i: usize, steps: usize, fault: Fault) -> f64 {
    let x = &values.tensors["x"][3 * i..][..3];
    let (mu, log_var) = (0.4 * x[0] - 0.3 * x[1] + 0.2 * x[2] - 0.1, 0.2f64);
    let epsilon = LARGEST * logistic(STEP);
    let start = logistic(COLD).sqrt().recip();
    let spread = |k: usize| match fault {
        Fault::Warm => start,
        _ => start + (1.0 - start) * (k * k) as f64 / (steps * steps) as f64,
    };
    let slope = |z: f64| {
        let of_rows: f64 = (0..3).map(|j| WEIGHT[j] * (x[j] - BIAS[j] - WEIGHT[j] * z) / (SIGMA * SIGMA)).sum();
        if fault == Fault::Uphill { z - of_rows } else { of_rows - z }
    };
    let log_joint = |z: f64| {
        log_normal(z, 0.0, 0.0)
            + (0..3).map(|j| log_normal(x[j], BIAS[j] + WEIGHT[j] * z, 2.0 * SIGMA.ln())).sum::<f64>()
    };
    let log_weight = |k: usize| {
        let at = i * CODES + k;
        let first = mu + f64::exp(0.5 * log_var) * values.tensors["noise"][at];
        let gamma = f64::from(normal4(&values.step, 1, at as u32 / 4)[at % 4]);
        let (mut z, mut momentum) = (first, gamma * spread(0));
        for k in 0..steps {
            momentum += 0.5 * epsilon * slope(z);
            z += epsilon * momentum;
            momentum += 0.5 * epsilon * slope(z);
            momentum *= spread(k + 1) / spread(k);
        }
        let of_momenta = log_normal(momentum, 0.0, 0.0) - log_normal(gamma, 0.0, 0.0);
        log_joint(z) - log_normal(first, mu, log_var) + if fault == Fault::Forgotten { 0.0 } else { of_momenta }
    };
    (CODES as f64).ln() - log_sum(&(0..CODES).map(log_weight).collect::<Vec<_>>())
}

fn loss<'g>(graph: &'g Graph, steps: usize) -> Tensor<'g> {
    let (x, noise) = (graph.input("x", &[ROWS, 3]), graph.input("noise", &[ROWS * CODES, 1]));
    model(steps).terms_with(&Batch::whole(x), noise).loss
}

#[test]
fn the_bound_is_that_of_the_leapfrog() {
    let values = leaves();
    for steps in [1, STEPS] {
        let graph = Graph::new();
        let found = evaluate(&values, &[loss(&graph, steps)]).remove(0);
        for (i, &found) in found.iter().enumerate() {
            same(found, minus_bound(&values, i, steps, Fault::Nothing));
            for fault in [Fault::Warm, Fault::Forgotten, Fault::Uphill] {
                other(found, minus_bound(&values, i, steps, fault));
            }
            other(found, minus_bound(&values, i, steps + 1, Fault::Nothing));
        }
    }
}

#[test]
fn step_size_and_temperature_are_learnt() {
    const H: f64 = 1e-5;
    let (values, graph) = (leaves(), Graph::new());
    let loss = loss(&graph, STEPS);
    for name in ["dynamics.step", "dynamics.cold", "head.bias", "decoder.0.weight"] {
        let found = evaluate(&values, &[loss.gradients(&[graph.parameter(name)])[0]]).remove(0)[0];
        let moved = |by: f64| {
            let mut moved = values.clone();
            moved.tensors.get_mut(name).unwrap()[0] += by;
            evaluate(&moved, &[loss])[0].iter().sum::<f64>()
        };
        let slope = (moved(H) - moved(-H)) / (2.0 * H);
        assert!((found - slope).abs() < 1e-6 * slope.abs().max(1.0) && slope.abs() > 1e-3, "{name}: {found}, {slope}");
    }
}

/// The weights are those of importance sampling: their mean is p(x), whatever moves the codes.
#[test]
fn the_mean_weight_is_the_evidence() {
    let values = leaves();
    let mut session = session(model(STEPS), &values, 3);
    let rows: Vec<f32> = values.tensors["x"].iter().map(|&x| x as f32).collect();
    let found = session.log_likelihood(&rows, 3000, 1).unwrap();
    for (row, found) in values.tensors["x"].chunks(3).zip(found) {
        // ln N(x; b, σ²I + wwᵀ).
        let (variance, square) = (SIGMA * SIGMA, WEIGHT.iter().map(|w| w * w).sum::<f64>());
        let off: Vec<f64> = row.iter().zip(BIAS).map(|(x, b)| x - b).collect();
        let (along, length) =
            (off.iter().zip(WEIGHT).map(|(o, w)| o * w).sum::<f64>(), off.iter().map(|o| o * o).sum::<f64>());
        let determinant = 3.0 * variance.ln() + (1.0 + square / variance).ln();
        let distance = (length - along * along / (variance + square)) / variance;
        let exact = -0.5 * (3.0 * std::f64::consts::TAU.ln() + determinant + distance);
        let near = |p: f64| (found.log_likelihood - p).abs() < 5.0 * found.standard_error.unwrap() + 1e-3;
        assert!(near(exact) && !near(exact + 0.3), "{found:?}, and {exact}");
    }
}
