//! Ways between codes.

use crate::error::{Error, Result};

/// How a way between two codes leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum Way {
    /// Straight: (1 − t)·a + t·b.
    Linear,
    /// Along a great circle, lengths changing evenly: codes of many dimensions lie near a sphere, and the straight way leaves it
    /// (White 2016).
    Spherical,
}

impl Way {
    /// The code at t, from 0 at `a` to 1 at `b`.
    pub fn at(self, a: &[f32], b: &[f32], t: f64) -> Vec<f32> {
        let mix = |x: f64, y: f64| -> Vec<f32> {
            a.iter().zip(b).map(|(&a, &b)| (x * f64::from(a) + y * f64::from(b)) as f32).collect()
        };
        let [of_a, of_b] = [a, b].map(|z| z.iter().map(|&z| f64::from(z).powi(2)).sum::<f64>().sqrt());
        let inner: f64 = a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        let angle = (inner / (of_a * of_b)).clamp(-1.0, 1.0).acos();
        // Codes at 0, of one direction or of opposite ones have no great circle between them, or too many.
        let is_straight = !angle.is_finite() || !(1e-4..=std::f64::consts::PI - 1e-4).contains(&angle);
        if self == Way::Linear || is_straight {
            return mix(1.0 - t, t);
        }
        let length = (1.0 - t) * of_a + t * of_b;
        let share = |part: f64, of: f64| (part * angle).sin() / angle.sin() * length / of;
        mix(share(1.0 - t, of_a), share(t, of_b))
    }
}

/// Evenly spaced numbers from 0 to 1, both included.
///
/// # Errors
/// If there are fewer than two.
pub fn steps(count: usize) -> Result<Vec<f64>> {
    match count {
        0 | 1 => Err(Error::invalid("a way has at least two steps, its ends")),
        _ => Ok((0..count).map(|step| step as f64 / (count - 1) as f64).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_begin_and_end_where_they_should_and_the_sphere_keeps_lengths() {
        let (a, b) = ([2.0, 0.0], [0.0, 4.0]);
        for way in [Way::Linear, Way::Spherical] {
            let ends = [0.0, 1.0].map(|t| way.at(&a, &b, t));
            assert!(ends.iter().zip([a, b]).all(|(end, at)| end.iter().zip(at).all(|(x, y)| (x - y).abs() < 1e-6)));
        }
        assert_eq!(Way::Linear.at(&a, &b, 0.5), [1.0, 2.0]);
        // Half of the right angle, at length 3.
        let half = Way::Spherical.at(&a, &b, 0.5);
        assert!(half.iter().all(|x| (x - 3.0 / 2.0f32.sqrt()).abs() < 1e-6), "{half:?}");
        assert_eq!(Way::Spherical.at(&[1.0, 0.0], &[-1.0, 0.0], 0.25), [0.5, 0.0]);
        assert_eq!(Way::Spherical.at(&[0.0, 0.0], &[0.0, 2.0], 0.5), [0.0, 1.0]);
        assert!(steps(1).is_err());
        assert_eq!(steps(3).unwrap(), [0.0, 0.5, 1.0]);
    }
}
