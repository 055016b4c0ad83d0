//! What each metric makes of codes whose quality is known.

use std::sync::LazyLock;

use rand::RngExt;

use super::*;
use crate::data::Factors;
use crate::evaluation::distances::Points;
use crate::evaluation::generator;

/// The sizes that most tests use. None has more values than there are bins.
const SIZES: [usize; 4] = [3, 6, 10, 8];
const ROWS: usize = 6000;

/// Rows of independent factors, drawn by chance.
fn factors(sizes: &[usize], rows: usize) -> Factors {
    let mut rng = generator(17, *b"factors\0");
    let values = (0..rows).flat_map(|_| sizes.iter().map(|&size| rng.random_range(0..size as u32)).collect::<Vec<_>>());
    let names = (0..sizes.len()).map(|at| format!("f{at}")).collect();
    Factors { names, sizes: sizes.into(), values: values.collect() }
}

/// Puts codes made from the factors' values (each spread evenly over −1.7 to 1.7) and four normals per row beside them.
fn code(sizes: &[usize], rows: usize, latent: usize, make: impl Fn(&[f32], &[f32]) -> Vec<f32>) -> Coded {
    let factors = factors(sizes, rows);
    let noise = Points::standard_normal(rows, 4, 5, 0).unwrap();
    let codes: Vec<f32> = factors
        .values
        .chunks(sizes.len())
        .zip(noise.iter())
        .flat_map(|(row, noise)| {
            let spread = |(&value, &size): (&u32, &usize)| (value as f32 / (size - 1) as f32 - 0.5) * 3.4;
            let row: Vec<f32> = row.iter().zip(sizes).map(spread).collect();
            make(&row, noise)
        })
        .collect();
    Coded::new(&codes, latent, &factors).unwrap()
}

/// Each factor one dimension, with a little noise on it; two dimensions of noise.
fn perfect() -> Coded {
    code(&SIZES, ROWS, 6, |f, noise| {
        let mut code: Vec<f32> = f.iter().zip(noise).map(|(f, noise)| f + 0.01 * noise).collect();
        code.extend([noise[1], 0.3 * noise[2]]);
        code
    })
}

/// The same, with dimensions turned by 45 degrees in two pairs.
fn rotated() -> Coded {
    code(&SIZES, ROWS, 6, |f, noise| {
        let turn = |a: f32, b: f32| [(a - b) * 0.5f32.sqrt(), (a + b) * 0.5f32.sqrt()];
        [turn(f[0], f[1]), turn(f[2], f[3]), [noise[1], 0.3 * noise[2]]].concat()
    })
}

/// Nothing but noise.
fn random() -> Coded {
    code(&SIZES, ROWS, 4, |_, noise| noise.to_vec())
}

fn scores(coded: &Coded) -> Vec<(&'static str, f64)> {
    let of = |metric: &Metric| {
        let values = (metric.compute)(coded, 1).unwrap();
        metric.scores.iter().map(|score| score.id).zip(values.into_iter().map(|value| value.mean)).collect::<Vec<_>>()
    };
    METRICS.iter().flat_map(of).collect()
}

/// [`scores`] of [`perfect`] and of [`rotated`], which several tests look at.
static PERFECT: LazyLock<Vec<(&str, f64)>> = LazyLock::new(|| scores(&perfect()));
static ROTATED: LazyLock<Vec<(&str, f64)>> = LazyLock::new(|| scores(&rotated()));

/// The mean of 1/K over the factors.
fn mean_share() -> f64 {
    SIZES.iter().map(|&size| 1.0 / size as f64).sum::<f64>() / SIZES.len() as f64
}

#[test]
fn a_perfect_code_scores_1() {
    for &(id, score) in PERFECT.iter() {
        // A dimension of noise is right once in K: that much of SAP is out of reach.
        let expected = if id == "sap" { 1.0 - mean_share() } else { 1.0 };
        assert!((score - expected).abs() < 0.02, "{id}: {score}");
    }
}

#[test]
fn a_code_of_noise_scores_0_or_what_chance_gives() {
    for (id, score) in scores(&random()) {
        let expected = match id {
            "factor_vae" | "beta_vae" => 1.0 / SIZES.len() as f64,
            "dci_informativeness" => mean_share(),
            _ => 0.0,
        };
        assert!((score - expected).abs() < 0.04, "{id}: {score}");
    }
}

#[test]
fn turning_pairs_of_dimensions_costs_every_score_that_asks_for_axes() {
    for (&(id, turned), &(_, straight)) in ROTATED.iter().zip(PERFECT.iter()) {
        match id {
            // All that was there is still there, if one reads several dimensions.
            "dci_informativeness" => assert!(turned > 0.98 * straight, "{id}: {turned}"),
            // Each dimension still speaks of two factors only, and of one of them more.
            "modularity" => assert!(turned < 0.9 * straight, "{id}: {turned}"),
            _ => assert!(turned < 0.75 * straight, "{id}: {turned}"),
        }
    }
}

