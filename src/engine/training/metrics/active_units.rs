//! How many latent dimensions a model uses (Burda, Grosse and Salakhutdinov 2016, "Importance Weighted Autoencoders",
//! section 4.3): dimension u is active when `A_u = Var_x(E_q(z|x)[z_u]) > 0.01`.
//!
//! The posterior means arrive batch by batch; mean and variance are updated in one pass by Welford's recurrence
//! `mean += (z − mean)/n`, `m2 += (z − mean_old)·(z − mean_new)`, which does not cancel as `E[z²] − E[z]²` does.

use crate::error::{Error, Result};

/// A latent dimension with more variance than this among its posterior means is active.
pub const ACTIVE_UNIT_THRESHOLD: f64 = 0.01;

/// Accumulates the variance of each latent dimension's posterior mean over a data set.
#[derive(Debug, Clone)]
pub struct ActiveUnits {
    examples: u64,
    mean: Vec<f64>, // [latent]
    m2: Vec<f64>,   // [latent], sum of squared deviations
}

impl ActiveUnits {
    /// An empty accumulator for `latent` dimensions.
    pub fn new(latent: usize) -> ActiveUnits {
        ActiveUnits { examples: 0, mean: vec![0.0; latent], m2: vec![0.0; latent] }
    }

    /// Adds a batch of posterior means, `[batch, latent]`.
    ///
    /// # Errors
    /// When the length is not a multiple of `latent`; nothing is added then.
    pub fn push(&mut self, means: &[f32]) -> Result<()> {
        let latent = self.mean.len();
        if latent == 0 || !means.len().is_multiple_of(latent) {
            return Err(Error::invalid(format!(
                "active units: {} posterior means do not make rows of {latent} latent dimensions",
                means.len()
            )));
        }
        for row in means.chunks_exact(latent) {
            self.examples += 1;
            let n = self.examples as f64;
            for ((&z, mean), m2) in row.iter().zip(&mut self.mean).zip(&mut self.m2) {
                let before = f64::from(z) - *mean;
                *mean += before / n;
                *m2 += before * (f64::from(z) - *mean);
            }
        }
        Ok(())
    }

    /// Examples seen so far.
    pub fn examples(&self) -> u64 {
        self.examples
    }

    /// A_u of each dimension, `[latent]`: the variance over the examples seen; 0 before the first, and `NaN` where a
    /// posterior mean was not finite.
    pub fn variances(&self) -> Vec<f64> {
        let n = self.examples.max(1) as f64;
        self.m2.iter().map(|m2| m2 / n).collect()
    }

    /// Dimensions with A_u above [`ACTIVE_UNIT_THRESHOLD`]; one that is not finite does not count.
    pub fn count(&self) -> u64 {
        let active = |variance: &&f64| **variance > ACTIVE_UNIT_THRESHOLD;
        self.variances().iter().filter(active).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_dimensions_by_variance() {
        let mut units = ActiveUnits::new(3);
        assert_eq!(units.count(), 0);
        // Spreads of ±1, ±0.05 (variance 0.0025) and none, far from zero, in two batches of unequal size.
        units.push(&[1e4 + 1.0, 0.05, 7.0, 1e4 - 1.0, -0.05, 7.0]).unwrap();
        units.push(&[1e4 + 1.0, 0.05, 7.0, 1e4 - 1.0, -0.05, 7.0, 1e4, 0.0, 7.0]).unwrap();
        let variances = units.variances();
        assert!((variances[0] - 0.8).abs() < 1e-9, "{variances:?}");
        assert!((variances[1] - 0.002).abs() < 1e-6 && variances[2] == 0.0);
        assert_eq!((units.count(), units.examples()), (1, 5));
    }

    #[test]
    fn the_threshold_is_a_hundredth() {
        // Means at ±a have variance a².
        for (a, active) in [(0.0999, 0), (0.1001, 1)] {
            let mut units = ActiveUnits::new(1);
            units.push(&[a, -a]).unwrap();
            assert_eq!(units.count(), active);
        }
    }

    #[test]
    fn a_mean_that_is_not_finite_spoils_its_own_dimension_only() {
        let mut units = ActiveUnits::new(2);
        units.push(&[f32::NAN, 1.0, 3.0, -1.0]).unwrap();
        assert!(units.variances()[0].is_nan());
        assert_eq!(units.count(), 1);
    }

    #[test]
    fn refuses_half_a_row() {
        let mut units = ActiveUnits::new(3);
        assert!(units.push(&[1.0, 2.0]).is_err());
        assert!(ActiveUnits::new(0).push(&[1.0]).is_err());
        assert_eq!(units.examples(), 0);
    }
}
