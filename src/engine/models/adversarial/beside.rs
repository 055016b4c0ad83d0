//! Encoder and decoder beside one critic, of codes or of rows with their codes: two losses of one pass, each minimised by its own parameters.

use super::{CRITIC, CRITICS_OPTIMISER};
use crate::engine::models::{Batch, Group, GroupLoss, Phase, Terms, TrainingPlan, WHOLE};
use crate::graph::Tensor;

/// What the two minimise of a batch.
pub(super) struct Both<'g> {
    /// Of encoder and decoder, with the loss that they minimise.
    pub terms: Terms<'g>,
    /// The loss of the critic `[rows, 1]`.
    pub critic: Tensor<'g>,
}

/// How the two are trained.
pub(super) fn plan<'m>(both: impl for<'g> Fn(&Batch<'g>) -> Both<'g> + Send + Sync + 'm) -> TrainingPlan<'m> {
    let phase = Phase::new("train", move |batch| {
        let Both { terms, critic } = both(batch);
        let mut losses = terms.minimised_by(WHOLE);
        losses.losses.push(GroupLoss { groups: vec![CRITIC], loss: critic, gradient_scale: None });
        losses
    });
    let critic = Group { optimiser: CRITICS_OPTIMISER.parse().ok(), ..Group::new(CRITIC, CRITIC) };
    TrainingPlan { groups: vec![Group::new(WHOLE, ""), critic], phases: vec![phase] }
}
