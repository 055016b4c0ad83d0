//! A trainer that does what the first of those that share a training tells it.

use super::order::Order;
use super::trainer::Trainer;
use crate::error::{Error, Result};
use crate::program::Launch;

impl Trainer {
    /// Does what the first trainer tells, until that has ended. `stops` says whether this one is asked to stop: then the first knows of it by
    /// the next iteration, and ends the training as if it had been asked.
    ///
    /// # Errors
    /// If the device fails, another trainer fails or cannot be reached, or this is the first or the only one.
    pub fn follow(&mut self, stops: &dyn Fn() -> bool) -> Result<()> {
        let outcome = self.obey(stops);
        if let (Err(error), Some(shared)) = (&outcome, &mut self.shared) {
            shared.share.reduce.fail(&error.to_string());
        }
        outcome
    }

    fn obey(&mut self, stops: &dyn Fn() -> bool) -> Result<()> {
        loop {
            let Some(shared) = self.shared.as_mut().filter(|shared| shared.share.part > 0) else {
                return Err(Error::invalid("the first trainer of a training was asked to follow: it leads"));
            };
            match Order::hear(&mut *shared.share.reduce)? {
                Order::End => return Ok(()),
                // What an iteration that is gone back from has come to is nobody's.
                Order::Level => {
                    self.settle()?;
                    self.level()?;
                }
                Order::Compare => _ = self.compare()?,
                Order::Batch { epoch, positions, runs } => {
                    shared.wants_to_stop = stops();
                    let program = |place: usize| {
                        let unknown =
                            || Error::invalid("the first trainer runs another program: give all the same settings");
                        self.phases.program_at(place).ok_or_else(unknown)
                    };
                    let launch = |(place, step)| Ok(Launch { program: program(place)?, step });
                    self.launches = runs.into_iter().map(launch).collect::<Result<_>>()?;
                    let executor = &mut *self.session.executor;
                    if let Some(feed) = &mut self.feed {
                        feed.bring(executor, epoch, positions)?;
                    }
                    self.launch_shared()?;
                    if let Some(feed) = &mut self.feed {
                        feed.go_on(&mut *self.session.executor)?;
                    }
                    // The first looks at what they come to.
                    let is_iteration =
                        self.launches.iter().any(|launch| self.phases.before(launch.program).1.is_some());
                    if is_iteration {
                        self.settle()?;
                    }
                }
            }
        }
    }
}
