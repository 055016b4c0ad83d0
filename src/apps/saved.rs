//! A run folder, opened again: its configuration, its model and its weights on a device.

use std::path::{Path, PathBuf};

use super::form::Form;
use super::health::check_finite;
use super::setup::{check_support, open_data, open_other};
use super::stages::build_whole;
use crate::config::{Config, FILE_NAME};
use crate::data::{Dataset, Keep, Origin, Source, Splits};
use crate::error::{Error, Result};
use crate::program::{Executor, ParameterSet};
use crate::training::checkpoint::Checkpoint;
use crate::training::metrics::Split;
use crate::training::{Best, Session};

/// The checkpoint's file in a run folder.
pub const CHECKPOINT: &str = "checkpoint.safetensors";

/// The checkpoint before that one.
pub const PREVIOUS: &str = "checkpoint.previous.safetensors";

/// A trained model.
pub struct Saved {
    /// The run folder.
    pub folder: PathBuf,
    /// How it was trained.
    pub config: Config,
    /// What its rows look like.
    pub form: Form,
    /// The model with its weights.
    pub session: Session,
    /// Epochs that were finished when it had them.
    pub epoch: u64,
    /// The epoch that they are of, where the best was looked for.
    pub best: Option<Best>,
}

/// What a model is looked at with.
pub struct Shown {
    /// The set that the rows are of.
    pub split: Split,
    /// The rows.
    pub data: Dataset,
    /// Where they came from, and what was left out on the way.
    pub origin: Origin,
}

impl Saved {
    /// Opens a run folder, or one of the checkpoints in it, with the weights of its best epoch where that was looked for, else with the last.
    ///
    /// # Errors
    /// If it is no run folder, or its checkpoint is damaged or does not fit its configuration.
    pub fn open(place: &Path, executor: Box<dyn Executor>) -> Result<Saved> {
        let (folder, path) = place_of(place)?;
        let config = Config::load(&folder.join(FILE_NAME))?;
        let checkpoint = Checkpoint::load(&path)?;
        let form = Form::read(&checkpoint).map_err(|e| Error::malformed(&path, e))?;
        let best = checkpoint.best().map_err(|e| Error::malformed(&path, e))?;
        let checkpoint = checkpoint.into_best().map_err(|e| Error::malformed(&path, e))?;
        let session = restored(&config, &form, &checkpoint, executor).map_err(|e| Error::malformed(&path, e))?;
        let epoch = checkpoint.metadata_u64("epoch")?;
        Ok(Saved { folder, config, form, session, epoch, best })
    }

    /// The data the run was trained on.
    ///
    /// # Errors
    /// If it cannot be read, or its images have another size than the model's.
    pub fn data(&self) -> Result<Splits> {
        let splits = open_data(&self.config, Some(&self.form.schema))?;
        self.form.check(self.config.model.kind, &splits.train)?;
        Ok(splits)
    }

    /// The files that nothing is written over unless `force` says so: those of the run, its data, and other data that is read.
    pub fn keep(&self, other: Option<&str>, force: bool) -> Keep {
        let path = |source: Source| if let Source::Path(path) = source { Some(path) } else { None };
        let sources = [Some(self.config.data.parsed_source()), other.map(Source::parse)];
        let inputs = sources.into_iter().flatten().filter_map(path).collect();
        Keep { run: Some(self.folder.clone()), inputs, force }
    }

    /// What a model is looked at with: all rows of other data in their order, where some is given, or else those that the run
    /// held out.
    ///
    /// # Errors
    /// As for [`Saved::data`].
    pub fn shown(&self, other: Option<&str>) -> Result<(Split, Dataset)> {
        let Shown { split, data, .. } = self.shown_with_origin(other)?;
        Ok((split, data))
    }

    /// The same, with what is said of other data besides its rows.
    ///
    /// # Errors
    /// As for [`Saved::data`].
    pub fn shown_with_origin(&self, other: Option<&str>) -> Result<Shown> {
        let Some(other) = other else {
            let splits = self.data()?;
            let (split, data) = splits.to_judge();
            return Ok(Shown { split, data: data.clone(), origin: splits.origin });
        };
        let (data, origin) = open_other(&self.config, &Source::parse(other), &self.form.schema)?;
        self.form.check(self.config.model.kind, &data)?;
        check_support(&self.config, &*self.session.model, &data)?;
        Ok(Shown { split: Split::Test, data, origin })
    }
}

/// The model that a configuration describes, with a checkpoint's weights.
pub(super) fn restored(
    config: &Config,
    form: &Form,
    checkpoint: &Checkpoint,
    executor: Box<dyn Executor>,
) -> Result<Session> {
    let mut session = Session::new(build_whole(config, form)?, executor, config.training.seed).with_gaps(form.gaps);
    // Settings that were changed by hand may ask for more memory than there is; the file's own size bounds it.
    let wanted = session.layout.read().iter().map(ParameterSet::count).sum::<usize>();
    let stored = checkpoint.tensors.iter().map(|t| t.2.len()).sum::<usize>();
    if wanted > stored {
        return Err(Error::invalid(format!(
            "the settings describe a model of {wanted} parameters, and the checkpoint holds {stored} numbers: use the \
             settings it was trained with"
        )));
    }
    check_finite(checkpoint)?;
    session.start()?;
    session.restore_values(checkpoint)?;
    Ok(session)
}

/// The folder and the checkpoint of a run that is given as its folder, or as one of the checkpoints in it.
///
/// # Errors
/// If it is neither.
pub fn place_of(place: &Path) -> Result<(PathBuf, PathBuf)> {
    let folder = folder_of(place);
    check_folder(folder)?;
    let path = if folder == place { place.join(CHECKPOINT) } else { place.to_owned() };
    Ok((folder.to_owned(), path))
}

/// The folder of a run that is given as its folder, or as one of the checkpoints in it.
pub fn folder_of(place: &Path) -> &Path {
    let is_checkpoint = place.is_file() && place.extension().is_some_and(|ending| ending == "safetensors");
    match place.parent().filter(|_| is_checkpoint) {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => place,
    }
}

/// Says so if a folder is no run folder.
pub(super) fn check_folder(folder: &Path) -> Result<()> {
    let what = match (folder.is_dir(), folder.join(FILE_NAME).is_file()) {
        (false, _) if folder.exists() => "is a file",
        (false, _) => "does not exist",
        (true, false) => "holds no config.toml",
        (true, true) if !folder.join(CHECKPOINT).is_file() => "holds no checkpoint.safetensors yet",
        _ => return Ok(()),
    };
    Err(Error::invalid(format!(
        "{} {what}: give the folder of a run, which `elbo train` names at its end",
        folder.display()
    )))
}
