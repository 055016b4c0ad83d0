//! From options to settings: preset, file and command line laid over each other, and checked.

use clap::Parser;

use super::{Cli, Command, DataArgs, DeviceArgs, LookArgs, ModelArgs, RowArgs, TrainArgs, TrainingArgs};
use crate::apps::first_stage;
use crate::config::{Config, DataConfig, DeviceConfig, FILE_NAME, ModelConfig, Preset, TrainingConfig, names_preset};
use crate::data::{Source, is_table};
use crate::error::{Error, Result};

/// The settings of a run: the preset's, or with `--resume` those of the run; over them those of `--config`; over them the
/// options that were given.
///
/// # Errors
/// When a file cannot be used, when settings make no sense, or when one is to change that a resumed run cannot change.
pub fn resolve(args: &TrainArgs) -> Result<Config> {
    if let Some(folder) = &args.resume {
        let before = Config::load(&folder.join(FILE_NAME))?;
        let after = laid_over(before.clone(), args);
        after.validate()?;
        check_resumable(&before, &after)?;
        return Ok(after);
    }
    let path = args.config.as_deref();
    let base = match &args.second_stage {
        None => {
            let base = Config::layered(args.preset, path)?;
            let source = args.data.data.as_ref().unwrap_or(&base.data.source);
            match args.preset.is_none() && !names_preset(path)? && is_table(&Source::parse(source)) {
                true => Config::layered(Some(Preset::Table), path)?,
                false => base,
            }
        }
        Some(run) => {
            let (first, of) = first_stage(run)?;
            Config::layered_on(&first, &of, args.preset, path)?
        }
    };
    let config = laid_over(base, args);
    config.validate()?;
    Ok(config)
}

/// The settings of data that is only looked at.
///
/// # Errors
/// When settings make no sense.
pub fn data_config(args: &LookArgs) -> Result<Config> {
    let mut config = Config::default();
    set(&mut config.data.source, &args.source);
    args.rows.apply(&mut config.data);
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

fn laid_over(mut config: Config, args: &TrainArgs) -> Config {
    args.data.apply(&mut config.data);
    args.model.apply(&mut config.model);
    config.model.name_pieces();
    args.training.apply(&mut config.training);
    config.training.name_pieces();
    args.device.apply(&mut config.device);
    config
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

/// Replaces a setting if it was given.
fn set<T: Clone>(setting: &mut T, given: &Option<T>) {
    if let Some(value) = given {
        setting.clone_from(value);
    }
}

/// Replaces a setting that may be left out, if it was given.
fn set_optional<T: Clone>(setting: &mut Option<T>, given: &Option<T>) {
    if given.is_some() {
        setting.clone_from(given);
    }
}

impl DataArgs {
    fn apply(&self, config: &mut DataConfig) {
        set(&mut config.source, &self.data);
        self.rows.apply(config);
        set(&mut config.binarise, &self.binarise);
        set(&mut config.condition, &self.condition);
        set_optional(&mut config.labels, &self.labels);
    }
}

impl RowArgs {
    fn apply(&self, config: &mut DataConfig) {
        set(&mut config.validation, &self.validation);
        set_optional(&mut config.label, &self.label);
        set(&mut config.ignore, &self.ignore);
        config.columns.extend(self.column.iter().flatten().cloned());
        set_optional(&mut config.size, &self.size);
        set(&mut config.resolution, &self.resolution);
        set_optional(&mut config.count, &self.count);
        set(&mut config.binary, &self.binary);
        set(&mut config.full, &self.full);
    }
}

impl ModelArgs {
    fn apply(&self, config: &mut ModelConfig) {
        set(&mut config.kind, &self.model);
        set(&mut config.hidden, &self.hidden);
        set_optional(&mut config.decoder_hidden, &self.decoder_hidden);
        set(&mut config.latent, &self.latent);
        set(&mut config.activation, &self.activation);
        set(&mut config.likelihood, &self.likelihood);
        if let Some(sigma) = self.sigma {
            config.likelihood.settings.insert("sigma".to_string(), sigma);
        }
        set(&mut config.posterior, &self.posterior);
        set(&mut config.prior, &self.prior);
        set(&mut config.objective, &self.objective);
        set(&mut config.beta, &self.beta);
        set(&mut config.alpha, &self.alpha);
        set_optional(&mut config.upper, &self.upper);
    }
}

impl TrainingArgs {
    fn apply(&self, config: &mut TrainingConfig) {
        set(&mut config.epochs, &self.epochs);
        set(&mut config.batch, &self.batch);
        set(&mut config.learning_rate, &self.learning_rate);
        set(&mut config.schedule, &self.schedule);
        set(&mut config.warmup_steps, &self.warmup_steps);
        set(&mut config.step_every, &self.step_every);
        set(&mut config.step_factor, &self.step_factor);
        set(&mut config.kl_warmup_epochs, &self.kl_warmup_epochs);
        set(&mut config.kl_cycle_epochs, &self.kl_cycle_epochs);
        set_optional(&mut config.clip_norm, &self.clip_norm);
        set(&mut config.accumulate, &self.accumulate);
        set(&mut config.optimiser, &self.optimiser);
        set_optional(&mut config.average, &self.average);
        set_optional(&mut config.beta1, &self.beta1);
        set_optional(&mut config.beta2, &self.beta2);
        set_optional(&mut config.epsilon, &self.epsilon);
        set(&mut config.seed, &self.seed);
        set_optional(&mut config.patience, &self.patience);
        set(&mut config.log_every, &self.log_every);
        set(&mut config.checkpoint_every, &self.checkpoint_every);
        set_optional(&mut config.steps_per_submit, &self.steps_per_submit);
    }
}

impl DeviceArgs {
    fn apply(&self, config: &mut DeviceConfig) {
        set(&mut config.device, &self.device);
        set(&mut config.deterministic, &self.deterministic);
    }
}
