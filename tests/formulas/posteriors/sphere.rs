//! The power spherical distribution (De Cao & Aziz 2020) in two to five dimensions: draws, density, KL and gradients, by the density
//! (1 + cos θ)^κ sin^{d−2} θ of the angle between a code and its direction.

use std::f64::consts::PI;
use std::sync::Arc;

use elbo::catalogue::build;
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::{Encoder, POSTERIORS, PRIORS, Posterior};
use elbo::engine::program::Request;

use super::bench::{Bench, Cumulated, Network, Tensor, assert_sample, mean};
use crate::common;
use crate::common::oracle::{Device, worst, worst_against};

const DRAWS: usize = 20_000;
/// Dimensions, with the surface of the sphere, and of that of one dimension less.
const SPHERES: [(usize, f64, f64); 4] = [
    (2, 2.0 * PI, 2.0),
    (3, 4.0 * PI, 2.0 * PI),
    (4, 2.0 * PI * PI, 4.0 * PI),
    (5, 8.0 / 3.0 * PI * PI, 2.0 * PI * PI),
];
const STEP: f64 = 1e-4;

fn posterior() -> Arc<dyn Posterior> {
    build(POSTERIORS, &"power-spherical".into()).unwrap()
}

/// What the encoder says of a direction and κ = 1 + ln(1 + eᵃ).
fn outputs(latent: usize, kappa: f64) -> Vec<f64> {
    let direction = [0.6, -1.1, 0.7, 0.4, -0.9];
    [&direction[..latent], &[((kappa - 1.0f64).exp() - 1.0).ln()]].concat()
}

fn angles() -> impl Iterator<Item = f64> {
    (0..(PI / STEP) as usize).map(|i| (i as f64 + 0.5) * STEP)
}

/// The density of the angle, but for its norm.
fn of_angle(theta: f64, latent: usize, kappa: f64) -> f64 {
    (1.0 + theta.cos()).powf(kappa) * theta.sin().powi(latent as i32 - 2)
}

#[test]
fn draws_density_and_kl_are_those_of_the_angle() {
    for (latent, surface, across) in SPHERES {
        for kappa in [1.3, 6.0, 40.0] {
            let mut bench = Bench::new();
            let given = outputs(latent, kappa);
            let rows = bench.input("outputs", &vec![given.clone(); DRAWS]);
            let one = rows.slice(0, 0, 1);
            let noise = posterior().noise(bench.graph, DRAWS, latent);
            let draw = posterior().sample(rows, noise);
            let prior = build(PRIORS, &"uniform-sphere".into()).unwrap();
            let network = Network::new(1, &*posterior(), latent);
            let encoder = Encoder { network: &network, posterior: &*posterior() };
            let log_prior = prior.log_prob(draw.code(), &encoder);
            let (kl, direction) = (posterior().kl(one, &*prior).unwrap(), posterior().mean(one));
            let [z, log_prob, log_prior] = [draw.z, draw.log_prob, log_prior].map(|t| bench.value(t));
            let (kl, mu) = (bench.value(kl)[0], bench.value(direction));
            let length = given[..latent].iter().map(|x| x * x).sum::<f64>().sqrt();
            assert!(mu.iter().zip(&given).all(|(m, x)| (m - x / length).abs() < 1e-9), "{mu:?}");

            let norm: f64 = angles().map(|theta| STEP * of_angle(theta, latent, kappa)).sum::<f64>() * across;
            let cosines: Vec<f64> =
                z.chunks(latent).map(|z| z.iter().zip(&mu).map(|(z, m)| z * m).sum::<f64>()).collect();
            for ((z, cosine), (said, prior)) in z.chunks(latent).zip(&cosines).zip(log_prob.iter().zip(&log_prior)) {
                assert!((z.iter().map(|z| z * z).sum::<f64>() - 1.0).abs() < 1e-6, "{z:?} lies on the sphere");
                let by_hand = kappa * (1.0 + cosine).ln() - norm.ln();
                assert!((said - by_hand).abs() < 1e-4 * (1.0 + kappa), "d = {latent}, κ = {kappa}: {said}, {by_hand}");
                assert!((prior + surface.ln()).abs() < 1e-5);
            }
            let name = format!("d = {latent}, κ = {kappa}");
            let density: Vec<f64> = angles().map(|theta| across * of_angle(theta, latent, kappa) / norm).collect();
            let drawn: Vec<f64> = cosines.iter().map(|c| c.clamp(-1.0, 1.0).acos()).collect();
            assert_sample(&name, &Cumulated::new(0.5 * STEP, STEP, &density), &drawn, 0.05);

            let by_hand = angles()
                .map(|theta| {
                    let mass = STEP * across * of_angle(theta, latent, kappa) / norm;
                    mass * (kappa * (1.0 + theta.cos()).ln() - norm.ln() + surface.ln())
                })
                .sum::<f64>();
            assert!((kl - by_hand).abs() < 2e-5 * (1.0 + by_hand), "{name}: the KL is {kl}, not {by_hand}");

            // Around μ no direction is preferred: the part across it has no mean.
            for axis in 0..latent {
                let off: Vec<f64> = z.chunks(latent).zip(&cosines).map(|(z, c)| z[axis] - c * mu[axis]).collect();
                let (found, error) = mean(&off);
                assert!(found.abs() < 5.0 * error, "{name}: {found} along axis {axis}");
            }
        }
    }
}

