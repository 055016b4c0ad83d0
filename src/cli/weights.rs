//! Which weights of a run a command uses.

use crate::apps::Saved;
use crate::error::Result;

/// Takes up all members of an ensemble, or so many draws of the weights where they are asked for.
pub(super) fn join(saved: &mut Saved, draws: Option<u64>, seed: u64) -> Result<()> {
    saved.join_members()?;
    draws.map_or(Ok(()), |draws| saved.join_draws(draws as usize, seed))
}

/// Says whose weights they are, where they are not the last, or not all that there are.
pub(super) fn say_weights(saved: &Saved) {
    if let Some(best) = saved.best {
        println!("Weights: of epoch {}, the best by the loss of the validation rows", best.epoch);
    }
    match (saved.models, saved.session.members()) {
        (1, 1) => {}
        (1, draws) => println!("Weights: {draws} draws of their distribution"),
        (models, 1) => println!("Models: the first of {models}"),
        (models, _) => println!("Models: all {models} of an ensemble"),
    }
}
