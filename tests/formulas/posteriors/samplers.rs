//! Draws against densities: products over dimensions in one dimension, and relaxed categories between two of them.

use std::sync::Arc;

use elbo::catalogue::{Spec, build};
use elbo::engine::distributions::{Bernoulli, CodeSpace, Encoder, POSTERIORS, PRIORS};
use elbo::engine::graph::{Op, Tensor};
use elbo::engine::models::{Model, Parts, Vae};
use elbo::engine::nn::Activation;

use super::bench::{Bench, Cumulated, Network, assert_sample, mean};
use crate::common::pieces::{small, with};

const DRAWS: usize = 20_000;

#[test]
fn draws_are_of_the_density_per_dimension() {
    let mut count = 0;
    for piece in POSTERIORS {
        let posterior = build(POSTERIORS, &small(&piece.about)).unwrap();
        if posterior.codes() != CodeSpace::Real {
            continue;
        }
        let mut bench = Bench::new();
        let outputs = bench.same("outputs", DRAWS, posterior.outputs(1));
        let (start, step) = (-150.0, 0.01);
        let grid: Vec<Vec<f64>> = (0..30_001).map(|i| vec![start + step * f64::from(i)]).collect();
        let z = bench.input("z", &grid);
        let one = outputs.slice(0, 0, 1);
        let Some(density) = posterior.log_prob_per_dimension(one, z) else { continue };
        let noise = posterior.noise(bench.graph, DRAWS, 1);
        let draw = posterior.sample(outputs, noise);
        let density: Vec<f64> = bench.value(density).iter().map(|l| l.exp()).collect();
        let cumulated = Cumulated::new(start, step, &density);
        let draws = bench.value(draw.z);
        assert_sample(piece.about.id, &cumulated, &draws, 0.3);
        // The density that comes with a draw is the same, and so are mean and variance.
        let again = posterior.log_prob_per_dimension(outputs, draw.z).unwrap();
        let (said, again) = (bench.value(draw.log_prob), bench.value(again));
        let far = said.iter().zip(&again).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(far < 1e-5, "{}: {far:e}", piece.about.id);
        let of_mean = posterior.mean(one);
        let variance = posterior.variance(one).unwrap();
        let (of_mean, variance) = (bench.value(of_mean)[0], bench.value(variance)[0]);
        let (m, error) = mean(&draws);
        assert!((m - of_mean).abs() < 5.0 * error, "{}: mean {m}, not {of_mean}", piece.about.id);
        let squares: Vec<f64> = draws.iter().map(|z| (z - of_mean).powi(2)).collect();
        let (v, error) = mean(&squares);
        assert!((v - variance).abs() < 5.0 * error, "{}: variance {v}, not {variance}", piece.about.id);
        assert!((1.3 * v - variance).abs() > 5.0 * error, "{}: a wrong variance is not seen", piece.about.id);
        count += 1;
    }
    assert_eq!(count, 4);
}

/// Of two categories, in which there is one number y: ∫ f(y) dy is the mean of f(y)/q(y) over draws.
#[test]
fn relaxed_categories_have_the_concrete_density() {
    let spec = "gumbel-softmax:categories=2".parse().unwrap();
    let posterior = build(POSTERIORS, &spec).unwrap();
    let mut bench = Bench::new();
    let outputs = bench.same("outputs", DRAWS, 2);
    let noise = posterior.noise(bench.graph, DRAWS, 2);
    let draw = posterior.sample(outputs, noise);
    let (z, log_prob) = (bench.value(draw.z), bench.value(draw.log_prob));
    let weigh = |wrong: f64| -> Vec<f64> {
        let each = z.chunks(2).zip(&log_prob);
        each.map(|(y, l)| (y[0] * y[1]).powi(2) / (l + wrong * y[0]).exp()).collect()
    };
    let (found, error) = mean(&weigh(0.0));
    assert!((found - 1.0 / 30.0).abs() < 5.0 * error, "{found} is not 1/30 ± {error}");
    let (found, error) = mean(&weigh(0.3));
    assert!((found - 1.0 / 30.0).abs() > 5.0 * error, "another density is not told apart");
    assert!(z.chunks(2).all(|y| (y[0] + y[1] - 1.0).abs() < 1e-12));
}

