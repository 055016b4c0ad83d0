//! ln q(z | x) against the Jacobian of z in the noise: ln q(z) = ln p(ε) − ln |det ∂z/∂ε|.

use elbo::catalogue::{Spec, build};
use elbo::engine::distributions::{CodeSpace, Encoder, POSTERIORS, PRIORS};
use elbo::engine::graph::Op;

use super::bench::{Bench, Network, log_det};
use crate::common::pieces::small;

const ROWS: usize = 5;

fn log_normal(values: &[f64]) -> f64 {
    values.iter().map(|e| -0.5 * (std::f64::consts::TAU.ln() + e * e)).sum()
}

/// The densities that a posterior gives its draws, and those that the numerical Jacobian does; `None` where draws are not
/// made of as many numbers as they have.
fn posterior(spec: &Spec, latent: usize) -> Option<[Vec<f64>; 2]> {
    let posterior = build(POSTERIORS, spec).unwrap();
    let mut bench = Bench::new();
    let noise = posterior.noise(bench.graph, ROWS, latent);
    if noise.shape() != [ROWS, latent] || posterior.codes() != CodeSpace::Real {
        return None;
    }
    let is_normal = matches!(noise.node().op, Op::Normal(_));
    let outputs: Vec<Vec<f64>> = (0..ROWS).map(|_| bench.numbers.signed(posterior.outputs(latent))).collect();
    let outputs = bench.input("outputs", &outputs);
    let numbers: Vec<Vec<f64>> = (0..ROWS).map(|_| bench.numbers.signed(latent)).collect();
    let spread = |x: f64| if is_normal { 2.0 * x } else { 0.5 + 0.45 * x };
    let numbers: Vec<Vec<f64>> = numbers.iter().map(|row| row.iter().map(|&x| spread(x)).collect()).collect();
    let noise = bench.input("noise", &numbers);
    let draw = posterior.sample(outputs, noise);
    bench.fill_rest(0.8);
    let said = bench.value(draw.log_prob);
    // Five-point differences in each dimension, for all rows at once.
    let mut slopes = Vec::new();
    for d in 0..latent {
        let mut at = |h: f64| {
            let moved: Vec<Vec<f64>> = numbers
                .iter()
                .map(|row| row.iter().enumerate().map(|(i, x)| if i == d { x + h } else { *x }).collect())
                .collect();
            bench.values.tensors.insert("noise".to_string(), moved.concat());
            bench.value(draw.z)
        };
        const H: f64 = 1e-3;
        let (near, far) = ([at(H), at(-H)], [at(2.0 * H), at(-2.0 * H)]);
        let slope = |i: usize| (8.0 * (near[0][i] - near[1][i]) - (far[0][i] - far[1][i])) / (12.0 * H);
        slopes.push((0..ROWS * latent).map(slope).collect::<Vec<f64>>());
    }
    let found = (0..ROWS).map(|row| {
        let jacobian = (0..latent).map(|i| slopes.iter().map(|s| s[row * latent + i]).collect()).collect();
        let base = if is_normal { log_normal(&numbers[row]) } else { 0.0 };
        base - log_det(jacobian)
    });
    Some([said, found.collect()])
}

fn assert_same(name: &str, [said, found]: &[Vec<f64>; 2]) {
    for row in 0..said.len() {
        let far = (said[row] - found[row]).abs();
        assert!(far < 1e-6 * said[row].abs().max(1.0), "{name}: {} is not {}", said[row], found[row]);
        // Rows have different densities, so that those of another would be seen.
        let other = (said[row] - found[(row + 1) % found.len()]).abs();
        assert!(other > 1e-3, "{name}: rows cannot be told apart");
    }
}

#[test]
fn the_density_of_every_posterior_is_what_its_jacobian_says() {
    let mut count = 0;
    for piece in POSTERIORS {
        // As many maps as there are kinds of them, and more; in one, two and four dimensions.
        let spec = small(&piece.about);
        let mut specs = vec![spec.clone()];
        if spec.settings.contains_key("length") {
            specs.extend([spec.clone().with("length", 1.0), spec.with("length", 5.0)]);
        }
        for spec in specs {
            for latent in [1, 2, 4] {
                let Some(pair) = posterior(&spec, latent) else { continue };
                assert_same(&format!("{spec} in {latent} dimensions"), &pair);
                count += 1;
            }
        }
    }
    assert!(count >= 36, "{count}");
}

/// The density of a draw from a flow, and that of the normals it is made of over the determinant: only if the inverse that
/// the density takes undoes the draw are they the same.
#[test]
fn a_flow_as_the_prior_undoes_its_draws() {
    for id in ["standard-normal", "diagonal-gaussian", "realnvp", "maf"] {
        let piece = PRIORS.iter().find(|p| p.about.id == id).unwrap();
        let prior = build(PRIORS, &small(&piece.about)).unwrap();
        let posterior = build(POSTERIORS, &"diagonal-gaussian".into()).unwrap();
        for latent in [1, 2, 5] {
            let mut bench = Bench::new();
            let network = Network::new(1, &*posterior, latent);
            let encoder = Encoder { network: &network, posterior: &*posterior };
            let z = prior.sample(bench.graph, ROWS, latent, &encoder);
            let log_prob = prior.log_prob(z.into(), &encoder);
            // The first stream of the graph is what the draw is made of.
            let u = bench.graph.normal(1, &[ROWS, latent]);
            let mut slopes = Vec::new();
            for d in 0..latent {
                let one = z.slice(1, d, 1);
                let slope = one.gradients(&[u])[0];
                bench.fill_rest(0.9);
                slopes.push(bench.value(slope));
            }
            let (said, normals) = (bench.value(log_prob), bench.value(u));
            let found = (0..ROWS).map(|row| {
                let at = |s: &Vec<f64>| s[row * latent..][..latent].to_vec();
                log_normal(&normals[row * latent..][..latent]) - log_det(slopes.iter().map(at).collect())
            });
            assert_same(&format!("{id} in {latent} dimensions"), &[said, found.collect()]);
        }
    }
}
