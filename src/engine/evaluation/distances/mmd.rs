//! The squared maximum mean discrepancy of Gretton, Borgwardt, Rasch, Schölkopf & Smola 2012, "A kernel two-sample test":
//! `MMD² = E k(x, x′) + E k(y, y′) − 2 E k(x, y)`, 0 only if both samples are from the same distribution.
//!
//! The estimate is their unbiased U-statistic (equation 4, for samples of equal size):
//!
//! `1/(m(m−1)) Σ_{i≠j} h_ij`, `h_ij = k(xᵢ, xⱼ) + k(yᵢ, yⱼ) − k(xᵢ, yⱼ) − k(xⱼ, yᵢ)`, which may be below 0.
//!
//! Its variance, by Hoeffding 1948, is `4(m−2)/(m(m−1)) ζ₁ + 2/(m(m−1)) ζ₂`, with ζ₂ the variance of `h_ij` and ζ₁ that of
//! its mean over j. ζ₁ is the variance of the rows' means less ζ₂/(m−1), the part of it that is left when both samples are
//! from the same distribution; not below 0. So the standard error holds for equal as for different distributions.

use rayon::prelude::*;

use super::{Distance, Estimate, Points};
use crate::error::{Error, Result};

/// The most points taken of a sample: the cost grows with the square.
const MOST_POINTS: usize = 2000;

/// The most points of each sample whose distances are looked at for their median.
const MOST_FOR_MEDIAN: usize = 500;

pub const GAUSSIAN: Distance = Distance {
    id: "mmd_gaussian",
    name: "MMD², Gaussian kernel",
    formula: "unbiased squared maximum mean discrepancy from N(0, I), kernel exp(−d²/2s²), s the median distance of all \
              points of both samples; up to 2,000 points",
    source: "Gretton et al. 2012, JMLR 13",
    of_standard_normal: false,
    compute: |x, y, seed| mmd(x, y, &Kernel::Gaussian(vec![median_distance(x, y, seed)?]), seed),
};

pub const INVERSE_MULTIQUADRATIC: Distance = Distance {
    id: "mmd_imq",
    name: "MMD², inverse multiquadratic kernel",
    formula: "unbiased squared maximum mean discrepancy from N(0, I), mean over s of the kernels C/(C + d²), C = 2·D·s for D \
              dimensions, s = 0.1, 0.2, 0.5, 1, 2, 5, 10; up to 2,000 points",
    source: "Gretton et al. 2012, JMLR 13; Tolstikhin et al. 2018, arXiv:1711.01558",
    of_standard_normal: false,
    compute: |x, y, seed| {
        let expected = 2.0 * x.dimensions() as f64;
        let scales = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0].map(|s| s * expected);
        mmd(x, y, &Kernel::InverseMultiquadratic(scales.into()), seed)
    },
};

/// How alike two points are; the mean over the numbers given, which must be above 0.
#[derive(Debug, Clone, PartialEq)]
pub enum Kernel {
    /// `exp(−d²/(2 s²))` for bandwidths s.
    Gaussian(Vec<f64>),
    /// `C/(C + d²)` for scales C. Falls off slowly, so that it sees points far out.
    InverseMultiquadratic(Vec<f64>),
}

impl Kernel {
    fn of(&self, a: &[f32], b: &[f32]) -> f64 {
        let square = squared_distance(a, b);
        match self {
            Kernel::Gaussian(widths) => {
                widths.iter().map(|s| (-square / (2.0 * s * s)).exp()).sum::<f64>() / widths.len() as f64
            }
            Kernel::InverseMultiquadratic(scales) => {
                scales.iter().map(|c| c / (c + square)).sum::<f64>() / scales.len() as f64
            }
        }
    }

    fn check(&self) -> Result<()> {
        let (Kernel::Gaussian(numbers) | Kernel::InverseMultiquadratic(numbers)) = self;
        if numbers.is_empty() || numbers.iter().any(|&number| !(number > 0.0 && number.is_finite())) {
            return Err(Error::invalid(format!(
                "a kernel cannot have the scales {numbers:?}: give one or more finite numbers above 0"
            )));
        }
        Ok(())
    }
}

/// The median distance between different points of both samples together, of at most 500 points of each; 1 if they all lie
/// in one place.
///
/// # Errors
/// When the samples have different dimensions.
pub fn median_distance(x: &Points, y: &Points, seed: u64) -> Result<f64> {
    x.same_dimensions(y)?;
    let (x, y) = (x.some(MOST_FOR_MEDIAN, seed), y.some(MOST_FOR_MEDIAN, seed));
    let all: Vec<&[f32]> = x.iter().chain(y.iter()).collect();
    let mut squares: Vec<f64> = (0..all.len())
        .flat_map(|i| (0..i).map(move |j| (i, j)))
        .map(|(i, j)| squared_distance(all[i], all[j]))
        .collect();
    let middle = squares.len() / 2;
    let (_, &mut median, _) = squares.select_nth_unstable_by(middle, f64::total_cmp);
    Ok(if median > 0.0 { median.sqrt() } else { 1.0 })
}

/// The unbiased estimate of MMD² with its standard error, of as many points as the smaller sample has, at most 2,000. Which
/// ones is decided by the seed.
///
/// # Errors
/// When the samples have different dimensions, fewer than four points, or the kernel's scales are not above 0.
pub fn mmd(x: &Points, y: &Points, kernel: &Kernel, seed: u64) -> Result<Estimate> {
    x.same_dimensions(y)?;
    kernel.check()?;
    let count = x.rows().min(y.rows()).min(MOST_POINTS);
    if count < 4 {
        return Err(Error::invalid(format!(
            "{count} points of each sample are too few to estimate MMD: give at least 4"
        )));
    }
    let (x, y) = (x.some(count, seed), y.some(count, seed.wrapping_add(1)));
    let (x, y): (Vec<&[f32]>, Vec<&[f32]>) = (x.iter().collect(), y.iter().collect());
    let h = |i: usize, j: usize| {
        kernel.of(x[i], x[j]) + kernel.of(y[i], y[j]) - kernel.of(x[i], y[j]) - kernel.of(x[j], y[i])
    };
    let m = count as f64;
    let (means, squares): (Vec<f64>, Vec<f64>) = (0..count)
        .into_par_iter()
        .map(|i| {
            let row = (0..count).filter(|&j| j != i).map(|j| h(i, j));
            let (sum, square) = row.fold((0.0, 0.0), |(sum, square), h| (sum + h, square + h * h));
            (sum / (m - 1.0), square / (m - 1.0))
        })
        .unzip();
    let value = means.iter().sum::<f64>() / m;
    let zeta_2 = (squares.iter().sum::<f64>() / m - value * value).max(0.0);
    let of_means = means.iter().map(|mean| (mean - value).powi(2)).sum::<f64>() / (m - 1.0);
    let zeta_1 = (of_means - zeta_2 / (m - 1.0)).max(0.0);
    let variance = (4.0 * (m - 2.0) * zeta_1 + 2.0 * zeta_2) / (m * (m - 1.0));
    Ok(Estimate { value, standard_error: Some(variance.sqrt()) })
}

fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum()
}
