//! Likelihoods of finitely many values, on the host: what outputs of a decoder say of one value, level by level.

use crate::coding::Cumulative;

/// p(x_j | z) over levels 0, 1/(n − 1), …, 1 of each feature, from outputs that a program computed, in 64 bits.
pub trait Discrete: Send + Sync {
    /// n, how many values a feature can take.
    fn levels(&self) -> usize;

    /// What the outputs of a row, as [`Likelihood::outputs`](super::Likelihood::outputs) says that they lie, say of each of its so many
    /// features.
    fn distributions(&self, outputs: &[f32], features: usize, into: &mut Cumulative);
}

/// The outputs of one feature, the first of which is at its place among the features and so on.
pub(super) fn of_feature(outputs: &[f32], feature: usize, features: usize) -> impl Iterator<Item = f64> + Clone {
    outputs[feature..].iter().step_by(features).map(|&output| f64::from(output))
}
