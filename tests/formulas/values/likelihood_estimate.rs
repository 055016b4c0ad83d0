//! −ln p(x) by importance sampling against the integral over a code of one dimension.

use std::sync::Arc;

use elbo::data::{Dataset, Shape, Values};
use elbo::engine::distributions::Bernoulli;
use elbo::engine::models::{Parts, Vae, parameters};
use elbo::engine::nn::Activation;
use elbo::engine::training::metrics::Split;

use super::figures::session;
use super::hand::log_normal;
use crate::common::oracle::{Numbers, values};

const FEATURES: usize = 4;
/// More than two steps of the estimate hold, and more codes than one of them draws, the last few in a step of their own.
const ROWS: usize = 70;
const SAMPLES: usize = 5000;

fn model() -> Vae {
    Vae::new(FEATURES, 1, (&[], &[]), Activation::Tanh, Parts::new(Arc::new(Bernoulli)))
}

/// A decoder that says something of the code, and an encoder that is not far off, a little too wide.
fn weights() -> elbo::engine::graph::eval::Values {
    let (mut values, mut numbers) = (values(ROWS), Numbers(17));
    for spec in parameters(&model()) {
        values.tensors.insert(spec.name.clone(), numbers.signed(spec.shape.iter().product()));
    }
    values.tensors.insert("decoder.0.weight".into(), vec![1.5, -1.0, 0.75, 1.25]);
    values.tensors.insert("head.weight".into(), vec![0.5, -0.375, 0.25, 0.5, 0.0, 0.0, 0.0, 0.0]);
    values.tensors.insert("head.bias".into(), vec![-0.25, 0.0]);
    values
}

fn rows() -> Vec<Vec<f64>> {
    let mut numbers = Numbers(5);
    (0..ROWS).map(|_| (0..FEATURES).map(|_| numbers.below(2) as f64).collect()).collect()
}

fn data(rows: &[Vec<f64>]) -> Dataset {
    let values = rows.concat().into_iter().map(|x| x as f32).collect();
    Dataset::new("bits", Values::Floats(values), Shape::vector(FEATURES)).unwrap()
}

/// ln p(x), and what part of many codes counts, (E w)²/E w²: integrals over the code, by small steps.
fn integrals(x: &[f64]) -> (f64, f64) {
    const STEP: f64 = 2e-3;
    let weights = weights();
    let t = |name: &str| &weights.tensors[name];
    let log_likelihood = |z: f64| -> f64 {
        let logit = |f: usize| t("decoder.0.bias")[f] + t("decoder.0.weight")[f] * z;
        x.iter().enumerate().map(|(f, x)| x * logit(f) - logit(f).exp().ln_1p()).sum()
    };
    let head =
        |i: usize| t("head.bias")[i] + x.iter().zip(&t("head.weight")[i * FEATURES..]).map(|(x, w)| x * w).sum::<f64>();
    let (mut evidence, mut square) = (0.0, 0.0);
    for i in -5000..=5000 {
        let z = f64::from(i) * STEP;
        let (joint, posterior) = (log_normal(z, 0.0, 0.0) + log_likelihood(z), log_normal(z, head(0), head(1)));
        evidence += STEP * joint.exp();
        // E_q[w²] = ∫ p(x, z)²/q(z | x).
        square += STEP * (2.0 * joint - posterior).exp();
    }
    (evidence.ln(), evidence * evidence / square)
}

#[test]
fn the_estimate_is_the_integral() {
    let rows = rows();
    let exact: Vec<(f64, f64)> = rows.iter().map(|x| integrals(x)).collect();
    let mean = |of: &dyn Fn(&(f64, f64)) -> f64, n: usize| exact[..n].iter().map(of).sum::<f64>() / n as f64;
    let mut session = session(model(), &weights(), 9);
    let found = session.importance(&data(&rows), SAMPLES).unwrap();
    let nll = -mean(&|row| row.0, ROWS);
    assert!((found.nll - nll).abs() < 3e-3, "{} is not {nll}", found.nll);
    // The bound from one code is another number, and so is the estimate without ln K.
    let (record, _) = session.evaluate(Split::Test, &data(&rows), (16, 1.0)).unwrap();
    assert!(-record.elbo > nll + 0.05, "{} and {nll}", record.elbo);
    // Of 5000 codes so many count.
    let effective = SAMPLES as f64 * mean(&|row| row.1, ROWS);
    assert!((found.effective_samples / effective - 1.0).abs() < 0.01, "{} and {effective}", found.effective_samples);
    assert!(effective < 0.97 * SAMPLES as f64, "{effective}: all of them count");
    assert_eq!(found.samples, SAMPLES);
}

/// The sample standard deviation of ln p(x) over rows, by √rows: of few, so that rows less one is another number than rows.
#[test]
fn its_error_from_the_choice_of_rows_is_that_of_a_mean() {
    const FEW: usize = 6;
    let rows = rows();
    let logs: Vec<f64> = rows[..FEW].iter().map(|x| integrals(x).0).collect();
    let (n, mean) = (FEW as f64, logs.iter().sum::<f64>() / FEW as f64);
    let squares = logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>();
    let error = (squares / (n - 1.0) / n).sqrt();
    let found = session(model(), &weights(), 9).importance(&data(&rows[..FEW]), SAMPLES).unwrap();
    let same = |wanted: f64| (found.standard_error / wanted - 1.0).abs() < 0.03;
    assert!(same(error), "{} is not {error}", found.standard_error);
    assert!(!same((squares / n / n).sqrt()) && !same((squares / (n - 1.0)).sqrt()) && error > 0.05);
}

/// Every step of the estimate has noise of its own: twice as many codes are not the same codes twice, and equal rows of two
/// batches have codes of their own.
#[test]
fn no_codes_are_drawn_twice() {
    let same_rows = vec![rows()[0].clone(); 64];
    let mut session = session(model(), &weights(), 9);
    let mut nll = |rows: &[Vec<f64>], samples: usize| session.importance(&data(rows), samples).unwrap().nll;
    let found = [nll(&same_rows[..32], 64), nll(&same_rows, 64), nll(&same_rows[..32], 128)];
    assert!((found[0] - found[1]).abs() > 1e-6, "rows 32 to 63 have the codes of rows 0 to 31");
    assert!((found[0] - found[2]).abs() > 1e-6, "codes 64 to 127 are codes 0 to 63");
    // A chunk of what is left over counts as well.
    assert!((found[0] - nll(&same_rows[..32], 65)).abs() > 1e-6, "code 64 is left out");
    // The same question has the same answer.
    assert_eq!(found[0], nll(&same_rows[..32], 64));
}