/// With all categories alike, posterior and prior are the same density, and draws are of it.
#[test]
fn the_relaxed_prior_is_the_posterior_that_knows_nothing() {
    let posterior = build(POSTERIORS, &"gumbel-softmax:categories=2".parse().unwrap()).unwrap();
    let prior = build(PRIORS, &"uniform-categorical:categories=2".parse().unwrap()).unwrap();
    let network = Network::new(1, &*posterior, 2);
    let encoder = Encoder { network: &network, posterior: &*posterior };
    let mut bench = Bench::new();
    // Above 1, where the density has no poles at the ends.
    bench.values.scalars.insert("temperature".to_string(), 1.5);
    let outputs = bench.input("outputs", &vec![vec![0.4, 0.4]; DRAWS]);
    let noise = posterior.noise(bench.graph, DRAWS, 2);
    let draw = posterior.sample(outputs, noise);
    let log_prior = prior.log_prob(draw.code(), &encoder);
    let [a, b] = [draw.log_prob, log_prior].map(|t| bench.value(t));
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5 * a.abs().max(1.0)));
    let step = 1e-4;
    let grid: Vec<Vec<f64>> =
        (0..=10_000).map(|i| (f64::from(i) * step).clamp(1e-12, 1.0 - 1e-12)).map(|y| vec![y, 1.0 - y]).collect();
    let grid = bench.input("z", &grid);
    let density = prior.log_prob(grid.into(), &encoder);
    let density: Vec<f64> = bench.value(density).iter().map(|l| l.exp()).collect();
    let draws: Vec<f64> = bench.value(draw.z).chunks(2).map(|y| y[0]).collect();
    assert_sample("uniform-categorical", &Cumulated::new(0.0, step, &density), &draws, 0.05);
}

/// A category that is as good as excluded, whose part of the code is 0 in 32 bits: both densities are taken at the exact logarithm
/// (Maddison, Mnih & Teh 2017, equation 10). Were one taken at a rounded code, ln q − ln p would be off by tens of nats.
#[test]
fn an_excluded_category_has_both_densities_at_the_exact_code() {
    const TAU: f64 = 0.8;
    let posterior = build(POSTERIORS, &"gumbel-softmax:categories=3".parse().unwrap()).unwrap();
    let prior = build(PRIORS, &"uniform-categorical:categories=3".parse().unwrap()).unwrap();
    let network = Network::new(1, &*posterior, 3);
    let encoder = Encoder { network: &network, posterior: &*posterior };
    let mut bench = Bench::new();
    bench.values.scalars.insert("temperature".to_string(), TAU);
    let logits = [[80.0, -95.0, 1.0], [-150.0, 2.0, 2.5]];
    let outputs = bench.input("outputs", &logits.map(|row| row.to_vec()));
    let noise = [[0.3, -0.4, 1.2, 0.5, 0.1, -0.8], [0.7, 0.2, -1.1, 0.9, -0.6, 0.4]];
    let given = bench.input("noise", &noise.map(|row| row.to_vec()));
    let draw = posterior.sample(outputs, given);
    let log_prior = prior.log_prob(draw.code(), &encoder);
    let ratio = draw.log_prob - log_prior;
    let found = bench.value(ratio);
    let log_sum = |x: &[f64]| {
        let most = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        most + x.iter().map(|x| (x - most).exp()).sum::<f64>().ln()
    };
    for ((logits, noise), found) in logits.iter().zip(&noise).zip(found) {
        let total = log_sum(logits);
        let log_pi: Vec<f64> = logits.iter().map(|l| l - total).collect();
        // Gumbel noise −ln E of exponentials E = ½(a² + b²).
        let gumbel = |k: usize| -(0.5 * (f64::powi(noise[k], 2) + f64::powi(noise[k + 3], 2))).ln();
        let scaled: Vec<f64> = (0..3).map(|k| (log_pi[k] + gumbel(k)) / TAU).collect();
        let total = log_sum(&scaled);
        let log_y: Vec<f64> = scaled.iter().map(|s| s - total).collect();
        assert!(log_y.iter().any(|y| *y < -88.0), "a part of the code is 0 in 32 bits: {log_y:?}");
        let density = |log_pi: &dyn Fn(usize) -> f64, log_y: &[f64]| {
            let terms: Vec<f64> = (0..3).map(|k| log_pi(k) - TAU * log_y[k]).collect();
            let rest: f64 = (0..3).map(|k| log_pi(k) - (TAU + 1.0) * log_y[k]).sum();
            2f64.ln() + 2.0 * TAU.ln() + rest - 3.0 * log_sum(&terms)
        };
        let of_posterior = density(&|k| log_pi[k], &log_y);
        let ratio = |log_y: &[f64]| of_posterior - density(&|_| -3f64.ln(), log_y);
        let exact = ratio(&log_y);
        assert!((found - exact).abs() < 1e-4 * exact.abs(), "{found} is not {exact}");
        let clamped: Vec<f64> = log_y.iter().map(|y| y.max(1e-30f64.ln())).collect();
        assert!((found - ratio(&clamped)).abs() > 10.0, "a clamped code is not told apart");
    }
}

