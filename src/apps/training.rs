//! Training on rows in memory, without a run folder.

use std::fmt;
use std::ops::ControlFlow;

use super::devices::Team;
use super::form::Form;
use super::held_out::held_out;
use super::history::History;
use super::retreat::Retreat;
use super::setup::{as_measured, build_trainer, check_support};
use super::stages::freeze;
use super::trained::Trained;
use crate::config::{Config, DeviceConfig};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::training::metrics::{EpochRecord, Split, StepRecord};

/// An epoch that has just been done.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Epoch<'a> {
    /// Means over the training rows.
    pub train: &'a EpochRecord,
    /// Means over the validation rows, where some were given.
    pub validation: Option<&'a EpochRecord>,
    /// Whether it is the best so far, where that is looked for.
    pub is_best: bool,
}

/// Looks at a step.
type OnStep<'a> = Box<dyn FnMut(&StepRecord) -> ControlFlow<()> + 'a>;
/// Says whether to stop.
type Until<'a> = Box<dyn FnMut() -> bool + 'a>;
/// Looks at an epoch.
type OnEpoch<'a> = Box<dyn FnMut(Epoch) -> ControlFlow<()> + 'a>;

/// A training of a model on rows in memory: it prints nothing and writes no file.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use elbo::config::{DeviceChoice, Preset};
/// use elbo::data::{Dataset, Shape, Values};
///
/// let row = |i: usize| (0..8).map(move |j| f32::from(u8::from((i + j) % 8 < 4)));
/// let rows = |range: std::ops::Range<usize>| Values::Floats(range.flat_map(row).collect());
/// let data = Dataset::new("rings", rows(0..400), Shape::vector(8))?;
/// let held_out = Dataset::new("more rings", rows(400..440), Shape::vector(8))?;
///
/// let mut config = Preset::Classic.config();
/// config.model.encoder = "mlp:16".parse()?;
/// config.model.latent = 2;
/// config.training.epochs = 100;
/// config.training.patience = Some(5); // ends early, with the best weights
/// config.device.device = DeviceChoice::Cpu;
///
/// let mut worst = f64::INFINITY;
/// let vae = elbo::Training::new(&data, &config)
///     .validation(&held_out)
///     .on_epoch(|epoch| {
///         worst = worst.min(epoch.train.loss);
///         ControlFlow::Continue(())
///     })
///     .run()?;
///
/// let best = vae.history().best.expect("some epoch was the best");
/// let losses: Vec<f64> = vae.history().validation.iter().map(|record| record.loss).collect();
/// assert_eq!(best.loss, losses.iter().copied().fold(f64::INFINITY, f64::min));
/// assert_eq!(best.loss, losses[best.epoch as usize - 1]);
/// # Ok::<(), elbo::Error>(())
/// ```
pub struct Training<'a> {
    data: &'a Dataset,
    config: &'a Config,
    validation: Option<&'a Dataset>,
    on_step: OnStep<'a>,
    on_epoch: OnEpoch<'a>,
    until: Until<'a>,
}

impl fmt::Debug for Training<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let name = |data: &Dataset| data.name.clone();
        f.debug_struct("Training")
            .field("data", &name(self.data))
            .field("validation", &self.validation.map(name))
            .field("config", self.config)
            .finish_non_exhaustive()
    }
}

