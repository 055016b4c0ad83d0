//! A training run and its folder: configuration, metrics, checkpoints, pictures.

mod follower;
#[cfg(feature = "pictures")]
mod pictures;
mod prepared;
mod recovery;
#[cfg(feature = "report")]
mod report;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::devices::Team;
use super::evaluation::KlEstimator;
use super::folder::{CHECKPOINT, PREVIOUS, holds_run};
use super::form::Form;
use super::game::{GameWatch, is_played, spread};
use super::health::{Health, check_finite};
use super::held_out::held_out;
use super::posterior::PosteriorWatch;
use super::retreat::check_epoch;
use super::skips::SkipWatch;
use super::tuning;
use crate::config::{Binarise, Config, FILE_NAME};
use crate::data::Splits;
use crate::distributions::Measure;
use crate::error::{Error, Result};
use crate::files::{FolderLock, name_also, write_own};
use crate::models::Can;
use crate::program::{Choices, Executor};
use crate::training::metrics::{EpochRecord, MetricsWriter, RetryRecord, Split};
use crate::training::{Best, Progress, Trainer};

pub use follower::Follower;
pub use prepared::Prepared;
#[cfg(feature = "cli")]
pub(super) use prepared::make_absolute;

/// Rows whose spread is looked at.
const SPREAD_OF: usize = 64;

/// The checkpoint's entry of what data it is of.
pub(super) const DATA: &str = "data";

/// The checkpoint's entry of which member of an ensemble it is of, where it is one.
pub(super) const MEMBER: &str = "member";

/// Who looks on while a run trains.
pub trait Watcher {
    /// A few more steps are done; `Break` ends the run after saving it.
    fn progress(&mut self, epoch: u64, epochs: u64, progress: &Progress) -> ControlFlow<()>;
    /// An epoch is done: the record of the training set, then those of the other sets.
    fn epoch(&mut self, records: &[EpochRecord]);
    /// Numbers have run away, and the run went back to its last checkpoint: what follows is told again from there.
    fn retried(&mut self, _: &RetryRecord) {}
    /// Something is wrong that does not end the run: what, and what helps, in a sentence that speaks of settings by their keys.
    fn noticed(&mut self, _: &str) {}
}

/// Opens the devices of a run.
type OpenDevices = Box<dyn FnMut() -> Result<Team>>;

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
    /// What it is computed on, for people.
    device: String,
    metrics: MetricsWriter,
    /// What `tuning.json` holds.
    choices: Choices,
    health: Health,
    /// When the last checkpoint was written, and the step that it stands at.
    saved: (Instant, u64),
    /// The checkpoint that it goes on from: the last that was written, or the one that it was resumed from or went back to.
    stands_on: PathBuf,
    /// The step of the checkpoint that it went back to last.
    went_back_to: Option<u64>,
    posterior: PosteriorWatch,
    game: GameWatch,
    skips: SkipWatch,
    /// What opens the device again, and the step of the checkpoint at which that was done last.
    reopening: Option<OpenDevices>,
    reopened_at: Option<u64>,
    _lock: FolderLock,
    /// What data it learns from.
    fingerprint: String,
}

impl TrainRun {
    /// Starts a run in a folder that holds none, on the data of its configuration.
    ///
    /// # Errors
    /// If the data cannot be read, the folder cannot be written or holds a run, or the device has too little memory.
    pub fn start(config: Config, folder: &Path, executor: Box<dyn Executor>) -> Result<TrainRun> {
        TrainRun::start_on(None, config, folder, executor.into())
    }

    /// As [`TrainRun::start`], on the configuration's data where that has been read already.
    ///
    /// # Errors
    /// As for [`TrainRun::start`].
    pub fn start_on(data: Option<Splits>, config: Config, folder: &Path, team: Team) -> Result<TrainRun> {
        Prepared::new(data, config, folder, team)?.kept()
    }

    /// Whether a folder holds a run, or settings that this program did not write. One in which a run was begun and never saved is free.
    pub fn is_in(folder: &Path) -> bool {
        holds_run(folder)
    }

    /// Goes on with a run where its checkpoint stands: `place` is its folder, or one of the checkpoints in it.
    ///
    /// # Errors
    /// As for [`TrainRun::start`]; and if the checkpoint is damaged, does not fit the configuration or the data, or has been trained for
    /// more epochs than were asked for; or the data has changed.
    pub fn resume(config: Config, place: &Path, executor: Box<dyn Executor>) -> Result<TrainRun> {
        TrainRun::resume_on(config, place, executor.into(), false)
    }

