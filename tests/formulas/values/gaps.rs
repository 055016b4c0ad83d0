//! Rows some of whose values were not observed, against a linear model in which all is known: with a decoder that is a straight
//! line and a Gaussian of a fixed width, p(x) is a Gaussian, whatever part of x it is of.

use std::sync::Arc;

use elbo::data::{Dataset, Shape};
use elbo::engine::distributions::Gaussian;
use elbo::engine::models::{Parts, Vae};
use elbo::engine::nn::Activation;
use elbo::engine::training::{Imputed, Imputing, Session};

use super::figures::session;
use crate::common::oracle::values;

const SIGMA: f64 = 0.5;
const WEIGHT: [f64; 3] = [1.2, -0.8, 0.5];
const BIAS: [f64; 3] = [0.3, -0.2, 0.1];
const GAP: f32 = f32::NAN;
const ROWS: [[f32; 3]; 4] = [[1.5, GAP, 0.4], [GAP, GAP, 0.9], [0.7, 0.2, GAP], [-0.9, 1.1, -0.4]];

fn model() -> Vae {
    Vae::new(3, 1, (&[], &[]), Activation::Tanh, Parts::new(Arc::new(Gaussian { sigma: SIGMA as f32 })))
}

/// The decoder above, and an encoder that is not far off.
fn opened() -> Session {
    let mut values = values(4);
    values.tensors.insert("decoder.0.weight".into(), WEIGHT.to_vec());
    values.tensors.insert("decoder.0.bias".into(), BIAS.to_vec());
    values.tensors.insert("head.weight".into(), vec![0.4, -0.3, 0.2, 0.0, 0.0, 0.0]);
    values.tensors.insert("head.bias".into(), vec![-0.1, 0.2]);
    session(model(), &values, 3).with_gaps(true)
}

fn data(rows: &[[f32; 3]]) -> Dataset {
    Dataset::with_gaps("gaps", rows.concat(), Shape::vector(3)).unwrap()
}

/// What is known of a row: the precision and the mean of p(z | what was observed), and ln p of that.
fn known(row: &[f32; 3]) -> (f64, f64, f64) {
    let observed = || (0..3).filter(|&j| !row[j].is_nan()).map(|j| (f64::from(row[j]) - BIAS[j], WEIGHT[j]));
    let variance = SIGMA * SIGMA;
    let precision = 1.0 + observed().map(|(_, w)| w * w / variance).sum::<f64>();
    let mean = observed().map(|(x, w)| w * x / variance).sum::<f64>() / precision;
    // ln N(x; 0, σ²I + wwᵀ), by the lemmas of the determinant and of Sherman and Morrison.
    let count = observed().count() as f64;
    let square = observed().map(|(x, _)| x * x / variance).sum::<f64>() - mean * mean * precision;
    let log_prob = -0.5 * (count * (2.0 * std::f64::consts::PI * variance).ln() + precision.ln() + square);
    (precision, mean, log_prob)
}

#[test]
fn what_is_missing_is_filled_in_with_what_is_expected_of_it() {
    let (filled, mut told) = (opened().impute(&ROWS.concat(), 4000, 1).unwrap(), 0.0f64);
    for (row, filled) in ROWS.iter().zip(filled.chunks(3)) {
        let (_, mean, _) = known(row);
        for j in 0..3 {
            if !row[j].is_nan() {
                assert_eq!(filled[j], row[j], "what was observed stays");
                continue;
            }
            let expected = BIAS[j] + WEIGHT[j] * mean;
            assert!((f64::from(filled[j]) - expected).abs() < 0.05, "{row:?}: {} is not {expected}", filled[j]);
            // As if the gaps had held 0.
            let (_, naive, _) = known(&row.map(|x| if x.is_nan() { 0.0 } else { x }));
            told = told.max((BIAS[j] + WEIGHT[j] * naive - expected).abs());
        }
    }
    assert!(told > 0.3, "gaps that hold 0 are told apart: {told}");
    // Another seed draws other codes, and comes close to the same.
    let other = opened().impute(&ROWS.concat(), 4000, 2).unwrap();
    assert!(other != filled && other.iter().zip(&filled).all(|(a, b)| (a - b).abs() < 0.1));
}

const HOW: Imputing = Imputing { samples: 1600, rounds: 0, draws: 1600, noise: true, seed: 1 };

/// Mean and variance of what was drawn for a cell.
fn moments(imputed: &Imputed, row: usize, j: usize) -> (f64, f64) {
    let found = imputed.blank.iter().find(|blank| blank.row == row).unwrap();
    let drawn = || found.draws.chunks_exact(3).map(|draw| f64::from(draw[j]));
    let count = drawn().count() as f64;
    let mean = drawn().sum::<f64>() / count;
    (mean, drawn().map(|x| (x - mean).powi(2)).sum::<f64>() / count)
}

