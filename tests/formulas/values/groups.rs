//! Bounds of several groups of codes, and between bounds (Rainforth et al. 2018, section 4).

use elbo::engine::graph::eval::evaluate;
use elbo::engine::graph::{Graph, Tensor};
use elbo::engine::models::parameters;

use super::hand::{Hand, LATENT, Row, WARM_UP, log_prior, log_sum, other, same, terms, vae};

/// M groups of K codes.
const GROUPS: usize = 2;
const SAMPLES: usize = 3;
const CODES: usize = GROUPS * SAMPLES;

/// ln w_k with the ratio of prior and posterior to the power of the warm-up.
fn log_weights(row: &Row) -> Vec<f64> {
    let ratio = |k: usize| log_prior(&row.codes[k]) - row.log_posterior(&row.codes[k]);
    (0..CODES).map(|k| row.log_likelihood[k] + WARM_UP * ratio(k)).collect()
}

fn minus_bound(log_weights: &[f64]) -> f64 {
    (log_weights.len() as f64).ln() - log_sum(log_weights)
}

fn minus_elbo(row: &Row) -> f64 {
    -log_weights(row).iter().sum::<f64>() / CODES as f64
}

#[test]
fn bounds_of_groups_are_averaged() {
    let hand = Hand::new(CODES);
    let whole = hand.mean(|row| minus_bound(&log_weights(row)));
    let of_groups = |size: usize| {
        hand.mean(|row| {
            let all = log_weights(row);
            all.chunks_exact(size).map(minus_bound).sum::<f64>() / (CODES / size) as f64
        })
    };
    let found = hand.loss("multiply-iwae:samples=3,groups=2");
    same(found, of_groups(3));
    other(found, of_groups(2));
    other(found, whole);
    // One group is the IWAE, groups of one code the ELBO.
    same(hand.loss("multiply-iwae:samples=6,groups=1"), whole);
    same(hand.loss("multiply-iwae:samples=1,groups=6"), hand.mean(minus_elbo));
    // The value of the partial one is that of all codes.
    same(hand.loss("partially-iwae:samples=3,groups=2"), whole);
}

#[test]
fn a_combination_lies_between_two_bounds() {
    let hand = Hand::new(CODES);
    let (elbo, whole) = (hand.mean(minus_elbo), hand.mean(|row| minus_bound(&log_weights(row))));
    let found = hand.loss("combination-iwae:share=0.25,samples=6");
    same(found, 0.25 * elbo + 0.75 * whole);
    other(found, 0.75 * elbo + 0.25 * whole);
    same(hand.loss("combination-iwae:share=1,samples=6"), elbo);
    same(hand.loss("combination-iwae:share=0,samples=6"), whole);
}

/// The gradient of each parameter, by its name, of noise that is given.
fn gradients(hand: &Hand, objective: &str, honest: bool) -> Vec<(String, Vec<f64>)> {
    let graph = Graph::new();
    let (terms, weights) = terms(&graph, objective, CODES);
    let names: Vec<String> = parameters(&vae(objective)).into_iter().map(|spec| spec.name).collect();
    let wrt: Vec<Tensor> = names.iter().map(|name| graph.parameter(name)).collect();
    let scales: Vec<_> = terms.gradient_scale.into_iter().filter(|_| !honest).collect();
    let found = evaluate(&hand.values, &(terms.loss * weights).gradients_with(&wrt, &scales));
    names.into_iter().zip(found).collect()
}

fn apart(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn the_decoder_learns_by_all_codes_and_the_encoder_by_groups() {
    let hand = Hand::new(CODES);
    let found = gradients(&hand, "partially-iwae:samples=3,groups=2", false);
    let (by_all, by_groups) =
        (gradients(&hand, "iwae:samples=6", true), gradients(&hand, "multiply-iwae:samples=3,groups=2", true));
    for (((name, found), (_, by_all)), (_, by_groups)) in found.iter().zip(&by_all).zip(&by_groups) {
        let (right, wrong) = if name.starts_with("decoder") { (by_all, by_groups) } else { (by_groups, by_all) };
        assert!(apart(found, right) < 1e-6, "{name}: {found:?} is not {right:?}");
        assert!(apart(found, wrong) > 1e-3, "{name} is told apart");
    }
    // Left as its value has it, the gradient is that of all codes.
    let honest = gradients(&hand, "partially-iwae:samples=3,groups=2", true);
    assert!(honest.iter().zip(&by_all).all(|(a, b)| apart(&a.1, &b.1) < 1e-9));
}

/// Groups that weigh next to nothing beside others leave every gradient a number.
#[test]
fn a_group_of_no_weight_does_no_harm() {
    let mut hand = Hand::new(CODES);
    let noise = hand.values.tensors.get_mut("noise").unwrap();
    noise.iter_mut().take(LATENT * SAMPLES).for_each(|e| *e *= 600.0);
    let hand = Hand::of(hand.values, CODES);
    let all = log_weights(&hand.rows[0]);
    let most = |of: &[f64]| of.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    assert!((most(&all[..SAMPLES]) - most(&all[SAMPLES..])).abs() > 100.0, "{all:?}");
    let found = gradients(&hand, "partially-iwae:samples=3,groups=2", false);
    assert!(found.iter().all(|(_, list)| list.iter().all(|g| g.is_finite())));
}
