//! Deep ensembles (Lakshminarayanan, Pritzel & Blundell 2017): models that are trained alike and differ in what is random. The first is the run
//! that every command knows; the others are runs in folders of its own, each with its number.

use std::path::{Path, PathBuf};

use super::devices::Team;
use super::folder::{CHECKPOINT, place_of};
use super::form::Form;
use super::health::check_sound;
use super::saved::Saved;
use super::train::{DATA, MEMBER, Prepared, TrainRun};
use crate::config::{Config, FILE_NAME, TrainingConfig};
use crate::error::{Error, Result};
use crate::training::checkpoint::Checkpoint;
use crate::training::{each_member_of, part_of_seed};

/// What the models are whose mixture a run is used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Several {
    /// Those of an ensemble.
    Members,
    /// Draws from a distribution of the weights.
    Draws,
}

/// The folder of a member of the ensemble in a folder, which is that of the first; they are counted from 1.
pub fn member_folder(folder: &Path, number: usize) -> PathBuf {
    match number {
        0 | 1 => folder.to_owned(),
        _ => folder.join(format!("member-{number}")),
    }
}

/// How a model is trained, with the seed that is its own: the run's where it is the first or the only one.
pub(super) fn seeded(training: &TrainingConfig) -> TrainingConfig {
    let seed = match training.member {
        None | Some(1) => training.seed,
        Some(member) => part_of_seed(training.seed, member as u64),
    };
    TrainingConfig { seed, ..training.clone() }
}

/// The settings of a member, of those of the whole.
fn settings_of(config: &Config, number: usize) -> Config {
    let mut config = config.clone();
    config.training.member = Some(number);
    config
}

/// A member of the ensemble in a folder, as it is about to begin, or where its checkpoint stands. `changed_data` as for [`Prepared::again`].
///
/// # Errors
/// As for [`Prepared::new`] and [`Prepared::again`]; if the folder of the member holds another run, or its data is not that of the first.
pub fn prepare_member(folder: &Path, number: usize, team: Team, changed_data: bool) -> Result<Prepared> {
    let config = settings_of(&Config::load(&folder.join(FILE_NAME))?, number);
    let own = member_folder(folder, number);
    if TrainRun::is_in(&own) {
        check_settings(&own, &config)?;
        return Prepared::again(config, &own, team, changed_data);
    }
    let first = Checkpoint::load(&folder.join(CHECKPOINT))?;
    let prepared = Prepared::new(None, config, &own, team)?;
    let [_, (_, rows)] = prepared.identity();
    check_rows(&own, first.metadata.get(DATA), Some(rows))?;
    Ok(prepared)
}

/// Says so if a folder holds a run with other settings than those of a member.
fn check_settings(own: &Path, config: &Config) -> Result<()> {
    let changed = config.changes_of_run(&Config::load(&own.join(FILE_NAME))?);
    if changed.is_empty() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{} holds no member of this ensemble, as its settings differ (`{}`): move it away, and `elbo train --resume` trains the member anew",
        own.display(),
        changed.join("`, `")
    )))
}

/// Says so if a checkpoint is not that of a member.
fn check_number(checkpoint: &Checkpoint, number: usize) -> Result<()> {
    let found = checkpoint.metadata.get(MEMBER);
    match found.is_some_and(|found| *found == number.to_string()) {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "it is the checkpoint of {}, and that of member {number} was expected",
            found.map_or("no member".to_string(), |found| format!("member {found}"))
        ))),
    }
}

/// Says so if a member is of other rows than the first.
fn check_rows(own: &Path, first: Option<&String>, found: Option<&String>) -> Result<()> {
    match (first, found) {
        (Some(first), Some(found)) if first != found => Err(Error::invalid(format!(
            "the member in {} is of other training and validation rows ({found}) than the first of its ensemble ({first}): give all of them \
             the same data",
            own.display()
        ))),
        _ => Ok(()),
    }
}

impl Saved {
    /// Takes up the weights of all members where this is an ensemble, so that it is their mixture from then on; else does nothing. They lie in
    /// memory, each as large as the model.
    ///
    /// # Errors
    /// If a member is missing or damaged, or is of other settings or rows than the first.
    pub fn join_members(&mut self) -> Result<()> {
        let first = if self.models > 1 { Checkpoint::load(&self.folder.join(CHECKPOINT))? } else { return Ok(()) };
        for number in 2..=self.models {
            let own = member_folder(&self.folder, number);
            let (_, path) = place_of(&own).map_err(|why| self.lacks(number, &why))?;
            let settings = settings_of(&self.config, number);
            check_settings(&own, &settings)?;
            let checkpoint = Checkpoint::load(&path)?;
            check_rows(&own, first.metadata.get(DATA), checkpoint.metadata.get(DATA))?;
            let checkpoint = checkpoint.into_best().and_then(|checkpoint| {
                check_sound(&checkpoint)?;
                check_number(&checkpoint, number)?;
                self.session.join(&checkpoint, seeded(&settings.training).seed)?;
                Form::read(&checkpoint)
            });
            if checkpoint.map_err(|why| Error::malformed(&path, why))? != self.form {
                return Err(Error::malformed(
                    &path,
                    "its rows have other columns or scales than those of the first member",
                ));
            }
        }
        Ok(())
    }

    /// Has draws of the weights stand in place of their mean, see [`Session::join_draws`](crate::training::Session::join_draws).
    ///
    /// # Errors
    /// If it is an ensemble, the weights have no distribution, or the device fails.
    pub fn join_draws(&mut self, draws: usize, seed: u64) -> Result<()> {
        self.session.join_draws(draws, seed)
    }

    /// What its session holds several models of.
    pub(super) fn several(&self) -> Several {
        if self.models > 1 { Several::Members } else { Several::Draws }
    }

    fn lacks(&self, number: usize, why: &Error) -> Error {
        Error::invalid(format!(
            "{0} is an ensemble of {1} models, and member {number} is not there ({why}). Train it with elbo train --resume {0}, or give \
             the first alone: {2}",
            self.folder.display(),
            self.models,
            self.folder.join(CHECKPOINT).display()
        ))
    }

    /// Does `work` with each member of an ensemble in turn, as if there were no other; of what is no ensemble, or whose members were not taken
    /// up, once.
    pub(super) fn each_member<T>(&mut self, work: impl FnMut(&mut Saved) -> Result<T>) -> Result<Vec<T>> {
        each_member_of(self, |saved| &mut saved.session, work)
    }
}
