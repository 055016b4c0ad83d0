//! The loop: batches of an epoch through the training program, a few steps at a time.

use std::ops::ControlFlow;
use std::time::Instant;

use super::accumulator::Means;
use super::batches::Batches;
use super::best::Best;
use super::checkpoint::NamedTensor;
use super::feed::Feed;
use super::metrics::{EpochRecord, StepRecord};
use super::phases::Phases;
use super::programs::TrainingStep;
use super::reduce::Shared;
use super::resident::{Resident, Seen};
use super::runaway::Divergence;
use super::running::{Pump, Running};
use super::scalars::Moved;
use super::schedule::Rates;
use super::session::Session;
use super::state::State;
use super::swag_epochs;
use crate::config::TrainingConfig;
use crate::corruption::corruption_of;
use crate::data::{Dataset, Shape};
use crate::error::{Error, Result};
use crate::kernels::{Augment, Step};
use crate::models::Group;
use crate::program::{Launch, Program, RING_SLOTS, Rule};

/// A model being trained.
pub struct Trainer {
    /// The model on its device.
    pub session: Session,
    /// Where training stands.
    pub state: State,
    pub(super) phases: Phases,
    pub(super) batches: Batches,
    pub(super) config: TrainingConfig,
    /// How many steps are sent at once.
    pub(super) submit: usize,
    /// The most that were sent at once so far: the end of an epoch cuts submits short, and says nothing of longer ones.
    pub(super) longest: usize,
    /// The epoch under way.
    pub(super) running: Option<Running>,
    /// This trainer's part of each batch, and how it stands with the others, where several share the training.
    pub(super) shared: Option<Shared>,
    /// What brings the data to the device, where it comes window by window.
    pub(super) feed: Option<Feed>,
    /// Whether all values that a step sees are 0 or 1.
    pub(super) black_and_white: bool,
    /// The share of the rows' values that were observed.
    pub(super) share_observed: f64,
    /// The weights of the best epoch, where that is looked for and there was one.
    pub(super) best: Vec<NamedTensor>,
    /// Room for what is launched, and for the statistics of a batch, kept so that no step allocates.
    pub(super) launches: Vec<Launch>,
    pub(super) told: Vec<(usize, f64)>,
    pub(super) diverged: Option<Divergence>,
}

/// How far an epoch is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Batches done in this epoch, and how many it has.
    pub batch: usize,
    /// Batches of the epoch.
    pub batches: usize,
    /// Means so far.
    pub means: Means<'a>,
    /// Steps that have finished since the last call.
    pub steps: &'a [StepRecord],
}

impl Trainer {
    /// Prepares training: loads the program, makes the data resident, writes the starting parameters.
    ///
    /// # Errors
    /// If the batch is larger than the data, or the device has too little memory.
    pub fn new(
        session: Session,
        data: &Dataset,
        config: &TrainingConfig,
        beta: f64,
        binarise: bool,
    ) -> Result<Trainer> {
        Trainer::semi_supervised(session, data, None, config, beta, binarise)
    }

    /// The same of a model that learns to tell labels from the rows of `labelled`, which every step sees some of.
    ///
    /// # Errors
    /// As for [`Trainer::new`], and if the model is given conditions, and the data has none or others.
    pub fn semi_supervised(
        session: Session,
        data: &Dataset,
        labelled: Option<&Dataset>,
        config: &TrainingConfig,
        beta: f64,
        binarise: bool,
    ) -> Result<Trainer> {
        Trainer::build(session, (data, labelled), config, (beta, binarise), None)
    }

