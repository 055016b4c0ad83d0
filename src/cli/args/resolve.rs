//! From options to settings: preset, file and command line laid over each other, and checked.

use clap::Parser;

use super::{Cli, Command, LookArgs, TrainArgs};
use crate::apps::{first_stage, folder_of, reading};
use crate::config::{Chosen, Config, DataOptions, FILE_NAME, Named, names_preset};
use crate::data;
use crate::data::{Source, Splits};
use crate::error::{Error, Result};

/// The settings of a run, and what had to be read to choose them.
#[derive(Debug)]
pub struct Resolved {
    /// The settings.
    pub config: Config,
    /// The preset that was chosen by what the rows are, where nobody had named one.
    pub chosen: Option<(Chosen, Splits)>,
}

/// The settings of a run: the preset's, or with `--resume` those of the run; over them those of `--config`; over them the
/// options that were given. Where nobody names a preset, data that is not built in is read, and decides.
///
/// # Errors
/// When a file or the data cannot be used, when settings make no sense, or when one is to change that a resumed run cannot change.
pub fn resolve(args: &TrainArgs) -> Result<Resolved> {
    if let Some(place) = &args.resume {
        let before = Config::load(&folder_of(place).join(FILE_NAME))?;
        let mut after = before.clone();
        args.settings.lay_over(&mut after)?;
        after.validate()?;
        check_resumable(&before, &after)?;
        return Ok(Resolved { config: after, chosen: None });
    }
    let (path, preset) = (args.config.as_deref(), args.settings.preset);
    let over = |mut config: Config| {
        args.settings.lay_over_and_fit(&mut config, &Named::of(path)?)?;
        Ok::<_, Error>(config)
    };
    let mut chosen = None;
    let mut config = match &args.second_stage {
        None => over(Config::layered(preset, path)?)?,
        Some(run) => {
            let (first, of) = first_stage(run)?;
            over(Config::layered_on(&first, &of, preset, path)?)?
        }
    };
    let source = config.data.parsed_source();
    if args.second_stage.is_none() && preset.is_none() && !names_preset(path)? && source != Source::Sprites {
        config.validate()?;
        // Whether columns are scaled follows from the likelihood, which is chosen by the columns: they are, until it is known.
        let first = data::Options { standardise: config.data.standardise.unwrap_or(true), ..reading(&config) };
        let rows = data::open(&source, &first)?;
        let choice = Chosen::for_rows(&rows, config.data.binarise, config.data.standardise == Some(true));
        config = over(Config::layered_on_chosen(&choice, path)?)?;
        choice.fit_likelihood(&mut config);
        let last = reading(&config);
        // Whether columns were to be scaled is no matter where none were.
        let is_same = data::Options { standardise: first.standardise, ..last.clone() } == first;
        let is_read = last == first || is_same && !rows.train.schema.is_table();
        let rows = if is_read { rows } else { data::open(&source, &last)? };
        chosen = Some((choice, rows));
    }
    config.validate()?;
    Ok(Resolved { config, chosen })
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
    match cli.command {
        Some(Command::Train(args)) => Ok(resolve(&args)?.config),
        _ => Err(Error::invalid("these are no options of `elbo train`")),
    }
}

/// A resumed run must be the run it was.
fn check_resumable(before: &Config, after: &Config) -> Result<()> {
    let changed = after.changes_of_run(before);
    if changed.is_empty() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "a run that is resumed keeps its settings, and `{}` would change: leave that out, or start a new run",
        changed.join("`, `")
    )))
}
