//! How far apart two samples lie, above all codes and the prior: the table of the distances.
//!
//! The codes should be *draws* from the posterior, one per row: their distribution is the aggregate posterior
//! `q(z) = E q(z | x)`, which is to be N(0, I). Posterior means lie closer together than that even in a perfect model.

mod gaussian;
mod mmd;
mod points;
mod sliced_wasserstein;

pub use gaussian::{Moments, frechet_distance, gaussian_kl};
pub use mmd::{Kernel, median_distance, mmd};
pub use points::Points;
pub use sliced_wasserstein::sliced_wasserstein;

use crate::error::Result;

/// Every distance of a sample from draws of the prior.
pub static DISTANCES: &[Distance] =
    &[mmd::GAUSSIAN, mmd::INVERSE_MULTIQUADRATIC, gaussian::DISTANCE, sliced_wasserstein::DISTANCE];

/// One way to say how far a sample lies from the prior N(0, I).
#[derive(Debug)]
pub struct Distance {
    /// One word for settings and files.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// How it is computed, in words.
    pub formula: &'static str,
    /// The paper it is from.
    pub source: &'static str,
    /// Whether it is only about the prior N(0, I), and takes no notice of the draws.
    pub of_standard_normal: bool,
    /// Of a sample from draws of the prior, from a seed for what it draws by chance.
    pub compute: fn(&Points, &Points, u64) -> Result<Estimate>,
}

/// A number that was estimated from a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error, where it is known.
    pub standard_error: Option<f64>,
}

/// A distance beside what it is between two samples of the prior.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// Which distance it is.
    pub distance: &'static Distance,
    /// Of the sample from the prior.
    pub estimate: Estimate,
    /// Of another sample of the prior, of the same size: what a perfect sample gives, as most estimates are not 0 there.
    pub of_prior: Estimate,
}

impl PartialEq for Distance {
    fn eq(&self, other: &Distance) -> bool {
        self.id == other.id
    }
}

impl Distance {
    /// The distance of a sample from as many draws from N(0, I), and that of other such draws.
    ///
    /// # Errors
    /// When there are too few points for it.
    pub fn from_prior(&'static self, points: &Points, seed: u64) -> Result<Compared> {
        let draw = |stream| Points::standard_normal(points.rows(), points.dimensions(), seed, stream);
        let (prior, other) = (draw(0)?, draw(1)?);
        let estimate = (self.compute)(points, &prior, seed)?;
        Ok(Compared { distance: self, estimate, of_prior: (self.compute)(&other, &prior, seed)? })
    }
}

#[cfg(test)]
mod tests;
