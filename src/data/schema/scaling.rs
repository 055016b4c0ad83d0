//! The scale of numbers that a model sees.

use serde::{Deserialize, Serialize};

/// How the numbers of a field are scaled: (value − shift)/scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// What is taken off: the mean over the training rows.
    pub shift: f64,
    /// What is divided by: the standard deviation over the training rows, or 1 where that is 0.
    pub scale: f64,
}

impl Scaling {
    /// That of numbers as they are.
    pub const NONE: Scaling = Scaling { shift: 0.0, scale: 1.0 };

    /// The scaling after which these numbers have mean 0 and standard deviation 1; those that are NaN do not count.
    pub fn of(values: impl Iterator<Item = f64> + Clone) -> Scaling {
        let known = values.filter(|value| !value.is_nan());
        let count = known.clone().count() as f64;
        if count == 0.0 {
            return Scaling::NONE;
        }
        let mean = known.clone().sum::<f64>() / count;
        let deviation = (known.map(|value| (value - mean) * (value - mean)).sum::<f64>() / count).sqrt();
        Scaling::by(mean, deviation)
    }

    /// That of numbers of this mean and this standard deviation.
    pub(in super::super) fn by(mean: f64, deviation: f64) -> Scaling {
        // What does not vary but for roundings has no spread that could be measured.
        let is_spread = deviation > 1e-9 * mean.abs() && deviation.is_normal();
        Scaling { shift: mean, scale: if is_spread { deviation } else { 1.0 } }
    }

    /// (value − shift)/scale.
    pub fn apply(self, value: f64) -> f64 {
        (value - self.shift) / self.scale
    }

    /// shift + scale·x.
    pub fn invert(self, x: f64) -> f64 {
        self.shift + self.scale * x
    }
}
