//! From options to settings: preset, file and command line laid over each other, and checked.

use clap::Parser;

use super::{Cli, Command, LookArgs, TrainArgs};
use crate::apps::{first_stage, folder_of};
use crate::config::{Config, DataOptions, FILE_NAME, Preset, names_preset};
use crate::data::{Source, is_table};
use crate::error::{Error, Result};

/// The settings of a run: the preset's, or with `--resume` those of the run; over them those of `--config`; over them the
/// options that were given.
///
/// # Errors
/// When a file cannot be used, when settings make no sense, or when one is to change that a resumed run cannot change.
pub fn resolve(args: &TrainArgs) -> Result<Config> {
    if let Some(place) = &args.resume {
        let before = Config::load(&folder_of(place).join(FILE_NAME))?;
        let mut after = before.clone();
        args.settings.lay_over(&mut after)?;
        after.validate()?;
        check_resumable(&before, &after)?;
        return Ok(after);
    }
    let (path, preset) = (args.config.as_deref(), args.settings.preset);
    let mut config = match &args.second_stage {
        None => {
            let base = Config::layered(preset, path)?;
            let source = args.settings.data.source.as_ref().unwrap_or(&base.data.source);
            match preset.is_none() && !names_preset(path)? && is_table(&Source::parse(source)) {
                true => Config::layered(Some(Preset::Table), path)?,
                false => base,
            }
        }
        Some(run) => {
            let (first, of) = first_stage(run)?;
            Config::layered_on(&first, &of, preset, path)?
        }
    };
    args.settings.lay_over(&mut config)?;
    config.validate()?;
    Ok(config)
}

/// The settings of data that is only looked at.
///
/// # Errors
/// When settings make no sense.
pub fn data_config(args: &LookArgs) -> Result<Config> {
    let mut config = Config::default();
    let rows = DataOptions { source: None, binarise: None, condition: None, labels: None, ..args.rows.clone() };
    if rows != args.rows {
        return Err(Error::invalid(
            "--data, --binarise, --condition and --labels are about training, and data is only looked at: leave them out",
        ));
    }
    DataOptions { source: args.path.clone(), ..rows }.lay_over(&mut config.data)?;
    config.training.seed = args.seed;
    config.validate()?;
    Ok(config)
}

/// The settings that these words behind `elbo train` mean.
///
/// # Errors
/// As for [`resolve`], and when a word is no option.
pub fn train_config(words: &[String]) -> Result<Config> {
    let line = ["elbo", "train"].into_iter().map(str::to_string).chain(words.iter().cloned());
    let cli = Cli::try_parse_from(line).map_err(Error::invalid)?;
    match cli.into_command() {
        Command::Train(args) => resolve(&args),
        _ => Err(Error::invalid("these are no options of `elbo train`")),
    }
}

/// A resumed run must be the run it was. What does not change the numbers may change; so may the number of epochs, and
/// the place the same data lies in.
fn check_resumable(before: &Config, after: &Config) -> Result<()> {
    let mut same = after.clone();
    same.data.source.clone_from(&before.data.source);
    same.device = before.device.clone();
    same.training.epochs = before.training.epochs;
    // How long to wait may change; whether the best weights are kept may not.
    if before.training.patience.is_some() && after.training.patience.is_some() {
        same.training.patience = before.training.patience;
    }
    same.training.log_every = before.training.log_every;
    same.training.checkpoint_every = before.training.checkpoint_every;
    same.training.checkpoint_minutes = before.training.checkpoint_minutes;
    same.training.steps_per_submit = before.training.steps_per_submit;
    let changed = before.differences(&same);
    if changed.is_empty() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "a run that is resumed keeps its settings, and `{}` would change: leave that out, or start a new run",
        changed.join("`, `")
    )))
}