/// p(x_j | what was observed) = N(b_j + w_j m, σ² + w_j²/λ) with p(z | what was observed) = N(m, 1/λ).
#[test]
fn draws_are_those_of_what_is_missing_given_the_rest() {
    let empty = [GAP; 3];
    let rows = [ROWS.as_slice(), &[empty]].concat();
    for (how, of_noise) in [(HOW, 1.0), (Imputing { noise: false, ..HOW }, 0.0), (Imputing { rounds: 3, ..HOW }, 1.0)] {
        let found = opened().fill(&rows, how).unwrap();
        assert_eq!(
            found.blank.iter().map(|blank| (blank.row, blank.is_empty)).collect::<Vec<_>>(),
            [(0, false), (1, false), (2, false), (4, true)]
        );
        for (i, row) in rows.iter().enumerate().filter(|(i, _)| *i != 3) {
            let (precision, mean, _) = known(row);
            for j in 0..3 {
                let (drawn, variance) = moments(&found, i, j);
                if !row[j].is_nan() {
                    assert_eq!((drawn as f32, variance < 1e-9), (row[j], true), "what was observed stays");
                    continue;
                }
                let of_code = WEIGHT[j] * WEIGHT[j] / precision;
                let (expected, spread) = (BIAS[j] + WEIGHT[j] * mean, of_noise * SIGMA * SIGMA + of_code);
                // Draws share codes where few count, so errors are larger than those of 1600 draws, about 0.02.
                assert!((drawn - expected).abs() < 0.08, "{how:?} row {i}: {drawn} is not {expected}");
                assert!((variance / spread - 1.0).abs() < 0.15, "{how:?} row {i}: {variance} is not {spread}");
                let other = (1.0 - of_noise) * SIGMA * SIGMA + of_code;
                let off = |of: f64| (variance / of - 1.0).abs();
                assert!(off(spread) < 0.7 * off(other), "told from what it would be with or without noise: {variance}");
                let filled = f64::from(found.means[3 * i + j]);
                assert!((filled - expected).abs() < 0.08, "{how:?} row {i}: {filled} is not {expected}");
            }
        }
        assert!(found.blank[..3].iter().all(|blank| blank.effective_samples > 100.0), "{how:?}");
    }
    let same = |seed| opened().fill(&rows, Imputing { seed, draws: 3, ..HOW }).unwrap();
    assert!(same(1) == same(1) && same(1) != same(2));
    assert!(opened().fill(&rows, Imputing { draws: 10_001, ..HOW }).is_err());
}

/// Of cells that are drawn from the model, nine in ten lie between what leaves out a twentieth of the draws on either side.
#[test]
fn intervals_hold_what_they_say() {
    // Rows drawn from the model by another generator, of which the second and third cells are blank in turn.
    let mut state = 7u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    };
    let mut normal = || (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
    let whole: Vec<[f32; 3]> = (0..800)
        .map(|_| {
            let z = normal();
            [0, 1, 2].map(|j| (BIAS[j] + WEIGHT[j] * z + SIGMA * normal()) as f32)
        })
        .collect();
    let gap = |i: usize| 1 + i % 2;
    let mut given = whole.clone();
    given.iter_mut().enumerate().for_each(|(i, row)| row[gap(i)] = GAP);
    let mut shares = vec![];
    for noise in [true, false] {
        let how = Imputing { samples: 160, draws: 400, noise, ..HOW };
        let found = opened().fill(&given, how).unwrap();
        let inside = found.blank.iter().filter(|blank| {
            let j = gap(blank.row);
            let mut drawn: Vec<f32> = blank.draws.chunks_exact(3).map(|draw| draw[j]).collect();
            drawn.sort_by(f32::total_cmp);
            (drawn[20]..=drawn[379]).contains(&whole[blank.row][j])
        });
        shares.push(inside.count() as f64 / 800.0);
    }
    // √(0.9·0.1/800) is 0.011.
    assert!((shares[0] - 0.9).abs() < 0.04, "{shares:?}");
    assert!(shares[1] < 0.8, "what codes alone say is too sure: {shares:?}");
}

/// Var[x_j | row] = w_j² v + σ², v being the variance of the posterior, which the encoder says is e^0.2.
#[test]
fn values_are_as_uncertain_as_codes_and_likelihood_make_them() {
    let found = opened().uncertainty(&ROWS[3], (4000, 2), 1).unwrap();
    let mu = 0.4 * f64::from(ROWS[3][0]) - 0.3 * f64::from(ROWS[3][1]) + 0.2 * f64::from(ROWS[3][2]) - 0.1;
    for j in 0..3 {
        let of_codes = WEIGHT[j] * WEIGHT[j] * 0.2f64.exp();
        // Standard errors: √(of_codes/4000) and of_codes·√(2/4000).
        let near = |found: f32, expected: f64, share: f64| (f64::from(found) - expected).abs() < share;
        assert!(near(found.mean[j], BIAS[j] + WEIGHT[j] * mu, 4.0 * (of_codes / 4000.0).sqrt()), "{found:?}");
        assert!(near(found.of_codes[j], of_codes, 0.1 * of_codes), "{found:?}: {of_codes}");
        assert!(near(found.of_likelihood[j], SIGMA * SIGMA, 1e-6), "{found:?}");
        assert!(!near(found.of_codes[j], of_codes + SIGMA * SIGMA, 0.1 * of_codes), "they are apart");
    }
}