#[test]
fn the_prior_is_spread_evenly() {
    let prior = build(PRIORS, &"uniform-sphere".into()).unwrap();
    for (latent, ..) in SPHERES {
        let (bench, network) = (Bench::new(), Network::new(1, &*posterior(), latent));
        let encoder = Encoder { network: &network, posterior: &*posterior() };
        let draws = bench.value(prior.sample(bench.graph, DRAWS, latent, &encoder));
        assert!(draws.chunks(latent).all(|z| (z.iter().map(|z| z * z).sum::<f64>() - 1.0).abs() < 1e-6));
        // The angle to any axis has the density sin^{d−2} θ.
        let norm = angles().map(|theta| STEP * of_angle(theta, latent, 0.0)).sum::<f64>();
        let density: Vec<f64> = angles().map(|theta| of_angle(theta, latent, 0.0) / norm).collect();
        let drawn: Vec<f64> = draws.chunks(latent).map(|z| z[1].clamp(-1.0, 1.0).acos()).collect();
        assert_sample("uniform-sphere", &Cumulated::new(0.5 * STEP, STEP, &density), &drawn, 0.05);
    }
}

/// A number that everything of a draw has a part in, of outputs `[rows, latent + 1]`.
fn whole(outputs: Tensor, latent: usize) -> Tensor {
    let prior = build(PRIORS, &"uniform-sphere".into()).unwrap();
    let graph = outputs.graph();
    let noise = posterior().noise(graph, outputs.shape()[0], latent);
    let draw = posterior().sample(outputs, noise);
    let weighed = draw.z * (graph.coordinate(1, draw.z.shape()) + 0.7);
    weighed.sum_rows() + draw.log_prob * 0.3 + posterior().kl(outputs, &*prior).unwrap() * 0.9
}

#[test]
fn gradients_are_those_of_differences() {
    const H: f64 = 1e-5;
    for (latent, ..) in SPHERES {
        let mut bench = Bench::new();
        let rows: Vec<Vec<f64>> = [1.2, 3.0, 50.0].map(|kappa| outputs(latent, kappa)).to_vec();
        let given = bench.input("outputs", &rows);
        let loss = whole(given, latent);
        let gradients = bench.value(loss.gradients(&[given])[0]);
        for (at, gradient) in gradients.iter().enumerate() {
            let mut moved = |by: f64| {
                bench.values.tensors.get_mut("outputs").unwrap()[at] += by;
                let found = bench.value(loss).iter().sum::<f64>();
                bench.values.tensors.get_mut("outputs").unwrap()[at] -= by;
                found
            };
            let slope = (moved(H) - moved(-H)) / (2.0 * H);
            assert!((gradient - slope).abs() < 1e-5 * slope.abs().max(1.0), "d = {latent}: {gradient}, not {slope}");
        }
        assert!(gradients.iter().all(|g| g.abs() > 1e-6), "all of it is seen: {gradients:?}");
    }
}

fn is_the_graphs(device: &mut Device, latent: usize) {
    let mut bench = Bench::new();
    let rows: Vec<Vec<f64>> = [1.2, 3.0, 50.0, 900.0].map(|kappa| outputs(latent, kappa)).to_vec();
    let given = bench.input("outputs", &rows);
    let mut other = bench.values.clone();
    other.tensors.get_mut("outputs").unwrap()[latent] += 0.3;
    let loss = whole(given, latent);
    let gradient = loss.gradients(&[given])[0];
    let request =
        Request { outputs: vec![("whole", loss), ("gradient", gradient)], ..Request::new("sphere", bench.graph) };
    let (right, _) = worst(device, &request, &bench.values);
    let (wrong, _) = worst_against(device, &request, &bench.values, &other);
    assert!(right < 1e-4 && wrong > 1e-3, "d = {latent}: {right:e}, and {wrong:e} of another κ");
}

#[test]
fn devices_compute_what_the_graph_says() {
    for (latent, ..) in SPHERES {
        is_the_graphs(&mut Device::new(Box::new(Cpu::new())), latent);
        let Some(gpu) = common::gpu() else { continue };
        is_the_graphs(&mut Device::new(Box::new(gpu)), latent);
    }
}
