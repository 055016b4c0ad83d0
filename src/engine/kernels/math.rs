//! Elementary functions for the CPU references: branch-free, so that loops over them vectorise.
//!
//! Polynomials on reduced arguments in f32. Nothing is fused, and no number becomes an integer by a conversion that saturates,
//! so that vectors of any width give the same bits. Error bounds are asserted by this file's tests against f64, over numbers
//! of all sizes, those beside every branch among them. They are in units in the last place (ulp) of results above 2⁻¹²⁶; those
//! below may be 0.
//!
//! | function | error below | |
//! |---|---|---|
//! | [`exp`] | 1 ulp | everywhere |
//! | [`log`] | 1 ulp | everywhere |
//! | [`sigmoid`] | 2.5 ulp | everywhere |
//! | [`tanh`] | 3 ulp | everywhere |
//! | [`softplus`] | 3 ulp | everywhere |
//! | [`erf`] | 7·10⁻⁷, absolute | everywhere |
//! | [`sin_cos_turns`] | 2·10⁻⁷, absolute | from 0 to 1 |

use super::Work;

/// Beyond these e^x is 0, and infinite.
const EXP_RANGE: (f32, f32) = (-87.336_55, 88.722_84);

/// What [`exp_parts`] computes, and [`power_of_two`].
const EXP_PARTS: Work = Work::of(22.0);
const POWER_OF_TWO: Work = Work::of(2.0);

/// x = n ln 2 + r with a whole n, for x within [`EXP_RANGE`]: e^r and n.
#[inline(always)]
fn exp_parts(x: f32) -> (f32, i32) {
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // A sum near 1.5·2²³ has no digits behind the point: it is rounded, and its last bits are n.
    const ROUND: f32 = 12_582_912.0;
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = x - n * LN2_HIGH - n * LN2_LOW;
    // In pairs, which do not wait for each other (Estrin 1960).
    let z = r * r;
    let low = 1.666_666_5e-1 * r + 0.5;
    let high = (8.333_452e-3 * r + 4.166_579_6e-2) + z * (1.987_569_1e-4 * r + 1.398_199_9e-3);
    (1.0 + (r + z * (low + z * high)), rounded.to_bits() as i32 - ROUND.to_bits() as i32)
}

#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits(((n + 127) << 23) as u32)
}

/// What [`exp`] computes.
pub const EXP: Work = EXP_PARTS.and(POWER_OF_TWO.times(2.0)).and(Work::of(12.0));

/// e^x; 0 below −87.3, infinite above 88.7.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let (low, high) = EXP_RANGE;
    let above = if x > low { x } else { low };
    let (p, n) = exp_parts(if above < high { above } else { high });
    // 2^n in two factors: n reaches 128, where one f32 power of two would overflow.
    let half = n >> 1;
    let value = p * power_of_two(half) * power_of_two(n - half);
    let value = if x < low { 0.0 } else { value };
    let value = if x > high { f32::INFINITY } else { value };
    if x.is_nan() { x } else { value }
}

/// What [`exp_below`] computes.
pub(super) const EXP_BELOW: Work = EXP_PARTS.and(POWER_OF_TWO).and(Work::of(5.0));

/// e^−|x|, as [`exp`] has it.
#[inline(always)]
pub(super) fn exp_below(x: f32) -> f32 {
    let (low, down) = (EXP_RANGE.0, -x.abs());
    // What is no number is below nothing, and stays that.
    let (p, n) = exp_parts(if down < low { low } else { down });
    if down <= low { 0.0 } else { p * power_of_two(n) }
}

/// What [`log`] computes.
pub const LOG: Work = Work::of(45.0);

/// ln x for positive x; −∞ at 0, NaN below. The sampler's, whose WGSL is the same.
#[inline(always)]
pub fn log(x: f32) -> f32 {
    // Subnormals are scaled into the normal range first.
    let tiny = x < f32::MIN_POSITIVE;
    let scaled = if tiny { x * 8_388_608.0 } else { x };
    // Mantissa in [√½, √2), exponent to match.
    let shifted = scaled.to_bits().wrapping_sub(0x3f35_04f3);
    let exponent = ((shifted as i32) >> 23) as f32 + if tiny { -23.0 } else { 0.0 };
    let m = f32::from_bits((shifted & 0x007f_ffff).wrapping_add(0x3f35_04f3)) - 1.0;
    let z = m * m;
    let p = 7.037_683_6e-2_f32;
    let p = p * m - 1.151_461e-1;
    let p = p * m + 1.167_699_9e-1;
    let p = p * m - 1.242_014_1e-1;
    let p = p * m + 1.424_932_3e-1;
    let p = p * m - 1.666_805_7e-1;
    let p = p * m + 2.000_071_5e-1;
    let p = p * m - 2.499_999_4e-1;
    let p = p * m + 3.333_333e-1;
    let tail = p * m * z - 2.121_944_4e-4 * exponent - 0.5 * z;
    let value = m + tail + 0.693_359_4 * exponent;
    let value = if x == 0.0 { f32::NEG_INFINITY } else { value };
    let value = if x < 0.0 { f32::NAN } else { value };
    let value = if x == f32::INFINITY { x } else { value };
    if x.is_nan() { x } else { value }
}

