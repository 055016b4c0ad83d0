//! A run folder, opened again: its configuration, its model and its weights on a device.

use std::path::{Path, PathBuf};

use super::form::Form;
use super::setup::{BINARISATION_SEED, check_support, open_data, open_other, open_plain};
use super::stages::build_whole;
use crate::config::{Config, FILE_NAME};
use crate::data::{Dataset, Source, Splits};
use crate::error::{Error, Result};
use crate::program::{Executor, ParameterSet};
use crate::training::checkpoint::Checkpoint;
use crate::training::metrics::Split;
use crate::training::{Best, Session};

/// The checkpoint's file in a run folder.
pub const CHECKPOINT: &str = "checkpoint.safetensors";

/// The metadata's entry that holds the configuration, so that one file says all.
pub(super) const CONFIG: &str = "config";

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

impl Saved {
    /// Opens a run folder, with the weights of its best epoch where that was looked for, else with the last.
    ///
    /// # Errors
    /// If it is no run folder, or its checkpoint is damaged or does not fit its configuration.
    pub fn open(folder: &Path, executor: Box<dyn Executor>) -> Result<Saved> {
        check_folder(folder)?;
        let config = Config::load(&folder.join(FILE_NAME))?;
        let path = folder.join(CHECKPOINT);
        let checkpoint = Checkpoint::load(&path)?;
        let form = Form::read(&checkpoint).map_err(|e| Error::malformed(&path, e))?;
        let best = checkpoint.best().map_err(|e| Error::malformed(&path, e))?;
        let checkpoint = checkpoint.into_best().map_err(|e| Error::malformed(&path, e))?;
        let session = restored(&config, &form, &checkpoint, executor).map_err(|e| Error::malformed(&path, e))?;
        let epoch = checkpoint.metadata_u64("epoch")?;
        Ok(Saved { folder: folder.to_owned(), config, form, session, epoch, best })
    }

    /// Opens a run folder, its checkpoint, or a file that [`Trained::save`](super::Trained::save) wrote.
    ///
    /// # Errors
    /// As for [`Saved::open`], and if a file holds no settings and lies in no run folder.
    pub fn load(path: &Path, executor: Box<dyn Executor>) -> Result<Saved> {
        if !path.is_file() {
            return Saved::open(path, executor);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        let checkpoint = Checkpoint::load(path)?;
        let Some(text) = checkpoint.metadata.get(CONFIG) else {
            let is_of_run = path.file_name().is_some_and(|name| name == CHECKPOINT) && folder.join(FILE_NAME).is_file();
            return match is_of_run {
                true => Saved::open(&folder, executor),
                false => Err(Error::malformed(
                    path,
                    "it does not hold its settings; if it lies in a run folder, give the folder",
                )),
            };
        };
        let opened = || -> Result<Saved> {
            let (config, form) = (Config::from_toml(text)?, Form::read(&checkpoint)?);
            let epoch = checkpoint.metadata_u64("epoch")?;
            let session = restored(&config, &form, &checkpoint, executor)?;
            Ok(Saved { folder, config, form, session, epoch, best: None })
        };
        opened().map_err(|error| Error::malformed(path, error))
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

    /// What a model is looked at with: all rows of other data in their order, where some is given, or else those that the run
    /// held out.
    ///
    /// # Errors
    /// As for [`Saved::data`].
    pub fn shown(&self, other: Option<&str>) -> Result<(Split, Dataset)> {
        let Some(other) = other else {
            let splits = self.data()?;
            let (split, data) = splits.to_judge();
            return Ok((split, data.clone()));
        };
        let data = open_other(&self.config, &Source::parse(other), &self.form.schema)?;
        self.form.check(self.config.model.kind, &data)?;
        check_support(&self.config, &*self.session.model, &data)?;
        Ok((Split::Test, data))
    }

    /// All rows of a source in their order, as they are; greys drawn black and white once, where that is wanted.
    ///
    /// # Errors
    /// As for [`Saved::data`].
    pub fn plain(&self, source: &str, binarise: bool) -> Result<Dataset> {
        let data = open_plain(&self.config, &Source::parse(source), &self.form.schema)?;
        self.form.check_shape(&data)?;
        Ok(if binarise { data.black_and_white(BINARISATION_SEED) } else { data })
    }
}

/// The weights and the settings of a model, as one file holds them.
pub(super) fn whole(config: &Config, form: &Form, session: &mut Session, epochs: u64) -> Result<Checkpoint> {
    let mut checkpoint = Checkpoint { tensors: session.values()?, ..Checkpoint::default() };
    checkpoint.set_metadata("format", "elbo 1");
    checkpoint.set_metadata(CONFIG, config.to_toml()?);
    checkpoint.set_metadata("epoch", epochs);
    form.write(&mut checkpoint)?;
    Ok(checkpoint)
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
    session.start()?;
    session.restore_values(checkpoint)?;
    Ok(session)
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
