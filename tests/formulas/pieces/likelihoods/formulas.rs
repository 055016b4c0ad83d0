//! The value of each likelihood by its formula, written out in f64: with outputs and settings that are all different, so that no
//! two of them can change places.

use std::f64::consts::PI;

use elbo::catalogue::Spec;
use elbo::engine::distributions::LIKELIHOODS;

use super::{Sheet, made};

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// ln Γ(x) for x > 0 (Stirling's series after the recurrence), absolute error below 1e-12.
pub(super) fn ln_gamma(mut x: f64) -> f64 {
    let mut below = 0.0;
    while x < 12.0 {
        below += x.ln();
        x += 1.0;
    }
    let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1260.0 * x.powi(5)) - 1.0 / (1680.0 * x.powi(7));
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * PI).ln() + series - below
}

fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// The normal density (every textbook).
pub(super) fn normal(x: f64, mu: f64, sigma: f64) -> f64 {
    -0.5 * (2.0 * PI).ln() - sigma.ln() - 0.5 * ((x - mu) / sigma).powi(2)
}

fn laplace(x: f64, mu: f64, scale: f64) -> f64 {
    -(2.0 * scale).ln() - (x - mu).abs() / scale
}

/// The probability of level x of `levels`: a logistic in bins, of which the ends take the tails (Salimans et al. 2017, equation 2).
pub(super) fn binned(x: f64, mu: f64, scale: f64, levels: usize) -> f64 {
    let half = 0.5 / (levels - 1) as f64;
    let upper = if x > 1.0 - half { 1.0 } else { sigmoid((x + half - mu) / scale) };
    let lower = if x < half { 0.0 } else { sigmoid((x - half - mu) / scale) };
    upper - lower
}

/// ln p(x) by the formula of each likelihood, for the outputs of a decoder in the order in which it gives them.
fn by_hand(id: &str, o: &[f64], x: f64) -> f64 {
    match id {
        "bernoulli" => x * sigmoid(o[0]).ln() + (1.0 - x) * (1.0 - sigmoid(o[0])).ln(),
        // Loaiza-Ganem & Cunningham 2019, equations 6 and 8.
        "continuous-bernoulli" => {
            let l = sigmoid(o[0]);
            let constant = 2.0 * (1.0 - 2.0 * l).atanh() / (1.0 - 2.0 * l);
            constant.ln() + x * l.ln() + (1.0 - x) * (1.0 - l).ln()
        }
        "gaussian" => normal(x, o[0], 0.3),
        // The logarithm of the variance is a parameter, -0.75 here.
        "gaussian-shared" => normal(x, o[0], (-0.75f64 / 2.0).exp()),
        "gaussian-learned" => normal(x, o[0], (o[1] / 2.0).exp()),
        "laplace" => laplace(x, o[0], 0.4),
        "laplace-learned" => laplace(x, o[0], o[1].exp()),
        "student-t" => {
            let (nu, scale) = (3.5, o[1].exp());
            let r = (x - o[0]) / scale;
            let constant = ln_gamma((nu + 1.0) / 2.0) - ln_gamma(nu / 2.0) - 0.5 * (nu * PI).ln() - scale.ln();
            constant - (nu + 1.0) / 2.0 * (r * r / nu).ln_1p()
        }
        "discretized-logistic" => binned(x, o[0], o[1].exp(), 8).ln(),
        "discretized-logistic-mixture" => {
            let total = o[0].exp() + o[1].exp();
            (0..2).map(|k| o[k].exp() / total * binned(x, o[2 + k], o[4 + k].exp(), 8)).sum::<f64>().ln()
        }
        // Skellam 1948: C(n, k) B(k + α, n − k + β)/B(α, β).
        "beta-binomial" => {
            let (n, alpha, beta) = (7.0, o[0].exp(), o[1].exp());
            let k = x * n;
            let ways = ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
            ways + ln_beta(k + alpha, n - k + beta) - ln_beta(alpha, beta)
        }
        "categorical" => o[(x * 7.0).round() as usize] - o.iter().map(|o| o.exp()).sum::<f64>().ln(),
        id => panic!("write down here what the likelihood {id} is"),
    }
}

fn spec(id: &str) -> Spec {
    match id {
        "gaussian" => Spec::new(id).with("sigma", 0.3),
        "laplace" => Spec::new(id).with("scale", 0.4),
        "student-t" => Spec::new(id).with("nu", 3.5),
        "discretized-logistic" | "beta-binomial" | "categorical" => Spec::new(id).with("levels", 8.0),
        "discretized-logistic-mixture" => Spec::new(id).with("levels", 8.0).with("components", 2.0),
        _ => Spec::new(id),
    }
}

