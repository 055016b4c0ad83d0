//! A training run and its folder: configuration, metrics, checkpoints, pictures.

#[cfg(feature = "pictures")]
mod pictures;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::evaluation::KlEstimator;
use super::form::Form;
use super::saved::{CHECKPOINT, check_folder};
use super::setup::{as_given, build_trainer, check_support, open_data};
use super::stages::freeze;
use super::tuning;
use crate::config::{Binarise, Config, FILE_NAME};
use crate::data::{Source, Splits};
use crate::distributions::Measure;
use crate::error::{Error, Result};
use crate::files::{create_folder, write_atomically};
use crate::models::Can;
use crate::program::{Choices, Executor};
use crate::training::checkpoint::Checkpoint;
use crate::training::metrics::{EpochRecord, MetricsWriter, Split};
use crate::training::{Best, Progress, Trainer};

/// Who looks on while a run trains.
pub trait Watcher {
    /// A few more steps are done; `Break` ends the run after saving it.
    fn progress(&mut self, epoch: u64, epochs: u64, progress: &Progress) -> ControlFlow<()>;
    /// An epoch is done: the record of the training set, then those of the other sets.
    fn epoch(&mut self, records: &[EpochRecord]);
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All epochs are done.
    Finished,
    /// The watcher broke off; the run is saved and can be resumed.
    Stopped,
}

/// A training run.
pub struct TrainRun {
    /// Its folder.
    pub folder: PathBuf,
    /// Its configuration.
    pub config: Config,
    /// Its data.
    pub data: Splits,
    trainer: Trainer,
    metrics: MetricsWriter,
    /// What `tuning.json` holds.
    choices: Choices,
}

impl TrainRun {
    /// Starts a run in a folder that holds none, on the data of its configuration.
    ///
    /// # Errors
    /// If the data cannot be read, the folder cannot be written or holds a run, or the device has too little memory.
    pub fn start(config: Config, folder: &Path, executor: Box<dyn Executor>) -> Result<TrainRun> {
        TrainRun::start_on(None, config, folder, executor)
    }

    /// As [`TrainRun::start`], on the configuration's data where that has been read already.
    ///
    /// # Errors
    /// As for [`TrainRun::start`].
    pub fn start_on(
        data: Option<Splits>,
        config: Config,
        folder: &Path,
        executor: Box<dyn Executor>,
    ) -> Result<TrainRun> {
        if TrainRun::is_in(folder) {
            let folder = folder.display();
            return Err(Error::invalid(format!(
                "{folder} holds a run already: choose another folder, or resume that run"
            )));
        }
        let mut config = config;
        config.name_pieces();
        let data = match data {
            Some(data) => as_given(&config, data)?,
            None => open_data(&config, None)?,
        };
        let (data, mut trainer) = TrainRun::prepare(&mut config, data, executor)?;
        freeze(&config, &data.train, &mut trainer.session)?;
        // So that the run finds its data again from wherever it is opened.
        if let Source::Path(path) = config.data.parsed_source() {
            let absolute = std::path::absolute(&path).map_err(Error::io("find", &path))?;
            config.data.source = absolute.to_string_lossy().into_owned();
        }
        create_folder(folder)?;
        let metrics = MetricsWriter::create(folder)?;
        let choices = Choices::new();
        let mut run = TrainRun { folder: folder.to_owned(), config, data, trainer, metrics, choices };
        run.save_config()?;
        run.save()?;
        Ok(run)
    }