/// Nothing is drawn for rows without blanks: the others are filled in as if they came alone.
#[test]
fn rows_without_blanks_are_left_alone() {
    let whole = [[0.1, 0.2, 0.3], ROWS[3]];
    let mixed = [whole[0], ROWS[0], ROWS[1], whole[1], ROWS[2]];
    let (alone, beside) =
        (opened().impute(&ROWS[..3].concat(), 40, 5).unwrap(), opened().impute(&mixed, 40, 5).unwrap());
    assert_eq!([&beside[3..9], &beside[12..]].concat(), alone);
    assert_eq!([&beside[..3], &beside[9..12]].concat(), whole.concat());
    assert_eq!(opened().impute(&whole, 40, 5).unwrap(), whole.concat());
}

#[test]
fn the_likelihood_is_that_of_what_was_observed() {
    let found = opened().importance(&data(&ROWS), 4000).unwrap();
    let exact = -ROWS.iter().map(|row| known(row).2).sum::<f64>() / 4.0;
    let near = |x: f64| (found.nll - x).abs() < 5.0 * found.monte_carlo_error.unwrap() + 1e-3;
    assert!(near(exact), "{found:?}, {exact}");
    let naive = -ROWS.iter().map(|row| known(&row.map(|x| if x.is_nan() { 0.0 } else { x })).2).sum::<f64>() / 4.0;
    assert!(!near(naive), "{naive}");
}

#[test]
fn a_score_leaves_out_what_was_not_observed() {
    // By the mean over many draws: E_q[−ln p(x_observed | z)] + KL, of the encoder that sees 0 in a gap.
    let mut session = opened();
    let row = ROWS[0];
    let draws: f64 = (0..400).map(|seed| f64::from(session.score(&row, seed).unwrap()[0])).sum::<f64>() / 400.0;
    let (mu, log_var) = (0.4 * f64::from(row[0]) + 0.2 * f64::from(row[2]) - 0.1, 0.2f64);
    let of = |j: usize| {
        let off = f64::from(row[j]) - BIAS[j] - WEIGHT[j] * mu;
        0.5 * ((2.0 * std::f64::consts::PI).ln()
            + 2.0 * SIGMA.ln()
            + (off * off + WEIGHT[j] * WEIGHT[j] * log_var.exp()) / (SIGMA * SIGMA))
    };
    let kl = 0.5 * (mu * mu + log_var.exp() - 1.0 - log_var);
    assert!((draws - (of(0) + of(2) + kl)).abs() < 0.6, "{draws} is not {}", of(0) + of(2) + kl);
}

/// A NaN is a mistake, unless rows are said to have gaps.
#[test]
fn a_nan_is_refused_where_it_is_not_meant() {
    let mut strict = opened().with_gaps(false);
    for said in [strict.encode(&ROWS[0]).unwrap_err(), strict.impute(&ROWS[0], 10, 0).unwrap_err()] {
        assert!(said.to_string().contains("the value in row 0, column 1 is NaN"), "{said}");
    }
    let infinite = opened().encode(&[f32::INFINITY, GAP, 0.0]).unwrap_err().to_string();
    assert!(infinite.contains("the value in row 0, column 0 is inf"), "{infinite}");
    for samples in [0, 6000] {
        assert!(opened().impute(&ROWS[0], samples, 0).unwrap_err().to_string().contains("from 1 to 5000"));
    }
}

#[test]
fn likelihoods_of_rows_are_those_of_the_gaussian() {
    let found = opened().log_likelihood(&ROWS, 2000, 1).unwrap();
    for (i, (row, found)) in ROWS.iter().zip(&found).enumerate() {
        let error = found.standard_error.unwrap();
        let near = |row: &[f32; 3]| (found.log_likelihood - known(row).2).abs() < 4.0 * error;
        assert!(error < 0.05 && found.effective_samples > 100.0, "row {i}: {found:?}");
        assert!(near(row), "row {i}: {found:?}, and {} by hand", known(row).2);
        assert!(!near(&ROWS[(i + 1) % 4]), "row {i} is told from the next");
    }
    // What was not observed costs nothing.
    let each = opened().score_features(&ROWS, 1).unwrap();
    assert!(ROWS.as_flattened().iter().zip(&each).all(|(x, loss)| x.is_nan() == (*loss == 0.0)), "{each:?}");
}
