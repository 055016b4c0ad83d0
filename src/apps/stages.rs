//! Second stages: models that stand on the model of another run.

use std::path::Path;

use super::folder::{CHECKPOINT, check_folder};
use super::form::{Form, build_model};
use crate::catalogue::build;
use crate::config::{Config, FILE_NAME, FirstStage, ModelConfig};
use crate::data::{Dataset, Shape};
use crate::distributions::WEIGHT_DISTRIBUTIONS;
use crate::error::{Error, Result};
use crate::models::{FIRST, Model, SecondStage, UncertainWeights, carries};
use crate::training::Session;
use crate::training::checkpoint::Checkpoint;

/// The model of a run, as a second stage would stand on it, and the run's settings.
///
/// # Errors
/// If there is no such run, or nothing can stand on its model: what to give instead.
pub fn first_stage(run: &Path) -> Result<(FirstStage, Config)> {
    check_folder(run)?;
    let config = Config::load(&run.join(FILE_NAME))?;
    let first = FirstStage::of(run, &config)?;
    let path = run.join(CHECKPOINT);
    let form = Form::read(&Checkpoint::load(&path)?).map_err(|e| Error::malformed(&path, e))?;
    check_kind(run, &config.model, &form)?;
    Ok((first, config))
}

/// Says so if nothing can stand on a model of this kind, of rows of this form.
fn check_kind(run: &Path, config: &ModelConfig, form: &Form) -> Result<()> {
    let condition = usize::from(config.kind.is_conditional());
    let form = Form { condition, classes: vec![], ranges: vec![], ..form.clone() };
    let why = match config.parts() {
        Ok(parts) if parts.posterior.codes() != crate::distributions::CodeSpace::Real => {
            Some(format!("its codes are {}, and a second stage is over real numbers", parts.posterior.codes()))
        }
        _ => carries(&*build_model(config, &form)?).err().map(|why| why.to_string()),
    };
    match why {
        None => Ok(()),
        Some(why) => Err(Error::invalid(format!(
            "no second stage can stand on {}, which holds a model of the kind {}: {why}. Give the run of a vae",
            run.display(),
            config.kind
        ))),
    }
}

/// The model that a configuration describes, with what it stands on and what is known of its weights.
///
/// # Errors
/// If a piece does not exist, is given what it does not take, or the two do not fit each other.
pub(super) fn build_whole(config: &Config, form: &Form) -> Result<Box<dyn Model>> {
    UncertainWeights::of(with_first_stage(config, form)?, build(WEIGHT_DISTRIBUTIONS, &config.model.network_weights)?)
}

/// The model that a configuration describes, with what it stands on.
fn with_first_stage(config: &Config, form: &Form) -> Result<Box<dyn Model>> {
    let Some(first) = &config.first_stage else { return build_model(&config.model, form) };
    check_kind(Path::new(&first.run), &first.model, form)?;
    let below = build_model(&first.model, &Form { condition: 0, classes: vec![], ranges: vec![], ..form.clone() })?;
    let of_codes = Form { schema: Shape::vector(carries(&*below)?).into(), ..form.clone() };
    Ok(Box::new(SecondStage::new(below, build_model(&config.model, &of_codes)?)?))
}

/// Takes what a model stands on out of the run that it comes from; nothing where it stands by itself.
///
/// # Errors
/// If the run is not there any more, holds another model by now, was trained on rows of another shape, or is damaged.
pub(super) fn freeze(config: &Config, data: &Dataset, session: &mut Session) -> Result<()> {
    let Some(first) = &config.first_stage else { return Ok(()) };
    let run = Path::new(&first.run);
    let (found, _) = first_stage(run)?;
    if found != *first {
        return Err(Error::invalid(format!(
            "{} holds another model by now than [first-stage] says: give {} as `first-stage` anew",
            run.display(),
            run.display()
        )));
    }
    let path = run.join(CHECKPOINT);
    let checkpoint = Checkpoint::load(&path)?.into_best().map_err(|e| Error::malformed(&path, e))?;
    let form = Form::read(&checkpoint).map_err(|e| Error::malformed(&path, e))?;
    form.check_shape(data)?;
    if form.schema.channels() != data.schema.channels() {
        return Err(Error::invalid(format!(
            "the channels of pictures are not scaled as they were for {}: give the data, the seed and `standardise` of that run",
            run.display()
        )));
    }
    let named = checkpoint.tensors.into_iter().map(|(name, shape, values)| (format!("{FIRST}.{name}"), shape, values));
    let renamed = Checkpoint { tensors: named.collect(), metadata: checkpoint.metadata };
    session.freeze(&renamed).map_err(|e| Error::malformed(&path, e))
}
