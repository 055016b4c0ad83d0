//! What rows weigh: by how much each counts in a mean over rows.
//!
//! Weights are kept relative to their mean over the rows that they belong to, so that they have mean 1: w_i = v_i·n/Σ v_j of the
//! given weights v. The mean of l over n rows is then (1/n) Σ w_i l_i = Σ v_i l_i/Σ v_i. A part of the rows has a mean of its own,
//! and its weights are relative to that.

use super::values::Values;
use crate::error::{Error, Result};

/// The weights of all rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// Their values by their mean, [`Values::Floats`] `[rows, 1]`.
    values: Values,
}

/// Says what is wrong with a weight, if anything is.
pub(super) fn wrong_weight(weight: f64) -> Option<&'static str> {
    match weight {
        _ if !weight.is_finite() => Some("a weight is a finite number"),
        ..0.0 => Some("a weight is 0 or more"),
        _ => None,
    }
}

impl Weights {
    /// Those of rows, as they are given.
    ///
    /// # Errors
    /// If one is not finite or below 0, or if all are 0.
    pub fn new(given: &[f64]) -> Result<Weights> {
        let wrong = given.iter().enumerate().find_map(|(row, &weight)| Some((row, weight, wrong_weight(weight)?)));
        if let Some((row, weight, expected)) = wrong {
            return Err(Error::invalid(format!("row {row} has the weight {weight}, and {expected}")));
        }
        match given.iter().any(|&weight| weight > 0.0) {
            true => Ok(Weights::relative(given)),
            false => Err(Error::invalid("every row has the weight 0, so none counts: give one of them more")),
        }
    }

    /// By their mean; all 0 where they are.
    fn relative(given: &[f64]) -> Weights {
        // By the largest first, so that their sum is finite.
        let largest = given.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let mean = given.iter().map(|weight| weight / largest).sum::<f64>() / given.len() as f64;
        let relative = |weight: &f64| if mean > 0.0 { (weight / largest / mean) as f32 } else { 0.0 };
        Weights { values: Values::Floats(given.iter().map(relative).collect()) }
    }

    /// As a device is given them, `[rows, 1]`.
    pub(crate) fn values(&self) -> &Values {
        &self.values
    }

    /// That of row `i`, relative to the mean.
    ///
    /// # Panics
    /// When there is no row `i`.
    pub fn of(&self, i: usize) -> f64 {
        let mut weight = [0.0];
        self.values.copy_row(i, &mut weight);
        f64::from(weight[0])
    }

    /// Whether no row counts.
    pub(crate) fn are_nothing(&self) -> bool {
        (0..self.values.len()).all(|i| self.of(i) == 0.0)
    }

    /// Those of some rows, in that order.
    pub(super) fn select(&self, rows: &[usize]) -> Weights {
        Weights::relative(&rows.iter().map(|&row| self.of(row)).collect::<Vec<_>>())
    }
}