    pub(super) fn build(
        mut session: Session,
        (data, labelled): (&Dataset, Option<&Dataset>),
        config: &TrainingConfig,
        (beta, binarise): (f64, bool),
        shared: Option<Shared>,
    ) -> Result<Trainer> {
        if config.batch > data.rows {
            return Err(Error::invalid(format!(
                "`batch` is {}, and the training data has {} rows: give at most that many",
                config.batch, data.rows
            )));
        }
        if config.corrupt.is_some() && session.model.can().encode.is_none() {
            return Err(Error::invalid(
                "`corrupt` is about what an encoder is shown, and this model has none: leave it out",
            ));
        }
        let seen = Seen {
            binarise,
            augment: config.augment.map(|how| changed(how, data)).transpose()?,
            corruption: config.corrupt.as_ref().map(|way| corruption_of(way, &data.schema)).transpose()?,
        };
        swag_epochs::prepare(&mut session, config)?;
        session.layout.averaged = config.average > 0.0 || config.swag > 0;
        let groups = groups(&session, config)?;
        let source = session.resident("train", data)?;
        check_window(&source, config)?;
        let part = labelled.map(|part| Ok((session.resident("labelled", part)?, part))).transpose()?;
        if part.as_ref().is_some_and(|(part, _)| part.streams()) {
            return Err(Error::invalid(format!(
                "the model learns from rows with labels beside all others, and the data {} stays on disk: say with `labels` how \
                 many it is to know, which are kept in memory, or give a larger `memory`",
                data.name
            )));
        }
        let step = TrainingStep {
            groups: &groups,
            data: (&source, config.batch),
            labelled: part.as_ref().map(|(part, rows)| (part, config.batch.min(rows.rows))),
            seen,
            gathers: config.accumulate > 1 || shared.is_some(),
            largest_buffer: session.executor.largest_buffer(),
        };
        let batches = Batches { count: data.rows, rows: config.batch };
        let rates = Rates::new(config, beta, batches.len() as u64);
        let parts = shared.as_ref().map(|shared| shared.share.parts);
        let phases = Phases::load(&mut session, &step, rates, batches, (config.accumulate, parts))?;
        let feed = session.supply(&source, data, Some(config.seed))?;
        if let Some((part, rows)) = part {
            session.supply(&part, rows, None)?;
        }
        session.start()?;
        let submit = config.steps_per_submit.unwrap_or(1).min(RING_SLOTS);
        Ok(Trainer {
            session,
            state: State::default(),
            phases,
            batches,
            feed,
            config: config.clone(),
            submit,
            longest: submit,
            running: None,
            shared,
            black_and_white: binarise || data.is_black_and_white(),
            share_observed: data.share_observed(),
            best: Vec::new(),
            launches: Vec::new(),
            told: Vec::new(),
            diverged: None,
        })
    }

    /// Batches of one epoch.
    pub fn batches(&self) -> usize {
        self.batches.len()
    }

    /// The training program, of the first phase where there are several.
    ///
    /// # Errors
    /// If somebody has unloaded it.
    pub fn program(&self) -> Result<&Program> {
        self.session.executor.program(self.phases.first())
    }

    /// Sends so many steps of this epoch, round and round, without waiting for them; gives the seconds that took.
    /// For timing: the state does not move.
    ///
    /// # Errors
    /// If the device fails.
    pub fn send(&mut self, count: usize) -> Result<f64> {
        let before = Instant::now();
        let batches = self.batches.len();
        if self.is_shared() {
            // Between two batches all trainers add up.
            (0..count).try_for_each(|i| self.launch(std::iter::once(i % batches)))?;
        } else {
            self.launch((0..count).map(|i| i % batches))?;
        }
        Ok(before.elapsed().as_secs_f64())
    }

    /// Launches batches of this epoch.
    pub(super) fn launch(&mut self, batches: impl Iterator<Item = usize>) -> Result<()> {
        let mut launches = std::mem::take(&mut self.launches);
        launches.clear();
        let (seed, epoch) = (Step::seed_words(self.config.seed), self.state.epoch as u32);
        let step = Step { seed, epoch, ..Step::default() };
        let mut positions = 0..0;
        for i in batches {
            // Later phases see the batches of the iteration again.
            let (start, (last, rows)) = (self.batches.at(i - i % self.config.accumulate).0, self.batches.at(i));
            positions = start as usize..(last + rows) as usize;
            if let Some(feed) = &mut self.feed {
                if !feed.has(self.state.epoch, &positions) {
                    self.session.executor.launch(&launches)?;
                    launches.clear();
                }
                feed.bring(&mut *self.session.executor, self.state.epoch, positions.clone())?;
            }
            self.phases.launch(&*self.session.model, (i, self.number(i)), &step, &mut launches);
        }
        self.launches = launches;
        match self.shared {
            None => self.session.executor.launch(&self.launches)?,
            Some(_) => self.lead_batch(positions)?,
        }
        match &mut self.feed {
            Some(feed) => feed.go_on(&mut *self.session.executor),
            None => Ok(()),
        }
    }

    /// The number of the step of batch `i` of this epoch.
    fn number(&self, i: usize) -> u64 {
        self.state.epoch * self.batches.len() as u64 + i as u64
    }

    /// Takes the statistics that have come back, without a wait, and forgets them.
    ///
    /// # Errors
    /// If the device fails.
    pub fn collect(&mut self) -> Result<()> {
        self.phases.forget();
        self.phases.collect(&mut *self.session.executor, false)
    }

    /// Waits for all steps that were sent, and forgets their statistics.
    ///
    /// # Errors
    /// If the device fails.
    pub fn settle(&mut self) -> Result<()> {
        self.phases.collect(&mut *self.session.executor, true)?;
        self.phases.forget();
        Ok(())
    }

    /// Sends so many steps and waits for them.
    ///
    /// # Errors
    /// If the device fails.
    pub fn steps(&mut self, count: usize) -> Result<()> {
        self.send(count)?;
        self.settle()
    }