    /// The same; whether the data may have changed since is said. What the run knew of it (scales, classes) stays what it was.
    ///
    /// # Errors
    /// As for [`TrainRun::resume`], but for data that has changed.
    pub fn resume_on(config: Config, place: &Path, team: Team, changed_data: bool) -> Result<TrainRun> {
        Prepared::again(config, place, team, changed_data)?.kept()
    }

    /// Numbers that are trained.
    pub fn parameters(&self) -> usize {
        self.trainer.session.layout.count()
    }

    /// Whether its model is told numbers of every row, which are no labels.
    pub fn is_told_numbers(&self) -> bool {
        let form = Form::of(&self.config.model.kind, &self.data.train);
        form.condition > 0 && form.classes.is_empty()
    }

    /// What the reconstruction term measures of the rows that are trained on.
    pub fn measure(&self) -> Measure {
        let black_and_white = self.config.data.binarise == Binarise::Dynamic || self.data.train.is_black_and_white();
        self.trainer.session.model.measure(black_and_white)
    }

    /// Classes of the labels that the model tells or is told; 0 if there are none.
    pub fn classes(&self) -> usize {
        Form::of(&self.config.model.kind, &self.data.train).classes.len()
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
        self.device.clone()
    }

    /// Steps that are done.
    pub fn steps_done(&self) -> u64 {
        self.trainer.state.step
    }

    /// Epochs that are done.
    pub fn epochs_done(&self) -> u64 {
        self.trainer.state.epoch
    }

    /// Whether all epochs are done, or its patience has ended it.
    pub fn is_done(&self) -> bool {
        self.trainer.is_done()
    }

    /// What was found wrong with the files of a run that is gone on with.
    pub fn warnings(&self) -> &[String] {
        &self.metrics.warnings
    }

    /// The best epoch so far, where that is looked for.
    pub fn best(&self) -> Option<Best> {
        self.trainer.state.best
    }

