//! A trainer that is one of several which share a training; see [`super::reduce`].

use std::ops::Range;

use xxhash_rust::xxh3::Xxh3;

use super::order::Order;
use super::reduce::{Share, Shared, Standing};
use super::session::{Session, write};
use super::trainer::Trainer;
use crate::config::TrainingConfig;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::kernels::Step;
use crate::program::{Exchange, Held, Launch, ParameterSet, ProgramId};

impl Trainer {
    /// A trainer of a part of every batch, where several share the training; see [`Reduce`](super::Reduce). They must be given the same data,
    /// settings and seed. The first leads: it is used as any other trainer. The others follow it ([`Trainer::follow`]).
    ///
    /// # Errors
    /// As for [`Trainer::semi_supervised`], or if a batch has fewer rows than there are parts.
    pub fn shared(
        session: Session,
        (data, labelled): (&Dataset, Option<&Dataset>),
        config: &TrainingConfig,
        (beta, binarise): (f64, bool),
        share: Share,
    ) -> Result<Trainer> {
        let shared = Shared::new(share, config.batch)?;
        Trainer::build(session, (data, labelled), config, (beta, binarise), Some(shared))
    }

    /// Has the other trainers of a training that is shared in this process follow this one, each on a thread of its own, until this one is
    /// dropped.
    ///
    /// # Errors
    /// If there can be no more threads.
    pub fn lead(mut self, followers: Vec<Trainer>) -> Result<Trainer> {
        for mut trainer in followers {
            let part = trainer.shared.as_ref().map_or(0, |shared| shared.share.part);
            let thread = std::thread::Builder::new().name(format!("part {part}"));
            // Why it has failed is told to the first.
            let thread = thread
                .spawn(move || _ = trainer.follow(&|| false))
                .map_err(|error| Error::Device(format!("no thread could be made for a device: {error}")))?;
            if let Some(shared) = &mut self.shared {
                shared.followers.push(thread);
            }
        }
        Ok(self)
    }

    /// Runs a batch that is to be launched, and has the others do so; the rows that its programs see stand at these positions.
    pub(super) fn lead_batch(&mut self, positions: Range<usize>) -> Result<()> {
        let outcome = self.try_lead_batch(positions);
        if let (Err(error), Some(shared)) = (&outcome, &mut self.shared) {
            shared.share.reduce.fail(&error.to_string());
        }
        outcome
    }

    fn try_lead_batch(&mut self, positions: Range<usize>) -> Result<()> {
        let phases = &self.phases;
        let run = |launch: &Launch| Some((phases.place_of(launch.program)?, launch.step));
        let runs = self.launches.iter().filter_map(run).collect();
        let order = Order::Batch { epoch: self.state.epoch, positions, runs };
        if let Some(shared) = self.shared.as_mut().filter(|shared| shared.standing != Standing::Level) {
            Order::Level.tell(&mut *shared.share.reduce)?;
            shared.standing = Standing::Level;
            self.level()?;
        }
        if let Some(shared) = &mut self.shared {
            order.tell(&mut *shared.share.reduce)?;
        }
        self.launch_shared()
    }

    /// Launches what is to be launched, for this trainer's rows, with what is exchanged between programs.
    pub(super) fn launch_shared(&mut self) -> Result<()> {
        let launches = std::mem::take(&mut self.launches);
        let first = self.shared.as_ref().map_or(0, |shared| shared.rows.first as u32);
        for &Launch { program, step } in &launches {
            self.exchange(program)?;
            self.session.executor.launch(&[Launch { program, step: Step { row_offset: first, ..step } }])?;
        }
        self.launches = launches;
        Ok(())
    }

    /// Exchanges what all trainers exchange before a program; before one that moves parameters, the losses of its phase as well, and whether
    /// one of them is to stop.
    fn exchange(&mut self, program: ProgramId) -> Result<()> {
        let (exchanges, applied) = self.phases.before(program);
        let (Some(shared), false) = (&mut self.shared, exchanges.is_empty()) else { return Ok(()) };
        let Shared { share, rows, wants_to_stop, all_stop, given: values, .. } = shared;
        let executor = &mut *self.session.executor;
        let begin = |exchange: &Exchange| executor.begin_read(&exchange.from);
        let tickets = exchanges.iter().map(begin).collect::<Result<Vec<_>>>()?;
        let read = tickets.iter().map(|ticket| Ok(bytemuck::cast_vec(executor.finish_read(ticket)?)));
        let read = read.collect::<Result<Vec<Vec<f32>>>>()?;
        values.clear();
        let mut ends: Vec<usize> = Vec::new();
        for (exchange, own) in exchanges.iter().zip(&read) {
            values.extend_from_slice(&exchange.summand(own, rows));
            ends.push(values.len());
        }
        // What was run is done when a read of what it wrote has come, and so are its statistics.
        let sent = values.len();
        if let Some(phase) = applied {
            self.phases.collect(executor, true)?;
            values.extend(self.phases.own_statistics(phase).map(|loss| *loss));
            values.push(f32::from(u8::from(*wants_to_stop)));
        }
        share.reduce.sum(values)?;
        if let Some(phase) = applied {
            self.phases.take_sums(phase, &values[sent..]);
            *all_stop |= values.last().is_some_and(|stops| *stops > 0.0);
        }
        let mut start = 0;
        for ((exchange, own), end) in exchanges.iter().zip(&read).zip(ends) {
            let whole = if exchange.held == Held::Whole { own } else { &values[start..end] };
            executor.write_f32(&exchange.to, &exchange.written(whole, rows))?;
            start = end;
        }
        Ok(())
    }

