//! Priors: densities that integrate to 1, draws that are of them, and the VampPrior as the aggregate posterior.

use elbo::catalogue::build;
use elbo::engine::distributions::{CodeSpace, Encoder, POSTERIORS, PRIORS, PosteriorNetwork};

use super::bench::{Bench, Cumulated, Network, assert_sample, mean};
use crate::common::pieces::small;

const DRAWS: usize = 20_000;

/// The grid that densities are integrated over, from −12 to 12.
const START: f64 = -12.0;

/// The logarithms of a prior's density at points, and draws from it.
fn prior(id: &str, latent: usize, points: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
    let piece = PRIORS.iter().find(|p| p.about.id == id).unwrap();
    let prior = build(PRIORS, &small(&piece.about)).unwrap();
    let posterior = build(POSTERIORS, &"diagonal-gaussian".into()).unwrap();
    let network = Network::new(2, &*posterior, latent);
    let encoder = Encoder { network: &network, posterior: &*posterior };
    let mut bench = Bench::new();
    let z = bench.input("z", points);
    let log_prob = prior.log_prob(z.into(), &encoder);
    let draws = prior.sample(bench.graph, DRAWS, latent, &encoder);
    bench.fill_where("encoder", 0.8);
    bench.fill_rest(0.6);
    (bench.value(log_prob), bench.value(draws))
}

fn real() -> Vec<&'static str> {
    let is_real = |id: &&str| build(PRIORS, &(*id).into()).unwrap().codes() == CodeSpace::Real;
    PRIORS.iter().map(|p| p.about.id).filter(is_real).collect()
}

/// Before it has learnt anything, a diagonal Gaussian is the standard normal.
#[test]
fn a_diagonal_gaussian_starts_as_the_standard_normal() {
    let [learnt, fixed] = ["diagonal-gaussian", "standard-normal"].map(|id| build(PRIORS, &id.into()).unwrap());
    let posterior = build(POSTERIORS, &"diagonal-gaussian".into()).unwrap();
    let network = Network::new(2, &*posterior, 2);
    let encoder = Encoder { network: &network, posterior: &*posterior };
    let mut bench = Bench::new();
    let z = bench.input("z", &[vec![0.3, -1.2], vec![2.0, 0.0]]);
    let [found, expected] = [learnt, fixed].map(|prior| prior.log_prob(z.into(), &encoder));
    for (place, spec) in bench.graph.parameters().iter().enumerate() {
        let start = spec.start(1, place).iter().map(|&x| f64::from(x)).collect();
        bench.values.tensors.insert(spec.name.clone(), start);
    }
    assert_eq!(bench.value(found), bench.value(expected));
}

#[test]
fn draws_are_of_the_density_in_one_dimension() {
    for id in real() {
        let step = 0.01;
        let points: Vec<Vec<f64>> = (0..=2400).map(|i| vec![START + step * f64::from(i)]).collect();
        let (log_prob, draws) = prior(id, 1, &points);
        let density: Vec<f64> = log_prob.iter().map(|l| l.exp()).collect();
        assert_sample(id, &Cumulated::new(START, step, &density), &draws, 0.2);
    }
}

/// Whether ln p(z) is told, and not ln w with the mean of w being p(z), which takes more draws than a plane has points here.
fn is_told(id: &&str) -> bool {
    build(PRIORS, &(*id).into()).unwrap().note_on_likelihood().is_none()
}

#[test]
fn draws_are_of_the_density_in_two_dimensions() {
    for id in real().into_iter().filter(is_told) {
        const SIDE: usize = 193;
        let step = 24.0 / (SIDE - 1) as f64;
        let at = |i: usize| START + step * i as f64;
        let points: Vec<Vec<f64>> = (0..SIDE * SIDE).map(|i| vec![at(i / SIDE), at(i % SIDE)]).collect();
        let (log_prob, draws) = prior(id, 2, &points);
        let density: Vec<f64> = log_prob.iter().map(|l| l.exp()).collect();
        for axis in 0..2 {
            let index = |i: usize, j: usize| if axis == 0 { i * SIDE + j } else { j * SIDE + i };
            let marginal = |i: usize| step * (0..SIDE).map(|j| density[index(i, j)]).sum::<f64>();
            let marginal: Vec<f64> = (0..SIDE).map(marginal).collect();
            let draws: Vec<f64> = draws.chunks(2).map(|z| z[axis]).collect();
            assert_sample(&format!("{id}, axis {axis}"), &Cumulated::new(START, step, &marginal), &draws, 0.2);
        }
        // How the two hang together.
        let product = |p: (&Vec<f64>, &f64)| p.0[0] * p.0[1] * p.1;
        let exact = step * step * points.iter().zip(&density).map(product).sum::<f64>();
        let products: Vec<f64> = draws.chunks(2).map(|z| z[0] * z[1]).collect();
        let (found, error) = mean(&products);
        assert!((found - exact).abs() < 5.0 * error + 1e-3, "{id}: E[z₁z₂] is {found}, not {exact}");
        assert!((found - exact - 0.6).abs() > 5.0 * error + 1e-3, "{id}: another is not told apart");
    }
}