    /// Whether a folder holds a run.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(FILE_NAME).exists() || folder.join(CHECKPOINT).exists()
    }

    /// Goes on with a run where its checkpoint stands.
    ///
    /// # Errors
    /// As for [`TrainRun::start`]; and if the checkpoint is damaged or does not fit the configuration or the data.
    pub fn resume(mut config: Config, folder: &Path, mut executor: Box<dyn Executor>) -> Result<TrainRun> {
        check_folder(folder)?;
        let recorded = tuning::read(folder)?;
        let choices = recorded.clone().unwrap_or_default();
        executor.replay_choices(recorded);
        let path = folder.join(CHECKPOINT);
        let checkpoint = Checkpoint::load(&path)?;
        let trained_on = Form::read(&checkpoint).map_err(|e| Error::malformed(&path, e))?;
        config.name_pieces();
        let data = open_data(&config, Some(&trained_on.schema))?;
        let (data, mut trainer) = TrainRun::prepare(&mut config, data, executor)?;
        trained_on.check(config.model.kind, &data.train)?;
        trainer.resume(&checkpoint).map_err(|e| Error::malformed(&path, e))?;
        let metrics = MetricsWriter::resume(folder, trainer.state.epoch, trainer.state.step)?;
        let run = TrainRun { folder: folder.to_owned(), config, data, trainer, metrics, choices };
        run.save_config()?;
        Ok(run)
    }

    fn prepare(config: &mut Config, data: Splits, executor: Box<dyn Executor>) -> Result<(Splits, Trainer)> {
        // A batch cannot have more rows than there are.
        config.training.batch = config.training.batch.min(data.train.rows);
        if config.training.patience.is_some() && data.validation.is_none() {
            return Err(Error::invalid(format!(
                "`patience` waits for rows that are held out to become better, and none of the data {} are held out for that: hold \
                 some out with `validation`, such as {}",
                data.train.name,
                (data.train.rows / 10).max(1)
            )));
        }
        let trainer = build_trainer(config, &data.train, executor)?;
        let held_out = [&data.validation, &data.test].into_iter().flatten();
        held_out.into_iter().try_for_each(|data| check_support(config, &*trainer.session.model, data))?;
        Ok((data, trainer))
    }

    /// Numbers that are trained.
    pub fn parameters(&self) -> usize {
        self.trainer.session.layout.count()
    }

    /// Whether its model is told numbers of every row, which are no labels.
    pub fn is_told_numbers(&self) -> bool {
        let form = Form::of(self.config.model.kind, &self.data.train);
        form.condition > 0 && form.classes.is_empty()
    }

    /// What the reconstruction term measures of the rows that are trained on.
    pub fn measure(&self) -> Measure {
        let black_and_white = self.config.data.binarise == Binarise::Dynamic || self.data.train.is_black_and_white();
        self.trainer.session.model.measure(black_and_white)
    }

    /// Classes of the labels that the model tells or is told; 0 if there are none.
    pub fn classes(&self) -> usize {
        Form::of(self.config.model.kind, &self.data.train).classes.len()
    }

    /// What its model can do.
    pub fn can(&self) -> Can<'_> {
        self.trainer.session.model.can()
    }

    /// How the KL is computed; `None` if codes are deterministic.
    pub fn kl_estimator(&self) -> Option<KlEstimator> {
        KlEstimator::of(&*self.trainer.session.model)
    }

    /// Numbers that are read and never trained: those of the model that it stands on.
    pub fn frozen(&self) -> usize {
        self.trainer.session.layout.frozen.count()
    }

    /// The device, for people.
    pub fn device(&self) -> String {
        self.trainer.session.executor.describe()
    }

    /// Epochs that are done.
    pub fn epochs_done(&self) -> u64 {
        self.trainer.state.epoch
    }

    /// The best epoch so far, where that is looked for.
    pub fn best(&self) -> Option<Best> {
        self.trainer.state.best
    }

    /// Trains to the last epoch, evaluating after each, and saves. Where the best epoch is looked for, training ends when its patience
    /// does, and the model then has the weights of that epoch; the checkpoint holds both.
    ///
    /// # Errors
    /// If numbers stop being finite, a file cannot be written, or the device fails.
    pub fn train(&mut self, watcher: &mut dyn Watcher) -> Result<Outcome> {
        let epochs = self.config.training.epochs as u64;
        while !self.trainer.is_done() {
            let epoch = self.trainer.state.epoch + 1;
            let (metrics, mut failed) = (&mut self.metrics, Ok(()));
            let finished = self.trainer.epoch(&mut |progress| {
                failed = progress.steps.iter().try_for_each(|step| metrics.step(step));
                if failed.is_err() { ControlFlow::Break(()) } else { watcher.progress(epoch, epochs, &progress) }
            })?;
            failed?;
            let Some(record) = finished else {
                self.save()?;
                return Ok(Outcome::Stopped);
            };
            let records = self.evaluate(record)?;
            if self.config.training.patience.is_some()
                && let Some(validation) = records.iter().find(|record| record.split == Split::Validation)
            {
                self.trainer.judge(validation.loss)?;
            }
            self.save_choices()?;
            records.iter().try_for_each(|record| self.metrics.epoch(record))?;
            watcher.epoch(&records);
            if self.trainer.is_done() || epoch.is_multiple_of(self.config.training.checkpoint_every as u64) {
                self.save()?;
            }
        }
        self.trainer.restore_best()?;
        Ok(Outcome::Finished)
    }

    /// The records of all sets after an epoch.
    fn evaluate(&mut self, train: EpochRecord) -> Result<Vec<EpochRecord>> {
        let mut records = vec![train];
        let how = (self.config.training.batch, self.config.model.beta);
        for (split, data) in [(Split::Validation, &self.data.validation), (Split::Test, &self.data.test)] {
            if let Some(data) = data {
                let (mut record, _) = self.trainer.session.evaluate(split, data, how)?;
                (record.epoch, record.steps) = (records[0].epoch, records[0].steps);
                records.push(record);
            }
        }
        Ok(records)
    }

    fn save_config(&self) -> Result<()> {
        let text = self.config.to_toml()?;
        write_atomically(&self.folder.join(FILE_NAME), |file| file.write_all(text.as_bytes()))
    }

    fn save_choices(&mut self) -> Result<()> {
        tuning::write(&self.folder, &*self.trainer.session.executor, &mut self.choices)
    }

    /// Writes the checkpoint, and how its bits were come by.
    fn save(&mut self) -> Result<()> {
        self.save_choices()?;
        let mut checkpoint = self.trainer.checkpoint()?;
        Form::of(self.config.model.kind, &self.data.train).write(&mut checkpoint)?;
        checkpoint.save(&self.folder.join(CHECKPOINT))
    }
}
