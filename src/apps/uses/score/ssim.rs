//! How alike a picture and what a model makes of it are in structure: SSIM.

use rayon::prelude::*;

use crate::data::Shape;

/// Pixels along a side of a window, where a picture is as large.
const WINDOW: usize = 11;
/// The standard deviation of its weights, in pixels.
const DEVIATION: f64 = 1.5;
/// K₁ and K₂ of what keeps the ratios finite where a picture is even.
const STEADY: [f64; 2] = [0.01, 0.03];
/// Pixels along the shorter side of the smallest picture that has a structure.
pub const SMALLEST: usize = 3;

/// The dynamic range L of pictures: 1 where all values lie between 0 and 1, as those of files do, else the length of the least interval that
/// holds 0, 1 and all of them.
pub fn dynamic_range(values: &[f32]) -> f64 {
    let (low, high) = values
        .iter()
        .filter(|value| !value.is_nan())
        .fold((0.0f32, 1.0f32), |(low, high), &value| (low.min(value), high.max(value)));
    f64::from(high) - f64::from(low)
}

/// 1 − SSIM(x, y) of each of some pictures x and y `[count, height·width·channels]`, from 0 where they are alike to 2.
///
/// SSIM(x, y) = (2 μ_x μ_y + C₁)(2 σ_xy + C₂) / ((μ_x² + μ_y² + C₁)(σ_x² + σ_y² + C₂)), means and covariances being weighted ones over a
/// window, and the whole a mean over all windows that lie within the picture and over channels (Wang et al. 2004, equations 13 and 17).
/// A window is 11 pixels wide and weighs by a Gaussian of standard deviation 1.5; in smaller pictures it is of the largest odd size that they
/// have room for. Cᵢ = (Kᵢ L)² with K₁ = 0.01, K₂ = 0.03 and the dynamic range L. Where x is not known, it counts as y.
pub fn dissimilarity(x: &[f32], y: &[f32], shape: Shape, range: f64) -> Vec<f64> {
    let size = shape.features();
    let weights = window(shape);
    x.par_chunks_exact(size)
        .zip(y.par_chunks_exact(size))
        .map(|(x, y)| 1.0 - mean(x, y, shape, &weights, range))
        .collect()
}

/// The weights of a window along one side.
fn window(shape: Shape) -> Vec<f64> {
    let room = WINDOW.min(shape.height).min(shape.width);
    let side = room - (room + 1) % 2;
    let weight = |i: usize| {
        let off = i as f64 - (side / 2) as f64;
        libm::exp(-off * off / (2.0 * DEVIATION * DEVIATION))
    };
    let all: f64 = (0..side).map(weight).sum();
    (0..side).map(|i| weight(i) / all).collect()
}

/// SSIM of two pictures.
fn mean(x: &[f32], y: &[f32], shape: Shape, weights: &[f64], range: f64) -> f64 {
    let [steady_mean, steady_spread] = STEADY.map(|k| (k * range) * (k * range));
    let of_channel = |channel: usize| -> f64 {
        let pairs: Vec<[f64; 2]> = (channel..x.len())
            .step_by(shape.channels)
            .map(|at| {
                let again = f64::from(y[at]);
                [if x[at].is_nan() { again } else { f64::from(x[at]) }, again]
            })
            .collect();
        let over = |value: &dyn Fn([f64; 2]) -> f64| {
            let values: Vec<f64> = pairs.iter().map(|&pair| value(pair)).collect();
            weighted(&values, shape.width, weights)
        };
        let (mean_x, mean_y) = (over(&|[x, _]| x), over(&|[_, y]| y));
        let (squares_x, squares_y, products) = (over(&|[x, _]| x * x), over(&|[_, y]| y * y), over(&|[x, y]| x * y));
        let at = |i: usize| {
            let (a, b) = (mean_x[i], mean_y[i]);
            let spread = squares_x[i] - a * a + squares_y[i] - b * b;
            (2.0 * a * b + steady_mean) * (2.0 * (products[i] - a * b) + steady_spread)
                / ((a * a + b * b + steady_mean) * (spread + steady_spread))
        };
        (0..mean_x.len()).map(at).sum::<f64>() / mean_x.len() as f64
    };
    (0..shape.channels).map(of_channel).sum::<f64>() / shape.channels as f64
}

