//! A trainer that is one of several which share a training; see [`super::reduce`].

use super::reduce::{Share, Shared};
use super::session::Session;
use super::trainer::Trainer;
use crate::config::TrainingConfig;
use crate::data::Dataset;
use crate::error::{Error, Result};

impl Trainer {
    /// The same where several trainers share the training, this one being one of them; see [`Reduce`](super::Reduce). They must be given the
    /// same data, settings and starting values, and do the same one after the other. Losses must be sums over rows: those that compare
    /// rows with each other (total correlation, MMD, DIP) only see the rows of a part.
    ///
    /// # Errors
    /// As for [`Trainer::new`], if the batch is no multiple of the parts, or the model has state that is assigned and not descended.
    pub fn shared(
        session: Session,
        data: &Dataset,
        config: &TrainingConfig,
        (beta, binarise): (f64, bool),
        share: Share,
    ) -> Result<Trainer> {
        if !session.layout.assigned.parameters.is_empty() {
            return Err(Error::invalid(
                "the model has state that follows the rows of a batch (running means or a codebook), which trainers that share a \
                 training cannot keep equal: train it by one",
            ));
        }
        let shared = Shared::new(share, config.batch)?;
        Trainer::build(session, (data, None), config, (beta, binarise), Some(shared))
    }

    /// Launches what is to be launched, with a reduction before each program that moves parameters.
    pub(super) fn launch_shared(&mut self) -> Result<()> {
        let mut from = 0;
        while from < self.launches.len() {
            let rest = &self.launches[from..];
            let until = rest.iter().take_while(|launch| self.phases.applied(launch.program).is_none()).count();
            self.session.executor.launch(&rest[..until])?;
            from += until;
            if let Some(&apply) = self.launches.get(from) {
                self.reduce(self.phases.applied(apply.program).unwrap_or(0))?;
                self.session.executor.launch(&[apply])?;
                from += 1;
            }
        }
        Ok(())
    }

    /// Adds up the gradients and the losses of a phase over all trainers, and whether one of them is to stop.
    fn reduce(&mut self, phase: usize) -> Result<()> {
        let Some(Shared { share, wants_to_stop, all_stop, .. }) = &mut self.shared else { return Ok(()) };
        let executor = &mut *self.session.executor;
        let groups = &self.session.layout.groups;
        let gathered: Vec<String> = self.phases.moved(phase).iter().map(|&group| groups[group].accumulated()).collect();
        let tickets = gathered.iter().map(|name| executor.begin_read(name)).collect::<Result<Vec<_>>>()?;
        // What was run is done when a read of what it wrote has come, and so are its statistics.
        self.phases.collect(executor, true)?;
        let (mut values, mut words) = (vec![], vec![]);
        for ticket in &tickets {
            let read = executor.finish_read(ticket)?;
            words.push(read.len());
            values.extend(read.into_iter().map(f32::from_bits));
        }
        let losses: Vec<&mut f32> = self.phases.sum_statistics(phase).collect();
        values.extend(losses.iter().map(|loss| **loss));
        values.push(f32::from(u8::from(*wants_to_stop)));
        share.reduce.sum(&mut values)?;
        let (gradients, rest) = values.split_at(words.iter().sum());
        losses.into_iter().zip(rest).for_each(|(loss, sum)| *loss = *sum);
        *all_stop |= rest.last().is_some_and(|stops| *stops > 0.0);
        let mut gradients = gradients.iter();
        for (name, words) in gathered.iter().zip(words) {
            let own: Vec<f32> = gradients.by_ref().take(words).copied().collect();
            executor.write_f32(name, &own)?;
        }
        Ok(())
    }

    /// Takes note that the run is to stop; gives whether it stops now. Trainers that share a training stop together.
    pub(super) fn stops(&mut self, wanted: bool) -> bool {
        match &mut self.shared {
            None => wanted,
            Some(shared) => {
                shared.wants_to_stop |= wanted;
                shared.all_stop
            }
        }
    }

    /// Takes note that the run has stopped, from where it may go on.
    pub(super) fn has_stopped(&mut self) {
        if let Some(shared) = &mut self.shared {
            (shared.wants_to_stop, shared.all_stop) = (false, false);
        }
    }

    /// Whether the training is shared.
    pub(super) fn is_shared(&self) -> bool {
        self.shared.is_some()
    }
}
