//! InfoVAE (Zhao, Song and Ermon 2019, equation 6) and WAE (Tolstikhin et al. 2018, algorithm 2): the maximum mean
//! discrepancy of codes from draws of the prior (Gretton et al. 2012, lemma 6).

use elbo::engine::graph::Graph;
use elbo::engine::graph::eval::evaluate;

use super::hand::{BATCH, Code, FEATURES, Hand, LATENT, WARM_UP, other, same, squared_distance, terms};

type Kernel<'a> = &'a dyn Fn(&Code, &Code) -> f64;

const WAE: &str = "wae:lambda=12.5";
const INFO: &str = "info-vae:alpha=0.25,lambda=11.5";

/// exp(−‖a − b‖²/h).
fn rbf(h: f64) -> impl Fn(&Code, &Code) -> f64 {
    move |a, b| (-squared_distance(a, b) / h).exp()
}

/// Σ_s sc/(sc + ‖a − b‖²).
fn inverse_multiquadratic(c: f64) -> impl Fn(&Code, &Code) -> f64 {
    let scales = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];
    move |a, b| scales.iter().map(|s| s * c / (s * c + squared_distance(a, b))).sum()
}

/// The mean of k over all pairs of two lists, but for those that `skip` names.
fn mean_of(a: &[Code], b: &[Code], kernel: Kernel, skip: bool) -> f64 {
    let pairs = (0..a.len()).flat_map(|i| (0..b.len()).map(move |j| (i, j))).filter(|(i, j)| !skip || i != j);
    let each: Vec<f64> = pairs.map(|(i, j)| kernel(&a[i], &b[j])).collect();
    each.iter().sum::<f64>() / each.len() as f64
}

/// E\[k(z, z′)\] − 2 E\[k(z, p)\] + E\[k(p, p′)\]; without the pairs of a point with itself it is unbiased.
fn mmd(z: &[Code], p: &[Code], kernel: Kernel, unbiased: bool) -> f64 {
    mean_of(z, z, kernel, unbiased) + mean_of(p, p, kernel, unbiased) - 2.0 * mean_of(z, p, kernel, false)
}

fn codes(hand: &Hand) -> Vec<Code> {
    hand.rows.iter().map(|row| row.codes[0]).collect()
}

#[test]
fn wae_is_reconstruction_and_weighted_discrepancy() {
    let (hand, d) = (Hand::new(1), LATENT as f64);
    let of = |c: f64, unbiased| mmd(&codes(&hand), &hand.prior, &inverse_multiquadratic(c), unbiased);
    let (reconstruction, right) = (hand.reconstruction(), of(2.0 * d, true));
    let found = hand.loss(WAE);
    same(found, reconstruction + 12.5 * right);
    same(hand.part(WAE, "mmd"), right);
    // Half the constant, the biased estimate, draws of the prior for the live rows alone, a KL, and a warm-up.
    other(found, reconstruction + 12.5 * of(d, true));
    other(found, reconstruction + 12.5 * of(2.0 * d, false));
    let fewer = mmd(&codes(&hand), &hand.prior[..codes(&hand).len()], &inverse_multiquadratic(2.0 * d), true);
    other(found, reconstruction + 12.5 * fewer);
    other(found, reconstruction + 12.5 * right + WARM_UP * hand.kl());
    other(found, reconstruction + WARM_UP * 12.5 * right);
    other(found, reconstruction + 12.5 * right / 7.0);
}

#[test]
fn info_vae_weighs_kl_and_discrepancy_by_alpha_and_lambda() {
    let (hand, d) = (Hand::new(1), LATENT as f64);
    let of = |h: f64, unbiased| mmd(&codes(&hand), &hand.prior, &rbf(h), unbiased);
    let (alpha, lambda) = (0.25, 11.5);
    let (reconstruction, kl, right) = (hand.reconstruction(), hand.kl(), of(d, true));
    let found = hand.loss(INFO);
    same(found, reconstruction + (1.0 - alpha) * WARM_UP * kl + (alpha + lambda - 1.0) * right);
    same(hand.part(INFO, "mmd"), right);
    let with = |of_kl: f64, of_mmd: f64, mmd: f64| reconstruction + of_kl * WARM_UP * kl + of_mmd * mmd;
    other(found, with(alpha, alpha + lambda - 1.0, right));
    other(found, with(1.0 - alpha, lambda, right));
    other(found, with(1.0 - alpha, alpha + lambda - 1.0, of(2.0 * d, true)));
    other(found, with(1.0 - alpha, alpha + lambda - 1.0, of(d, false)));
    other(found, reconstruction + WARM_UP * ((1.0 - alpha) * kl + (alpha + lambda - 1.0) * right));
}

/// Where codes and prior are the same distribution the estimate is 0 in the mean: it is no distance, and may be below 0.
#[test]
fn the_estimate_is_unbiased() {
    const DRAWS: u32 = 1500;
    for objective in [WAE, INFO] {
        // An encoder that says N(0, I) of everything.
        let mut values = Hand::new(1).values;
        values.tensors.insert("head.weight".into(), vec![0.0; 2 * LATENT * FEATURES]);
        values.tensors.insert("head.bias".into(), vec![0.0; 2 * LATENT]);
        let graph = Graph::new();
        let (terms, weights) = terms(&graph, objective, 1);
        let part = terms.parts[0].1 * weights;
        // Noise of a stream that nothing else takes.
        let noise = graph.normal(1000, &[BATCH, LATENT]);
        let (imq, rbf) = (inverse_multiquadratic(2.0 * LATENT as f64), rbf(LATENT as f64));
        let kernel: Kernel = if objective == WAE { &imq } else { &rbf };
        let (mut unbiased, mut biased) = (Vec::new(), Vec::new());
        for draw in 0..DRAWS {
            values.step.step = draw;
            let drawn = evaluate(&values, &[noise]).remove(0);
            values.tensors.insert("noise".into(), drawn);
            let hand = Hand::of(values.clone(), 1);
            unbiased.push(evaluate(&values, &[part])[0].iter().sum::<f64>());
            biased.push(mmd(&codes(&hand), &hand.prior, kernel, false));
        }
        let standard_errors = |list: &[f64]| {
            let n = list.len() as f64;
            let mean = list.iter().sum::<f64>() / n;
            let variance = list.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
            mean / (variance / n).sqrt()
        };
        assert!(standard_errors(&unbiased).abs() < 4.0, "{objective}: {} standard errors", standard_errors(&unbiased));
        assert!(standard_errors(&biased) > 20.0, "{objective}: {} standard errors", standard_errors(&biased));
    }
}