    /// Trains to the last epoch, evaluating after each, and saves. Where the best epoch is looked for, training ends when its patience
    /// does, and the model then has the weights of that epoch; the checkpoint holds both. Where numbers run away, it goes back to the last
    /// checkpoint, as often as the settings say.
    ///
    /// # Errors
    /// If numbers run away too often, a file cannot be written, or the device fails and is not opened again ([`TrainRun::reopening`]).
    pub fn train(&mut self, watcher: &mut dyn Watcher) -> Result<Outcome> {
        while !self.trainer.is_done() {
            match self.epoch(watcher) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return Ok(Outcome::Stopped),
                Err(Error::Diverged(why)) => {
                    let record = self.go_back(why)?;
                    watcher.retried(&record);
                }
                Err(Error::Device(why)) => {
                    let sentence = self.reopen(&why)?;
                    watcher.noticed(&sentence);
                }
                Err(error) => return Err(error),
            }
        }
        if !self.trainer.is_level()? {
            watcher.noticed(
                "The devices have come to weights that differ in their last bits, as devices of several kinds do: those of the first are kept.",
            );
        }
        self.trainer.restore_best()?;
        Ok(Outcome::Finished)
    }

    /// Trains to the end of an epoch, or to where a checkpoint is due, and saves; `Break` where the watcher has broken off.
    fn epoch(&mut self, watcher: &mut dyn Watcher) -> Result<ControlFlow<()>> {
        let (epoch, epochs) = (self.trainer.state.epoch + 1, self.config.training.epochs as u64);
        let minutes = Duration::from_secs_f64(60.0 * self.config.training.checkpoint_minutes);
        let (metrics, saved) = (&mut self.metrics, self.saved.0);
        let (mut written, mut stop) = (Ok(()), false);
        let finished = self.trainer.epoch(&mut |progress| {
            // The first failure is the one that counts, and what was left out is not made up for.
            if written.is_ok() {
                written = progress.steps.iter().try_for_each(|step| metrics.step(step));
            }
            stop |= watcher.progress(epoch, epochs, &progress).is_break();
            let is_due = saved.elapsed() >= minutes;
            if written.is_err() || stop || is_due { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        written?;
        stop |= self.trainer.was_asked_to_stop();
        let ends = |stop: bool| if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let Some(record) = finished else {
            self.save_unless_spoilt()?;
            return Ok(ends(stop));
        };
        let records = self.evaluate(record)?;
        self.save_choices()?;
        records.iter().try_for_each(|record| self.metrics.epoch(record))?;
        watcher.epoch(&records);
        check_epoch(&mut self.health, &self.trainer, &records)?;
        if self.kl_estimator().is_some()
            && let Some(sentence) = self.posterior.note(&self.config, &records)
        {
            watcher.noticed(&sentence);
        }
        let spread = self.spread_of_drawn(&records[0])?;
        let of_game = self.game.note(&self.config, &records[0], spread);
        let of_skips = self.skips.note(&self.config, &records[0]);
        of_game.iter().chain(&of_skips).for_each(|sentence| watcher.noticed(sentence));
        let is_due = epoch.is_multiple_of(self.config.training.checkpoint_every as u64);
        if self.trainer.is_done() || stop || is_due {
            self.save_unless_spoilt()?;
        }
        // Asked within the last steps of an epoch.
        Ok(ends(stop && !self.trainer.is_done()))
    }

    /// How far rows spread that a model draws which is trained against a discriminator and has no likelihood, over how far those of the
    /// data do.
    fn spread_of_drawn(&mut self, record: &EpochRecord) -> Result<Option<f64>> {
        let can = self.trainer.session.model.can();
        // Of a critic that gives no probabilities, no right answers are counted.
        let is_game = is_played(record) || self.measure() == Measure::Adversarial;
        if !is_game || can.density.is_some() || can.generate.is_none() {
            return Ok(None);
        }
        let (train, seed) = (&self.data.train, self.config.training.seed);
        let (rows, _) = train.gather(0..SPREAD_OF.min(train.rows));
        let drawn = self.trainer.session.sample(SPREAD_OF, &[], seed)?;
        let [drawn, of_data] = [drawn, rows].map(|rows| spread(&rows, train.shape().features()));
        Ok((of_data > 0.0).then(|| drawn / of_data))
    }

    /// The records of all sets behind an epoch.
    fn evaluate(&mut self, train: EpochRecord) -> Result<Vec<EpochRecord>> {
        let mut records = vec![train];
        for (split, data) in [(Split::Validation, &self.data.validation), (Split::Test, &self.data.test)] {
            if let Some(data) = data {
                records.push(held_out(&mut self.trainer, &self.config, (split, data), &records[0])?);
            }
        }
        Ok(records)
    }

    fn save_config(&self) -> Result<()> {
        let text = self.config.to_toml()?;
        write_own(&self.folder.join(FILE_NAME), |file| file.write_all(text.as_bytes()))
    }

    fn save_choices(&mut self) -> Result<()> {
        tuning::write(&self.folder, &*self.trainer.session.executor, &mut self.choices)
    }

    /// Writes the checkpoint, unless the last steps were so far outside of those before that it may be spoilt: then the last one stays.
    fn save_unless_spoilt(&mut self) -> Result<()> {
        if self.trainer.state.extents.are_left() {
            self.saved.0 = Instant::now();
            return Ok(());
        }
        self.save()
    }

    /// Writes the checkpoint, and how its bits were come by.
    fn save(&mut self) -> Result<()> {
        self.save_choices()?;
        self.metrics.sync()?;
        let mut checkpoint = self.trainer.checkpoint()?;
        check_finite(&checkpoint)?;
        Form::of(&self.config.model.kind, &self.data.train).write(&mut checkpoint)?;
        checkpoint.set_metadata(DATA, &self.fingerprint);
        if let Some(member) = self.config.training.member {
            checkpoint.set_metadata(MEMBER, member);
        }
        let [path, previous] = [CHECKPOINT, PREVIOUS].map(|name| self.folder.join(name));
        let step = self.trainer.state.step;
        // Only of what is known to be sound, as one that was written when numbers began to run away is nothing to go back to.
        if self.trainer.was_sound(self.saved.1) && self.stands_on != previous && self.stands_on.is_file() {
            name_also(&self.stands_on, &previous)?;
        }
        checkpoint.save(&path)?;
        self.stands_on = path;
        self.saved = (Instant::now(), step);
        Ok(())
    }
}
