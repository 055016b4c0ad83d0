//! Distances of few points from few others, by hand.

use elbo::engine::evaluation::distances::{DISTANCES, Points};

use super::hand::{other, same};

/// Four times five numbers that repeat nothing.
const X: [[f64; 2]; 5] = [[0.25, -1.0], [1.5, 0.5], [-0.75, 2.0], [0.0, 0.125], [2.25, -0.5]];
const Y: [[f64; 2]; 5] = [[-1.25, 0.75], [0.5, 1.0], [-0.25, -1.5], [1.0, 2.5], [-2.0, 0.0]];

fn points(rows: &[[f64; 2]]) -> Points {
    Points::new(rows.concat().into_iter().map(|v| v as f32).collect(), 2).unwrap()
}

fn squared(a: &[f64; 2], b: &[f64; 2]) -> f64 {
    (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)
}

/// A distance of X from Y, and its standard error.
fn found(id: &str) -> (f64, Option<f64>) {
    let distance = DISTANCES.iter().find(|d| d.id == id).expect("there is such a distance");
    let estimate = (distance.compute)(&points(&X), &points(&Y), 3).unwrap();
    (estimate.value, estimate.standard_error)
}

/// Gretton et al. 2012, equation 4, and its variance after Hoeffding 1948.
fn mmd(kernel: &dyn Fn(f64) -> f64) -> (f64, f64) {
    let m = X.len() as f64;
    let k = |a: &[f64; 2], b: &[f64; 2]| kernel(squared(a, b));
    let h = |i: usize, j: usize| k(&X[i], &X[j]) + k(&Y[i], &Y[j]) - k(&X[i], &Y[j]) - k(&X[j], &Y[i]);
    let row = |i: usize| (0..X.len()).filter(move |&j| j != i);
    let all: Vec<f64> = (0..X.len()).flat_map(|i| row(i).map(move |j| (i, j))).map(|(i, j)| h(i, j)).collect();
    let mean = |list: &[f64]| list.iter().sum::<f64>() / list.len() as f64;
    let value = mean(&all);
    let zeta_2 = mean(&all.iter().map(|h| h * h).collect::<Vec<f64>>()) - value * value;
    let means: Vec<f64> = all.chunks(X.len() - 1).map(mean).collect();
    let spread = means.iter().map(|mean| (mean - value).powi(2)).sum::<f64>() / (m - 1.0);
    let zeta_1 = (spread - zeta_2 / (m - 1.0)).max(0.0);
    (value, ((4.0 * (m - 2.0) * zeta_1 + 2.0 * zeta_2) / (m * (m - 1.0))).sqrt())
}

#[test]
fn mmd_of_five_points_under_both_kernels() {
    // s is the median of the 45 distances among all ten points.
    let all: Vec<[f64; 2]> = X.iter().chain(&Y).copied().collect();
    let mut distances: Vec<f64> =
        (0..10).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| squared(&all[i], &all[j])).collect();
    distances.sort_by(f64::total_cmp);
    let median = distances[22];
    let (value, error) = mmd(&|d| (-d / (2.0 * median)).exp());
    let gaussian = found("mmd_gaussian");
    same(gaussian.0, value);
    same(gaussian.1.unwrap(), error);
    other(gaussian.0, mmd(&|d| (-d / median).exp()).0);
    // C = 2·D·s, the mean over the scales.
    let imq = |c: f64| {
        move |d: f64| [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0].map(|s| s * c / (s * c + d)).iter().sum::<f64>() / 7.0
    };
    let (value, error) = mmd(&imq(4.0));
    let inverse = found("mmd_imq");
    same(inverse.0, value);
    same(inverse.1.unwrap(), error);
    other(inverse.0, mmd(&imq(2.0)).0);
    other(inverse.0, 7.0 * value);
}

/// KL(N(m, S) ‖ N(0, I)) with a covariance that is not diagonal, the determinant and the trace written out.
#[test]
fn the_kl_of_a_fitted_gaussian_with_a_covariance() {
    let n = X.len() as f64;
    let mean = [0, 1].map(|d| X.iter().map(|x| x[d]).sum::<f64>() / n);
    let moment = |i: usize, j: usize, by: f64| X.iter().map(|x| (x[i] - mean[i]) * (x[j] - mean[j])).sum::<f64>() / by;
    let kl = |by: f64, off: f64| {
        let [a, b, c] = [moment(0, 0, by), off * moment(0, 1, by), moment(1, 1, by)];
        0.5 * (a + c + mean[0].powi(2) + mean[1].powi(2) - 2.0 - (a * c - b * b).ln())
    };
    let found = found("gaussian_kl").0;
    same(found, kl(n - 1.0, 1.0));
    other(found, kl(n, 1.0));
    other(found, kl(n - 1.0, 0.0));
}

/// Bonneel et al. 2015: along each direction the sorted places are matched; the directions are the draws of a stream.
#[test]
fn the_sliced_distance_along_its_128_directions() {
    let directions = Points::standard_normal(128, 2, 3, u32::MAX).unwrap();
    let along = |direction: &[f32]| {
        let [a, b] = [f64::from(direction[0]), f64::from(direction[1])];
        let places = |rows: &[[f64; 2]]| {
            let mut places: Vec<f64> = rows.iter().map(|p| (a * p[0] + b * p[1]) / a.hypot(b)).collect();
            places.sort_by(f64::total_cmp);
            places
        };
        places(&X).iter().zip(places(&Y)).map(|(x, y)| (x - y).powi(2)).sum::<f64>() / X.len() as f64
    };
    let squares: Vec<f64> = directions.iter().map(along).collect();
    let found = found("sliced_wasserstein").0;
    same(found, (squares.iter().sum::<f64>() / 128.0).sqrt());
    other(found, squares.iter().map(|s| s.sqrt()).sum::<f64>() / 128.0);
    other(found, squares.iter().sum::<f64>() / 128.0);
}