impl<'a> Training<'a> {
    /// A training on all rows of a data set. Of `config`, the table `[data]` counts only for `binarise` and `labels`, since the rows are
    /// given.
    pub fn new(data: &'a Dataset, config: &'a Config) -> Training<'a> {
        let (on_step, on_epoch) =
            (Box::new(|_: &StepRecord| ControlFlow::Continue(())), Box::new(|_: Epoch| ControlFlow::Continue(())));
        Training { data, config, validation: None, on_step, on_epoch, until: Box::new(|| false) }
    }

    /// Rows that are held out: they are measured behind every epoch, and
    /// [`patience`](crate::config::TrainingConfig::patience) goes by their loss.
    pub fn validation(self, data: &'a Dataset) -> Training<'a> {
        Training { validation: Some(data), ..self }
    }

    /// Looks at the steps that are recorded: every [`log_every`](crate::config::TrainingConfig::log_every)th, 1 for all. `Break` ends the
    /// training, behind the steps that were sent to the device by then.
    pub fn on_step(self, look: impl FnMut(&StepRecord) -> ControlFlow<()> + 'a) -> Training<'a> {
        Training { on_step: Box::new(look), ..self }
    }

    /// Looks at every epoch when it is done. `Break` ends the training there. Where numbers run away, training goes back to the last good
    /// state ([`retries`](crate::config::TrainingConfig::retries)), and what follows it is shown again.
    pub fn on_epoch(self, look: impl FnMut(Epoch) -> ControlFlow<()> + 'a) -> Training<'a> {
        Training { on_epoch: Box::new(look), ..self }
    }

    /// Ends the training as soon as `is_enough` says so, which is asked whenever steps that were sent to the device are done: a few times a
    /// second, if a step does not take longer. What was learnt by then is kept.
    pub fn until(self, is_enough: impl FnMut() -> bool + 'a) -> Training<'a> {
        Training { until: Box::new(is_enough), ..self }
    }

    /// Trains.
    ///
    /// # Errors
    /// If the configuration makes no sense or does not fit the data, if it has a patience and there are no validation rows, if there is
    /// no such device or it has too little memory, or if numbers run away more often than is tried.
    pub fn run(mut self) -> Result<Trained> {
        // Checks and models know a piece by its own name alone.
        let mut named = self.config.clone();
        named.name_pieces();
        let (data, config) = (self.data, &named);
        self.check(config)?;
        let form = Form::of(&config.model.kind, data);
        // Kernels are not timed, since nothing would note what was chosen.
        let team = Team::open(&DeviceConfig { deterministic: true, ..config.device.clone() })?;
        let mut trainer = build_trainer(config, data, team)?;
        freeze(config, data, &mut trainer.session)?;
        let validation = self.validation.map(|rows| as_measured(config, rows));
        if let Some(rows) = &validation {
            check_support(config, &*trainer.session.model, rows)?;
        }
        let mut history = History::default();
        let mut stopped = false;
        let mut retreat = Retreat::new(&mut trainer, config)?;
        while !stopped && !trainer.is_done() {
            let record = trainer.epoch(&mut |progress| {
                stopped =
                    stopped || progress.steps.iter().any(|step| (self.on_step)(step).is_break()) || (self.until)();
                if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    retreat.go_back(error, &mut trainer, (config, data))?;
                    history.cut_to(trainer.state.epoch);
                    continue;
                }
            };
            let Some(record) = record else { break };
            if let Some(rows) = &validation {
                let rows = (Split::Validation, &**rows);
                history.validation.push(held_out(&mut trainer, config, rows, &record)?);
            }
            history.train.push(record);
            let epoch = Epoch {
                train: &history.train[history.train.len() - 1],
                validation: history.validation.last(),
                is_best: trainer.state.best.is_some_and(|best| best.epoch == trainer.state.epoch),
            };
            stopped |= (self.on_epoch)(epoch).is_break();
            let records = history.last();
            if let Err(error) = retreat.keep(&mut trainer, &records) {
                retreat.go_back(error, &mut trainer, (config, data))?;
                history.cut_to(trainer.state.epoch);
            }
        }
        trainer.restore_best()?;
        history.best = trainer.state.best;
        let epochs = history.best.map_or(trainer.state.epoch, |best| best.epoch);
        Ok(Trained::new(named, form, trainer.session, epochs, history))
    }

    /// What can be said before anything is computed.
    fn check(&self, config: &Config) -> Result<()> {
        let data = self.data;
        config.validate()?;
        if config.training.models() > 1 {
            return Err(Error::invalid(format!(
                "`members` is {}, and this trains one model: say which of them with `member`, from 1 on, or train an ensemble into a folder \
                 with `elbo train`",
                config.training.members
            )));
        }
        if config.model.kind.is_conditional() && data.conditions.is_none() {
            return Err(Error::invalid(format!(
                "the model {} is given something with every row, and the data {} does not say what: give it `conditions`, such \
                 as `data.conditioned(Condition::Labels)`",
                config.model.kind, data.name
            )));
        }
        match self.validation {
            Some(rows) => Form::of(&config.model.kind, data).check(&config.model.kind, rows),
            None if config.training.patience.is_some() => Err(Error::invalid(
                "`patience` waits for rows that are held out to become better, and there are none: give some as `validation`",
            )),
            None => Ok(()),
        }
    }
}

/// Trains a model on all rows of a data set; prints nothing and writes no file. [`Training`] has more to choose.
///
/// # Errors
/// As for [`Training::run`].
pub fn train(data: &Dataset, config: &Config) -> Result<Trained> {
    Training::new(data, config).run()
}
