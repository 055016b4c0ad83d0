//! How well codes separate known factors: the table of the metrics.
//!
//! The papers disagree on what they measure, and so do implementations on how; each file says exactly what is computed.
//! Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of disentangled representations",
//! compare most of them.

mod beta_vae;
mod dci;
mod factor_vae;
mod mig;
mod modularity;
mod sap;

use rayon::prelude::*;

use super::Coded;
use crate::error::Result;

/// Every metric.
pub static METRICS: &[Metric] =
    &[mig::METRIC, sap::METRIC, dci::METRIC, modularity::METRIC, factor_vae::METRIC, beta_vae::METRIC];

/// One way to compare codes with factors. It may give several scores.
#[derive(Debug)]
pub struct Metric {
    /// One word for settings and files.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// The paper it is from.
    pub source: &'static str,
    /// The scores it gives, in order.
    pub scores: &'static [Score],
    /// Computes one value for each of `scores`, from a seed for what it draws by chance.
    pub compute: fn(&Coded, u64) -> Result<Vec<Value>>,
}

/// What one number of a metric means.
#[derive(Debug, PartialEq)]
pub struct Score {
    /// One word for settings and files; unique among all scores.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// How it is computed, in words.
    pub formula: &'static str,
    /// The smallest and largest value it can have; larger is better.
    pub range: (f64, f64),
}

/// A score's value, and what it is put together from.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// The score.
    pub mean: f64,
    /// The score of each factor by name, or of each latent dimension (`z0`, `z1`…); empty where it has no parts.
    pub parts: Vec<(String, f64)>,
}

/// A score beside what it would be at worst and at best.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Where it comes from.
    pub metric: &'static str,
    /// Which of the metric's scores it is.
    pub score: &'static Score,
    /// What was found.
    pub value: Value,
    /// What the same codes reach when their rows are shuffled and say nothing of the factors.
    pub chance: f64,
    /// What the factors' own values reach as a code.
    pub perfect: f64,
}

impl Metric {
    /// Computes the scores, and beside each its chance level and what a perfect code reaches.
    ///
    /// # Errors
    /// When the metric needs more factors, dimensions or rows than there are.
    pub fn measure(&self, coded: &Coded, seed: u64) -> Result<Vec<Measured>> {
        let of = |code: usize| match code {
            0 => (self.compute)(coded, seed),
            1 => (self.compute)(&coded.shuffled(seed), seed),
            _ => (self.compute)(&coded.of_factors(), seed),
        };
        let found: Vec<Vec<Value>> = (0..3).into_par_iter().map(of).collect::<Result<_>>()?;
        let measured = |(at, score): (usize, &'static Score)| Measured {
            metric: self.id,
            score,
            value: found[0][at].clone(),
            chance: found[1][at].mean,
            perfect: found[2][at].mean,
        };
        Ok(self.scores.iter().enumerate().map(measured).collect())
    }
}

impl Value {
    /// The mean of one value per factor.
    fn of_factors(coded: &Coded, values: Vec<f64>) -> Value {
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        Value { mean, parts: coded.factors().iter().map(|factor| factor.name.clone()).zip(values).collect() }
    }
}

/// The largest value less the second largest; less 0 where there is only one.
fn gap(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    sorted[0] - sorted.get(1).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests;
