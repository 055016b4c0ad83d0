//! A training run and its folder: configuration, metrics, checkpoints, pictures.

mod codes;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::evaluation::KlEstimator;
use super::form::Form;
use super::pictures::{EpochPoint, ImageShape, save_grid, save_latent_map, save_loss, save_reconstructions};
use super::saved::{CHECKPOINT, check_folder};
use super::setup::{build_trainer, open_data};
use super::stages::freeze;
use super::tabular::save_rows;
use super::tuning;
use crate::config::{Binarise, Config, FILE_NAME};
use crate::data::{Dataset, Schema, Source, Splits};
use crate::distributions::Measure;
use crate::error::{Error, Result};
use crate::files::{create_folder, write_atomically};
use crate::models::Can;
use crate::program::{Choices, Executor};
use crate::training::checkpoint::Checkpoint;
use crate::training::metrics::{EpochRecord, MetricsWriter, Split, read_epochs};
use crate::training::{Given, Progress, Trainer};

/// The metrics' file in a run folder.
const METRICS: &str = "metrics.jsonl";
/// Pictures in a grid of samples.
const SAMPLES: usize = 64;
/// Samples side by side.
const COLUMNS: usize = 8;
/// Pairs in a picture of reconstructions.
const PAIRS: usize = 20;
/// Rows whose codes are drawn in a map.
const POINTS: usize = 10_000;

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
    means: Vec<f32>,
    /// What `tuning.json` holds.
    choices: Choices,
}

impl TrainRun {
    /// Starts a run in a folder that holds none.
    ///
    /// # Errors
    /// If the data cannot be read, the folder cannot be written or holds a run, or the device has too little memory.
    pub fn start(config: Config, folder: &Path, executor: Box<dyn Executor>) -> Result<TrainRun> {
        if folder.join(FILE_NAME).exists() || folder.join(CHECKPOINT).exists() {
            return Err(Error::invalid(format!(
                "{} holds a run already: give another --out, or go on with it: --resume {}",
                folder.display(),
                folder.display()
            )));
        }
        let mut config = config;
        let (data, mut trainer) = TrainRun::prepare(&mut config, None, executor)?;
        freeze(&config, &data.train, &mut trainer.session)?;
        // So that the run finds its data again from wherever it is opened.
        if let Source::Path(path) = config.data.parsed_source() {
            let absolute = std::path::absolute(&path).map_err(Error::io("find", &path))?;
            config.data.source = absolute.to_string_lossy().into_owned();
        }
        create_folder(folder)?;
        let metrics = MetricsWriter::create(folder)?;
        let choices = Choices::new();
        let mut run = TrainRun { folder: folder.to_owned(), config, data, trainer, metrics, means: vec![], choices };
        run.save_config()?;
        run.save()?;
        Ok(run)
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
        let (data, mut trainer) = TrainRun::prepare(&mut config, Some(&trained_on.schema), executor)?;
        trained_on.check(config.model.kind, &data.train)?;
        trainer.resume(&checkpoint).map_err(|e| Error::malformed(&path, e))?;
        let metrics = MetricsWriter::resume(folder, trainer.state.epoch, trainer.state.step)?;
        let run = TrainRun { folder: folder.to_owned(), config, data, trainer, metrics, means: vec![], choices };
        run.save_config()?;
        Ok(run)
    }