/// What [`log_1p`] computes.
const LOG_1P: Work = Work::new(15.0, 1.0);

/// ln(1 + x) for x from 0 to 1: 2 artanh s with s = x/(2 + x), whose series in s² ends with a minimax polynomial.
#[inline(always)]
fn log_1p(x: f32) -> f32 {
    let s = x / (2.0 + x);
    // Of a small s the square, which the result does not show, would underflow: processors take long for that.
    let large = if s > 1e-9 { s } else { 0.0 };
    let (t, w) = (s + s, large * large);
    let p = (0.333_332_1 + 0.200_107_63 * w) + w * w * (0.140_009_03 + 0.140_059_93 * w);
    t + t * (w * p)
}

/// What [`softplus`] computes.
pub const SOFTPLUS: Work = EXP_BELOW.and(LOG_1P).and(Work::of(2.0));

/// ln(1 + e^x).
#[inline(always)]
pub fn softplus(x: f32) -> f32 {
    softplus_of(x, exp_below(x))
}

/// The same, of x and [`exp_below`] of it.
#[inline(always)]
pub(super) fn softplus_of(x: f32, e: f32) -> f32 {
    (if x > 0.0 { x } else { 0.0 }) + log_1p(e)
}

/// What [`sigmoid`] computes.
pub const SIGMOID: Work = EXP_BELOW.and(Work::new(3.0, 1.0));

/// 1 / (1 + e^−x); 0 below −87.3.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    sigmoid_of(x, exp_below(x))
}

/// The same, of x and [`exp_below`] of it.
#[inline(always)]
pub(super) fn sigmoid_of(x: f32, e: f32) -> f32 {
    (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
}

/// What [`tanh`] computes.
pub const TANH: Work = EXP_BELOW.and(Work::new(18.0, 1.0));

/// tanh x.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    // (1 − e^−2|x|) / (1 + e^−2|x|) cancels near 0; there the odd Taylor polynomial is exact to rounding.
    let e = exp_below(2.0 * x);
    let large = (1.0 - e) / (1.0 + e);
    let large = if x < 0.0 { -large } else { large };
    let z = x * x;
    let small = x + x * z * (-0.333_333_34 + z * (0.133_333_34 + z * (-0.053_968_254 + z * 0.021_869_488)));
    if z < 0.0625 { small } else { large }
}

/// What [`erf`] computes.
pub const ERF: Work = EXP_BELOW.and(Work::new(18.0, 1.0));

/// The error function (Abramowitz and Stegun 7.1.26).
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let a = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * a);
    let p = t * (0.254_829_6 + t * (-0.284_496_74 + t * (1.421_413_8 + t * (-1.453_152_1 + t * 1.061_405_4))));
    let y = 1.0 - p * exp_below(a * a);
    if x < 0.0 { -y } else { y }
}

/// What [`sin_cos_turns`] computes.
pub const SIN_COS_TURNS: Work = Work::of(35.0);

