//! The evidence lower bound, and with the KL weighted.

use super::hand::{BATCH, Hand, LIVE, Row, WARM_UP, other, same};

/// Kingma and Welling 2014, equation 3, with the KL weighted by the scalar of the warm-up.
#[test]
fn the_elbo_is_reconstruction_and_weighted_kl_over_the_live_rows() {
    let hand = Hand::new(1);
    let (reconstruction, kl) = (hand.reconstruction(), hand.kl());
    let found = hand.loss("elbo");
    same(found, reconstruction + WARM_UP * kl);
    other(found, reconstruction + kl);
    other(found, (reconstruction + WARM_UP * kl) * LIVE as f64 / BATCH as f64);
    other(found, reconstruction + WARM_UP * hand.mean(|row| 2.0 * row.whole_kl()));
}

/// Of several codes per row the likelihood is the mean, and the KL, in closed form, what it is.
#[test]
fn the_reconstruction_is_a_mean_over_codes() {
    let hand = Hand::new(3);
    let found = hand.loss("elbo");
    same(found, hand.reconstruction() + WARM_UP * hand.kl());
    other(found, hand.mean(|row| -row.log_likelihood[0]) + WARM_UP * hand.kl());
    other(found, hand.mean(|row| 3.0 * row.reconstruction()) + WARM_UP * hand.kl());
}

/// Higgins et al. 2017, equation 4: β of its own, times the warm-up.
#[test]
fn beta_vae_multiplies_its_beta_and_the_warm_up() {
    let hand = Hand::new(1);
    let found = hand.loss("beta-vae:beta=3.5");
    let expected = |beta: f64| hand.reconstruction() + beta * hand.mean(Row::whole_kl);
    same(found, expected(3.5 * WARM_UP));
    [3.5, WARM_UP, 3.5 + WARM_UP, 3.5 * WARM_UP * WARM_UP].into_iter().for_each(|wrong| other(found, expected(wrong)));
}