    /// What is the same in all trainers: parameters, and what optimisers keep of them; the set of each, and its buffer.
    fn levelled(&self) -> Vec<(ParameterSet, String)> {
        let layout = &self.session.layout;
        let mut all: Vec<(ParameterSet, String)> = vec![];
        for (set, group) in layout.groups.iter().zip(self.phases.groups()) {
            let states = group.rule.optimiser.state().iter().map(|name| set.state(name));
            // Those of SWAG are the first's alone.
            let means = group.rule.average.map(|_| set.averages().values());
            let buffers = [set.values()].into_iter().chain(states).chain(means);
            all.extend(buffers.map(|buffer| (set.clone(), buffer)));
        }
        all.extend([&layout.assigned, &layout.frozen].map(|set| (set.clone(), set.values())));
        all.retain(|(set, _)| set.words() > 0);
        all
    }

    /// Gives all trainers the parameters of the first, and what optimisers keep of them.
    pub(super) fn level(&mut self) -> Result<()> {
        let (all, executor) = (self.levelled(), &mut *self.session.executor);
        let Some(shared) = &mut self.shared else { return Ok(()) };
        for (set, buffer) in all {
            let mut words = vec![0; set.words()];
            if shared.share.part == 0 && executor.words(&buffer).is_some() {
                words = executor.read(&buffer)?;
            }
            shared.share.reduce.broadcast(&mut words)?;
            if shared.share.part > 0 {
                write(executor, &set, &buffer, bytemuck::cast_slice(&words))?;
            }
        }
        Ok(())
    }

    /// Whether all trainers that share the training have the same parameters, to the bit. Devices of one kind have. Those of
    /// others may differ in the last bits; each epoch begins by giving all of them the first one's.
    ///
    /// # Errors
    /// If a device fails, or a trainer cannot be reached.
    pub fn is_level(&mut self) -> Result<bool> {
        // Apart, the others are given what this one has before anything is done.
        let Some(shared) = self.shared.as_mut().filter(|shared| shared.standing != Standing::Apart) else {
            return Ok(true);
        };
        let told = Order::Compare.tell(&mut *shared.share.reduce);
        let outcome = told.and_then(|()| self.compare());
        if let (Err(error), Some(shared)) = (&outcome, &mut self.shared) {
            shared.share.reduce.fail(&error.to_string());
        }
        outcome
    }

    /// Whether the parameters of all trainers are those of the first.
    pub(super) fn compare(&mut self) -> Result<bool> {
        let (all, executor) = (self.levelled(), &mut *self.session.executor);
        let Some(shared) = &mut self.shared else { return Ok(true) };
        let mut digest = Xxh3::new();
        for (_, buffer) in all {
            if executor.words(&buffer).is_some() {
                digest.update(bytemuck::cast_slice(&executor.read(&buffer)?));
            }
        }
        let own = digest.digest();
        let own = [own as u32, (own >> 32) as u32];
        let (mut first, reduce) = (own, &mut shared.share.reduce);
        reduce.broadcast(&mut first)?;
        let mut differing = [f32::from(u8::from(own != first))];
        reduce.sum(&mut differing)?;
        Ok(differing == [0.0])
    }

    /// Whether another trainer of a shared training was asked to stop.
    pub(super) fn is_asked_to_stop(&self) -> bool {
        self.shared.as_ref().is_some_and(|shared| shared.all_stop)
    }

    /// Takes note that the run has stopped, from where it may go on.
    pub(super) fn has_stopped(&mut self) {
        if let Some(shared) = &mut self.shared {
            shared.has_stopped |= std::mem::take(&mut shared.all_stop);
        }
    }

    /// Whether another trainer of a shared training has asked to stop since this was called last: an epoch that it broke off is not gone on
    /// with.
    pub fn was_asked_to_stop(&mut self) -> bool {
        self.has_stopped();
        self.shared.as_mut().is_some_and(|shared| std::mem::take(&mut shared.has_stopped))
    }

    /// Takes note of how the parameters of all trainers stand to each other.
    pub(super) fn stand(&mut self, standing: Standing) {
        if let Some(shared) = &mut self.shared {
            shared.standing = standing;
        }
    }

    /// Whether the training is shared.
    pub(super) fn is_shared(&self) -> bool {
        self.shared.is_some()
    }
}
