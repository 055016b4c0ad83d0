//! One line of `metrics.jsonl` or `steps.jsonl`.
//!
//! ```json
//! {"epoch":10,"split":"test","loss":105.6,"elbo":-105.6,"reconstruction":80.5,"kl":25.1,"samples_per_second":41000.0}
//! ```
//!
//! Fields that were not measured are left out; numbers that are not finite are `null`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::accumulator::Means;
use super::null;
use crate::data::Split;
use crate::models::{KL_WEIGHTS, LOG_RATIO};

/// Means over one split in one epoch, in nats per example.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Epochs finished; the first is 1.
    pub epoch: u64,
    /// Which part of the data.
    pub split: Split,
    /// What was minimised, weights such as β included.
    #[serde(deserialize_with = "null::number")]
    pub loss: f64,
    /// The evidence lower bound, `−(reconstruction + kl)`; where weights have a distribution and `kl_weights` is among the parts, less
    /// that: a bound on ln p(rows)/N of the rows that are learnt from.
    #[serde(deserialize_with = "null::number")]
    pub elbo: f64,
    /// Mean negative log-likelihood, −log p(x|z).
    #[serde(deserialize_with = "null::number")]
    pub reconstruction: f64,
    /// KL(q(z|x) ‖ p(z)), without any weight.
    #[serde(deserialize_with = "null::number")]
    pub kl: f64,
    /// See [`bits_per_dimension`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "null::optional")]
    pub bits_per_dimension: Option<f64>,
    /// Latent dimensions in use, see [`super::ActiveUnits`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_units: Option<u64>,
    /// The KL of each latent dimension, `[latent]`; empty where it was not measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "null::list")]
    pub kl_per_dimension: Vec<f64>,
    /// What else the objective is made of, by name, in nats per example.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[serde(deserialize_with = "null::map")]
    pub parts: BTreeMap<String, f64>,
    /// The weight of the KL in the loss at the end of the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "null::optional")]
    pub beta: Option<f64>,
    /// The learning rate at the end of the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "null::optional")]
    pub learning_rate: Option<f64>,
    /// The mean Euclidean norm of the whole gradient, before clipping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "null::optional")]
    pub gradient_norm: Option<f64>,
    /// Examples per second of wall-clock time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "null::optional")]
    pub samples_per_second: Option<f64>,
    /// Wall-clock seconds this split took in this epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "null::optional")]
    pub seconds: Option<f64>,
    /// Optimiser steps taken since the run began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// How often the run has gone back because its numbers ran away, where it has; see [`RetryRecord`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<u64>,
}

impl EpochRecord {
    /// A record of means by name; what a model does not tell counts as 0.
    pub fn of(epoch: u64, split: Split, means: &Means) -> EpochRecord {
        let [loss, reconstruction, kl] = ["loss", "reconstruction", "kl"].map(|name| means.get(name).unwrap_or(0.0));
        let parts = means.parts();
        let besides = [KL_WEIGHTS, LOG_RATIO].iter().filter_map(|name| parts.get(*name));
        let elbo = -(reconstruction + kl + besides.sum::<f64>());
        EpochRecord { parts, elbo, ..EpochRecord::new(epoch, split, loss, reconstruction, kl) }
    }

    /// A record with the figures that are always there, in nats per example; `elbo` follows from them, and everything
    /// optional is absent.
    pub fn new(epoch: u64, split: Split, loss: f64, reconstruction: f64, kl: f64) -> EpochRecord {
        EpochRecord {
            epoch,
            split,
            loss,
            elbo: -(reconstruction + kl),
            reconstruction,
            kl,
            bits_per_dimension: None,
            active_units: None,
            kl_per_dimension: Vec::new(),
            parts: BTreeMap::new(),
            beta: None,
            learning_rate: None,
            gradient_norm: None,
            samples_per_second: None,
            seconds: None,
            steps: None,
            retries: None,
        }
    }
}