/// χ² of the categories of draws, which must be corners.
#[test]
fn categories_are_all_alike() {
    let prior = build(PRIORS, &"uniform-categorical:categories=5".parse().unwrap()).unwrap();
    let posterior = build(POSTERIORS, &"gumbel-softmax:categories=5".parse().unwrap()).unwrap();
    let network = Network::new(1, &*posterior, 10);
    let bench = Bench::new();
    let encoder = Encoder { network: &network, posterior: &*posterior };
    let draws = prior.sample(bench.graph, DRAWS, 10, &encoder);
    let draws = bench.value(draws);
    let mut counts = [0.0; 5];
    for y in draws.chunks(5) {
        assert!(y.iter().all(|p| *p == 0.0 || *p == 1.0) && y.iter().sum::<f64>() == 1.0, "{y:?}");
        counts.iter_mut().zip(y).for_each(|(count, p)| *count += p);
    }
    let distance = |counts: &[f64]| {
        let expected = counts.iter().sum::<f64>() / 5.0;
        counts.iter().map(|c| (c - expected).powi(2) / expected).sum::<f64>()
    };
    // Of four degrees of freedom, 33.4 is exceeded once in a million.
    assert!(distance(&counts) < 33.4, "{counts:?}");
    counts[0] *= 1.1;
    assert!(distance(&counts) > 33.4);
}

#[test]
fn a_vampprior_of_the_data_is_the_aggregate_posterior() {
    let (latent, features, rows) = (2, 3, 6);
    let spec = format!("vampprior:bounded=0,components={rows}").parse().unwrap();
    let prior = build(PRIORS, &spec).unwrap();
    for id in ["diagonal-gaussian", "laplace"] {
        let posterior = build(POSTERIORS, &id.into()).unwrap();
        let network = Network::new(features, &*posterior, latent);
        let encoder = Encoder { network: &network, posterior: &*posterior };
        let mut bench = Bench::new();
        let points: Vec<Vec<f64>> = (0..7).map(|_| bench.numbers.signed(latent)).collect();
        let z = bench.input("z", &points);
        let log_prob = prior.log_prob(z.into(), &encoder);
        bench.fill_where("encoder", 0.9);
        bench.fill_rest(1.0);
        let x: Vec<Vec<f64>> =
            bench.values.tensors["prior.pseudo_inputs"].chunks(features).map(<[f64]>::to_vec).collect();
        let outputs = network.outputs(bench.input("x", &x));
        let (said, outputs) = (bench.value(log_prob), bench.value(outputs));
        let density = |z: f64, mu: f64, second: f64| match id {
            "laplace" => 0.5 * (-second - (z - mu).abs() * (-second).exp()).exp(),
            _ => (-0.5 * (std::f64::consts::TAU.ln() + second + (z - mu).powi(2) * (-second).exp())).exp(),
        };
        for (z, said) in points.iter().zip(said) {
            let of = |o: &[f64]| (0..latent).map(|d| density(z[d], o[d], o[latent + d])).product::<f64>();
            let each: Vec<f64> = outputs.chunks(2 * latent).map(of).collect();
            let aggregate = |each: &[f64]| (each.iter().sum::<f64>() / each.len() as f64).ln();
            assert!((said - aggregate(&each)).abs() < 1e-6, "{id}: {said} is not {}", aggregate(&each));
            assert!((said - aggregate(&each[1..])).abs() > 1e-4, "{id}: a missing example is not seen");
        }
    }
}
