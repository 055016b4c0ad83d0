//! β-TCVAE (Chen et al. 2018, equation 4): α I(z; n) + β TC(z) + γ Σ_d KL(q(z_d) ‖ p(z_d)), with both estimates of the
//! aggregate posterior q(z).

use super::hand::{COUNT, Code, Hand, LATENT, LIVE, Row, WARM_UP, log_normal, log_prior, log_sum, other, same};

const ALPHA: f64 = 0.75;
const BETA: f64 = 6.5;
const GAMMA: f64 = 1.25;
const WEIGHTED: &str = "beta-tcvae:alpha=0.75,beta=6.5,gamma=1.25";
const STRATIFIED: &str = "beta-tcvae:alpha=0.75,beta=6.5,gamma=1.25,stratified=1";

/// How much the density of row j's posterior weighs at the code of row i.
type Weight<'a> = &'a dyn Fn(usize, usize) -> f64;

const N: f64 = COUNT as f64;
const M: f64 = LIVE as f64;

/// Minibatch-weighted sampling (equation S3): every row weighs 1/(N·M).
fn weighted(_: usize, _: usize) -> f64 {
    1.0 / (N * M)
}

/// Minibatch stratified sampling (appendix C.2): the row itself stands for itself, 1/N; M − 2 others for 1/(M − 1) each; and
/// one, the next, for what is left.
fn stratified(i: usize, j: usize) -> f64 {
    if j == i {
        1.0 / N
    } else if j == (i + 1) % LIVE {
        (N - M + 1.0) / (N * (M - 1.0))
    } else {
        1.0 / (M - 1.0)
    }
}

/// ln Σ_j w_ij e^{ln q(z_i | x_j)}, of these densities.
fn aggregate(hand: &Hand, i: usize, weight: Weight, density: &dyn Fn(&Row) -> f64) -> f64 {
    let terms: Vec<f64> = hand.rows.iter().enumerate().map(|(j, row)| weight(i, j).ln() + density(row)).collect();
    log_sum(&terms)
}

/// Mutual information, total correlation and dimension-wise KL, each a mean over the live rows.
fn parts(hand: &Hand, weight: Weight) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for (i, row) in hand.rows.iter().enumerate() {
        let z: &Code = &row.codes[0];
        let joint = aggregate(hand, i, weight, &|row| row.log_posterior(z));
        let marginals: f64 = (0..LATENT).map(|d| aggregate(hand, i, weight, &|row| row.log_density(z, d))).sum();
        sums[0] += (row.log_posterior(z) - joint) / M;
        sums[1] += (joint - marginals) / M;
        sums[2] += (marginals - log_prior(z)) / M;
    }
    sums
}

/// The loss of these parts and weights.
fn total(hand: &Hand, parts: [f64; 3], weights: [f64; 3]) -> f64 {
    hand.reconstruction() + WARM_UP * parts.iter().zip(weights).map(|(part, weight)| part * weight).sum::<f64>()
}

#[test]
fn each_part_has_its_own_weight_under_both_estimates() {
    let hand = Hand::new(1);
    for (objective, weight) in [(WEIGHTED, &weighted as Weight), (STRATIFIED, &stratified)] {
        let parts = parts(&hand, weight);
        let found = hand.loss(objective);
        same(found, total(&hand, parts, [ALPHA, BETA, GAMMA]));
        for swapped in [[GAMMA, BETA, ALPHA], [BETA, ALPHA, GAMMA], [ALPHA, GAMMA, BETA], [1.0, BETA, 1.0]] {
            other(found, total(&hand, parts, swapped));
        }
        other(
            found,
            hand.reconstruction() + (total(&hand, parts, [ALPHA, BETA, GAMMA]) - hand.reconstruction()) / WARM_UP,
        );
        let names = ["mutual_information", "total_correlation", "dimension_wise_kl"];
        for (name, part) in names.into_iter().zip(parts) {
            same(hand.part(objective, name), part);
        }
    }
}

/// The three parts are together ln q(z | x) − ln p(z), whatever q(z) is taken to be: only single parts tell the estimates
/// apart.
#[test]
fn an_estimate_with_other_weights_is_another() {
    let hand = Hand::new(1);
    let whole = hand.mean(|row| row.log_posterior(&row.codes[0]) - log_prior(&row.codes[0]));
    let wrong_weighted: [Weight; 3] = [&|_, _| 1.0 / M, &|_, _| 1.0 / N, &|_, _| 1.0 / (N * (M + 1.0))];
    // Of the three weights, one after the other is wrong; then the row before takes the place of the next.
    let wrong_stratified: [Weight; 4] = [
        &|i, j| if i == j { 1.0 / M } else { stratified(i, j) },
        &|i, j| if j == (i + 1) % LIVE { 1.0 / (M - 1.0) } else { stratified(i, j) },
        &|i, j| if i != j && j != (i + 1) % LIVE { 1.0 / M } else { stratified(i, j) },
        &|i, j| stratified(j, i),
    ];
    let cases: [(&str, Weight, &[Weight]); 2] =
        [(WEIGHTED, &weighted, &wrong_weighted), (STRATIFIED, &stratified, &wrong_stratified)];
    for (objective, right, wrong) in cases {
        same(parts(&hand, right).iter().sum(), whole);
        let found = hand.loss(objective);
        for weight in wrong {
            same(parts(&hand, weight).iter().sum(), whole);
            other(found, total(&hand, parts(&hand, weight), [ALPHA, BETA, GAMMA]));
        }
    }
}

/// Each row's weights are those of a mean over the data set: they sum to 1, and the weighted ones to 1/N of it.
#[test]
fn weights_by_hand_are_those_of_a_mean() {
    for i in 0..LIVE {
        let sum = |weight: Weight| (0..LIVE).map(|j| weight(i, j)).sum::<f64>();
        same(sum(&stratified), 1.0);
        same(sum(&weighted), 1.0 / N);
    }
    // And the density that all of them weigh is the one that it should be.
    same(
        log_normal(0.5, 0.25, 4f64.ln()),
        (-0.5 * 0.0625_f64 / 4.0).exp().ln() - (8.0 * std::f64::consts::PI).sqrt().ln(),
    );
}