    /// Times the calls of one step of [`Trainer::program`], in seconds.
    ///
    /// # Errors
    /// If the device fails or cannot time its calls.
    pub fn profile(&mut self) -> Result<Vec<f64>> {
        if let Some(feed) = &mut self.feed {
            feed.bring(&mut *self.session.executor, 0, 0..self.batches.rows)?;
        }
        let (mut launches, step) = (vec![], Step { seed: Step::seed_words(self.config.seed), ..Step::default() });
        self.phases.launch(&*self.session.model, (0, 0), &step, &mut launches);
        let first = launches.first().map_or(step, |launch| launch.step);
        self.session.executor.profile(self.phases.first(), &first)
    }

    /// Trains to the end of the epoch, or until `progress` breaks off; then the state says where to go on. Gives the
    /// epoch's record if it was finished. This is [`Trainer::pump`] on a thread that may wait, and behind the epoch the weights are taken for SWAG,
    /// where settings ask for it.
    ///
    /// # Errors
    /// If the loss or a gradient is not finite, or the device fails.
    pub fn epoch(&mut self, progress: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<Option<EpochRecord>> {
        loop {
            match self.pump(progress)? {
                Pump::Working => {}
                Pump::Waiting => self.session.executor.wait(None)?,
                Pump::Stopped => return Ok(None),
                Pump::Finished(record) => {
                    self.take_iterate()?;
                    return Ok(Some(*record));
                }
            }
        }
    }

    /// Takes note of the loss of held-out rows behind an epoch: where it is the best so far, its weights are kept.
    ///
    /// # Errors
    /// If the device fails.
    pub fn judge(&mut self, loss: f64) -> Result<()> {
        if Best::is_beaten(self.state.best, loss) {
            self.best = self.session.learnt()?;
            self.state.best = Some(Best { epoch: self.state.epoch, step: self.state.step, loss });
        }
        Ok(())
    }

    /// Whether no epoch follows: all are done, or as many as the patience have brought nothing better.
    pub fn is_done(&self) -> bool {
        let (epoch, patience) = (self.state.epoch, self.config.patience);
        let ended = patience.is_some_and(|patience| Best::is_out_of_patience(self.state.best, epoch, patience as u64));
        epoch >= self.config.epochs as u64 || (self.state.batch == 0 && ended)
    }

    /// Puts the weights of the best epoch in place of the last, where it was looked for. Training does not go on from there.
    ///
    /// # Errors
    /// If the device fails.
    pub fn restore_best(&mut self) -> Result<()> {
        if self.best.is_empty() {
            return Ok(());
        }
        self.session.restore_learnt(&self.best)
    }
}

/// How the pictures of a data set are changed, and their height, width and channels.
fn changed(how: Augment, data: &Dataset) -> Result<(Augment, [usize; 3])> {
    let (shape, name) = (data.shape(), &data.name);
    let Shape { height, width, channels } = shape;
    if data.schema.is_table() || !shape.is_picture() {
        let what = if data.schema.is_table() { "lines of a table" } else { "vectors" };
        return Err(Error::invalid(format!(
            "`augment` changes pictures, and the rows of {name} are {what}, of which no two numbers are neighbours: leave it out"
        )));
    }
    let most = how.shift.max(how.crop) as usize;
    if most >= height.min(width) {
        return Err(Error::invalid(format!(
            "`augment` is {how}, which moves pictures by up to {most} pixels, and those of {name} are {shape}, so that nothing of \
             them might be left: give less than {}",
            height.min(width)
        )));
    }
    Ok((how, [height, width, channels]))
}

/// Refuses windows that hold fewer rows than a step of the parameters sees.
fn check_window(source: &Resident, config: &TrainingConfig) -> Result<()> {
    let (window, seen) = (source.values.window, config.batch * config.accumulate);
    if !source.streams() || window >= seen {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "`memory` lets a window of the data hold {window} rows, and a step sees {seen}: give more memory, or a smaller `batch`"
    )))
}

/// The groups of a session's model, and how each is moved.
fn groups(session: &Session, config: &TrainingConfig) -> Result<Vec<Moved>> {
    let (plan, usual) = (session.model.plan(), config.optimiser.clone());
    let given = |setting: f64| (setting > 0.0).then_some(setting as f32);
    let rule = |group: &Group| {
        Ok(Rule {
            clip: group.clip.or(config.clip_norm.map(|norm| norm as f32)),
            skip: given(config.skip_norm),
            average: given(config.average),
            ..Rule::of(group.optimiser.as_ref().unwrap_or(&usual))?
        })
    };
    plan.groups.iter().map(|group| Ok(Moved::new(group, rule(group)?))).collect()
}