/// sin and cos of 2π·u for u in [0, 1].
#[inline(always)]
pub fn sin_cos_turns(u: f32) -> (f32, f32) {
    let q = u * 4.0;
    let j = (q + 0.5).floor();
    let r = (q - j) * std::f32::consts::FRAC_PI_2;
    let z = r * r;
    let s = r + r * z * (-1.666_665_5e-1 + z * (8.332_161e-3 + z * -1.951_529_6e-4));
    let c = 1.0 - 0.5 * z + z * z * (4.166_664_6e-2 + z * (-1.388_731_6e-3 + z * 2.443_315_7e-5));
    // j is a whole number from 0 to 4: beside 2²³ it stands in the last bits.
    let quadrant = (j + 8_388_608.0).to_bits() & 3;
    let (a, b) = if quadrant & 1 == 1 { (c, s) } else { (s, c) };
    let sin = if quadrant & 2 == 2 { -a } else { a };
    let cos = if quadrant == 1 || quadrant == 2 { -b } else { b };
    (sin, cos)
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;

    /// Every 1021st number there is, of all signs and exponents, subnormal and not finite ones among them; and all beside those
    /// where a function takes another branch, or reaches the end of its range.
    fn all() -> impl ParallelIterator<Item = f32> {
        let corners = [EXP_RANGE.0, EXP_RANGE.1, 0.5 * EXP_RANGE.0, 0.25, std::f32::consts::FRAC_1_SQRT_2, 1.0, 17.0];
        let near = |x: f32| (-4000..4000).map(move |i| f32::from_bits(x.to_bits().wrapping_add_signed(i)));
        let beside: Vec<f32> = corners.into_iter().flat_map(|x| [x, -x]).flat_map(near).collect();
        (0..u32::MAX / 1021).into_par_iter().map(|i| f32::from_bits(i * 1021)).chain(beside)
    }

    /// The largest error over all numbers, in units in the last place of the exact value (of 2^−126, below which results may
    /// be 0). Infinity counts as the number after the largest.
    fn worst(f: fn(f32) -> f32, exact: impl Fn(f64) -> f64 + Sync) -> f64 {
        let end = 128f64.exp2();
        let error = |x: f32| {
            let (found, want) = (f64::from(f(x)).clamp(-end, end), exact(f64::from(x)).clamp(-end, end));
            if want.is_nan() {
                return if found.is_nan() { 0.0 } else { f64::INFINITY };
            }
            let least = f64::from(f32::MIN_POSITIVE);
            let error = (found - want).abs();
            let error = if want.abs() < least { (error - want.abs()).max(0.0) } else { error };
            let ulp = (want.abs().max(least).log2().floor().min(127.0) - 23.0).exp2();
            if error.is_nan() { f64::INFINITY } else { error / ulp }
        };
        all().map(error).reduce(|| 0.0, f64::max)
    }

    #[test]
    fn errors_in_units_of_the_last_place() {
        let softplus_exact = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
        for (name, [least, bound], found) in [
            ("exp", [0.9, 1.0], worst(exp, f64::exp)),
            ("log", [0.8, 1.0], worst(log, f64::ln)),
            ("sigmoid", [2.0, 2.5], worst(sigmoid, |x| 1.0 / (1.0 + (-x).exp()))),
            ("tanh", [2.0, 3.0], worst(tanh, f64::tanh)),
            ("softplus", [2.0, 3.0], worst(softplus, softplus_exact)),
        ] {
            eprintln!("{name}: {found:.3} units in the last place");
            // Far below the bound, it would not be one.
            assert!((least..bound).contains(&found), "{name}: {found}");
        }
        assert!(worst(exp, |x| x.exp() * (1.0 + 1e-6)) > 4.0, "the yardstick sees it");
        assert!(worst(|x| if x > 88.722 { f32::INFINITY } else { exp(x) }, f64::exp) > 4.0, "infinite too early");
    }

    /// The largest error over some numbers, absolute.
    fn apart(numbers: impl ParallelIterator<Item = f32>, f: fn(f32) -> f32, g: impl Fn(f64) -> f64 + Sync) -> f64 {
        let error = |x: f32| (f64::from(f(x)) - g(f64::from(x))).abs();
        numbers.map(error).reduce(|| 0.0, |a, b| if b.is_finite() { a.max(b) } else { f64::INFINITY })
    }

    #[test]
    fn errors_where_results_cancel() {
        let numbers = || all().filter(|x| !x.is_nan());
        let found = apart(numbers(), erf, libm::erf);
        eprintln!("erf: {found:.2e}");
        assert!(found < 7e-7, "{found:e}");
        // All uniforms that are drawn, and the ends.
        let turns = || (0..=1u32 << 24).into_par_iter().map(|i| i as f32 / 16_777_216.0);
        let turn = std::f64::consts::TAU;
        let sine = apart(turns(), |u| sin_cos_turns(u).0, |u| (turn * u).sin());
        let cosine = apart(turns(), |u| sin_cos_turns(u).1, |u| (turn * u).cos());
        eprintln!("sine and cosine: {sine:.2e}, {cosine:.2e}");
        assert!(sine < 2e-7 && cosine < 2e-7, "{sine:e} {cosine:e}");
        // The yardstick itself: a wrong function is far outside the bounds.
        assert!(apart(numbers(), erf, |x| libm::erf(x * 1.0001)) > 3e-5);
    }

    #[test]
    fn edges() {
        for (f, at_minus_infinity, at_infinity) in [
            (exp as fn(f32) -> f32, 0.0, f32::INFINITY),
            (softplus, 0.0, f32::INFINITY),
            (sigmoid, 0.0, 1.0),
            (tanh, -1.0, 1.0),
            (erf, -1.0, 1.0),
        ] {
            assert_eq!([f(f32::NEG_INFINITY), f(f32::INFINITY)], [at_minus_infinity, at_infinity]);
            assert!(f(f32::NAN).is_nan());
        }
        assert_eq!([exp(0.0), exp(-200.0), exp(200.0)], [1.0, 0.0, f32::INFINITY]);
        assert!(log(f32::NAN).is_nan() && log(-1.0).is_nan());
        assert_eq!([log(0.0), log(1.0), log(f32::INFINITY)], [f32::NEG_INFINITY, 0.0, f32::INFINITY]);
        assert_eq!([tanh(1000.0), tanh(-9.0), softplus(200.0), sigmoid(-200.0)], [1.0, -1.0, 200.0, 0.0]);
        assert!((erf(0.5) - 0.520_499_9).abs() < 5e-7 && (erf(-2.0) + 0.995_322_3).abs() < 5e-7);
    }
}
