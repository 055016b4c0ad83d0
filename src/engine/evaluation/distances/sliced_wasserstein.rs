//! The sliced 2-Wasserstein distance (Rabin, Peyré, Delon & Bernot 2011, "Wasserstein barycenter and its application to
//! texture mixing"; Bonneel et al. 2015): the root of the mean, over directions on the unit sphere, of the squared
//! 2-Wasserstein distance between the samples' projections, `∫₀¹ (F⁻¹(u) − G⁻¹(u))² du`.
//!
//! On a line that distance is exact: the sorted values are matched from the smallest to the largest, in shares where the
//! samples differ in size. Only the directions are drawn by chance.

use rayon::prelude::*;

use super::{Distance, Estimate, Points};
use crate::error::Result;

const DIRECTIONS: usize = 128;

pub const DISTANCE: Distance = Distance {
    id: "sliced_wasserstein",
    name: "sliced 2-Wasserstein distance",
    formula: "root of the mean squared 2-Wasserstein distance from draws of N(0, I), along 128 random directions",
    source: "Bonneel et al. 2015, J. Math. Imaging Vis. 51",
    of_standard_normal: false,
    compute: |x, y, seed| Ok(Estimate { value: sliced_wasserstein(x, y, DIRECTIONS, seed)?, standard_error: None }),
};

/// The sliced 2-Wasserstein distance of two samples, along at least one random direction. It is above 0 for samples of the
/// same distribution.
///
/// # Errors
/// When the samples have different dimensions.
pub fn sliced_wasserstein(x: &Points, y: &Points, directions: usize, seed: u64) -> Result<f64> {
    x.same_dimensions(y)?;
    let count = directions.max(2);
    // A stream of its own: the draws of the prior take the first ones.
    let directions = Points::standard_normal(count, x.dimensions(), seed, u32::MAX)?;
    let directions: Vec<&[f32]> = directions.iter().collect();
    let along = |&direction: &&[f32]| wasserstein(&project(x, direction), &project(y, direction));
    // Summed in order: the same seed gives the same bits.
    let squares: Vec<f64> = directions.par_iter().map(along).collect();
    Ok((squares.iter().sum::<f64>() / count as f64).sqrt())
}

/// The points' places along a direction, from the smallest.
fn project(points: &Points, direction: &[f32]) -> Vec<f64> {
    let dot = |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum() };
    let length = dot(direction, direction).sqrt().max(f64::MIN_POSITIVE);
    let mut places: Vec<f64> = points.iter().map(|row| dot(row, direction) / length).collect();
    places.sort_unstable_by(f64::total_cmp);
    places
}

/// The squared 2-Wasserstein distance of two sorted samples on a line.
fn wasserstein(x: &[f64], y: &[f64]) -> f64 {
    let (mut i, mut j, mut done, mut total) = (0, 0, 0, 0.0);
    // Shares are counted in 1/(n·m), so that no rounding decides which value comes next.
    let (n, m) = (x.len() as u64, y.len() as u64);
    while i < x.len() && j < y.len() {
        let (x_ends, y_ends) = ((i as u64 + 1) * m, (j as u64 + 1) * n);
        let ends = x_ends.min(y_ends);
        total += (ends - done) as f64 * (x[i] - y[j]).powi(2);
        done = ends;
        i += usize::from(x_ends == ends);
        j += usize::from(y_ends == ends);
    }
    total / (n * m) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_line_by_hand() {
        assert_eq!(wasserstein(&[0.0, 1.0], &[2.0, 4.0]), (4.0 + 9.0) / 2.0);
        // 0 goes to 0; half of 3 to 0 and half to 6.
        assert_eq!(wasserstein(&[0.0, 3.0], &[0.0, 0.0, 0.0, 6.0]), (9.0 + 9.0) / 4.0);
        // 1/3 of (0, 0), 1/6 of (1, 0), 1/6 of (1, 6), 1/3 of (6, 6).
        assert!((wasserstein(&[0.0, 1.0, 6.0], &[0.0, 6.0]) - 26.0 / 6.0).abs() < 1e-12);
    }
}
