//! Distances between the Gaussians that have two samples' means and covariances.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par, Side};

use super::{Distance, Estimate, Points};
use crate::error::{Error, Result};

pub const DISTANCE: Distance = Distance {
    id: "gaussian_kl",
    name: "KL of the fitted Gaussian",
    formula: "KL(N(m, S) ‖ N(0, I)) in nats, with the mean and the full covariance of the sample",
    source: "closed form, as Kingma & Welling 2014, appendix B",
    of_standard_normal: true,
    compute: |points, _, _| Ok(Estimate { value: gaussian_kl(points)?, standard_error: None }),
};

/// A mean and a full covariance.
#[derive(Debug, Clone)]
pub struct Moments {
    /// `[dimensions]`.
    pub mean: Vec<f64>,
    /// `[dimensions, dimensions]`, symmetric.
    pub covariance: Mat<f64>,
}

impl Moments {
    /// The mean and the unbiased covariance of a sample.
    pub fn of(points: &Points) -> Moments {
        let (rows, dimensions) = (points.rows(), points.dimensions());
        let mut mean = vec![0.0; dimensions];
        for row in points.iter() {
            mean.iter_mut().zip(row).for_each(|(mean, &value)| *mean += f64::from(value) / rows as f64);
        }
        let centred: Vec<f64> =
            points.iter().flat_map(|row| row.iter().zip(&mean).map(|(&value, mean)| f64::from(value) - mean)).collect();
        let centred = faer::MatRef::from_row_major_slice(&centred, rows, dimensions);
        let mut covariance = Mat::zeros(dimensions, dimensions);
        let weight = 1.0 / (rows - 1) as f64;
        matmul(&mut covariance, Accum::Replace, centred.transpose(), centred, weight, Par::rayon(0));
        Moments { mean, covariance }
    }

    /// The squared Fréchet (2-Wasserstein) distance between two Gaussians (Dowson & Landau 1982):
    /// `|m₁ − m₂|² + tr(S₁ + S₂ − 2 (S₁^½ S₂ S₁^½)^½)`.
    ///
    /// # Errors
    /// When the dimensions differ, or a covariance is not finite.
    pub fn frechet_distance(&self, other: &Moments) -> Result<f64> {
        if self.mean.len() != other.mean.len() {
            return Err(Error::invalid(format!(
                "features of {} and of {} dimensions cannot be compared: both must come from the same network",
                self.mean.len(),
                other.mean.len()
            )));
        }
        let between: f64 = self.mean.iter().zip(&other.mean).map(|(a, b)| (a - b).powi(2)).sum();
        let (values, vectors) = eigen(&self.covariance)?;
        let roots = Mat::from_fn(values.len(), values.len(), |i, j| vectors[(i, j)] * values[j].max(0.0).sqrt());
        let root = &roots * vectors.transpose();
        let (product, _) = eigen(&(&root * &other.covariance * &root))?;
        let trace = |matrix: &Mat<f64>| -> f64 { (0..matrix.nrows()).map(|i| matrix[(i, i)]).sum() };
        let overlap: f64 = product.iter().map(|value| value.max(0.0).sqrt()).sum();
        Ok((between + trace(&self.covariance) + trace(&other.covariance) - 2.0 * overlap).max(0.0))
    }
}

/// KL(N(m, S) ‖ N(0, I)) = ½ (tr S + |m|² − D − ln det S) in nats, with the mean and the unbiased full covariance of the
/// points. Of n points from N(0, I) it is about `D(D + 3)/4n`.
///
/// It is infinite where the points fill fewer than all dimensions, as the means of a collapsed posterior do.
///
/// # Errors
/// When there are no more points than dimensions.
pub fn gaussian_kl(points: &Points) -> Result<f64> {
    let dimensions = points.dimensions();
    if points.rows() <= dimensions {
        return Err(Error::invalid(format!(
            "{} points are too few for a Gaussian in {dimensions} dimensions: give more points than dimensions, better \
             many times as many",
            points.rows()
        )));
    }
    let Moments { mean, covariance } = Moments::of(points);
    let (values, _) = eigen(&covariance)?;
    let largest = values.iter().copied().fold(0.0, f64::max);
    // Below this an eigenvalue is the rounding of the largest.
    if values.iter().any(|&value| value <= 1e-14 * largest) {
        return Ok(f64::INFINITY);
    }
    let far: f64 = mean.iter().map(|m| m * m).sum();
    Ok((0.5 * (far + values.iter().map(|value| value - 1.0 - value.ln()).sum::<f64>())).max(0.0))
}

/// The squared Fréchet distance between two samples of features, by their means and full covariances: with features of an
/// Inception network the FID of Heusel et al. 2017, "GANs trained by a two time-scale update rule". See
/// [`Moments::frechet_distance`]. Few points make it too large.
///
/// # Errors
/// When the samples have different dimensions.
pub fn frechet_distance(x: &Points, y: &Points) -> Result<f64> {
    Moments::of(x).frechet_distance(&Moments::of(y))
}

/// Eigenvalues in rising order, and eigenvectors as columns.
fn eigen(symmetric: &Mat<f64>) -> Result<(Vec<f64>, Mat<f64>)> {
    let found = symmetric.self_adjoint_eigen(Side::Lower).map_err(|_| {
        Error::invalid(
            "a covariance could not be taken apart, as it is not finite: the points lie too far from each other",
        )
    })?;
    let values = found.S().column_vector();
    Ok(((0..values.nrows()).map(|i| values[i]).collect(), found.U().to_owned()))
}
