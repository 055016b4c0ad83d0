//! The exponential of many numbers at once, with the bits of `libm::exp`.
//!
//! The same operations in the same order as FreeBSD's `e_exp.c`, which the crate `libm` follows, but without a branch, so that a loop
//! over them becomes vectors: x = k ln 2 + r, eʳ by a rational function, and 2ᵏ put into the exponent.

use crate::kernels::simd::vectorised;

const LN2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);
const PER_LN2: f64 = f64::from_bits(0x3ff7_1547_652b_82fe);
/// r(eʳ + 1)/(eʳ − 1) = 2 + c₁r² + c₂r⁴ + … on [0, ½ ln 2].
const C: [f64; 5] = [
    f64::from_bits(0x3fc5_5555_5555_553e),
    f64::from_bits(0xbf66_c16c_16be_bd93),
    f64::from_bits(0x3f11_566a_af25_de2c),
    f64::from_bits(0xbebb_bd41_c5d2_6bf1),
    f64::from_bits(0x3e66_3769_72be_a4d0),
];
/// 2⁵²: what is added to it loses its fraction.
const WHOLE: f64 = 4_503_599_627_370_496.0;

/// Arguments beyond these count as these: there the exponential is neither subnormal nor infinite.
pub const LEAST: f64 = -708.0;
/// See [`LEAST`].
pub const MOST: f64 = 709.0;

/// eˣ, of arguments from [`LEAST`] to [`MOST`]; those beyond count as the nearer end, a NaN stays one.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let x = if x > MOST { MOST } else { x };
    let x = if x < LEAST { LEAST } else { x };
    // The upper half of |x|, by which ranges are told.
    let high = (x.to_bits() >> 32) & 0x7fff_ffff;
    let rounded = truncated(PER_LN2 * x + f64::copysign(0.5, x));
    let k = if high > 0x3fd6_2e42 { rounded } else { 0.0 };
    let (upper, lower) = (x - k * LN2_HIGH, k * LN2_LOW);
    let r = upper - lower;
    let rr = r * r;
    let c = r - rr * (C[0] + rr * (C[1] + rr * (C[2] + rr * (C[3] + rr * C[4]))));
    let y = 1.0 + (r * c / (2.0 - c) - lower + upper);
    let y = if high > 0x3e30_0000 { y } else { 1.0 + x };
    y * power_of_two(k)
}

/// A number without its fraction, if it is below 2⁵¹.
#[inline(always)]
fn truncated(x: f64) -> f64 {
    let size = x.abs();
    let nearest = (size + WHOLE) - WHOLE;
    f64::copysign(if nearest > size { nearest - 1.0 } else { nearest }, x)
}

/// 2ᵏ for whole k from −1022 to 1023.
#[inline(always)]
fn power_of_two(k: f64) -> f64 {
    // The lowest bits of this sum are those of k.
    let bits = (k + 1.5 * WHOLE).to_bits();
    f64::from_bits((bits << 52).wrapping_add(1023 << 52))
}

vectorised! {
    /// e to each of these.
    pub fn exponentials(values: &mut [f64]) = exponentials_of;
}

#[inline(always)]
fn exponentials_of(values: &mut [f64]) {
    values.iter_mut().for_each(|value| *value = exp(*value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_those_of_libm() {
        let mut state = 0x1234_5678_9abc_def1u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        // Evenly spread, near 0 of every size, and around the multiples of ½ ln 2, where the reduction changes.
        let mut all: Vec<f64> =
            (0..100_000).map(|_| (random() >> 11) as f64 / (1u64 << 53) as f64 * 1417.0 - 708.0).collect();
        all.extend((0..20_000).map(|_| f64::from_bits((random() & !(0x7ff << 52)) | (random() % 1033) << 52)));
        all.extend((-2000..2000).flat_map(|half| {
            let near = f64::from(half) * 0.5 * std::f64::consts::LN_2;
            [-3i64, -1, 0, 1, 2].map(|off| f64::from_bits(near.to_bits().wrapping_add_signed(off)))
        }));
        for ends in [0x3fd6_2e42u64, 0x3fd6_2e43, 0x3ff0_a2b1, 0x3ff0_a2b2, 0x3e30_0000, 0x3e30_0001] {
            all.extend([0, 1, 0xffff_ffff].map(|low| f64::from_bits(ends << 32 | low)));
            all.extend([0, 1, 0xffff_ffff].map(|low| -f64::from_bits(ends << 32 | low)));
        }
        all.retain(|x| (LEAST..=MOST).contains(x));
        all.extend([0.0, -0.0, LEAST, MOST, f64::NAN]);
        assert!(all.len() > 120_000, "{}", all.len());
        let mut found = all.clone();
        exponentials(&mut found);
        for (x, found) in all.iter().zip(&found) {
            let right = libm::exp(*x);
            assert!(
                found.to_bits() == right.to_bits() || (found.is_nan() && right.is_nan()),
                "{x:e}: {found:e}, {right:e}"
            );
        }
        // Beyond the ends it stays where it is.
        assert_eq!([-1e4, -710.0, 710.0, f64::INFINITY].map(exp), [LEAST, LEAST, MOST, MOST].map(libm::exp));
    }
}
