//! The marginal likelihood by importance sampling (Burda, Grosse and Salakhutdinov 2016, section 2; Rezende, Mohamed and
//! Wierstra 2014, appendix E).
//!
//! ln p(x) ≈ ln (1/K) Σ_k w_k with w_k = p(x, z_k)/q(z_k | x), z_k ~ q(z | x). It is a lower bound in expectation, and
//! tight as K grows. Codes come in chunks whose weights are summed on the device, so that memory does not grow with K: of
//! each chunk come back the largest ln w, and the sums of w and w² relative to it.

use serde::{Deserialize, Serialize};

use super::batches::Batches;
use super::programs::importance_program;
use super::session::Session;
use crate::data::{Dataset, Values};
use crate::error::{Error, Result};
use crate::kernels::Step;
use crate::kernels::random::uniform4;

/// Rows, and codes of each, that one step of the program works on.
const ROWS: usize = 32;
const CODES: usize = 64;

/// The stream of the draws that make grey values black or white, far from those of graphs, which count from 1.
const BINARISED: u32 = 0x4000_0000;

/// The most codes per row.
pub const MAX_SAMPLES: usize = 5_000;

/// An estimate of the mean of −ln p(x) over a data set, in nats per example.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// K, codes per row.
    pub samples: usize,
    /// The estimate.
    pub nll: f64,
    /// Its standard error over the draws of codes, the rows being what they are (delta method).
    pub monte_carlo_error: f64,
    /// Its standard error over rows: the sample standard deviation of ln p(x) by √rows.
    pub standard_error: f64,
    /// (Σ w)²/Σ w², the mean over rows: how many of the K codes count.
    pub effective_samples: f64,
}

/// The weights of one row so far, relative to the largest.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Weights {
    largest: f64,
    sum: f64,
    squares: f64,
}

impl Weights {
    const NONE: Weights = Weights { largest: f64::NEG_INFINITY, sum: 0.0, squares: 0.0 };

    /// Joins two parts of a row's weights.
    fn join(self, other: Weights) -> Weights {
        let largest = self.largest.max(other.largest);
        let scale = |part: Weights| if part.sum > 0.0 { (part.largest - largest).exp() } else { 0.0 };
        let (a, b) = (scale(self), scale(other));
        Weights { largest, sum: a * self.sum + b * other.sum, squares: a * a * self.squares + b * b * other.squares }
    }

    /// ln of the mean of `count` weights.
    fn log_mean(self, count: f64) -> f64 {
        self.largest + self.sum.ln() - count.ln()
    }

    fn effective(self) -> f64 {
        self.sum * self.sum / self.squares
    }
}

impl Session {
    /// Estimates the mean of −ln p(x) over a data set with `samples` codes per row.
    ///
    /// # Errors
    /// If the model's codes are deterministic, `samples` is 0 or above [`MAX_SAMPLES`], or the device fails.
    pub fn importance(&mut self, data: &Dataset, samples: usize, binarise: bool) -> Result<Importance> {
        if !(1..=MAX_SAMPLES).contains(&samples) {
            return Err(Error::invalid(format!(
                "{samples} samples per row were asked for: give a whole number from 1 to {MAX_SAMPLES}"
            )));
        }
        if !self.model.is_generative() {
            return Err(Error::invalid(
                "a plain autoencoder gives no row a likelihood, so there is none to estimate: train a vae",
            ));
        }
        // Every chunk of a row's codes must see the same row.
        let binarised = binarise.then(|| binarised(data, self.seed())).transpose()?;
        let data = binarised.as_ref().unwrap_or(data);
        let source = self.resident(format!("importance.{}x{}", data.rows, data.shape.features()), data)?;
        let batches = Batches { count: data.rows, rows: ROWS };
        let mut weights = vec![Weights::NONE; data.rows];
        let (whole, rest) = (samples / CODES, samples % CODES);
        let chunks = [(CODES, whole), (rest, usize::from(rest > 0))];
        let mut number = 0;
        for (codes, times) in chunks.into_iter().filter(|chunk| chunk.1 > 0) {
            let name = format!("{}.{codes}", source.name);
            let id = self.load(&name, |model, set| importance_program(model, set, &source, (ROWS, codes)))?;
            source.upload(&mut *self.executor, id, data)?;
            let scalars = self.scalars(id, 1.0);
            for batch in 0..batches.len() {
                let (position, live) = batches.at(batch);
                for _ in 0..times {
                    let seed = Step::seed_words(!self.seed());
                    let step = Step { seed, step: number, rows: live, position, scalars, ..Step::default() };
                    number += 1;
                    self.executor.run(id, &[step])?;
                    let found = self.executor.read_f32("output.weights")?;
                    for (row, part) in found.chunks_exact(3).take(live as usize).enumerate() {
                        let [largest, sum, squares] = [part[0], part[1], part[2]].map(f64::from);
                        let at = &mut weights[position as usize + row];
                        *at = at.join(Weights { largest, sum, squares });
                    }
                }
            }
        }
        Ok(summary(&weights, samples))
    }
}

