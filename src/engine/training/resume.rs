//! What a trainer keeps in a checkpoint, and going on from it.

use super::checkpoint::Checkpoint;
use super::feed::Feed;
use super::reduce::Standing;
use super::state::State;
use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::program::ParameterSet;

/// The entry of a checkpoint that says how many rows a window has, where they come in windows.
const WINDOW: &str = "window";

/// What stands in a checkpoint before the names of trained values whose means are used in place of them.
pub(crate) const TRAINED: &str = "trained.";

impl Trainer {
    /// All that is needed to go on: weights, what optimisers keep of them, counters.
    ///
    /// # Errors
    /// If an epoch is under way that was begun by [`Trainer::pump`], or the device fails.
    pub fn checkpoint(&mut self) -> Result<Checkpoint> {
        if self.running.is_some() {
            return Err(Error::invalid(
                "a checkpoint was asked for while steps are under way: break the epoch off or finish it first",
            ));
        }
        self.use_weights()?;
        let mut tensors = self.session.values()?;
        for (set, buffer, prefix) in self.kept() {
            tensors.extend(self.session.tensors(&set, &buffer, &prefix)?);
        }
        let mut metadata = self.state.to_metadata();
        metadata.insert("format".to_string(), "elbo 1".to_string());
        if let Some(feed) = &self.feed {
            metadata.insert(WINDOW.to_string(), feed.window().to_string());
        }
        let mut checkpoint = Checkpoint { tensors, metadata };
        self.session.write_swag(&mut checkpoint);
        checkpoint.add_best(&self.best);
        Ok(checkpoint)
    }

    /// What is kept of the trained parameters beside the values that are used: the set, the buffer, and what stands before
    /// the names in a checkpoint.
    fn kept(&self) -> Vec<(ParameterSet, String, String)> {
        let mut all = Vec::new();
        for (set, group) in self.session.layout.groups.iter().zip(self.phases.groups()) {
            let optimiser = &group.rule.optimiser;
            if self.session.layout.averaged {
                all.push((set.clone(), set.values(), TRAINED.to_string()));
            }
            for name in optimiser.state() {
                all.push((set.clone(), set.state(name), format!("{}.{name}.", optimiser.id())));
            }
        }
        all
    }

    /// Goes on from a checkpoint.
    ///
    /// # Errors
    /// If it is of another architecture, or lacks what is needed to go on.
    pub fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let state = state_of(checkpoint)?;
        let per_epoch = self.batches.len() as u64;
        let total = state.epoch.checked_mul(per_epoch).and_then(|steps| steps.checked_add(state.batch));
        if total != Some(state.step) || state.batch >= per_epoch.max(1) {
            return Err(Error::invalid(format!(
                "the checkpoint stands at step {} of epoch {}, which does not fit {per_epoch} batches an epoch: the data or \
                 the batch size have changed since; continue with the same ones",
                state.step,
                state.epoch.saturating_add(1)
            )));
        }
        let windows = |window: Option<usize>| {
            window.map_or("one of all rows".to_string(), |rows| format!("those of {rows} rows"))
        };
        let (before, now) =
            (checkpoint.metadata.get(WINDOW).and_then(|rows| rows.parse().ok()), self.feed.as_ref().map(Feed::window));
        if before != now {
            return Err(Error::invalid(format!(
                "the rows were shuffled within windows, {} before and {} now, so that they would come in another order: continue \
                 with the `memory` that the run began with",
                windows(before),
                windows(now)
            )));
        }
        if ![0, self.phases.names.len()].contains(&state.sums.len()) {
            return Err(Error::invalid(format!(
                "the checkpoint stands within an epoch with {} figures, and this run has {}: continue it with its own settings",
                state.sums.len(),
                self.phases.names.len()
            )));
        }
        self.take(checkpoint, state)
    }

    /// Goes on from the weights and the counters of a checkpoint, whatever rows it was trained on.
    ///
    /// # Errors
    /// If it is of another architecture, or lacks what is needed to go on.
    pub(super) fn take(&mut self, checkpoint: &Checkpoint, state: State) -> Result<()> {
        // What was sent before has nothing to say of what follows.
        self.settle()?;
        self.has_stopped();
        self.stand(Standing::Apart);
        let best = checkpoint.best_weights();
        if state.best.is_some() {
            // To see that they are of this model.
            self.session.restore_learnt(&best)?;
        }
        self.session.restore_values(checkpoint)?;
        for (set, buffer, prefix) in self.kept() {
            self.session.restore(&set, &buffer, &prefix, checkpoint)?;
        }
        self.restore_spread(checkpoint)?;
        self.phases.retry(state.retries);
        (self.state, self.best, self.running, self.diverged) = (state, best, None, None);
        Ok(())
    }
}

/// Where a checkpoint stands.
///
/// # Errors
/// If it does not say.
pub(super) fn state_of(checkpoint: &Checkpoint) -> Result<State> {
    State::from_metadata(&checkpoint.metadata).map_err(|entry| {
        Error::invalid(format!("the checkpoint cannot be continued: its entry `{entry}` is missing or no number"))
    })
}
