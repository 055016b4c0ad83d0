//! Special functions for the CPU references, operation for operation as in `shaders/functions/tilted.wgsl` and
//! `gamma.wgsl`. Error bounds are asserted by this file's tests, against f64.
//!
//! The uniform distribution on [0, 1], tilted by e^{ax}, has the cumulant ln((eᵃ − 1)/a), the mean 1/(1 − e⁻ᵃ) − 1/a and
//! the variance 1/a² − e⁻ᵃ/(1 − e⁻ᵃ)². All cancel near 0; for |a| < 1 their Taylor series stand instead, whose
//! coefficients are Bernoulli numbers.
//!
//! ln B(a, b) = ln Γ(a) + ln Γ(b) − ln Γ(a + b) is a small difference of large numbers. By Stirling's formula it is
//! (a − ½) ln(a/n) + (b − ½) ln(b/n) − ½ ln n + ½ ln 2π + r(a) + r(b) − r(n) with n = a + b, where r, what the formula
//! lacks, is small.

use super::Work;
use super::math::{EXP, LOG, exp, log};

/// What [`uniform_cumulant`] computes.
pub const UNIFORM_CUMULANT: Work = EXP.and(LOG).and(Work::new(19.0, 1.0));

/// ln((eᵃ − 1)/a), absolute error below 3e-7 in proportion to 1 + |a|.
#[inline(always)]
pub fn uniform_cumulant(a: f32) -> f32 {
    let z = (a * a).min(1.0);
    let near = 0.5 * a + z * (4.166_666_8e-2 + z * (-3.472_222_2e-4 + z * (5.511_463_7e-6 - z * 1.033_399_5e-7)));
    let t = a.abs().max(1.0);
    let far = a.max(0.0) + log((1.0 - exp(-t)) / t);
    if a.abs() < 1.0 { near } else { far }
}

/// What [`tilted_mean`] computes.
pub const TILTED_MEAN: Work = EXP.and(Work::new(22.0, 3.0));

/// 1/(1 − e⁻ᵃ) − 1/a, relative error below 1e-6.
#[inline(always)]
pub fn tilted_mean(a: f32) -> f32 {
    let z = (a * a).min(1.0);
    let slope =
        8.333_333_6e-2 + z * (-1.388_888_9e-3 + z * (3.306_878_3e-5 + z * (-8.267_195_7e-7 + z * 2.087_675_6e-8)));
    let t = a.abs().max(1.0);
    let e = exp(-t);
    let far = if a > 0.0 { 1.0 / (1.0 - e) - 1.0 / t } else { 1.0 / t - e / (1.0 - e) };
    if a.abs() < 1.0 { 0.5 + a * slope } else { far }
}

/// What [`tilted_variance`] computes.
pub const TILTED_VARIANCE: Work = EXP.and(Work::new(19.0, 2.0));

/// 1/a² − e⁻ᵃ/(1 − e⁻ᵃ)², relative error below 5e-6.
#[inline(always)]
pub fn tilted_variance(a: f32) -> f32 {
    let z = (a * a).min(1.0);
    let near = 8.333_333_6e-2 + z * (-4.166_667e-3 + z * (1.653_439_2e-4 + z * (-5.787_037e-6 + z * 1.878_908e-7)));
    let t = a.abs().max(1.0);
    let e = exp(-t);
    let far = 1.0 / (t * t) - e / ((1.0 - e) * (1.0 - e));
    if a.abs() < 1.0 { near } else { far }
}

/// What [`stirling_rest`] computes.
const STIRLING_REST: Work = LOG.times(2.0).and(Work::new(24.0, 3.0));

/// What Stirling's formula lacks; below 3 by the recurrence from z + 3.
#[inline(always)]
fn stirling_rest(z: f32) -> f32 {
    let low = z.min(3.0);
    let high = low + 3.0;
    let ratio = high * high * high / (low * (low + 1.0) * (low + 2.0));
    let lift = (low - 0.5) * log(high / low) + log(ratio) - 3.0;
    let r = 1.0 / if z < 3.0 { high } else { z };
    let s = r * r;
    let series = r * (8.333_333_6e-2 + s * (-2.777_777_8e-3 + s * (7.936_508e-4 - s * 5.952_381e-4)));
    series + if z < 3.0 { lift } else { 0.0 }
}

/// What [`log_rest`] computes.
const LOG_REST: Work = Work::new(18.0, 1.0);

/// ln(1 − p) for p in [0, ½], by the series of the inverse hyperbolic tangent: exact in proportion, also near 0.
#[inline(always)]
fn log_rest(p: f32) -> f32 {
    let v = p / (2.0 - p);
    let w = v * v;
    let tail = 0.142_857_15 + w * (0.111_111_11 + w * (9.090_909e-2 + w * (7.692_308e-2 + w * 6.666_667e-2)));
    -2.0 * v * (1.0 + w * (0.333_333_34 + w * (0.2 + w * tail)))
}

/// What [`log_beta`] computes.
pub const LOG_BETA: Work = STIRLING_REST.times(3.0).and(LOG.times(2.0)).and(LOG_REST).and(Work::new(14.0, 1.0));

/// ln B(a, b) for a and b above 0, absolute error below 3e-7 in proportion to 4 + |ln B|.
#[inline(always)]
pub fn log_beta(a: f32, b: f32) -> f32 {
    let (least, most) = (a.min(b), a.max(b));
    let n = least + most;
    let p = least / n;
    let rests = stirling_rest(least) + stirling_rest(most) - stirling_rest(n);
    (least - 0.5) * log(p) + (most - 0.5) * log_rest(p) - 0.5 * log(n) + 0.918_938_5 + rests
}