/// One line of `retries.jsonl`: numbers ran away, and the run went back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RetryRecord {
    /// How often it has gone back by now.
    pub retry: u64,
    /// The step by which they had run away, from 1.
    pub step: u64,
    /// Its epoch, from 1.
    pub epoch: u64,
    /// Steps that were done where it went back to.
    pub back_to: u64,
    /// What the learning rate of the run is multiplied with from there on.
    #[serde(deserialize_with = "null::number")]
    pub slowed: f64,
    /// What happened, and what is odd in the rows that it happened in.
    pub why: String,
}

/// Means over one batch, or over the steps since the last report, in nats per example.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Optimiser steps taken since the run began; the first is 1.
    pub step: u64,
    /// The epoch this step belongs to; the first is 1.
    pub epoch: u64,
    /// What was minimised, weights such as β included.
    #[serde(deserialize_with = "null::number")]
    pub loss: f64,
    /// Mean negative log-likelihood, −log p(x|z).
    #[serde(deserialize_with = "null::number")]
    pub reconstruction: f64,
    /// KL(q(z|x) ‖ p(z)), without any weight.
    #[serde(deserialize_with = "null::number")]
    pub kl: f64,
    /// The weight of the KL in the loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "null::optional")]
    pub beta: Option<f64>,
    /// The learning rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "null::optional")]
    pub learning_rate: Option<f64>,
    /// The Euclidean norm of the whole gradient, before clipping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "null::optional")]
    pub gradient_norm: Option<f64>,
    /// Examples per second of wall-clock time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "null::optional")]
    pub samples_per_second: Option<f64>,
    /// What else the objective is made of, by name, in nats per example.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[serde(deserialize_with = "null::map")]
    pub parts: BTreeMap<String, f64>,
}

/// `−elbo / (ln 2 · features)`: what coding one dimension of the data costs in bits.
///
/// `elbo` is in nats per example and must be that of the discrete data (of 8-bit values, say). The figure of an example
/// without any features is `NaN`.
pub fn bits_per_dimension(elbo: f64, features: usize) -> f64 {
    match features {
        0 => f64::NAN,
        _ => -elbo / (std::f64::consts::LN_2 * features as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_the_documented_one() {
        let mut record = EpochRecord::new(10, Split::Test, 105.5, 80.5, 25.0);
        record.samples_per_second = Some(41000.0);
        assert_eq!(
            serde_json::to_string(&record).unwrap(),
            r#"{"epoch":10,"split":"test","loss":105.5,"elbo":-105.5,"reconstruction":80.5,"kl":25.0,"samples_per_second":41000.0}"#
        );
    }

    #[test]
    fn absent_null_and_present_stay_apart() {
        let mut record = EpochRecord::new(1, Split::Train, f64::INFINITY, f64::NAN, 2.0);
        record.beta = Some(f64::NAN);
        record.learning_rate = Some(0.5);
        record.kl_per_dimension = vec![1.0, f64::NEG_INFINITY];
        let line = serde_json::to_string(&record).unwrap();
        assert!(line.contains(r#""loss":null"#) && line.contains(r#""kl_per_dimension":[1.0,null]"#));
        let back: EpochRecord = serde_json::from_str(&line).unwrap();
        assert!(back.loss.is_nan() && back.elbo.is_nan() && back.beta.unwrap().is_nan());
        assert_eq!((back.kl, back.learning_rate), (2.0, Some(0.5)));
        assert_eq!((back.gradient_norm, back.active_units), (None, None));
        assert!(back.kl_per_dimension[0] == 1.0 && back.kl_per_dimension[1].is_nan());
    }

    #[test]
    fn a_missing_required_figure_is_refused() {
        let line = r#"{"step":1,"epoch":1,"loss":1.0,"kl":1.0}"#;
        let error = serde_json::from_str::<StepRecord>(line).unwrap_err();
        assert!(error.to_string().contains("reconstruction"), "{error}");
    }

    #[test]
    fn bits_per_dimension_of_a_fair_coin_is_one() {
        let elbo = -784.0 * std::f64::consts::LN_2;
        assert!((bits_per_dimension(elbo, 784) - 1.0).abs() < 1e-12);
        assert!((bits_per_dimension(elbo, 392) - 2.0).abs() < 1e-12);
        assert!(bits_per_dimension(elbo, 0).is_nan());
    }
}