/// Outputs that are all different: logits, means and logarithms of scales alike may be any of them.
const OUTPUTS: [f64; 8] = [0.4, -0.3, 0.7, 0.2, -1.1, -0.8, 0.9, -0.5];

#[test]
fn each_is_what_its_formula_says() {
    for piece in LIKELIHOODS {
        let id = piece.about.id;
        let likelihood = made(&spec(id));
        let outputs = &OUTPUTS[..likelihood.outputs(1)];
        let levels = [0, 1, 2, 3, 4, 5, 6, 7].map(|k| f64::from(k) / 7.0);
        for x in levels {
            let found = |outputs: &[f64]| {
                let mut sheet = Sheet::new();
                let o = sheet.input("outputs", &[1, outputs.len()], outputs);
                let x = sheet.input("x", &[1, 1], &[x]);
                let log_prob = likelihood.log_prob(o, x);
                sheet.exact(&[log_prob])[0][0]
            };
            let expected = by_hand(id, outputs, x);
            assert!((found(outputs) - expected).abs() < 1e-5, "{id} at {x}: {} is not {expected}", found(outputs));
            // Any two outputs that change places are seen at one level at least.
            for (i, j) in (0..outputs.len()).flat_map(|j| (0..j).map(move |i| (i, j))) {
                let mut turned = outputs.to_vec();
                turned.swap(i, j);
                let seen = levels.iter().any(|&x| (by_hand(id, &turned, x) - by_hand(id, outputs, x)).abs() > 1e-3);
                assert!(seen, "{id}: outputs {i} and {j} cannot be told apart");
            }
        }
    }
}

/// Var[x] by the formula of each likelihood, worked out beside its density.
fn variance_by_hand(id: &str, o: &[f64]) -> f64 {
    let of_levels = || {
        let level = |k: i32| f64::from(k) / 7.0;
        let share = |k: i32| by_hand(id, o, level(k)).exp();
        let mean: f64 = (0..8).map(|k| share(k) * level(k)).sum();
        (0..8).map(|k| share(k) * (level(k) - mean).powi(2)).sum::<f64>()
    };
    match id {
        "bernoulli" => sigmoid(o[0]) * (1.0 - sigmoid(o[0])),
        // By the midpoints of ten thousand strips of the density.
        "continuous-bernoulli" => {
            let strips = || {
                (0..10_000).map(|k| (f64::from(k) + 0.5) / 10_000.0).map(|x| (x, by_hand(id, o, x).exp() / 10_000.0))
            };
            let mean: f64 = strips().map(|(x, p)| x * p).sum();
            strips().map(|(x, p)| (x - mean).powi(2) * p).sum()
        }
        "gaussian" => 0.09,
        "gaussian-shared" => (-0.75f64).exp(),
        "gaussian-learned" => o[1].exp(),
        "laplace" => 2.0 * 0.4 * 0.4,
        "laplace-learned" => 2.0 * (2.0 * o[1]).exp(),
        "student-t" => (2.0 * o[1]).exp() * 3.5 / 1.5,
        _ => of_levels(),
    }
}

#[test]
fn each_variance_is_what_its_formula_says() {
    for piece in LIKELIHOODS {
        let id = piece.about.id;
        let likelihood = made(&spec(id));
        for turn in 0..3 {
            let mut outputs = OUTPUTS[..likelihood.outputs(1)].to_vec();
            outputs.iter_mut().for_each(|output| *output *= [1.0, -1.0, 2.5][turn]);
            let mut sheet = Sheet::new();
            let o = sheet.input("outputs", &[1, outputs.len()], &outputs);
            let variance = likelihood.variance(o).unwrap_or_else(|| panic!("{id} has a variance"));
            let (found, expected) = (sheet.exact(&[variance])[0][0], variance_by_hand(id, &outputs));
            assert!((found / expected - 1.0).abs() < 1e-4, "{id} of {outputs:?}: {found} is not {expected}");
            let is_other = |by: f64| {
                let other: Vec<f64> = outputs.iter().map(|output| output + by).collect();
                (variance_by_hand(id, &other) / expected - 1.0).abs() > 1e-3
            };
            let is_fixed = ["gaussian", "gaussian-shared", "laplace", "categorical"].contains(&id);
            assert!(is_fixed || [0.3, -0.6, 1.1].into_iter().any(is_other), "{id} of {outputs:?} is told from others");
        }
    }
    // ν of 2 and less has none that is finite, and a loss none at all.
    for without in
        [made(&Spec::new("student-t").with("nu", 2.0)), std::sync::Arc::new(elbo::engine::distributions::SquaredError)]
    {
        let mut sheet = Sheet::new();
        let o = sheet.input("outputs", &[1, 2], &[0.1, 0.2]);
        assert!(without.variance(o).is_none());
    }
}