#[test]
fn the_temperature_falls_and_stays_where_it_ends() {
    let spec: Spec = "gumbel-softmax:categories=3,start=2,end=0.5,epochs=4".parse().unwrap();
    let parts = with(Parts::new(Arc::new(Bernoulli)), &(spec, "uniform-categorical:categories=3".parse().unwrap()));
    let vae = Vae::new(5, 6, (&[4], &[4]), Activation::Tanh, parts);
    for (epochs, expected) in [(0.0, 2.0), (2.0, 1.0), (4.0, 0.5), (100.0, 0.5), (f64::INFINITY, 0.5)] {
        let found = vae.scalar("temperature", epochs).unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} after {epochs} epochs");
    }
    assert_eq!(vae.scalar("capacity", 1.0), None);
}

/// Outputs far beyond what an encoder gives leave everything finite.
#[test]
fn extreme_outputs_stay_finite() {
    for piece in POSTERIORS {
        let posterior = build(POSTERIORS, &small(&piece.about)).unwrap();
        for size in [0.0, 1e-6, 30.0] {
            let mut bench = Bench::new();
            let width = posterior.outputs(3);
            let outputs: Vec<Vec<f64>> =
                (0..50).map(|_| bench.numbers.signed(width).iter().map(|x| size * x).collect()).collect();
            let outputs = bench.input("outputs", &outputs);
            let noise = posterior.noise(bench.graph, 50, 3);
            let draw = posterior.sample(outputs, noise);
            let slope = draw.log_prob.gradients(&[outputs])[0];
            for t in [draw.z, draw.log_prob, slope] {
                bench.fill_rest(1.0);
                assert!(bench.value(t).iter().all(|v| v.is_finite()), "{} at {size}", piece.about.id);
            }
        }
    }
}

/// The largest and the smallest uniform, and normals at 0 and as far out as they come.
#[test]
fn the_ends_of_the_noise_give_finite_draws() {
    const LEAST: f64 = 1.0 / 16_777_216.0;
    for piece in POSTERIORS {
        let posterior = build(POSTERIORS, &small(&piece.about)).unwrap();
        let mut bench = Bench::new();
        let noise = posterior.noise(bench.graph, 3, 3);
        // Noise of both kinds is joined.
        let parts: Vec<Tensor> = match noise.node() {
            node if matches!(node.op, Op::Concat(1)) => (0..node.inputs.len()).map(|i| noise.argument(i)).collect(),
            _ => vec![noise],
        };
        let ends = |end: usize| -> Vec<f64> {
            let of = |part: &Tensor| {
                let ends =
                    if matches!(part.node().op, Op::Uniform(_)) { [1.0 - LEAST, 0.5, LEAST] } else { [0.0, 5.8, -5.8] };
                vec![ends[end]; part.width()]
            };
            parts.iter().flat_map(of).collect()
        };
        let noise = bench.input("noise", &[0, 1, 2].map(ends));
        let outputs = bench.same("outputs", 3, posterior.outputs(3));
        let draw = posterior.sample(outputs, noise);
        let slope = draw.log_prob.gradients(&[outputs])[0];
        for t in [draw.z, draw.log_prob, slope] {
            bench.fill_rest(1.0);
            assert!(bench.value(t).iter().all(|v| v.is_finite()), "{}: {:?}", piece.about.id, bench.value(t));
        }
    }
}
