//! Several models, or settings of one, on the same data at equal work: each trained as a run, and measured on the same held-out rows.
//!
//! What is compared differs in what its name says, and in nothing else: the same rows, epochs, batches, networks and seeds. Runs that stand in the folder
//! already, with the same settings, are not trained again.

mod choice;
mod features;
mod files;
mod measure;
mod report;

use std::path::{Path, PathBuf};

pub use choice::{Choice, choices};
pub use features::{AXES, Baselines};
pub use measure::{Abilities, Figures, Measured, Yardstick};
pub use report::{Compared, Comparison, Of};

use super::form::{Form, build_model};
use super::reused::{check_same, trained};
use super::saved::Saved;
use super::setup::open_data;
use crate::config::Config;
use crate::data::schema::FieldKind;
use crate::data::{Split, Splits};
use crate::error::{Error, Result};
use crate::files::create_folder;
use crate::program::Executor;

/// A run that is part of a comparison.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What is compared.
    pub choice: Choice,
    /// What decides all that is random in it.
    pub seed: u64,
    /// Its settings.
    pub config: Config,
}

impl Planned {
    /// The folder of the run.
    pub fn folder(&self, of_all: &Path) -> PathBuf {
        of_all.join(format!("{}-{}", self.choice.file_name(), self.seed))
    }
}

/// Looks at all runs before anything is trained: the folder, the data, and whether there can be such models.
///
/// # Errors
/// If the folder holds something else, a run has other settings, the data cannot be read or lacks what a model is told, or a model does
/// not fit it.
pub fn check(planned: &[Planned], folder: &Path) -> Result<()> {
    files::check_folder(folder)?;
    let mut first: Option<(&str, Seen)> = None;
    for run in planned {
        let named = |error: Error| match error {
            Error::Invalid(why) => Error::invalid(format!("{} cannot be compared: {why}", run.choice.name)),
            other => other,
        };
        check_same(&run.config, &run.folder(folder), false)?;
        // Other seeds hold other rows out of the same data.
        if planned.iter().any(|first| first.seed < run.seed) {
            continue;
        }
        let data = open_data(&run.config, None).map_err(named)?;
        let form = Form::of(&run.config.model.kind, &data.train);
        let seen = seen(&data);
        match &first {
            Some((name, known)) if *known != seen => {
                return Err(Error::invalid(format!(
                    "{} cannot be compared with {name}: it holds other rows out, or sees values in other units; compare it by itself",
                    run.choice.name
                )));
            }
            _ => first = first.or(Some((&run.choice.name, seen))),
        }
        build_model(&run.config.model, &form).and_then(|model| model.can().decode().map(drop)).map_err(named)?;
    }
    Ok(())
}

/// What is measured on: the part, its rows, and what their values are, with their units.
type Seen = (Split, usize, Vec<FieldKind>);

fn seen(data: &Splits) -> Seen {
    let (split, rows) = data.evaluation_split();
    (split, rows.rows, rows.schema.inputs().map(|field| field.kind.clone()).collect())
}

/// Trains what is not trained yet, and measures all; `each` is told of every run before it begins and when it is measured. `samples` codes of each
/// row estimate likelihoods.
///
/// # Errors
/// If anything fails; [`Error::Interrupted`] if `stop` says so.
pub fn compare(
    planned: &[Planned],
    folder: &Path,
    samples: Option<usize>,
    open: &dyn Fn() -> Result<Box<dyn Executor>>,
    stop: &dyn Fn() -> bool,
    each: &mut dyn FnMut(&Planned, Option<&Measured>),
) -> Result<Comparison> {
    create_folder(folder)?;
    let mut comparison = Comparison::default();
    let mut yardstick: Option<(u64, Yardstick)> = None;
    // All of a seed behind each other, so that they are measured with the same.
    let mut in_order: Vec<&Planned> = planned.iter().collect();
    in_order.sort_by_key(|run| run.seed);
    for run in in_order {
        each(run, None);
        let of_run = run.folder(folder);
        trained(&run.config, (&of_run, false), open, stop)?;
        let mut saved = Saved::open(&of_run, open()?)?;
        if yardstick.as_ref().is_none_or(|(seed, _)| *seed != run.seed) {
            yardstick = Some((run.seed, Yardstick::of(&saved, run.seed)?));
        }
        let Some((_, with)) = &yardstick else { continue };
        let measured = with.measure(&mut saved, samples, run.seed)?;
        each(run, Some(&measured));
        comparison.add(run, with, measured, &saved);
    }
    files::save(&comparison, folder)?;
    Ok(comparison)
}
