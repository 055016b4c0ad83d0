//! Values that are missing not at random (Ipsen, Mattei & Frellsen 2021): the bound by hand and by quadrature, of a linear model in which
//! all is known, what is filled in by quadrature, and the gradient by differences and on both devices.

use std::sync::Arc;

use elbo::catalogue::{Spec, build};
use elbo::data::Shape;
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::{Gaussian, Likelihood, MISSING_MECHANISMS, MissingModel};
use elbo::engine::graph::eval::{Values, evaluate};
use elbo::engine::graph::{Graph, Tensor};
use elbo::engine::kernels::random::normal4;
use elbo::engine::models::{Batch, Model, Parts, Rows, Vae, parameters};
use elbo::engine::nn::Activation;
use elbo::engine::objectives::{BETA, OBJECTIVES};
use elbo::engine::program::{Gradients, ParameterSet, Request};
use elbo::engine::training::{Imputing, Session};

use super::figures::session;
use super::hand::{log_normal, log_sum, other, same};
use crate::common;
use crate::common::oracle::{Device, Numbers, values, worst, worst_against};

const SIGMA: f64 = 0.5;
const WEIGHT: [f64; 3] = [1.2, -0.8, 0.5];
const BIAS: [f64; 3] = [0.3, -0.2, 0.1];
const ROWS: usize = 4;
const CODES: usize = 3;
/// 1 for a value that was observed.
const OBSERVED: [f64; 3 * ROWS] = [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0];
/// Every mechanism that has something to say, with how many numbers it has.
const MECHANISMS: [(&str, usize); 4] =
    [("self-masking", 6), ("self-masking:missing=large", 6), ("self-masking:missing=small", 6), ("linear", 12)];

fn model(mechanism: &str) -> Vae {
    let spec: Spec = mechanism.parse().unwrap();
    let gaussian: Arc<dyn Likelihood> = Arc::new(Gaussian { sigma: SIGMA as f32 });
    let mechanism = build(MISSING_MECHANISMS, &spec).unwrap();
    let objective: Spec = format!("iwae:samples={CODES}").parse().unwrap();
    let likelihood = MissingModel::of(&Shape::vector(3).into(), gaussian, mechanism);
    Vae::new(
        3,
        1,
        (&[], &[]),
        Activation::Tanh,
        Parts { objective: build(OBJECTIVES, &objective).unwrap(), ..Parts::new(likelihood) },
    )
}

/// The decoder above, an encoder that is not far off, and what a mechanism has.
fn leaves(mechanism: &str) -> Values {
    let (mut all, mut numbers) = (values(ROWS - 1), Numbers(3));
    for spec in parameters(&model(mechanism)) {
        all.tensors.insert(spec.name, numbers.signed(spec.shape.iter().product()));
    }
    for (name, given) in [
        ("decoder.0.weight", WEIGHT.to_vec()),
        ("decoder.0.bias", BIAS.to_vec()),
        ("head.weight", vec![0.4, -0.3, 0.2, 0.0, 0.0, 0.0]),
        ("head.bias", vec![-0.1, 0.2]),
    ] {
        assert!(all.tensors.insert(name.into(), given).is_some());
    }
    let x = numbers.signed(3 * ROWS);
    all.tensors.insert("x".into(), x.iter().zip(OBSERVED).map(|(x, s)| 2.0 * x * s).collect());
    all.tensors.insert("observed".into(), OBSERVED.to_vec());
    all.tensors.insert("noise".into(), numbers.signed(ROWS * CODES).iter().map(|e| 2.0 * e).collect());
    all.scalars.insert(BETA.into(), 1.0);
    all
}

/// The logit of that value j of a row is observed, by the formulas of the mechanisms.
fn logit(mechanism: &str, values: &Values, x: &[f64], j: usize) -> f64 {
    let softplus = |a: f64| a.exp().ln_1p();
    if mechanism == "linear" {
        let (weight, bias) = (&values.tensors["missing.mask.weight"], &values.tensors["missing.mask.bias"]);
        return bias[j] + (0..3).map(|k| weight[3 * j + k] * x[k]).sum::<f64>();
    }
    let (weight, bias) = (values.tensors["missing.weight"][j], values.tensors["missing.bias"][j]);
    match mechanism {
        "self-masking" => weight * x[j] + bias,
        "self-masking:missing=large" => bias - softplus(weight) * x[j],
        _ => bias + softplus(weight) * x[j],
    }
}

/// ln p(s | x), by the probability of each value.
fn log_mask(mechanism: &str, values: &Values, x: &[f64], observed: &[f64]) -> f64 {
    let each = |j: usize| {
        let p = 1.0 / (1.0 + (-logit(mechanism, values, x, j)).exp());
        if observed[j] == 1.0 { p.ln() } else { (1.0 - p).ln() }
    };
    (0..3).map(each).sum()
}

fn rows<'g>(graph: &'g Graph) -> Rows<'g> {
    let input = |name: &str| graph.input(name, &[ROWS, 3]);
    Rows { observed: Some(input("observed")), ..input("x").into() }
}

