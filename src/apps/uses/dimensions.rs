//! What each dimension of the codes of rows does: how much it says, how far it reaches.

use serde::Serialize;

use super::parts::parts;
use crate::apps::Saved;
use crate::data::Dataset;
use crate::error::Result;
use crate::training::Session;
use crate::training::metrics::Split;

/// The standard deviation of the means from which on a dimension is in use (Burda, Grosse & Salakhutdinov 2016: a variance of 0.01).
const ACTIVE: f64 = 0.1;
/// Rows that the KL is a mean over at once.
const BATCH: usize = 256;

/// A dimension.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dimension {
    /// Its number, from 0.
    pub dimension: usize,
    /// KL(q(z_d | x) ‖ p(z_d)) in nats, a mean over rows; `None` where it is only known of all dimensions together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kl: Option<f64>,
    /// The mean of the posterior means.
    pub mean: f64,
    /// Their standard deviation.
    pub spread: f64,
    /// Whether it is in use: its means vary by more than a tenth.
    pub active: bool,
}

/// The codes of rows, and what their dimensions do.
pub struct Coded {
    /// Posterior means `[rows, latent]`.
    pub means: Vec<f32>,
    /// The dimensions, those that say most first.
    pub dimensions: Vec<Dimension>,
}

impl Saved {
    /// As [`coded`], of this model.
    ///
    /// # Errors
    /// If the model has no encoder.
    pub fn coded(&mut self, data: &Dataset) -> Result<Coded> {
        coded(&mut self.session, data)
    }
}

/// The codes of rows, and what their dimensions do, those of the largest KL first, or where that is not known of each, those that
/// vary most.
///
/// # Errors
/// If the model has no encoder.
pub fn coded(session: &mut Session, data: &Dataset) -> Result<Coded> {
    let latent = session.latent()?;
    let mut means = Vec::with_capacity(data.rows * latent);
    for part in parts("encoding", data) {
        means.extend(session.encode(part.given())?);
    }
    let kl = match session.model.can().density.is_some() {
        true => session.evaluate(Split::Test, data, (BATCH.min(data.rows), 1.0))?.0.kl_per_dimension,
        false => vec![],
    };
    let of_dimension = |dimension: usize| {
        let values = || means.iter().skip(dimension).step_by(latent).map(|&value| f64::from(value));
        let mean = values().sum::<f64>() / data.rows as f64;
        let spread = (values().map(|value| (value - mean).powi(2)).sum::<f64>() / data.rows as f64).sqrt();
        let kl = (kl.len() == latent).then(|| kl[dimension]);
        Dimension { dimension, kl, mean, spread, active: spread > ACTIVE }
    };
    let mut dimensions: Vec<Dimension> = (0..latent).map(of_dimension).collect();
    let weight = |dimension: &Dimension| dimension.kl.unwrap_or(dimension.spread);
    dimensions.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    Ok(Coded { means, dimensions })
}

/// Where so many evenly spaced shares of values lie, from 2 % to 98 %.
pub fn quantiles(values: impl Iterator<Item = f32>, count: usize) -> Vec<f32> {
    const EDGE: f64 = 0.02;
    let mut sorted: Vec<f32> = values.collect();
    sorted.sort_by(f32::total_cmp);
    let at = |step: usize| {
        let share = EDGE + (1.0 - 2.0 * EDGE) * step as f64 / (count - 1).max(1) as f64;
        let place = share * (sorted.len() - 1) as f64;
        let (low, rest) = (place as usize, place.fract() as f32);
        let next = sorted[(low + 1).min(sorted.len() - 1)];
        sorted[low] + rest * (next - sorted[low])
    };
    (0..count).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::quantiles;

    #[test]
    fn quantiles_lie_between_values() {
        let found = quantiles((0..=100).rev().map(|value| value as f32), 3);
        assert!(found.iter().zip([2.0, 50.0, 98.0]).all(|(a, b)| (a - b).abs() < 1e-4), "{found:?}");
        assert_eq!(quantiles([7.0].into_iter(), 2), [7.0, 7.0]);
    }
}
