//! Adversarial models: something is learnt by fooling a critic, a network that learns to tell what is made from what is real.
//!
//! Two mistakes are impossible by the way that these models are put together. A loss is differentiated by the parameters of the groups
//! that minimise it and by no others ([`GroupLoss`](super::GroupLoss)), so that no step along one undoes a step along another. And a
//! critic sees real rows and made ones in calls of its own, so that a network that normalises over rows never mixes the two.

mod critic;
mod gan;
mod loss;
mod penalty;

pub use critic::Critic;
pub use gan::{Gan, GanOptions};
pub use loss::AdversarialLoss;
pub use penalty::gradient_penalty;

pub(super) use gan::ENTRY as GAN;

/// The group of a critic's parameters, and their scope.
const CRITIC: &str = "discriminator";
