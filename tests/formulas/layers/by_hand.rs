//! The ladder against numbers and densities that are written down anew.

use std::f64::consts::TAU;
use std::sync::Arc;

use elbo::catalogue::{Spec, build};
use elbo::engine::distributions::{Bernoulli, PRIORS};
use elbo::engine::models::{Batch, Hierarchical, Layer, Moments, Parts, Recognition, parameters};
use elbo::engine::nn::Activation;
use elbo::engine::objectives::{BETA, OBJECTIVES};

use super::bench::Bench;

/// Means and variances of N(μ̂, σ̂²) merged with N(μ_p, σ_p²), each given as (μ, σ²).
fn merged(pairs: &[[(f64, f64); 2]]) -> Vec<(f64, f64)> {
    let mut bench = Bench::new();
    let mut moments = |name: &str, which: usize| {
        let column =
            |value: &dyn Fn((f64, f64)) -> f64| pairs.iter().map(|p| vec![value(p[which])]).collect::<Vec<_>>();
        let mu = bench.input(&format!("{name}.mu"), &column(&|p| p.0));
        let log_var = bench.input(&format!("{name}.log_var"), &column(&|p| p.1.ln()));
        Moments { mu, log_var }
    };
    let (estimate, prior) = (moments("estimate", 0), moments("prior", 1));
    let both = estimate.merge(prior);
    bench.value(both.mu).into_iter().zip(bench.value(both.log_var).iter().map(|l| l.exp())).collect()
}

/// Precisions add up, and means are weighted by them.
#[test]
fn estimate_and_prior_merge_by_their_precisions() {
    let third = 1.0 / 3.0;
    let cases = [
        // Precisions 1 and 3: 4 together, and (1·1 + 3·3)/4.
        ([(1.0, 1.0), (3.0, third)], (2.5, 0.25)),
        ([(3.0, third), (1.0, 1.0)], (2.5, 0.25)),
        ([(-2.0, 2.0), (-2.0, 2.0)], (-2.0, 1.0)),
        // Precisions 5 and 1/4: 21/4 together, and (5·0.2 − 10/4)·4/21.
        ([(0.2, 0.2), (-10.0, 4.0)], (-1.5 * 4.0 / 21.0, 4.0 / 21.0)),
        // One that says nothing.
        ([(7.0, 1e12), (0.5, 0.01)], (0.5, 0.01)),
        ([(0.5, 0.01), (7.0, 1e12)], (0.5, 0.01)),
    ];
    let found = merged(&cases.map(|case| case.0));
    for ((mu, var), (_, expected)) in found.iter().zip(cases) {
        assert!((mu - expected.0).abs() < 1e-9 && (var - expected.1).abs() < 1e-9, "{mu}, {var}: {expected:?}");
        assert!((mu - expected.0 - 1e-6).abs() > 1e-9);
    }
    let far = merged(&[[(1.0, 1e-13), (-1.0, 4e8)], [(1.0, 4e8), (-1.0, 1e-13)]]);
    assert!((far[0].0 - 1.0).abs() < 1e-9 && (far[1].0 + 1.0).abs() < 1e-9, "{far:?}");
}

/// A ladder of one dimension a layer over two features, without hidden layers.
fn tiny(objective: &str) -> Hierarchical {
    let parts = Parts {
        objective: build(OBJECTIVES, &objective.parse::<Spec>().unwrap()).unwrap(),
        ..Parts::new(Arc::new(Bernoulli))
    };
    let upper = [Layer { latent: 1, hidden: vec![] }];
    Hierarchical::new(Recognition::Ladder, (2, 1), (&[], &[]), &upper, Activation::Tanh, parts)
}

fn log_normal(x: f64, mu: f64, var: f64) -> f64 {
    -0.5 * (TAU.ln() + var.ln() + (x - mu).powi(2) / var)
}

fn kl(q: (f64, f64), p: (f64, f64)) -> f64 {
    0.5 * (p.1.ln() - q.1.ln() + (q.1 + (q.0 - p.0).powi(2)) / p.1 - 1.0)
}

/// What the model's own parameters and noise give by its densities: ln w, and −ELBO with the KLs of both layers.
struct ByHand {
    log_weight: f64,
    loss: f64,
    kls: [f64; 2],
}

