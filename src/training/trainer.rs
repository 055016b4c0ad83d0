//! The loop: batches of an epoch through the training program, a few steps at a time.

use std::ops::ControlFlow;
use std::time::Instant;

use super::accumulator::Sums;
use super::batches::Batches;
use super::checkpoint::Checkpoint;
use super::metrics::{EpochRecord, Split, StepRecord};
use super::pace::Pace;
use super::programs::train_program;
use super::schedule::Rates;
use super::session::Session;
use super::state::State;
use crate::config::TrainingConfig;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::kernels::{NOT_FINITE, Step};
use crate::program::{AdamOptions, Program, ProgramId, RING_SLOTS};

/// A model being trained.
pub struct Trainer {
    /// The model on its device.
    pub session: Session,
    /// Where training stands.
    pub state: State,
    rates: Rates,
    program: ProgramId,
    batches: Batches,
    config: TrainingConfig,
    submit: usize,
    /// Whether all values that a step sees are 0 or 1.
    black_and_white: bool,
    /// Room for [`Trainer::send`] and [`Trainer::settle`], kept so that neither allocates.
    steps: Vec<Step>,
    statistics: Vec<f32>,
}

/// How far an epoch is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Batches done in this epoch, and how many it has.
    pub batch: usize,
    /// Batches of the epoch.
    pub batches: usize,
    /// Means so far.
    pub sums: &'a Sums,
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
        mut session: Session,
        data: &Dataset,
        labelled: Option<&Dataset>,
        config: &TrainingConfig,
        beta: f64,
        binarise: bool,
    ) -> Result<Trainer> {
        if config.batch > data.rows {
            return Err(Error::invalid(format!(
                "`batch` is {}, and the training data has {} rows: give at most that many",
                config.batch, data.rows
            )));
        }
        let adam = AdamOptions {
            beta1: config.beta1 as f32,
            beta2: config.beta2 as f32,
            epsilon: config.epsilon as f32,
            clip: config.clip_norm.map(|c| c as f32),
        };
        let source = session.resident("train", data)?;
        let part = labelled.map(|part| Ok((session.resident("labelled", part)?, part))).transpose()?;
        let program = session.load("train", |model, set| {
            let part = part.as_ref().map(|(part, rows)| (part, config.batch.min(rows.rows)));
            Ok(train_program(model, set, (&source, config.batch), part, binarise, adam))
        })?;
        source.upload(&mut *session.executor, program, data)?;
        if let Some((part, rows)) = part {
            part.upload(&mut *session.executor, program, rows)?;
        }
        session.start()?;
        let batches = Batches { count: data.rows, rows: config.batch };
        let rates = Rates::new(config, beta, batches.len() as u64);
        let submit = config.steps_per_submit.unwrap_or(1).min(RING_SLOTS);
        Ok(Trainer {
            session,
            state: State::default(),
            rates,
            program,
            batches,
            config: config.clone(),
            submit,
            black_and_white: binarise || data.is_black_and_white(),
            steps: Vec::new(),
            statistics: Vec::new(),
        })
    }

    /// Batches of one epoch.
    pub fn batches(&self) -> usize {
        self.batches.len()
    }

    /// The training program.
    pub fn program(&self) -> &Program {
        self.session.executor.program(self.program)
    }

    /// Sends so many steps of the first epoch, round and round, without waiting for them; gives the seconds that took.
    /// For timing: the state does not move.
    ///
    /// # Errors
    /// If the device fails.
    pub fn send(&mut self, count: usize) -> Result<f64> {
        let before = Instant::now();
        let mut steps = std::mem::take(&mut self.steps);
        steps.clear();
        steps.extend((0..count).map(|i| self.step(i % self.batches.len())));
        self.session.executor.run(self.program, &steps)?;
        self.steps = steps;
        Ok(before.elapsed().as_secs_f64())
    }

    /// Takes the statistics that have come back, without a wait, and forgets them.
    ///
    /// # Errors
    /// If the device fails.
    pub fn collect(&mut self) -> Result<()> {
        self.statistics.clear();
        self.session.executor.statistics(self.program, false, &mut self.statistics)
    }

    /// Waits for all steps that were sent, and forgets their statistics.
    ///
    /// # Errors
    /// If the device fails.
    pub fn settle(&mut self) -> Result<()> {
        self.statistics.clear();
        self.session.executor.statistics(self.program, true, &mut self.statistics)
    }

    /// Sends so many steps and waits for them.
    ///
    /// # Errors
    /// If the device fails.
    pub fn steps(&mut self, count: usize) -> Result<()> {
        self.send(count)?;
        self.settle()
    }

    /// Times the calls of one step, in seconds.
    ///
    /// # Errors
    /// If the device fails or cannot time its calls.
    pub fn profile(&mut self) -> Result<Vec<f64>> {
        let step = self.step(0);
        self.session.executor.profile(self.program, &step)
    }

    /// Trains to the end of the epoch, or until `progress` breaks off; then the state says where to go on. Gives the
    /// epoch's record if it was finished.
    ///
    /// # Errors
    /// If the loss or a gradient is not finite, or the device fails.
    pub fn epoch(&mut self, progress: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<Option<EpochRecord>> {
        let started = Instant::now();
        let first = self.state.batch as usize;
        let (mut sent, mut statistics, mut records) = (first, Vec::new(), Vec::new());
        let (mut steps, mut stop, mut pace) = (Vec::with_capacity(RING_SLOTS), false, Pace::new());
        while sent < self.batches.len() && !stop {
            let count = self.submit.min(self.batches.len() - sent);
            steps.clear();
            for i in sent..sent + count {
                steps.push(self.step(i));
            }
            self.session.executor.run(self.program, &steps)?;
            sent += count;
            self.session.executor.statistics(self.program, false, &mut statistics)?;
            let done = self.state.step;
            self.digest(&mut statistics, &mut records)?;
            pace.finished(self.state.step - done);
            self.submit = self.config.steps_per_submit.unwrap_or_else(|| pace.next(self.submit)).min(RING_SLOTS);
            stop = self.report(&mut records, started, first, progress);
        }
        self.session.executor.statistics(self.program, true, &mut statistics)?;
        self.digest(&mut statistics, &mut records)?;
        stop |= self.report(&mut records, started, first, progress);
        if sent < self.batches.len() && stop {
            return Ok(None);
        }
        let seconds = started.elapsed().as_secs_f64();
        let record = self.record(seconds, sent - first);
        self.state = State { step: self.state.step, epoch: self.state.epoch + 1, batch: 0, sums: Sums::default() };
        Ok(Some(record))
    }

    /// What varies in the step of batch `i` of this epoch.
    fn step(&self, i: usize) -> Step {
        let (position, rows) = self.batches.at(i);
        let number = self.state.epoch * self.batches.len() as u64 + i as u64;
        let program = self.session.executor.program(self.program);
        Step {
            seed: Step::seed_words(self.config.seed),
            step: number as u32,
            slot: 0,
            rows,
            epoch: self.state.epoch as u32,
            position,
            spare: 0,
            scalars: self.rates.scalars(program, &*self.session.model, number),
        }
    }

    /// Takes in the statistics of finished steps.
    fn digest(&mut self, statistics: &mut Vec<f32>, records: &mut Vec<StepRecord>) -> Result<()> {
        let width = self.session.executor.program(self.program).statistics.len();
        for values in statistics.chunks_exact(width) {
            let (_, rows) = self.batches.at(self.state.batch as usize);
            let (loss, squared_norm) = (f64::from(values[0]), f64::from(values[width - 1]));
            let norm_is_finite = squared_norm.is_finite() && squared_norm < f64::from(NOT_FINITE);
            if !loss.is_finite() || !norm_is_finite {
                return Err(Error::Diverged(format!(
                    "step {} gave a {} that is not a finite number. A smaller --learning-rate, --clip-norm 1 or \
                     --warmup-steps 1000 usually helps; the last checkpoint is as it was",
                    self.state.step,
                    if norm_is_finite { "loss" } else { "gradient" }
                )));
            }
            let means = values.iter().take(width - 1).map(|&v| f64::from(v)).chain([squared_norm.sqrt()]);
            self.state.sums.add(rows, means);
            if self.state.step.is_multiple_of(self.config.log_every as u64) {
                records.push(StepRecord {
                    step: self.state.step + 1,
                    epoch: self.state.epoch + 1,
                    loss,
                    reconstruction: f64::from(values[1]),
                    kl: f64::from(values[2]),
                    beta: Some(self.rates.beta(self.state.step)),
                    learning_rate: Some(self.rates.learning_rate(self.state.step)),
                    gradient_norm: Some(squared_norm.sqrt()),
                    samples_per_second: None,
                    parts: self.session.parts_of(self.program, |i| f64::from(values[i])),
                });
            }
            self.state.step += 1;
            self.state.batch += 1;
        }
        statistics.clear();
        Ok(())
    }

    fn report(
        &self,
        records: &mut Vec<StepRecord>,
        started: Instant,
        first: usize,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> bool {
        let done = self.state.batch as usize;
        let rate = ((done - first) * self.batches.rows) as f64 / started.elapsed().as_secs_f64().max(1e-9);
        for record in records.iter_mut() {
            record.samples_per_second = Some(rate);
        }
        let now = Progress { batch: done, batches: self.batches.len(), sums: &self.state.sums, steps: records };
        let flow = progress(now);
        records.clear();
        flow.is_break()
    }

    fn record(&self, seconds: f64, steps: usize) -> EpochRecord {
        let sums = &self.state.sums;
        let mut record = EpochRecord::new(self.state.epoch + 1, Split::Train, sums.mean(0), sums.mean(1), sums.mean(2));
        record.parts = self.session.parts(self.program, sums);
        let last = self.state.step.saturating_sub(1);
        record.bits_per_dimension = self.session.bits_per_dimension(record.elbo, self.black_and_white);
        record.beta = Some(self.rates.beta(last));
        record.learning_rate = Some(self.rates.learning_rate(last));
        record.gradient_norm = Some(sums.mean(3 + record.parts.len()));
        record.seconds = Some(seconds);
        record.samples_per_second = Some((steps * self.batches.rows) as f64 / seconds.max(1e-9));
        record.steps = Some(self.state.step);
        record
    }

    /// All that is needed to go on: weights, moments, counters.
    ///
    /// # Errors
    /// If the device fails.
    pub fn checkpoint(&mut self) -> Result<Checkpoint> {
        let set = self.session.set.clone();
        let mut tensors = self.session.values()?;
        for (buffer, prefix) in set.moments().iter().zip(["adam.first.", "adam.second."]) {
            tensors.extend(self.session.tensors(buffer, prefix)?);
        }
        let mut metadata = self.state.to_metadata();
        metadata.insert("format".to_string(), "elbo 1".to_string());
        Ok(Checkpoint { tensors, metadata })
    }

    /// Goes on from a checkpoint.
    ///
    /// # Errors
    /// If it is of another architecture, or lacks what is needed to go on.
    pub fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let state = State::from_metadata(&checkpoint.metadata).map_err(|entry| {
            Error::invalid(format!("the checkpoint cannot be continued: its entry `{entry}` is missing or no number"))
        })?;
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
        let set = self.session.set.clone();
        self.session.restore_values(checkpoint)?;
        for (buffer, prefix) in set.moments().iter().zip(["adam.first.", "adam.second."]) {
            self.session.restore(buffer, prefix, checkpoint)?;
        }
        self.state = state;
        Ok(())
    }
}
