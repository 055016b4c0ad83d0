//! The two directions along which a cloud of points spreads most (principal component analysis).
//!
//! With the centred rows X `[n, dimensions]`, the axes are the eigenvectors of Xᵀ X / n with the largest eigenvalues, and
//! an eigenvalue over the sum of all is the share of the variance that its axis explains.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par, Side};

use crate::error::{Error, Result};

/// Rows are taken in pieces, so that a large data set is never held a second time.
const PIECE: usize = 1024;

/// The two principal axes of a cloud of points.
pub struct Projection {
    mean: Vec<f64>,
    axes: [Vec<f64>; 2],
    /// The share of the whole variance that each of the two axes explains; 0 when there is none.
    pub shares: [f64; 2],
}

impl Projection {
    /// Where a row lands, of this cloud or another, relative to the mean of this one.
    pub fn place(&self, row: &[f32]) -> [f64; 2] {
        let along = |axis: &[f64]| -> f64 {
            row.iter().zip(&self.mean).zip(axis).map(|((&x, mean), a)| (f64::from(x) - mean) * a).sum()
        };
        [along(&self.axes[0]), along(&self.axes[1])]
    }
}

/// The principal axes of rows of at least two finite values each. The largest component of each axis is positive, so that the same
/// data always give the same picture.
pub fn principal_axes(rows: &[&[f32]], dimensions: usize) -> Result<Projection> {
    let count = rows.len().max(1) as f64;
    let mut mean = vec![0.0; dimensions];
    for row in rows {
        for (mean, &value) in mean.iter_mut().zip(*row) {
            *mean += f64::from(value) / count;
        }
    }
    let mut covariance = Mat::<f64>::zeros(dimensions, dimensions);
    for piece in rows.chunks(PIECE) {
        let centred = Mat::from_fn(piece.len(), dimensions, |i, j| f64::from(piece[i][j]) - mean[j]);
        matmul(&mut covariance, Accum::Add, centred.transpose(), &centred, 1.0 / count, Par::Seq);
    }
    let eigen = covariance.self_adjoint_eigen(Side::Lower).map_err(|_| {
        Error::invalid(
            "the principal axes of the latent space could not be found: its covariance is not a finite matrix",
        )
    })?;
    let (vectors, values) = (eigen.U(), eigen.S().column_vector());
    let total: f64 = (0..dimensions).map(|i| values[i].max(0.0)).sum();
    // Below this, what is left is the rounding of the mean and not a spread: single precision ends far above it.
    let size: f64 = mean.iter().map(|mean| mean * mean).sum();
    if total <= 1e-20 * size {
        return Ok(Projection { axes: [vec![0.0; dimensions], vec![0.0; dimensions]], mean, shares: [0.0; 2] });
    }
    // Eigenvalues come in rising order.
    let axes = [dimensions - 1, dimensions - 2].map(|i| {
        let axis: Vec<f64> = (0..dimensions).map(|j| vectors[(j, i)]).collect();
        let largest = axis.iter().copied().fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a });
        axis.into_iter().map(|x| x * largest.signum()).collect::<Vec<_>>()
    });
    let shares = [dimensions - 1, dimensions - 2].map(|i| if total > 0.0 { values[i].max(0.0) / total } else { 0.0 });
    Ok(Projection { mean, axes, shares })
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
        let found = principal_axes(&rows, 3).unwrap();
        let expected = [4.5 / 5.25, 0.5 / 5.25];
        assert!((0..2).all(|i| (found.shares[i] - expected[i]).abs() < 1e-5));
        for (i, [x, y]) in rows.iter().map(|row| found.place(row)).enumerate() {
            let t = i as f64 / n as f64 * std::f64::consts::TAU;
            assert!((x - 3.0 * t.cos()).abs() < 1e-4 && (y.abs() - t.sin().abs()).abs() < 1e-4);
        }
    }

    #[test]
    fn no_points_one_point_and_no_spread() {
        for n in [0, 1, 7] {
            let rows = vec![[1.5_f32, -2.0, 4.0]; n];
            let rows: Vec<&[f32]> = rows.iter().map(|row| &row[..]).collect();
            let found = principal_axes(&rows, 3).unwrap();
            assert!(rows.iter().flat_map(|row| found.place(row)).all(|x| x.abs() < 1e-9));
            assert_eq!(found.shares, [0.0, 0.0]);
        }
    }
}
