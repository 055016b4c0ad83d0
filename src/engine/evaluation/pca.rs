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
    if rows.len() < dimensions {
        return of_few_rows(rows, mean, count);
    }
    let mut covariance = Mat::<f64>::zeros(dimensions, dimensions);
    for piece in rows.chunks(PIECE) {
        let centred = Mat::from_fn(piece.len(), dimensions, |i, j| f64::from(piece[i][j]) - mean[j]);
        matmul(&mut covariance, Accum::Add, centred.transpose(), &centred, weight, Par::rayon(0));
    }
    let (vectors, values) = spectrum(&covariance)?;
    let along = |i: usize| (0..dimensions).map(|j| vectors[(j, i)]).collect();
    Ok(projection(mean, count, &values, along))
}

/// The same of fewer rows than dimensions: an eigenvector u of X Xᵀ / n with the eigenvalue λ is an axis Xᵀ u / √(n λ), as
/// Xᵀ X (Xᵀ u) = Xᵀ (X Xᵀ u) (Turk & Pentland 1991).
fn of_few_rows(rows: &[&[f32]], mean: Vec<f64>, count: usize) -> Result<Projection> {
    if rows.is_empty() {
        return Ok(projection(mean, count, &[], |_| vec![]));
    }
    let centred = Mat::from_fn(rows.len(), mean.len(), |i, j| f64::from(rows[i][j]) - mean[j]);
    let mut products = Mat::<f64>::zeros(rows.len(), rows.len());
    let weight = 1.0 / rows.len() as f64;
    matmul(&mut products, Accum::Replace, &centred, centred.transpose(), weight, Par::rayon(0));
    let (vectors, values) = spectrum(&products)?;
    let largest = values.last().copied().unwrap_or(0.0);
    let along = |i: usize| {
        // What rounding alone has made is no direction.
        let scale = if values[i] > 1e-12 * largest { 1.0 / (rows.len() as f64 * values[i]).sqrt() } else { 0.0 };
        let dot = |j: usize| (0..rows.len()).map(|row| centred[(row, j)] * vectors[(row, i)]).sum::<f64>();
        (0..mean.len()).map(|j| scale * dot(j)).collect()
    };
    Ok(projection(mean.clone(), count, &values, along))
}

/// Eigenvectors, and their values in rising order.
fn spectrum(of: &Mat<f64>) -> Result<(Mat<f64>, Vec<f64>)> {
    let eigen = of.self_adjoint_eigen(Side::Lower).map_err(|_| {
        Error::invalid(
            "the principal axes could not be found, as the covariance is not a finite matrix: are all values numbers?",
        )
    })?;
    let values = eigen.S().column_vector();
    Ok((eigen.U().to_owned(), (0..of.nrows()).map(|i| values[i]).collect()))
}

/// The axes of the largest of values in rising order, each as `along` says it up to its sign; those that are lacking lead nowhere.
fn projection(mean: Vec<f64>, count: usize, values: &[f64], along: impl Fn(usize) -> Vec<f64>) -> Projection {
    let total: f64 = values.iter().map(|value| value.max(0.0)).sum();
    // Below this, what is left is the rounding of the mean and not a spread: single precision ends far above it.
    let size: f64 = mean.iter().map(|mean| mean * mean).sum();
    let nowhere = vec![0.0; mean.len()];
    let (mut axes, mut shares) = (vec![nowhere; count], vec![0.0; count]);
    if total > 1e-20 * size {
        for (at, i) in (0..values.len()).rev().take(count).enumerate() {
            let axis = along(i);
            let largest = axis.iter().copied().fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a });
            axes[at] = axis.into_iter().map(|x| x * largest.signum()).collect();
            shares[at] = values[i].max(0.0) / total;
        }
    }
    Projection { mean, axes, shares }
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
    fn few_wide_rows_have_the_axes_that_span_them() {
        // (3, 0, 0, 0), (−3, 0, 0, 0), (0, 0, −1, 0) and 7 beside: variances 18/3 along the first, and what lies across it.
        let rows = [[10.0_f32, 7.0, 7.0, 7.0], [4.0, 7.0, 7.0, 7.0], [7.0, 7.0, 6.0, 7.0]];
        let rows: Vec<&[f32]> = rows.iter().map(|row| &row[..]).collect();
        let found = principal_axes(&rows, 4, 3).unwrap();
        // The middle is (7, 7, 6⅔, 7): 2·9/3 along the first, (2/9 + 4/9)/3 = 2/9 along the third.
        let all = 6.0 + 2.0 / 9.0;
        for (share, wanted) in found.shares.iter().zip([6.0 / all, 2.0 / 9.0 / all, 0.0]) {
            assert!((share - wanted).abs() < 1e-9, "{:?}", found.shares);
        }
        for (row, wanted) in rows.iter().zip([[3.0, 1.0 / 3.0], [-3.0, 1.0 / 3.0], [0.0, -2.0 / 3.0]]) {
            let place = found.place(row);
            assert!((place[0] - wanted[0]).abs() < 1e-6 && (place[1] - wanted[1]).abs() < 1e-6, "{place:?}");
            assert!(place[2].abs() < 1e-6, "{place:?}");
        }
        // A fourth row takes the other way, and what is asked of both is the same.
        let more = [rows[0], rows[1], rows[2], rows[2]];
        let by_columns = principal_axes(&more, 4, 2).unwrap();
        let doubled: Vec<&[f32]> = more.iter().map(|row| &row[..]).collect();
        let by_rows = of_few_rows(&doubled, by_columns.mean().to_vec(), 2).unwrap();
        assert!(by_columns.shares.iter().zip(&by_rows.shares).all(|(a, b)| (a - b).abs() < 1e-9));
        assert!(by_columns.axes.concat().iter().zip(by_rows.axes.concat()).all(|(a, b)| (a - b).abs() < 1e-6));
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
