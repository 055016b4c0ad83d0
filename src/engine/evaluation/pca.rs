//! The directions along which a cloud of points spreads most (principal component analysis).
//!
//! With the centred rows X `[n, dimensions]`, the axes are the eigenvectors of Xᵀ X / n with the largest eigenvalues, and
//! an eigenvalue over the sum of all is the share of the variance that its axis explains.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par, Side};

use crate::error::{Error, Result};

/// Rows are taken in pieces, so that a large data set is never held a second time.
const PIECE: usize = 1024;

/// Some principal axes of a cloud of points.
#[derive(Clone, Debug)]
pub struct Projection {
    mean: Vec<f64>,
    axes: Vec<Vec<f64>>,
    /// The share of the whole variance that each axis explains; 0 when there is none.
    pub shares: Vec<f64>,
}

impl Projection {
    /// Where a row lands, of this cloud or another, relative to the mean of this one.
    pub fn place(&self, row: &[f32]) -> Vec<f64> {
        let along = |axis: &Vec<f64>| -> f64 {
            row.iter().zip(&self.mean).zip(axis).map(|((&x, mean), a)| (f64::from(x) - mean) * a).sum()
        };
        self.axes.iter().map(along).collect()
    }

    /// The mean of the cloud.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }
}

/// The first `count` principal axes of rows of at least as many finite values each. The largest component of each axis is positive, so that
/// the same data always give the same axes.
///
/// # Errors
/// If a value is not finite.
pub fn principal_axes(rows: &[&[f32]], dimensions: usize, count: usize) -> Result<Projection> {
    let weight = 1.0 / rows.len().max(1) as f64;
    let mut mean = vec![0.0; dimensions];
    for row in rows {
        for (mean, &value) in mean.iter_mut().zip(*row) {
            *mean += f64::from(value) * weight;
        }
    }
    let mut covariance = Mat::<f64>::zeros(dimensions, dimensions);
    for piece in rows.chunks(PIECE) {
        let centred = Mat::from_fn(piece.len(), dimensions, |i, j| f64::from(piece[i][j]) - mean[j]);
        matmul(&mut covariance, Accum::Add, centred.transpose(), &centred, weight, Par::rayon(0));
    }
    let eigen = covariance.self_adjoint_eigen(Side::Lower).map_err(|_| {
        Error::invalid(
            "the principal axes could not be found, as the covariance is not a finite matrix: are all values numbers?",
        )
    })?;
    let (vectors, values) = (eigen.U(), eigen.S().column_vector());
    let total: f64 = (0..dimensions).map(|i| values[i].max(0.0)).sum();
    // Below this, what is left is the rounding of the mean and not a spread: single precision ends far above it.
    let size: f64 = mean.iter().map(|mean| mean * mean).sum();
    if total <= 1e-20 * size {
        return Ok(Projection { axes: vec![vec![0.0; dimensions]; count], mean, shares: vec![0.0; count] });
    }
    // Eigenvalues come in rising order.
    let places = || (0..dimensions).rev().take(count);
    let axis = |i: usize| {
        let axis: Vec<f64> = (0..dimensions).map(|j| vectors[(j, i)]).collect();
        let largest = axis.iter().copied().fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a });
        axis.into_iter().map(|x| x * largest.signum()).collect::<Vec<_>>()
    };
    let share = |i: usize| if total > 0.0 { values[i].max(0.0) / total } else { 0.0 };
    Ok(Projection { mean, axes: places().map(axis).collect(), shares: places().map(share).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3·cos t along one direction, sin t along another, ±1/2 by turns along the third, off the origin: the variances are
    /// 9/2, 1/2 and 1/4.
    fn ellipse(n: usize) -> Vec<f32> {
        let (u, v, w) = ([0.6, 0.0, 0.8], [-0.8, 0.0, 0.6], [0.0, 1.0, 0.0]);
        (0..n)
            .flat_map(|i| {
                let t = i as f64 / n as f64 * std::f64::consts::TAU;
                let side = if i % 2 == 0 { 0.5 } else { -0.5 };
                (0..3).map(move |j| (7.0 + 3.0 * t.cos() * u[j] + t.sin() * v[j] + side * w[j]) as f32)
            })
            .collect()
    }

    #[test]
    fn finds_the_axes_of_an_ellipse() {
        // More rows than one piece holds.
        let n = 3000;
        let points = ellipse(n);
        let rows: Vec<&[f32]> = points.chunks_exact(3).collect();
        let found = principal_axes(&rows, 3, 2).unwrap();
        let expected = [4.5 / 5.25, 0.5 / 5.25];
        assert!((0..2).all(|i| (found.shares[i] - expected[i]).abs() < 1e-5));
        for (i, place) in rows.iter().map(|row| found.place(row)).enumerate() {
            let [x, y] = place[..] else { panic!("two places") };
            let t = i as f64 / n as f64 * std::f64::consts::TAU;
            assert!((x - 3.0 * t.cos()).abs() < 1e-4 && (y.abs() - t.sin().abs()).abs() < 1e-4);
        }
    }

    #[test]
    fn no_points_one_point_and_no_spread() {
        for n in [0, 1, 7] {
            let rows = vec![[1.5_f32, -2.0, 4.0]; n];
            let rows: Vec<&[f32]> = rows.iter().map(|row| &row[..]).collect();
            let found = principal_axes(&rows, 3, 2).unwrap();
            assert!(rows.iter().flat_map(|row| found.place(row)).all(|x| x.abs() < 1e-9));
            assert_eq!(found.shares, [0.0, 0.0]);
        }
    }
}