#[test]
fn an_uneven_mixture_is_told_by_a_linear_classifier_and_not_by_axes() {
    let turn = |a: f32, b: f32| [0.9 * a - 0.44 * b, 0.44 * a + 0.9 * b];
    let mixed = code(&SIZES, ROWS, 4, |f, _| [turn(f[0], f[1]), turn(f[2], f[3])].concat());
    let found: Vec<f64> = scores(&mixed).iter().filter(|s| ["beta_vae", "mig"].contains(&s.0)).map(|s| s.1).collect();
    assert!(found[0] < 0.6 && found[1] > 0.98, "{found:?}");
}

#[test]
fn a_copied_dimension_costs_the_gaps_and_completeness_only() {
    let copied = code(&SIZES, ROWS, 5, |f, noise| {
        let mut code: Vec<f32> = f.iter().zip(noise).map(|(f, noise)| f + 0.01 * noise).collect();
        code.push(f[0] + 0.01 * noise[3]);
        code
    });
    for ((id, copied), &(_, perfect)) in scores(&copied).into_iter().zip(PERFECT.iter()) {
        let lost = match id {
            "mig" => 0.25,
            "sap" => (1.0 - 1.0 / 3.0) / 4.0,
            // Half of f0's importance lies in the copy: ln 2 / ln 5 of its completeness.
            "dci_completeness" => 2f64.ln() / 5f64.ln() / 4.0,
            _ => 0.0,
        };
        assert!((perfect - copied - lost).abs() < 0.02, "{id}: {perfect} {copied}");
    }
}

#[test]
fn mig_with_more_values_than_bins_is_known() {
    let coded = code(&[32, 2], 20_000, 2, |f, _| f.to_vec());
    let values = (METRICS[0].compute)(&coded, 0).unwrap();
    let expected = 1.0 - 0.75 * 2f64.ln() / 32f64.ln();
    assert!((values[0].parts[0].1 - expected).abs() < 0.01, "{:?}", values[0].parts);
    // The other factor has two values, which fill two bins.
    assert!((values[0].parts[1].1 - 1.0).abs() < 0.01, "{:?}", values[0].parts);
}

#[test]
fn references_stand_on_both_sides_of_a_score() {
    let half = code(&SIZES, ROWS, 4, |f, noise| f.iter().zip(noise).map(|(f, noise)| f + 0.5 * noise).collect());
    for metric in METRICS {
        let computed = (metric.compute)(&half, 1).unwrap();
        for (found, computed) in metric.measure(&half, 1).unwrap().into_iter().zip(computed) {
            let id = found.score.id;
            assert_eq!(found.value, computed, "{id}");
            assert!(found.chance <= found.value.mean + 0.01 && found.value.mean <= found.perfect + 0.01, "{found:?}");
            // Noise on a dimension does not make it speak of other factors, nor less stable in a group than the others.
            if !["modularity", "factor_vae", "beta_vae", "dci_disentanglement"].contains(&id) {
                assert!(found.value.mean < found.perfect - 0.1, "{found:?}");
            }
            assert!((found.perfect - if id == "sap" { 1.0 - mean_share() } else { 1.0 }).abs() < 0.03, "{found:?}");
        }
    }
}

#[test]
fn the_seed_alone_decides() {
    let coded = rotated();
    assert_eq!(scores(&coded), *ROTATED);
    let factor_vae = METRICS.iter().find(|metric| metric.id == "factor_vae").unwrap();
    assert_ne!((factor_vae.compute)(&coded, 1).unwrap(), (factor_vae.compute)(&coded, 2).unwrap());
}

#[test]
fn the_table_is_in_order_and_its_ranges_hold() {
    let mut ids: Vec<&str> = METRICS.iter().flat_map(|metric| metric.scores).map(|score| score.id).collect();
    for &(id, score) in ROTATED.iter() {
        let range = METRICS.iter().flat_map(|metric| metric.scores).find(|score| score.id == id).unwrap().range;
        assert!((range.0..=range.1).contains(&score), "{id}: {score}");
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 8);
}

#[test]
fn one_factor_one_dimension_a_collapse_and_few_rows_are_said() {
    let one_factor = code(&[5], 500, 2, |f, noise| vec![f[0], noise[0]]);
    let one_dim = code(&SIZES, 500, 1, |f, _| vec![f[0]]);
    for (metric, works) in METRICS.iter().zip([true, true, false, false, false, false]) {
        for (coded, counts) in [(&one_factor, "1 and 2"), (&one_dim, "4 and 1")] {
            match metric.measure(coded, 0) {
                Ok(_) => assert!(works, "{}", metric.id),
                Err(error) => assert!(!works && error.to_string().contains(counts), "{error}"),
            }
        }
    }
    let collapsed = code(&SIZES, 500, 2, |_, _| vec![1.0, -1.0]);
    for metric in METRICS {
        match (metric.compute)(&collapsed, 0) {
            Ok(values) => assert!(values.iter().all(|value| value.mean.is_finite()), "{}", metric.id),
            Err(error) => assert!(metric.id == "factor_vae" && error.to_string().contains("collapsed"), "{error}"),
        }
    }
}
