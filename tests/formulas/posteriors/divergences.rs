//! Every KL divergence in closed form against the mean of ln q(z | x) − ln p(z) over draws.

use elbo::catalogue::build;
use elbo::engine::distributions::{CodeSpace, Encoder, POSTERIORS, PRIORS};

use super::bench::{Bench, Network, mean};
use crate::common::pieces::small;

const DRAWS: usize = 20_000;
const LATENT: usize = 3;

#[test]
fn closed_forms_are_what_draws_say() {
    let mut found = Vec::new();
    for posterior_piece in POSTERIORS {
        for prior_piece in PRIORS {
            let posterior = build(POSTERIORS, &small(&posterior_piece.about)).unwrap();
            let prior = build(PRIORS, &small(&prior_piece.about)).unwrap();
            if posterior.codes() != prior.codes() {
                continue;
            }
            let name = format!("{} and {}", posterior_piece.about.id, prior_piece.about.id);
            let network = Network::new(1, &*posterior, LATENT);
            let encoder = Encoder { network: &network, posterior: &*posterior };
            let mut bench = Bench::new();
            let outputs = bench.same("outputs", DRAWS, posterior.outputs(LATENT));
            let one = outputs.slice(0, 0, 1);
            let Some(kl) = posterior.kl(one, &*prior) else { continue };
            bench.fill_rest(0.8);
            let kl = bench.value(kl);
            assert!(kl.iter().all(|k| *k > -1e-9), "{name}: {kl:?}");
            let kl: f64 = kl.iter().sum();
            let noise = posterior.noise(bench.graph, DRAWS, LATENT);
            let draw = posterior.sample(outputs, noise);
            let ratios: Vec<f64> = if !matches!(posterior.codes(), CodeSpace::Simplex(_)) {
                let log_prior = prior.log_prob(draw.code(), &encoder);
                let ratio = draw.log_prob - log_prior;
                bench.value(ratio)
            } else {
                // Of the categories themselves: the largest part of a relaxed draw is a draw of them (Gumbel-max).
                let pi = posterior.mean(one);
                let (pi, n) = (bench.value(pi), LATENT);
                let largest = |y: &[f64]| (0..n).max_by(|&a, &b| y[a].total_cmp(&y[b])).unwrap();
                bench.value(draw.z).chunks(n).map(|y| (pi[largest(y)] * n as f64).ln()).collect()
            };
            let (estimate, error) = mean(&ratios);
            assert!((estimate - kl).abs() < 5.0 * error, "{name}: {kl}, but {estimate} ± {error} by draws");
            assert!((estimate - 1.3 * kl - 0.1).abs() > 5.0 * error, "{name}: a wrong one is not told apart");
            found.push(name);
        }
    }
    assert_eq!(found.len(), 13, "{found:?}");
}