/// The bound of row `i` by hand; `drawn` is what is taken for a missing value, of its mean and the noise that it was drawn by, and `masked`
/// what is made of ln p(s | x).
fn bound(
    mechanism: &str,
    values: &Values,
    i: usize,
    drawn: impl Fn(f64, f64) -> f64,
    masked: impl Fn(f64) -> f64,
) -> f64 {
    let of = |name: &str, from: usize, n: usize| values.tensors[name][from..from + n].to_vec();
    let (x, observed) = (of("x", 3 * i, 3), of("observed", 3 * i, 3));
    let (mu, log_var) = (0.4 * x[0] - 0.3 * x[1] + 0.2 * x[2] - 0.1, 0.2);
    let log_weight = |k: usize| {
        let z = mu + f64::exp(0.5 * log_var) * values.tensors["noise"][i * CODES + k];
        let mean = |j: usize| BIAS[j] + WEIGHT[j] * z;
        // Where the noise of the codes is given, that of the values is the first stream of the graph.
        let noise = |j: usize| {
            let at = (i * CODES + k) * 3 + j;
            f64::from(normal4(&values.step, 1, at as u32 / 4)[at % 4])
        };
        let filled: Vec<f64> =
            (0..3).map(|j| if observed[j] == 1.0 { x[j] } else { drawn(mean(j), noise(j)) }).collect();
        let seen = (0..3).filter(|&j| observed[j] == 1.0).map(|j| log_normal(x[j], mean(j), 2.0 * SIGMA.ln()));
        seen.sum::<f64>() + masked(log_mask(mechanism, values, &filled, &observed)) + log_normal(z, 0.0, 0.0)
            - log_normal(z, mu, log_var)
    };
    log_sum(&(0..CODES).map(log_weight).collect::<Vec<_>>()) - (CODES as f64).ln()
}

#[test]
fn the_bound_is_that_of_the_paper() {
    for (mechanism, count) in MECHANISMS {
        let values = leaves(mechanism);
        let own: usize =
            values.tensors.iter().filter(|(name, _)| name.starts_with("missing.")).map(|(_, list)| list.len()).sum();
        assert_eq!(own, count, "{mechanism}");
        let graph = Graph::new();
        let noise = graph.input("noise", &[ROWS * CODES, 1]);
        let terms = model(mechanism).terms_with(&Batch::whole(rows(&graph)), noise);
        let mask = terms.parts.iter().find(|part| part.0 == "mask").expect("a part of the mask").1;
        let found = evaluate(&values, &[terms.loss, mask]);
        for (i, (&loss, &mask)) in found[0].iter().zip(&found[1]).enumerate() {
            let by_hand =
                |drawn: fn(f64, f64) -> f64, masked: fn(f64) -> f64| -bound(mechanism, &values, i, drawn, masked);
            let draw = |mean: f64, noise: f64| mean + SIGMA * noise;
            same(loss, by_hand(draw, |log| log));
            // At random, and as if it were observed what was not.
            other(loss, by_hand(draw, |_| 0.0));
            other(loss, by_hand(draw, |log| -log));
            // What is missing at its mean, or at 0, matters where something is.
            if i != 2 {
                other(loss, by_hand(|mean, _| mean, |log| log));
                other(loss, by_hand(|_, _| 0.0, |log| log));
            }
            assert!(mask > 0.1, "−ln p(s | x) of row {i} is {mask}");
        }
    }
}

/// E over z and over what is missing of row 1, of which values 0 and 1 are missing, by the midpoint rule: p(x_observed, s), and what is
/// expected of value 1.
fn by_quadrature(values: &Values, is_told: bool) -> (f64, f64) {
    const STEPS: usize = 60;
    let step = |at: usize| -5.0 + 10.0 * (at as f64 + 0.5) / STEPS as f64;
    let seen = values.tensors["x"][5];
    let (mut total, mut first) = (0.0, 0.0);
    for z in (0..STEPS).map(step) {
        let code = (log_normal(z, 0.0, 0.0) + log_normal(seen, BIAS[2] + WEIGHT[2] * z, 2.0 * SIGMA.ln())).exp();
        for a in (0..STEPS).map(step) {
            for b in (0..STEPS).map(step) {
                // By their distances from their means, in standard deviations.
                let x = [BIAS[0] + WEIGHT[0] * z + SIGMA * a, BIAS[1] + WEIGHT[1] * z + SIGMA * b, seen];
                let told = if is_told { log_mask("linear", values, &x, &OBSERVED[3..6]).exp() } else { 1.0 };
                let mass = code * (log_normal(a, 0.0, 0.0) + log_normal(b, 0.0, 0.0)).exp() * told;
                total += mass;
                first += mass * x[1];
            }
        }
    }
    let cell = (10.0 / STEPS as f64).powi(3);
    (total * cell, first / total)
}

