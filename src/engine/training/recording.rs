//! The steps that a run would do next, written down in place of being done, so that another host can do them.

use super::checkpoint::Checkpoint;
use super::resume::state_of;
use super::state::State;
use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::kernels::Step;
use crate::program::{Launch, ProgramId};

/// Launches of training programs, in order.
#[derive(Debug)]
pub struct Recording {
    /// The programs, which the trainer's session has loaded.
    pub programs: Vec<ProgramId>,
    /// The place of the program of each launch, and its step.
    pub launches: Vec<(usize, Step)>,
}

impl Trainer {
    /// Takes the state of a checkpoint of a run whose epochs have `per_epoch` steps, and writes down so many epochs over this trainer's rows from
    /// there on. Those may be fewer than the run's: rates and the optimiser's counters go on step by step as the run would have them. Nothing is run,
    /// so the buffers of the executor hold what the first launch begins with.
    ///
    /// # Errors
    /// If the checkpoint is of another model, or the rows come window by window.
    pub fn write_down(&mut self, checkpoint: &Checkpoint, per_epoch: u64, epochs: u64) -> Result<Recording> {
        if self.feed.is_some() {
            return Err(Error::invalid("steps can be written down only of rows that are in memory: take fewer rows"));
        }
        let state = state_of(checkpoint)?;
        let batches = self.batches.len();
        // Of other rows, an epoch that is under way begins anew.
        let first = if per_epoch == batches as u64 { state.batch as usize } else { 0 };
        let (mut number, from) = (state.step, state.epoch);
        self.take(checkpoint, State { batch: 0, ..state })?;
        self.phases.rate_by(per_epoch);
        let mut launches: Vec<Launch> = vec![];
        for epoch in from..from + epochs {
            let step = Step { seed: Step::seed_words(self.config.seed), epoch: epoch as u32, ..Step::default() };
            for batch in if epoch == from { first } else { 0 }..batches {
                self.phases.launch(&*self.session.model, (batch, number), &step, &mut launches);
                number += 1;
            }
        }
        let mut programs: Vec<ProgramId> = vec![];
        let placed = launches.into_iter().map(|Launch { program, step }| {
            let place = programs.iter().position(|known| *known == program).unwrap_or_else(|| {
                programs.push(program);
                programs.len() - 1
            });
            (place, step)
        });
        let launches = placed.collect();
        Ok(Recording { programs, launches })
    }
}
