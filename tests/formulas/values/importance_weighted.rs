//! The importance-weighted bound (Burda, Grosse and Salakhutdinov 2016, equation 8):
//! −ln (1/K) Σ_k p(x | z_k) (p(z_k)/q(z_k | x))^β.

use super::hand::{Hand, LATENT, Row, WARM_UP, log_prior, log_sum, other, same};

const K: usize = 3;

/// ln w_k with the ratio of prior and posterior to the power `beta`.
fn log_weights(row: &Row, beta: f64) -> Vec<f64> {
    let ratio = |k: usize| log_prior(&row.codes[k]) - row.log_posterior(&row.codes[k]);
    (0..K).map(|k| row.log_likelihood[k] + beta * ratio(k)).collect()
}

#[test]
fn the_bound_is_the_logarithm_of_a_mean_and_so_is_that_of_dreg() {
    let hand = Hand::new(K);
    let bound = |beta: f64| hand.mean(|row| (K as f64).ln() - log_sum(&log_weights(row, beta)));
    for objective in ["iwae:samples=3", "dreg:samples=3"] {
        let found = hand.loss(objective);
        same(found, bound(WARM_UP));
        // Without ln K, at β = 1, and the mean of logarithms.
        other(found, bound(WARM_UP) - (K as f64).ln());
        other(found, bound(1.0));
        other(found, hand.mean(|row| -log_weights(row, WARM_UP).iter().sum::<f64>() / K as f64));
        // β over the whole weight, likelihood included.
        let tempered = |row: &Row| log_weights(row, 1.0).iter().map(|l| WARM_UP * l).collect::<Vec<f64>>();
        other(found, hand.mean(|row| (K as f64).ln() - log_sum(&tempered(row))));
    }
}

/// K equal weights are one: a row whose codes are all the same has the bound of that code, whatever K is.
#[test]
fn equal_codes_are_one_code() {
    let mut hand = Hand::new(K);
    let noise = hand.values.tensors.get_mut("noise").unwrap();
    noise.chunks_exact_mut(K * LATENT).for_each(|row| {
        let (first, rest) = row.split_at_mut(LATENT);
        rest.chunks_exact_mut(LATENT).for_each(|other| other.copy_from_slice(first));
    });
    let hand = Hand::of(hand.values, K);
    let found = hand.loss("iwae:samples=3");
    same(found, hand.mean(|row| -log_weights(row, WARM_UP)[0]));
    other(found, hand.mean(|row| -log_weights(row, WARM_UP)[0]) - (K as f64).ln());
}