/// What [`digamma_rest`] computes.
const DIGAMMA_REST: Work = Work::new(16.0, 5.0);

/// What the asymptotic series of the digamma function lacks of ln(z + 4).
#[inline(always)]
fn digamma_rest(z: f32) -> f32 {
    let r = 1.0 / (z + 4.0);
    let s = r * r;
    let series = -0.5 * r - s * (8.333_333_6e-2 - s * (8.333_334e-3 - s * 3.968_254e-3));
    series - 1.0 / z - 1.0 / (z + 1.0) - 1.0 / (z + 2.0) - 1.0 / (z + 3.0)
}

/// What [`log_beta_slope`] computes.
pub const LOG_BETA_SLOPE: Work = LOG.and(DIGAMMA_REST.times(2.0)).and(Work::new(5.0, 1.0));

/// ∂ ln B(a, b)/∂a = ψ(a) − ψ(a + b), absolute error below 1e-6 in proportion to 1 + 1/a.
#[inline(always)]
pub fn log_beta_slope(a: f32, b: f32) -> f32 {
    let n = a + b;
    log((a + 4.0) / (n + 4.0)) + digamma_rest(a) - digamma_rest(n)
}

#[cfg(test)]
mod tests {
    use crate::graph::eval::call;
    use crate::kernels::Func::{self, LogBeta, LogBetaGrad, TiltedMean, TiltedMeanGrad, UniformCumulant};

    use super::*;

    /// The largest error of `f` over the points, in units of `scale(exact)`.
    fn worst(points: &[(f32, f32)], f: impl Fn(f32, f32) -> f32, exact: impl Fn(f64, f64) -> (f64, f64)) -> f64 {
        let one = |&(a, b): &(f32, f32)| {
            let (want, scale) = exact(f64::from(a), f64::from(b));
            (f64::from(f(a, b)) - want).abs() / scale
        };
        points.iter().map(one).fold(0.0, |a, b| if b.is_finite() { a.max(b) } else { f64::INFINITY })
    }

    fn logits() -> Vec<(f32, f32)> {
        let mut all: Vec<f32> = (-20_000..=20_000).map(|i| i as f32 * 5e-3).collect();
        all.extend([1e-30, -1e-12, 1e-6, 0.999_999_9, 1.000_000_1, -1.0, 1e4, -1e4, 1e19, -3e38]);
        all.into_iter().map(|a| (a, 0.0)).collect()
    }

    fn pairs() -> Vec<(f32, f32)> {
        let grid: Vec<f32> = (-24..=40).map(|i| (f64::from(i) / 4.0).exp() as f32).chain([2.999, 3.0, 3.001]).collect();
        grid.iter().flat_map(|&a| grid.iter().map(move |&b| (a, b))).collect()
    }

    #[test]
    fn errors_are_as_documented() {
        let of = |func: Func| move |a: f64, b: f64| call(func, a, b, 0.0);
        let cumulant = |factor: f64| move |a: f64, b: f64| (factor * of(UniformCumulant)(a, b), 1.0 + a.abs());
        assert!(worst(&logits(), |a, _| uniform_cumulant(a), cumulant(1.0)) < 3e-7);
        let mean = |a, b| (of(TiltedMean)(a, b), of(TiltedMean)(a, b));
        assert!(worst(&logits()[..40_008], |a, _| tilted_mean(a), mean) < 1e-6);
        let variance = |a, _| (call(TiltedMeanGrad, 1.0, a, 0.0), call(TiltedMeanGrad, 1.0, a, 0.0));
        assert!(worst(&logits()[..40_008], |a, _| tilted_variance(a), variance) < 5e-6);
        let beta = |a, b| (of(LogBeta)(a, b), 4.0 + of(LogBeta)(a, b).abs());
        assert!(worst(&pairs(), log_beta, beta) < 3e-7);
        let slope = |a, b| (call(LogBetaGrad, 1.0, a, b), 1.0 + 1.0 / a);
        assert!(worst(&pairs(), log_beta_slope, slope) < 1e-6);
        // The yardstick itself: what is wrong in its fifth digit is far outside the bounds.
        assert!(worst(&logits(), |a, _| uniform_cumulant(a), cumulant(1.0001)) > 3e-5);
    }

    #[test]
    fn the_oracle_is_right_at_known_points() {
        let close = |found: f64, exact: f64| assert!((found - exact).abs() < 1e-13 * (1.0 + exact.abs()), "{found}");
        close(call(LogBeta, 1.0, 1.0, 0.0), 0.0);
        close(call(LogBeta, 2.0, 3.0, 0.0), -12f64.ln());
        close(call(LogBeta, 0.5, 0.5, 0.0), std::f64::consts::PI.ln());
        // ψ(1) − ψ(3) = −(1 + 1/2), ψ(1/2) − ψ(1) = −2 ln 2.
        close(call(LogBetaGrad, 1.0, 1.0, 2.0), -1.5);
        close(call(LogBetaGrad, 2.0, 0.5, 0.5), -4.0 * std::f64::consts::LN_2);
        close(call(UniformCumulant, 1.0, 0.0, 0.0), 1f64.exp_m1().ln());
        close(call(UniformCumulant, -2.0, 0.0, 0.0), ((1.0 - (-2f64).exp()) / 2.0).ln());
        close(call(TiltedMean, 0.0, 0.0, 0.0), 0.5);
        close(call(TiltedMean, 2.0, 0.0, 0.0), 1.0 / (1.0 - (-2f64).exp()) - 0.5);
        close(call(TiltedMeanGrad, 3.0, 0.0, 0.0), 0.25);
    }
}
