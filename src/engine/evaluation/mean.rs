//! The mean of a few measurements, and how far it may be off.

use super::Interval;

/// Student's t within which 95 % lie, of 1 to 10 degrees of freedom.
const STUDENT_95: [f64; 10] =
    [12.706_205, 4.302_653, 3.182_446, 2.776_445, 2.570_582, 2.446_912, 2.364_624, 2.306_004, 2.262_157, 2.228_139];
/// Of a standard normal, what 95 % lie within.
const NORMAL_95: f64 = 1.959_963_984_540_054;

/// The mean of measurements that came about independently, with Student's interval of 95 %. Of one measurement the interval has no ends: they are
/// NaN.
pub fn mean_interval(values: &[f64]) -> Interval {
    let count = values.len() as f64;
    let value = values.iter().sum::<f64>() / count;
    if values.len() < 2 {
        return Interval { value, low: f64::NAN, high: f64::NAN };
    }
    let variance = values.iter().map(|x| (x - value).powi(2)).sum::<f64>() / (count - 1.0);
    let half = student_95(values.len() - 1) * (variance / count).sqrt();
    Interval { value, low: value - half, high: value + half }
}

/// Student's t within which 95 % lie; beyond ten degrees of freedom by the expansion of Cornish and Fisher (Abramowitz & Stegun 1964, 26.7.5).
fn student_95(freedom: usize) -> f64 {
    if let Some(t) = STUDENT_95.get(freedom - 1) {
        return *t;
    }
    let (z, n) = (NORMAL_95, freedom as f64);
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + first / n + second / (n * n) + third / n.powi(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_tables() {
        // Of 1, 2, 3, 4, 5: the mean is 3, the standard error √(2.5/5), and t of 4 degrees 2.776.
        let found = mean_interval(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(found.value, 3.0);
        assert!(
            (found.high - 3.0 - 2.776_445 * 0.5f64.sqrt()).abs() < 1e-6 && (found.low + found.high - 6.0).abs() < 1e-12
        );
        for (freedom, t) in [(1, 12.706), (9, 2.262), (11, 2.201), (20, 2.086), (120, 1.980)] {
            assert!((student_95(freedom) - t).abs() < 1e-3, "{freedom}: {}", student_95(freedom));
        }
        let alone = mean_interval(&[0.5]);
        assert!(alone.value == 0.5 && alone.low.is_nan() && alone.high.is_nan());
    }
}
