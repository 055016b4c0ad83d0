//! A run before it is kept: its data is read and its model built, and its folder is as it was.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::super::devices::Team;
use super::super::folder::{CHECKPOINT, check_is_free, claimed, locked, place_of};
use super::super::form::Form;
use super::super::game::GameWatch;
use super::super::health::{Health, check_sound};
use super::super::posterior::PosteriorWatch;
use super::super::setup::{as_given, build_trainer, check_support, open_data};
use super::super::skips::SkipWatch;
use super::super::stages::freeze;
use super::super::tuning;
use super::{DATA, TrainRun};
use crate::config::{Config, DataConfig, DeviceConfig, FirstStage};
use crate::data::{Bytes, Fingerprint, Source, Splits};
use crate::error::{Error, Result};
use crate::files::FolderLock;
use crate::program::Choices;
use crate::training::Trainer;
use crate::training::checkpoint::Checkpoint;
use crate::training::metrics::{METRICS, MetricsWriter};

/// A run before it is kept. Dropped, it leaves nothing behind.
pub struct Prepared {
    folder: PathBuf,
    config: Config,
    data: Splits,
    trainer: Trainer,
    device: String,
    fingerprint: String,
    identity: [(&'static str, String); 2],
    choices: Choices,
    stands_on: PathBuf,
    /// That of a folder which holds the run already.
    lock: Option<FolderLock>,
}

impl Prepared {
    /// A new run, on the configuration's data, which may have been read already. The folder is one that holds no run.
    ///
    /// # Errors
    /// If the data cannot be read, the folder holds a run, or the device has too little memory.
    pub fn new(data: Option<Splits>, mut config: Config, folder: &Path, team: Team) -> Result<Prepared> {
        check_is_free(folder)?;
        let device = team.describe();
        config.name_pieces();
        let data = new_data(&mut config, data, &team)?;
        let (data, mut trainer) = with_trainer(&mut config, data, team)?;
        freeze(&config, &data.train, &mut trainer.session)?;
        make_absolute(&mut config)?;
        let fingerprint = Fingerprint::of(&data).to_string();
        let identity = identity(&config, &fingerprint)?;
        Ok(Prepared {
            folder: folder.to_owned(),
            config,
            data,
            trainer,
            device,
            fingerprint,
            identity,
            choices: Choices::new(),
            stands_on: folder.join(CHECKPOINT),
            lock: None,
        })
    }

    /// A run where its checkpoint stands: `place` is its folder, or one of the checkpoints in it. Whether the data may have changed since is
    /// said; what the run knew of it (scales, classes) stays what it was.
    ///
    /// # Errors
    /// If the data or the checkpoint cannot be read; if the checkpoint does not fit the configuration or the data, or has been trained for more
    /// epochs than were asked for; if the data has changed, or the device has too little memory.
    pub fn again(mut config: Config, place: &Path, team: Team, changed_data: bool) -> Result<Prepared> {
        let ((folder, path), device) = (place_of(place)?, team.describe());
        let lock = Some(locked(&folder)?);
        let Standing { checkpoint, choices, data, mut trainer } = Standing::at(&mut config, (&folder, &path), team)?;
        let fingerprint = Fingerprint::of(&data).to_string();
        if !changed_data {
            check_fingerprint(&checkpoint, &fingerprint, &data.train.name)?;
        }
        trainer.resume(&checkpoint).map_err(|e| Error::malformed(&path, e))?;
        let (done, wanted) = (trainer.state.epoch, config.training.epochs);
        if done > wanted as u64 {
            return Err(Error::invalid(format!(
                "the run has been trained for {done} epochs, and {wanted} were asked for, which counts from its start: give --epochs \
                 more than {done} to go on"
            )));
        }
        let identity = identity(&config, &fingerprint)?;
        Ok(Prepared { folder, config, data, trainer, device, fingerprint, identity, choices, stands_on: path, lock })
    }

    /// What all processes that share a run must have the same, by name: settings and rows. Each has a device of its own, and may have its rows
    /// elsewhere.
    pub fn identity(&self) -> &[(&'static str, String); 2] {
        &self.identity
    }

    /// Takes weights in place of those that the run began with, by their names; what is not named stays as it is.
    ///
    /// # Errors
    /// If one is of another shape, or the device fails.
    #[cfg(feature = "export")]
    pub(in super::super) fn take_weights(
        &mut self,
        weights: Vec<crate::training::checkpoint::NamedTensor>,
    ) -> Result<()> {
        let session = &mut self.trainer.session;
        let sets = session.layout.learnt().into_iter().chain(session.layout.groups.clone());
        for set in sets.collect::<Vec<_>>() {
            let mut tensors = session.tensors(&set, &set.values(), "")?;
            for (name, shape, numbers) in &mut tensors {
                if let Some(taken) = weights.iter().find(|taken| taken.0 == *name) {
                    (*shape, *numbers) = (taken.1.clone(), taken.2.clone());
                }
            }
            session.restore(&set, &set.values(), "", &Checkpoint { tensors, ..Checkpoint::default() })?;
        }
        Ok(())
    }

    /// Keeps it in its folder: the settings, and of a new run the first checkpoint.
    ///
    /// # Errors
    /// If the folder cannot be written, or another process has it.
    pub fn kept(self) -> Result<TrainRun> {
        let Prepared { folder, config, data, trainer, device, fingerprint, identity: _, choices, stands_on, lock } =
            self;
        let (state, is_new) = (trainer.state.clone(), lock.is_none());
        let (lock, metrics, health) = match lock {
            None => (claimed(&folder)?, MetricsWriter::create(&folder)?, Health::default()),
            Some(lock) => {
                let metrics = MetricsWriter::resume(&folder, (state.epoch, state.step, state.retries))?;
                (lock, metrics, Health::read(&folder.join(METRICS), state.epoch))
            }
        };
        let mut run = TrainRun {
            folder,
            config,
            data,
            trainer,
            device,
            metrics,
            choices,
            fingerprint,
            health,
            saved: (Instant::now(), state.step),
            stands_on,
            went_back_to: None,
            posterior: PosteriorWatch::default(),
            game: GameWatch::default(),
            skips: SkipWatch::default(),
            reopening: None,
            reopened_at: None,
            _lock: lock,
        };
        run.save_config()?;
        if is_new {
            run.save()?;
        }
        Ok(run)
    }
}

/// A run as its checkpoint was left: its rows as it knows them, and a trainer of them, which has yet to take up what was learnt.
pub(super) struct Standing {
    checkpoint: Checkpoint,
    choices: Choices,
    pub(super) data: Splits,
    pub(super) trainer: Trainer,
}

impl Standing {
    /// Reads it from its folder and the checkpoint there, for settings that are fitted to the rows.
    ///
    /// # Errors
    /// If the data or the checkpoint cannot be read, the checkpoint does not fit the configuration or the data, or the device has too little
    /// memory.
    pub(super) fn at(config: &mut Config, (folder, path): (&Path, &Path), mut team: Team) -> Result<Standing> {
        let recorded = tuning::read(folder)?;
        let choices = recorded.clone().unwrap_or_default();
        team.replay_choices(recorded);
        let checkpoint = Checkpoint::load(path)?;
        check_sound(&checkpoint).map_err(|e| Error::malformed(path, e))?;
        let trained_on = Form::read(&checkpoint).map_err(|e| Error::malformed(path, e))?;
        config.name_pieces();
        make_absolute(config)?;
        let data = open_data(config, Some(&trained_on.schema))?;
        let (data, trainer) = with_trainer(config, data, team)?;
        trained_on.check(&config.model.kind, &data.train)?;
        Ok(Standing { checkpoint, choices, data, trainer })
    }
}

/// See [`Prepared::identity`].
pub(super) fn identity(config: &Config, rows: &str) -> Result<[(&'static str, String); 2]> {
    let anywhere = |path: &Option<String>| path.as_ref().map(|_| String::new());
    let data = DataConfig {
        source: String::new(),
        validation_data: anywhere(&config.data.validation_data),
        test_data: anywhere(&config.data.test_data),
        ..config.data.clone()
    };
    let first_stage = config.first_stage.clone().map(|first| FirstStage { run: String::new(), ..first });
    let settings = Config { data, first_stage, device: DeviceConfig::default(), ..config.clone() }.to_toml()?;
    Ok([("settings", settings), ("rows", rows.to_string())])
}

/// Rows that are learnt, and a trainer of them; both are as settings say, which are fitted to the rows.
pub(super) fn with_trainer(config: &mut Config, data: Splits, team: Team) -> Result<(Splits, Trainer)> {
    config.training.fit_batch(data.train.rows);
    if config.training.patience.is_some() && data.validation.is_none() {
        return Err(Error::invalid(format!(
            "`patience` waits for rows that are held out to become better, and none of the data {} are held out for that: hold \
             some out with `validation`, such as {}",
            data.train.name,
            (data.train.rows / 10).max(1)
        )));
    }
    let trainer = build_trainer(config, &data.train, team)?;
    let held_out = [&data.validation, &data.test].into_iter().flatten();
    held_out.into_iter().try_for_each(|data| check_support(config, &*trainer.session.model, data))?;
    Ok((data, trainer))
}

/// The data of a new run, which may have been read already, for devices with memory of their own or without.
pub(super) fn new_data(config: &mut Config, data: Option<Splits>, team: &Team) -> Result<Splits> {
    let (given, usual, machine) = (config.data.memory, team.usual_memory(), crate::memory::total() / 2);
    config.data.memory = given.or(Some(Bytes::new(usual)));
    // They were read by the machine's memory, and a card may have less.
    let fits = |data: &Splits| {
        let is_small = !data.train.is_stored() && 2 * data.train.values.byte_len() as u64 <= usual;
        given.is_some() || usual >= machine || is_small
    };
    let data = match data.filter(fits) {
        Some(data) => as_given(config, data)?,
        None => open_data(config, None)?,
    };
    // What stays on disk is shuffled within windows of this size wherever the run goes on; what fits here is not cut elsewhere.
    if !data.train.is_stored() {
        config.data.memory = given;
    }
    Ok(data)
}

/// Names data from the root on, so that the run finds it again from wherever it is opened.
pub(in super::super) fn make_absolute(config: &mut Config) -> Result<()> {
    let absolute = |path: &Path| -> Result<String> {
        let found = std::path::absolute(path).map_err(Error::io("find", path))?;
        Ok(found.to_string_lossy().into_owned())
    };
    if let Source::Path(path) = config.data.parsed_source() {
        config.data.source = absolute(&path)?;
    }
    for other in [&mut config.data.validation_data, &mut config.data.test_data].into_iter().flatten() {
        *other = absolute(Path::new(other))?;
    }
    Ok(())
}

/// Says so if a checkpoint is of other data. Older ones do not say of which.
fn check_fingerprint(checkpoint: &Checkpoint, found: &str, data: &str) -> Result<()> {
    match checkpoint.metadata.get(DATA) {
        Some(before) if before != found => Err(Error::invalid(format!(
            "the data {data} has changed since the run was begun (training and validation rows: {found}; they were: {before}): give it \
             as it was, or go on with what it is now with --changed-data"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_rows_lie_and_are_computed_with_is_each_ones_own() {
        let of = |change: &dyn Fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            identity(&config, "rows").unwrap()
        };
        let own = of(&|_| ());
        assert_eq!(of(&|config| config.data.source = "/scratch/rows.npy".into()), own);
        assert_eq!(of(&|config| config.device.device = "cpu".parse().unwrap()), own);
        assert_ne!(of(&|config| config.data.validation_data = Some("/scratch/others.npy".into())), own);
        assert_ne!(of(&|config| config.training.batch = 26), own);
        assert_ne!(of(&|config| config.training.seed = 2), own);
    }
}
