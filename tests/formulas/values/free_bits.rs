//! Free bits (Kingma et al. 2016, equation 15): β Σ_d max(λ, E_batch\[KL_d\]).

use elbo::engine::cpu::Cpu;
use elbo::engine::graph::Graph;
use elbo::engine::graph::eval::evaluate;
use elbo::engine::models::parameters;
use elbo::engine::program::{ParameterSet, Request};

use super::hand::{FEATURES, Hand, LATENT, WARM_UP, other, same, terms, vae};
use crate::common::oracle::{Device, difference};

const LAMBDA: f64 = 0.5;

/// The mean KL of each dimension over the live rows.
fn means(hand: &Hand) -> Vec<f64> {
    (0..LATENT).map(|d| hand.mean(|row| row.kl(d))).collect()
}

#[test]
fn dimensions_below_lambda_count_as_lambda_each() {
    let hand = Hand::new(1);
    let means = means(&hand);
    let above = means.iter().filter(|&&kl| kl > LAMBDA + 0.05).count();
    let below = means.iter().filter(|&&kl| kl < LAMBDA - 0.05).count();
    assert!(above > 0 && below > 0 && above + below == LATENT, "{means:?}");
    let found = hand.loss("free-bits:lambda=0.5");
    let expected = |kl: f64| hand.reconstruction() + WARM_UP * kl;
    same(found, expected(means.iter().map(|kl| kl.max(LAMBDA)).sum()));
    // λ for all dimensions together, λ row by row, and what is above λ alone.
    other(found, expected(means.iter().sum::<f64>().max(LAMBDA)));
    other(found, expected(hand.mean(|row| (0..LATENT).map(|d| row.kl(d).max(LAMBDA)).sum())));
    other(found, expected(means.iter().map(|kl| (kl - LAMBDA).max(0.0)).sum()));
    other(found, expected(means.iter().map(|kl| kl.min(LAMBDA)).sum()));
}

/// At λ itself nothing is gained by a smaller KL: the gradient is that of the likelihood alone.
#[test]
fn a_dimension_at_lambda_feels_no_pull() {
    // In all rows KL_0 = ½·1² = λ, KL_1 = ½·2² above it, KL_2 = ½·(½)² below it; all of them exactly.
    let mut hand = Hand::new(1);
    hand.values.tensors.insert("head.weight".into(), vec![0.0; 2 * LATENT * FEATURES]);
    hand.values.tensors.insert("head.bias".into(), vec![1.0, 2.0, 0.5, 0.0, 0.0, 0.0]);
    let hand = Hand::of(hand.values, 1);
    assert_eq!(means(&hand), [LAMBDA, 2.0, 0.125]);
    let gradient = |objective: &str, on_program: bool| {
        let graph = Graph::new();
        let (terms, weights) = terms(&graph, objective, 1);
        let shapes = parameters(&vae(objective)).into_iter().map(|s| (s.name, s.shape));
        let set = ParameterSet::new("model", shapes);
        let bias = graph.parameter("head.bias");
        let wanted = (terms.loss * weights).gradients(&[bias])[0];
        if !on_program {
            return evaluate(&hand.values, &[wanted]).remove(0);
        }
        let request = Request {
            parameters: vec![&set],
            data: Default::default(),
            outputs: vec![("bias", wanted)],
            ..Request::new("tie", &graph)
        };
        let found = Device::new(Box::new(Cpu::new())).run(&request, &hand.values).outputs.remove(0);
        found.into_iter().map(f64::from).collect()
    };
    // What the likelihood alone pulls: all KLs below λ.
    let likelihood = gradient("free-bits:lambda=9", false);
    for on_program in [false, true] {
        let found = gradient("free-bits:lambda=0.5", on_program);
        let pull: Vec<f64> = found.iter().zip(&likelihood).map(|(f, l)| f - l).collect();
        // β ∂KL_d/∂μ_d = β μ_d, and β ½(σ_d² − 1) = 0 of the variances: of the one dimension above λ.
        let expected = [0.0, 2.0 * WARM_UP, 0.0, 0.0, 0.0, 0.0];
        let narrow: Vec<f32> = pull.iter().map(|&p| p as f32).collect();
        assert!(difference(&narrow, &expected, 1.0) < 1e-6, "{pull:?}");
        // The gradient of a KL that λ does not hold would be seen.
        assert!(difference(&narrow, &[WARM_UP, 2.0 * WARM_UP, 0.0, 0.0, 0.0, 0.0], 1.0) > 0.1);
    }
}
