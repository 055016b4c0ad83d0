//! Which weights of a run a command uses.

use crate::apps::Saved;

/// Says whose weights they are, where they are not the last, or not all that there are.
pub(super) fn say_weights(saved: &Saved) {
    if let Some(best) = saved.best {
        println!("Weights: of epoch {}, the best by the loss of the validation rows", best.epoch);
    }
    match (saved.models, saved.session.members()) {
        (1, _) => {}
        (models, 1) => println!("Models: the first of {models}"),
        (models, _) => println!("Models: all {models} of an ensemble"),
    }
}
