//! DIP-VAE (Kumar, Sattigeri and Balakrishnan 2018, equations 6 and 7): −ELBO + λ_od Σ_{i≠j} C_ij² + λ_d Σ_i (C_ii − 1)².

use super::hand::{Hand, LATENT, LIVE, WARM_UP, other, same};

const OFF_DIAGONAL: f64 = 7.5;
const DIAGONAL: f64 = 2.25;
const SETTINGS: &str = "off-diagonal=7.5,diagonal=2.25";

type Matrix = [[f64; LATENT]; LATENT];

/// Cov\[μ(x)\] of the live rows, the sums divided by `by`.
fn covariance_of_means(hand: &Hand, by: f64) -> Matrix {
    let mean = |d: usize| hand.mean(|row| row.mu[d]);
    let entry = |i: usize, j: usize| {
        hand.rows.iter().map(|row| (row.mu[i] - mean(i)) * (row.mu[j] - mean(j))).sum::<f64>() / by
    };
    std::array::from_fn(|i| std::array::from_fn(|j| entry(i, j)))
}

/// E\[σ_d²(x)\].
fn mean_variance(hand: &Hand, d: usize) -> f64 {
    hand.mean(|row| row.log_var[d].exp())
}

/// The two sums: over what is off the diagonal and over what is on it.
fn sums(c: &Matrix) -> [f64; 2] {
    let pairs = (0..LATENT).flat_map(|i| (0..LATENT).map(move |j| (i, j)));
    let off = pairs.filter(|(i, j)| i != j).map(|(i, j)| c[i][j].powi(2)).sum();
    [off, (0..LATENT).map(|i| (c[i][i] - 1.0).powi(2)).sum()]
}

fn check(objective: &str, right: &Matrix, wrong: &[Matrix]) {
    let hand = Hand::new(1);
    let bound = hand.reconstruction() + WARM_UP * hand.kl();
    let [off, on] = sums(right);
    assert!(off > 1e-2 && on > 1e-2, "both parts must count: {off}, {on}");
    let found = hand.loss(&format!("{objective}:{SETTINGS}"));
    let expected = |[off, on]: [f64; 2]| bound + OFF_DIAGONAL * off + DIAGONAL * on;
    same(found, expected([off, on]));
    same(hand.part(&format!("{objective}:{SETTINGS}"), "covariance_penalty"), expected([off, on]) - bound);
    // The weights swapped, each pair counted once, the diagonal drawn to 0, the penalty warmed up.
    other(found, bound + DIAGONAL * off + OFF_DIAGONAL * on);
    other(found, expected([0.5 * off, on]));
    other(found, expected([off, (0..LATENT).map(|i| right[i][i].powi(2)).sum()]));
    other(found, bound + WARM_UP * (expected([off, on]) - bound));
    for matrix in wrong {
        other(found, expected(sums(matrix)));
    }
}

/// C with something added where a condition holds.
fn plus(c: &Matrix, what: impl Fn(usize, usize) -> f64) -> Matrix {
    std::array::from_fn(|i| std::array::from_fn(|j| c[i][j] + what(i, j)))
}

#[test]
fn the_first_kind_is_of_the_means_alone() {
    let hand = Hand::new(1);
    let c = covariance_of_means(&hand, LIVE as f64);
    let with_variances = plus(&c, |i, j| if i == j { mean_variance(&hand, i) } else { 0.0 });
    check("dip-vae-i", &c, &[with_variances, covariance_of_means(&hand, LIVE as f64 - 1.0)]);
}

#[test]
fn the_second_kind_adds_variances_on_the_diagonal_alone() {
    let hand = Hand::new(1);
    let c = covariance_of_means(&hand, LIVE as f64);
    let right = plus(&c, |i, j| if i == j { mean_variance(&hand, i) } else { 0.0 });
    let everywhere = plus(&c, |_, j| mean_variance(&hand, j));
    let off = plus(&c, |i, j| if i == j { 0.0 } else { mean_variance(&hand, j) });
    check("dip-vae-ii", &right, &[c, everywhere, off]);
}