impl ByHand {
    fn new(bench: &Bench, x: [f64; 2], noise: [f64; 2], merge: bool) -> ByHand {
        let affine = |name: &str, input: &[f64]| -> Vec<f64> {
            let [weight, bias] = ["weight", "bias"].map(|part| &bench.values.tensors[&format!("{name}.{part}")]);
            let row = |(w, b): (&[f64], &f64)| b + w.iter().zip(input).map(|(w, x)| w * x).sum::<f64>();
            weight.chunks(input.len()).zip(bias).map(row).collect()
        };
        let moments = |name: &str, input: &[f64]| {
            let outputs = affine(name, input);
            (outputs[0], outputs[1].exp())
        };
        let (estimate, top) = (moments("head", &x), moments("layer2.head", &x));
        let z2 = top.0 + top.1.sqrt() * noise[1];
        let prior = moments("layer2.output", &[z2]);
        let variance = 1.0 / (1.0 / estimate.1 + 1.0 / prior.1);
        let mean = (estimate.0 / estimate.1 + prior.0 / prior.1) * variance;
        let first = if merge { (mean, variance) } else { estimate };
        let z1 = first.0 + first.1.sqrt() * noise[0];
        let logits = affine("decoder.0", &[z1]);
        let probability = |logit: f64| 1.0 / (1.0 + (-logit).exp());
        let of = |(l, x): (&f64, &f64)| (x * probability(*l) + (1.0 - x) * (1.0 - probability(*l))).ln();
        let log_likelihood: f64 = logits.iter().zip(&x).map(of).sum();
        let log_prior = log_normal(z1, prior.0, prior.1) + log_normal(z2, 0.0, 1.0);
        let log_posterior = log_normal(z1, first.0, first.1) + log_normal(z2, top.0, top.1);
        let kls = [kl(first, prior), kl(top, (0.0, 1.0))];
        let loss = kls[0] + kls[1] - log_likelihood;
        ByHand { log_weight: log_likelihood + log_prior - log_posterior, loss, kls }
    }
}

#[test]
fn the_bound_of_a_ladder_is_that_of_its_densities() {
    for (place, x) in [[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]].into_iter().enumerate() {
        let mut bench = Bench::new();
        bench.numbers.0 += place as u64;
        (bench.values.step.rows, _) = (1, bench.values.scalars.insert(BETA.to_string(), 1.0));
        bench.fill(&parameters(&tiny("elbo")), 1.0);
        let noise = bench.numbers.signed(2);
        let [first, second] = [("first", noise[0]), ("second", noise[1])].map(|(n, e)| bench.input(n, &[vec![e]]));
        let rows = bench.input("x", &[x.to_vec()]);
        let batch = Batch::whole(rows);
        let terms = tiny("elbo").terms_with(&batch, &[first, second]);
        let bound = tiny("iwae:samples=1").terms_with(&batch, &[first, second]);
        let weight = tiny("elbo").log_weights_with(batch.rows, &[first, second]);
        assert_eq!(terms.parts.iter().map(|p| p.0).collect::<Vec<_>>(), ["kl_layer_1", "kl_layer_2"]);
        let wanted = [terms.loss, terms.parts[0].1, terms.parts[1].1, bound.loss, weight];
        let found = wanted.map(|t| bench.value(t)[0]);
        let hand = |merge: bool| {
            let hand = ByHand::new(&bench, x, [noise[0], noise[1]], merge);
            [hand.loss, hand.kls[0], hand.kls[1], -hand.log_weight, hand.log_weight]
        };
        for (i, ((found, right), wrong)) in found.into_iter().zip(hand(true)).zip(hand(false)).enumerate() {
            // 1/2 ln 2π is an f32 in the graph.
            assert!((found - right).abs() < 1e-6, "{i}: {found}, by hand {right}");
            // A ladder that forgets the prior; the uppermost layer has nothing to merge with.
            assert!(i == 2 || (found - wrong).abs() > 1e-3, "{i}: a ladder without merging is not told apart");
        }
    }
}

/// Where no KL has a closed form, the bound from one code is its log-weight, layer by layer: of two dimensions a layer, under a
/// prior that is told of all dimensions as a whole.
#[test]
fn the_bound_of_a_bottom_up_stack_is_its_weight() {
    let prior = build(PRIORS, &"mixture:components=3".parse::<Spec>().unwrap()).unwrap();
    let parts = Parts { prior, ..Parts::new(Arc::new(Bernoulli)) };
    let upper = [Layer { latent: 2, hidden: vec![] }];
    let model = Hierarchical::new(Recognition::BottomUp, (3, 2), (&[], &[]), &upper, Activation::Tanh, parts);
    let mut bench = Bench::new();
    (bench.values.step.rows, _) = (2, bench.values.scalars.insert(BETA.to_string(), 1.0));
    bench.fill(&parameters(&model), 1.0);
    let mut noise = |name: &str| {
        let numbers = bench.numbers.signed(4);
        bench.input(name, &numbers.chunks(2).map(<[f64]>::to_vec).collect::<Vec<_>>())
    };
    let noise = [noise("first"), noise("second")];
    let rows = bench.input("x", &[vec![1.0, 0.0, 1.0], vec![0.0, 0.0, 1.0]]);
    let batch = Batch::whole(rows);
    let terms = model.terms_with(&batch, &noise);
    let weight = model.log_weights_with(batch.rows, &noise);
    let [loss, weight] = [terms.loss, weight].map(|t| bench.value(t));
    assert!(loss.len() == 2 && (loss[0] - loss[1]).abs() > 1e-3, "{loss:?}");
    for (loss, weight) in loss.iter().zip(&weight) {
        assert!((loss + weight).abs() < 1e-6 * loss.abs(), "{loss} and {weight}");
    }
}
