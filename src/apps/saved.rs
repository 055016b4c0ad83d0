//! A run folder, opened again: its configuration, its model and its weights on a device.

use std::path::{Path, PathBuf};

use super::folder::place_of;
use super::form::Form;
use super::health::check_sound;
use super::members::seeded;
use super::setup::{BINARISATION_SEED, check_support, open_data, open_other, open_plain};
use super::stages::build_whole;
use crate::config::{Config, FILE_NAME};
use crate::data::{Dataset, Keep, Origin, Source, Splits};
use crate::error::{Error, Result};
use crate::program::{Executor, ParameterSet};
use crate::training::checkpoint::Checkpoint;
use crate::training::metrics::Split;
use crate::training::{Best, Session};

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
    /// Models that its folder holds, of which this is the first: more than 1 where it is that of an ensemble.
    pub models: usize,
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
    /// Of the folder of an ensemble it is the first member; [`Saved::join_members`] takes up the others.
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
        let models = if folder == place { config.training.models_in_folder() } else { 1 };
        Ok(Saved { folder, config, form, session, epoch, best, models })
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
            return match folder.join(FILE_NAME).is_file() {
                true => Saved::open(path, executor),
                false => Err(Error::malformed(
                    path,
                    "it does not hold its settings; if it lies in a run folder, give the folder",
                )),
            };
        };
        let opened = Config::from_toml(text).and_then(|config| Saved::whole(folder, config, &checkpoint, executor));
        opened.map_err(|error| Error::malformed(path, error))
    }

    /// Opens the bytes of such a file.
    ///
    /// # Errors
    /// If they are damaged, or hold no settings.
    pub fn from_bytes(bytes: &[u8], executor: Box<dyn Executor>) -> Result<Saved> {
        let checkpoint = Checkpoint::from_bytes(bytes)?;
        let config = Config::from_toml(checkpoint.metadata_str(CONFIG)?)?;
        Saved::whole(PathBuf::from("."), config, &checkpoint, executor)
    }

    /// A model of one checkpoint that holds its weights alone.
    fn whole(folder: PathBuf, config: Config, checkpoint: &Checkpoint, executor: Box<dyn Executor>) -> Result<Saved> {
        let form = Form::read(checkpoint)?;
        let epoch = checkpoint.metadata_u64("epoch")?;
        let session = restored(&config, &form, checkpoint, executor)?;
        Ok(Saved { folder, config, form, session, epoch, best: None, models: 1 })
    }

    /// The data the run was trained on.
    ///
    /// # Errors
    /// If it cannot be read, or its images have another size than the model's.
    pub fn data(&self) -> Result<Splits> {
        let splits = open_data(&self.config, Some(&self.form.schema))?;
        self.form.check(&self.config.model.kind, &splits.train)?;
        Ok(splits)
    }

    /// The files that nothing is written over unless `force` says so: those of the run, its data, and other data that is read.
    pub fn keep(&self, other: Option<&str>, force: bool) -> Keep {
        let path = |source: Source| if let Source::Path(path) = source { Some(path) } else { None };
        let sources = [Some(self.config.data.parsed_source()), other.map(Source::parse)];
        let inputs = sources.into_iter().flatten().filter_map(path).collect();
        // The folder of a model in a file of its own is not a run.
        let run = self.folder.join(FILE_NAME).is_file().then(|| self.folder.clone());
        Keep { run, inputs, force }
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
            let (split, data) = splits.evaluation_split();
            return Ok(Shown { split, data: data.clone(), origin: splits.origin });
        };
        let (data, origin) = open_other(&self.config, &Source::parse(other), &self.form.schema)?;
        self.form.check(&self.config.model.kind, &data)?;
        check_support(&self.config, &*self.session.model, &data)?;
        Ok(Shown { split: Split::Test, data, origin })
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
    if config.training.swag > 0 {
        session.write_swag(&mut checkpoint);
    }
    Ok(checkpoint)
}

/// The model that a configuration describes, with a checkpoint's weights.
pub(super) fn restored(
    config: &Config,
    form: &Form,
    checkpoint: &Checkpoint,
    executor: Box<dyn Executor>,
) -> Result<Session> {
    let seed = seeded(&config.training).seed;
    let mut session = Session::new(build_whole(config, form)?, executor, seed).with_gaps(form.gaps);
    // Settings that were changed by hand may ask for more memory than there is; the file's own size bounds it.
    let wanted = session.layout.read().iter().map(ParameterSet::count).sum::<usize>();
    let stored = checkpoint.tensors.iter().map(|t| t.2.len()).sum::<usize>();
    if wanted > stored {
        return Err(Error::invalid(format!(
            "the settings describe a model of {wanted} parameters, and the checkpoint holds {stored} numbers: use the \
             settings it was trained with"
        )));
    }
    check_sound(checkpoint)?;
    session.start()?;
    session.restore_values(checkpoint)?;
    if config.training.swag > 0 {
        session.restore_swag(config.training.swag, checkpoint)?;
    }
    Ok(session)
}