    fn prepare(config: &mut Config, schema: Option<&Schema>, executor: Box<dyn Executor>) -> Result<(Splits, Trainer)> {
        let data = open_data(config, schema)?;
        // A batch cannot have more rows than there are.
        config.training.batch = config.training.batch.min(data.train.rows);
        let trainer = build_trainer(config, &data.train, executor)?;
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

    /// Trains to the last epoch, evaluating after each, and saves.
    ///
    /// # Errors
    /// If numbers stop being finite, a file cannot be written, or the device fails.
    pub fn train(&mut self, watcher: &mut dyn Watcher) -> Result<Outcome> {
        let epochs = self.config.training.epochs as u64;
        while self.trainer.state.epoch < epochs {
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
            self.save_choices()?;
            records.iter().try_for_each(|record| self.metrics.epoch(record))?;
            watcher.epoch(&records);
            if epoch == epochs || epoch.is_multiple_of(self.config.training.checkpoint_every as u64) {
                self.save()?;
            }
        }
        Ok(Outcome::Finished)
    }

    /// The records of all sets after an epoch.
    fn evaluate(&mut self, train: EpochRecord) -> Result<Vec<EpochRecord>> {
        let mut records = vec![train];
        let how = (self.config.training.batch, self.config.model.beta);
        for (split, data) in [(Split::Validation, &self.data.validation), (Split::Test, &self.data.test)] {
            if let Some(data) = data {
                let (mut record, means) = self.trainer.session.evaluate(split, data, how)?;
                (record.epoch, record.steps) = (records[0].epoch, records[0].steps);
                records.push(record);
                self.means = means;
            }
        }
        Ok(records)
    }

    /// The set that pictures are made from: test, else validation, else training.
    fn shown(&self) -> &Dataset {
        self.data.to_judge().1
    }

    /// The conditions of a picture of samples, and how many stand side by side: a row for each label, or those of shown rows.
    fn sampled(&self) -> (Vec<Vec<f32>>, usize) {
        let form = Form::of(self.config.model.kind, &self.data.train);
        if form.classes.is_empty() {
            let shown = self.shown();
            return ((0..SAMPLES).map(|i| shown.condition(i % shown.rows)).collect(), COLUMNS);
        }
        (form.every_label(COLUMNS).chunks_exact(form.condition).map(<[f32]>::to_vec).collect(), COLUMNS)
    }

    /// Draws the pictures of a finished run; gives their files.
    ///
    /// # Errors
    /// If a file cannot be written, or the device fails.
    pub fn pictures(&mut self) -> Result<Vec<PathBuf>> {
        let path = |name: &str| self.folder.join(name);
        let shape = self.data.train.shape();
        let image = ImageShape { height: shape.height, width: shape.width, channels: shape.channels };
        let (mut made, is_table) = (Vec::new(), self.data.train.schema.is_table());
        if is_table && self.trainer.session.model.can().generate.is_some() {
            let (y, _) = self.sampled();
            let rows = self.trainer.session.draw_rows(y.len(), &y.concat(), self.config.training.seed)?;
            save_rows(&path("samples.csv"), &self.data.train.schema, &rows)?;
            made.push(path("samples.csv"));
        }
        if !is_table && self.trainer.session.model.can().generate.is_some() {
            let (y, columns) = self.sampled();
            let samples = self.trainer.session.sample(y.len(), &y.concat(), self.config.training.seed)?;
            save_grid(&path("samples.png"), &samples, image, columns)?;
            made.push(path("samples.png"));
        }
        let shown = self.shown();
        let rows = PAIRS.min(shown.rows);
        let (originals, known) = shown.gather(0..rows);
        let codes_of = shown.rows.min(POINTS);
        let labels = shown.labels.as_ref().map(|l| (l.values[..codes_of].to_vec(), l.names.clone()));
        let latent = self.trainer.session.latent()?;
        if self.means.len() < codes_of * latent {
            let (x, y) = self.shown().gather(0..codes_of);
            self.means = self.trainer.session.encode(Given { x: &x, y: &y })?;
        }
        if !is_table && self.trainer.session.model.can().decode.is_some() {
            let reconstructions = self.trainer.session.reconstruct(Given { x: &originals, y: &known })?;
            let path = self.folder.join("reconstructions.png");
            save_reconstructions(&path, &originals, &reconstructions, image, 10)?;
            made.push(path);
        }
        let path = |name: &str| self.folder.join(name);
        let labels = labels.as_ref().map(|(values, names)| (values.as_slice(), names.as_slice()));
        // A classifier has no codes: what is shown is what its last hidden layer makes of rows.
        let (codes, title) = match self.measure() {
            Measure::Labels => ("hidden.png", "Last hidden layer"),
            _ => ("latent.png", "Latent space, posterior means"),
        };
        save_latent_map(&path(codes), title, (&self.means[..codes_of * latent], latent), labels)?;
        let history = read_epochs(&path(METRICS))?;
        let points: Vec<EpochPoint> = history.iter().map(EpochPoint::from).collect();
        save_loss(&path("loss.png"), &points, self.measure(), self.config.model.kind.is_variational)?;
        made.extend([codes, "loss.png"].map(path));
        made.extend(self.pictures_of_codes(image)?);
        Ok(made)
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
