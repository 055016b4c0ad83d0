//! Likelihoods of finitely many values, on the host: what outputs of a decoder say of one value, level by level.

use crate::coding::Cumulative;

/// p(x_j | z) over levels 0, 1/(n − 1), …, 1 of each feature, from outputs that a program computed, in 64 bits.
///
/// Where what is said of a feature hangs on others, features are told in stages: those of a stage are independent given those of the stages
/// before it.
pub trait Discrete: Send + Sync {
    /// n, how many values a feature can take.
    fn levels(&self) -> usize;

    /// S, in how many stages the features of a row are told: feature j in stage j mod S. Rows have a multiple of S features.
    fn stages(&self) -> usize {
        1
    }

    /// What the outputs of a row, as [`Likelihood::outputs`](super::Likelihood::outputs) says that they lie, say of the features of a stage, of so many
    /// that the row has. `known` are the levels of the stages before it `[stages, features / S]`: how many there are says which stage it is.
    fn distributions(&self, outputs: &[f32], features: usize, known: &[u16], into: &mut Cumulative);
}

/// The outputs of one feature, the first of which is at its place among the features and so on.
pub(super) fn of_feature(outputs: &[f32], feature: usize, features: usize) -> impl Iterator<Item = f64> + Clone {
    outputs[feature..].iter().step_by(features).map(|&output| f64::from(output))
}