/// Every value as a draw: 1 with the value's probability, else 0.
fn binarised(data: &Dataset, seed: u64) -> Result<Dataset> {
    let features = data.shape.features();
    let mut out = Vec::with_capacity(data.rows * features);
    for row in 0..data.rows {
        let step = Step { seed: Step::seed_words(!seed), step: row as u32, ..Step::default() };
        let draw =
            |(e, value): (usize, f32)| f32::from(u8::from(uniform4(&step, BINARISED, e as u32 / 4)[e % 4] < value));
        out.extend(data.row(row).into_iter().enumerate().map(draw));
    }
    let drawn = Dataset::new(data.name.clone(), Values::Floats(out), data.shape)?;
    Ok(Dataset { conditions: data.conditions.clone(), ..drawn })
}

fn summary(weights: &[Weights], samples: usize) -> Importance {
    let (rows, count) = (weights.len() as f64, samples as f64);
    let logs: Vec<f64> = weights.iter().map(|w| w.log_mean(count)).collect();
    let mean = logs.iter().sum::<f64>() / rows;
    let variance = logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / (rows - 1.0).max(1.0);
    // Var[ln w̄] ≈ Var[w]/(K E[w]²) = (1/ESS − 1/K), with K − 1 for K in its denominator.
    let errors =
        weights.iter().map(|w| ((1.0 / w.effective() - 1.0 / count) * count / (count - 1.0).max(1.0)).max(0.0));
    Importance {
        samples,
        nll: -mean,
        monte_carlo_error: errors.sum::<f64>().sqrt() / rows,
        standard_error: (variance / rows).sqrt(),
        effective_samples: weights.iter().map(|w| w.effective()).sum::<f64>() / rows,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(logs: &[f64]) -> Weights {
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let w = |l: &f64| (l - largest).exp();
        Weights { largest, sum: logs.iter().map(w).sum(), squares: logs.iter().map(|l| w(l).powi(2)).sum() }
    }

    #[test]
    fn parts_join_to_the_whole() {
        let logs = [-900.0, -2.0, -1.5, -1.0, -700.0, -1.2];
        let whole = of(&logs);
        for cut in 0..=logs.len() {
            let part = |logs: &[f64]| if logs.is_empty() { Weights::NONE } else { of(logs) };
            let joined = part(&logs[..cut]).join(part(&logs[cut..]));
            assert!((joined.log_mean(6.0) - whole.log_mean(6.0)).abs() < 1e-12);
            assert!((joined.effective() - whole.effective()).abs() < 1e-12);
        }
        assert!((of(&[0.0; 4]).effective() - 4.0).abs() < 1e-12);
        assert!((of(&[0.0; 4]).log_mean(4.0)).abs() < 1e-12);
    }

    #[test]
    fn equal_weights_have_no_error() {
        let found = summary(&[of(&[-3.0; 5]), of(&[-3.0; 5])], 5);
        assert!((found.nll - 3.0).abs() < 1e-12 && found.monte_carlo_error < 1e-9 && found.standard_error < 1e-12);
        assert!(summary(&[of(&[-3.0, -1.0])], 2).monte_carlo_error > 0.1);
    }
}