/// A mechanism by which what is missing moves what is expected: large second values are missing.
fn told() -> Values {
    let mut values = leaves("linear");
    values.tensors.insert("missing.mask.weight".into(), vec![0.3, 0.2, -0.1, 0.5, -3.0, 0.2, 0.0, 0.4, 0.2]);
    values.tensors.insert("missing.mask.bias".into(), vec![0.2, -0.5, 0.3]);
    values
}

#[test]
fn what_is_missing_is_filled_in_as_the_mechanism_says() {
    let values = told();
    let ((evidence, expected), (at_random, naive)) = (by_quadrature(&values, true), by_quadrature(&values, false));
    assert!((expected - naive).abs() > 0.2, "the mechanism moves {naive} to {expected}");
    let mut session: Session = session(model("linear"), &values, 3).with_gaps(true);
    let row = [f32::NAN, f32::NAN, values.tensors["x"][5] as f32];
    let found = session.log_likelihood(&row, 4000, 1).unwrap()[0];
    let near = |p: f64| (found.log_likelihood - p.ln()).abs() < 4.0 * found.standard_error.unwrap();
    assert!(near(evidence) && !near(at_random), "{found:?}: {} and {}", evidence.ln(), at_random.ln());
    let how = Imputing { samples: 4000, rounds: 0, draws: 1000, noise: true, seed: 1 };
    let filled = session.fill(&row, how).unwrap();
    let drawn = filled.blank[0].draws.chunks_exact(3).map(|row| f64::from(row[1])).sum::<f64>() / 1000.0;
    for found in [f64::from(filled.means[1]), drawn] {
        assert!((found - expected).abs() < 0.06 && (found - naive).abs() > 0.1, "{found} is not {expected}");
    }
    // A row of which nothing was observed is one whose second value is likely to be large.
    let empty = session.fill(&[f32::NAN; 3], how).unwrap();
    assert!(!empty.blank[0].is_empty && f64::from(empty.means[1]) > BIAS[1] + 0.2, "{:?}", empty.means);
    assert_eq!(session.fill(&row, how).unwrap(), filled, "the same seed, the same draws");
}

/// The loss of a batch with its parameters, by name.
fn loss<'g>(graph: &'g Graph, mechanism: &str) -> (Tensor<'g>, Vec<(String, Vec<usize>)>) {
    let model = model(mechanism);
    let batch = Batch::whole(rows(graph));
    let own = parameters(&model).into_iter().map(|spec| (spec.name, spec.shape)).collect();
    (model.terms(&batch).loss * batch.weights, own)
}

#[test]
fn gradients_reach_the_mechanism_and_pass_through_what_is_drawn() {
    const H: f64 = 1e-5;
    for (mechanism, _) in MECHANISMS {
        let values = leaves(mechanism);
        let graph = Graph::new();
        let (loss, own) = loss(&graph, mechanism);
        let wrt: Vec<Tensor> = own.iter().map(|(name, _)| graph.parameter(name)).collect();
        let found = evaluate(&values, &loss.gradients(&wrt));
        for ((name, _), gradient) in own.iter().zip(&found) {
            for (at, gradient) in gradient.iter().enumerate() {
                let moved = |by: f64| {
                    let mut moved = values.clone();
                    moved.tensors.get_mut(name).unwrap()[at] += by;
                    evaluate(&moved, &[loss])[0].iter().sum::<f64>()
                };
                let slope = (moved(H) - moved(-H)) / (2.0 * H);
                assert!(
                    (gradient - slope).abs() < 1e-6 * slope.abs().max(1.0),
                    "{mechanism} {name}: {gradient}, {slope}"
                );
            }
            assert!(gradient.iter().any(|g| g.abs() > 1e-4), "{mechanism}: nothing reaches {name}");
        }
    }
}

fn is_the_graphs(device: &mut Device, mechanism: &str) {
    let (values, graph) = (leaves(mechanism), Graph::new());
    let mut others = values.clone();
    others.tensors.get_mut("x").unwrap()[0] += 0.5;
    let (loss, own) = loss(&graph, mechanism);
    let set = ParameterSet::new("model", own.iter().map(|(name, shape)| (name.clone(), shape.clone())));
    let wrt: Vec<Tensor> = own.iter().map(|(name, _)| graph.parameter(name)).collect();
    let request = Request {
        parameters: vec![&set],
        statistics: vec![("loss", loss)],
        gradients: vec![Gradients { set: &set, tensors: loss.gradients(&wrt), accumulate: false }],
        ..Request::new("missing", &graph)
    };
    let (right, _) = worst(device, &request, &values);
    let (wrong, _) = worst_against(device, &request, &values, &others);
    assert!(right < 1e-4 && wrong > 1e-3, "{mechanism}: {right:e}, and {wrong:e} of other rows");
}

#[test]
fn a_step_is_the_graphs_on_both_devices() {
    for (mechanism, _) in MECHANISMS {
        is_the_graphs(&mut Device::new(Box::new(Cpu::new())), mechanism);
        let Some(gpu) = common::gpu() else { continue };
        is_the_graphs(&mut Device::new(Box::new(gpu)), mechanism);
    }
}