/// Weighted means of values `[height, width]` over each window that lies within, along one side and then along the other.
fn weighted(values: &[f64], width: usize, weights: &[f64]) -> Vec<f64> {
    let across: Vec<f64> = values
        .chunks_exact(width)
        .flat_map(|line| {
            line.windows(weights.len()).map(|window| window.iter().zip(weights).map(|(v, w)| v * w).sum::<f64>())
        })
        .collect();
    let width = width + 1 - weights.len();
    let height = across.len() / width + 1 - weights.len();
    let down = |at: usize| weights.iter().enumerate().map(|(i, w)| w * across[at + i * width]).sum();
    (0..height * width).map(down).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Shape = Shape { height: 3, width: 3, channels: 1 };

    #[test]
    fn a_window_by_hand() {
        // Weights e^(−1/4.5) : 1 : e^(−1/4.5), which are 0.307801, 0.384398, 0.307801. Of a dot, its mean is 0.384398² = 0.147762 and its variance
        // 0.147762 − 0.147762²; of a line through it 0.384398 and 0.384398 − 0.384398²; their covariance 0.147762·(1 − 0.384398).
        let dot = [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        let line = [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0];
        let (a, b) = (0.147_762, 0.384_398);
        let expected = (2.0 * a * b + 1e-4) * (2.0 * a * (1.0 - b) + 9e-4)
            / ((a * a + b * b + 1e-4) * (a * (1.0 - a) + b * (1.0 - b) + 9e-4));
        let found = dissimilarity(&dot, &line, SMALL, 1.0)[0];
        assert!((found - (1.0 - expected)).abs() < 1e-5 && (found - 0.662_97).abs() < 1e-4, "{found}");
        // Even pictures differ in their means alone: (2·0.2·0.8 + C₁)/(0.2² + 0.8² + C₁), with L = 10 of C₁ = 0.01.
        for (range, steady) in [(1.0, 1e-4), (10.0, 0.01)] {
            let found = dissimilarity(&[0.2; 9], &[0.8; 9], SMALL, range)[0];
            assert!((found - (1.0 - (0.32 + steady) / (0.68 + steady))).abs() < 1e-6, "{found}");
        }
        assert_eq!(dissimilarity(&[0.0; 9], &[0.0; 9], SMALL, 1.0), [0.0]);
        // What is not known is as it was made.
        let gap = [0.0, f32::NAN, 0.0, 0.0, 1.0, 0.0, 0.0, f32::NAN, 0.0];
        assert!(dissimilarity(&gap, &line, SMALL, 1.0)[0].abs() < 1e-12);
    }

    #[test]
    fn windows_and_channels_are_averaged_over() {
        let shape = Shape { height: 13, width: 12, channels: 2 };
        let at = |i: usize, k: f64| (0.5 + 0.5 * (k * i as f64).sin()) as f32;
        let x: Vec<f32> = (0..shape.features()).map(|i| at(i, 1.7)).collect();
        let y: Vec<f32> = (0..shape.features()).map(|i| at(i, 1.7) * 0.5 + at(i, 0.3) * 0.5).collect();
        // The formula over each window of 11 by 11 as a whole.
        let gauss = |off: f64| (-off * off / 4.5).exp();
        let all: f64 = (0..11).map(|i| gauss(f64::from(i) - 5.0)).sum();
        let mut sum = 0.0;
        for (channel, top, left) in (0..2).flat_map(|c| (0..3).flat_map(move |t| (0..2).map(move |l| (c, t, l)))) {
            let moment = |of: &dyn Fn(f64, f64) -> f64| {
                let mut moment = 0.0;
                for (i, j) in (0..11).flat_map(|i| (0..11).map(move |j| (i, j))) {
                    let at = ((top + i) * 12 + left + j) * 2 + channel;
                    let weight = gauss(i as f64 - 5.0) * gauss(j as f64 - 5.0) / (all * all);
                    moment += weight * of(f64::from(x[at]), f64::from(y[at]));
                }
                moment
            };
            let (a, b) = (moment(&|x, _| x), moment(&|_, y| y));
            let (var_a, var_b) = (moment(&|x, _| (x - a).powi(2)), moment(&|_, y| (y - b).powi(2)));
            let covariance = moment(&|x, y| (x - a) * (y - b));
            sum += (2.0 * a * b + 1e-4) * (2.0 * covariance + 9e-4) / ((a * a + b * b + 1e-4) * (var_a + var_b + 9e-4));
        }
        let (size, found) =
            (shape.features(), dissimilarity(&[&x[..], &x].concat(), &[&y[..], &x].concat(), shape, 1.0));
        assert!(
            (found[0] - (1.0 - sum / 12.0)).abs() < 1e-9 && found[1].abs() < 1e-9,
            "{found:?}, not {sum} of {size}"
        );
        assert!(found[0] > 0.01);
    }

    #[test]
    fn windows_are_as_large_as_pictures_have_room_for() {
        let side = |height, width| window(Shape { height, width, channels: 1 }).len();
        assert_eq!([side(28, 28), side(8, 40), side(9, 9), side(3, 4)], [11, 7, 9, 3]);
    }

    #[test]
    fn the_range_is_1_unless_values_lie_outside() {
        assert_eq!(dynamic_range(&[0.2, f32::NAN, 0.7]), 1.0);
        assert_eq!(dynamic_range(&[-1.0, 1.0]), 2.0);
        assert_eq!(dynamic_range(&[0.0, 255.0]), 255.0);
    }
}
