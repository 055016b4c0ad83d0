//! Draws against densities: products over dimensions in one dimension, and relaxed categories between two of them.

use std::sync::Arc;

use elbo::catalogue::{Spec, build};
use elbo::distributions::{Bernoulli, Codes, Encoder, POSTERIORS, PRIORS};
use elbo::graph::Op;
use elbo::models::{Model, Parts, Vae};
use elbo::nn::Activation;

use crate::bench::{Bench, Cumulated, Network, assert_sample, mean};
use crate::pieces::{small, with};

const DRAWS: usize = 20_000;

#[test]
fn draws_are_of_the_density_per_dimension() {
    let mut count = 0;
    for piece in POSTERIORS {
        let posterior = build(POSTERIORS, &small(&piece.about)).unwrap();
        if posterior.codes() != Codes::Real {
            continue;
        }
        let mut bench = Bench::new();
        let outputs = bench.same("outputs", DRAWS, posterior.outputs(1));
        let (start, step) = (-150.0, 0.01);
        let grid: Vec<Vec<f64>> = (0..30_001).map(|i| vec![start + step * f64::from(i)]).collect();
        let z = bench.input("z", &grid);
        let one = bench.graph.slice(outputs, 0, 0, 1);
        let Some(density) = posterior.log_prob_per_dimension(&mut bench.graph, one, z) else { continue };
        let noise = posterior.noise(&mut bench.graph, DRAWS, 1);
        let draw = posterior.sample(&mut bench.graph, outputs, noise);
        let density: Vec<f64> = bench.value(density).iter().map(|l| l.exp()).collect();
        let cumulated = Cumulated::new(start, step, &density);
        let draws = bench.value(draw.z);
        assert_sample(piece.about.id, &cumulated, &draws, 0.3);
        // The density that comes with a draw is the same, and so are mean and variance.
        let again = posterior.log_prob_per_dimension(&mut bench.graph, outputs, draw.z).unwrap();
        let (said, again) = (bench.value(draw.log_prob), bench.value(again));
        let far = said.iter().zip(&again).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(far < 1e-5, "{}: {far:e}", piece.about.id);
        let of_mean = posterior.mean(&mut bench.graph, one);
        let variance = posterior.variance(&mut bench.graph, one).unwrap();
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
    let noise = posterior.noise(&mut bench.graph, DRAWS, 2);
    let draw = posterior.sample(&mut bench.graph, outputs, noise);
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
    let noise = posterior.noise(&mut bench.graph, DRAWS, 2);
    let draw = posterior.sample(&mut bench.graph, outputs, noise);
    let log_prior = prior.log_prob(&mut bench.graph, draw.code(), &encoder);
    let [a, b] = [draw.log_prob, log_prior].map(|t| bench.value(t));
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5 * a.abs().max(1.0)));
    let step = 1e-4;
    let grid: Vec<Vec<f64>> = (0..=10_000).map(|i| f64::from(i) * step).map(|y| vec![y, 1.0 - y]).collect();
    let grid = bench.input("z", &grid);
    let density = prior.log_prob(&mut bench.graph, grid.into(), &encoder);
    let density: Vec<f64> = bench.value(density).iter().map(|l| l.exp()).collect();
    let draws: Vec<f64> = bench.value(draw.z).chunks(2).map(|y| y[0]).collect();
    assert_sample("uniform-categorical", &Cumulated::new(0.0, step, &density), &draws, 0.05);
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
            bench.fill(&posterior.parameters(3), 1.0);
            let width = posterior.outputs(3);
            let outputs: Vec<Vec<f64>> =
                (0..50).map(|_| bench.numbers.signed(width).iter().map(|x| size * x).collect()).collect();
            let outputs = bench.input("outputs", &outputs);
            let noise = posterior.noise(&mut bench.graph, 50, 3);
            let draw = posterior.sample(&mut bench.graph, outputs, noise);
            let slope = bench.graph.gradients(draw.log_prob, &[outputs])[0];
            for t in [draw.z, draw.log_prob, slope] {
                assert!(bench.value(t).iter().all(|v| v.is_finite()), "{} at {size}", piece.about.id);
            }
        }
    }
}

/// A uniform draw may be 1 in 32 bits, and a normal one 0.
#[test]
fn the_ends_of_the_noise_give_finite_draws() {
    for piece in POSTERIORS {
        let posterior = build(POSTERIORS, &small(&piece.about)).unwrap();
        let mut bench = Bench::new();
        bench.fill(&posterior.parameters(3), 1.0);
        let noise = posterior.noise(&mut bench.graph, 3, 3);
        let width = bench.graph.shape(noise)[1];
        let ends =
            if matches!(bench.graph.node(noise).op, Op::Uniform(_)) { [1.0, 0.5, 2e-8] } else { [0.0, 5.9, -5.9] };
        let noise = bench.input("noise", &ends.map(|end| vec![end; width]));
        let outputs = bench.same("outputs", 3, posterior.outputs(3));
        let draw = posterior.sample(&mut bench.graph, outputs, noise);
        let slope = bench.graph.gradients(draw.log_prob, &[outputs])[0];
        for t in [draw.z, draw.log_prob, slope] {
            assert!(bench.value(t).iter().all(|v| v.is_finite()), "{}: {:?}", piece.about.id, bench.value(t));
        }
    }
}
