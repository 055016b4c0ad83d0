//! Runs that are trained once: what stands in a folder already, with the same settings, is gone on with or left as it is.

use std::ops::ControlFlow;
use std::path::Path;

use super::train::{Outcome, TrainRun, Watcher, make_absolute};
use crate::config::{Config, FILE_NAME};
use crate::error::{Error, Result};
use crate::program::Executor;
use crate::training::Progress;
use crate::training::metrics::EpochRecord;

/// Nobody looks on, but one may break off.
struct Quiet<'a>(&'a dyn Fn() -> bool);

impl Watcher for Quiet<'_> {
    fn progress(&mut self, _: u64, _: u64, _: &Progress) -> ControlFlow<()> {
        if (self.0)() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn epoch(&mut self, _: &[EpochRecord]) {}
}

/// Says so if a folder holds a run with other settings; the device is no matter, nor is it where the data lies if that is `anywhere`, as that of a
/// fixed recipe.
///
/// # Errors
/// If it does, or its settings cannot be read.
pub fn check_same(config: &Config, folder: &Path, anywhere: bool) -> Result<()> {
    if !TrainRun::is_in(folder) {
        return Ok(());
    }
    let before = Config::load(&folder.join(FILE_NAME))?;
    let mut same = config.clone();
    make_absolute(&mut same)?;
    same.device = before.device.clone();
    if anywhere {
        same.data.source.clone_from(&before.data.source);
    }
    let changed = before.differences(&same);
    if changed.is_empty() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{} holds a run with other settings (`{}`): remove it, or give another --out",
        folder.display(),
        changed.join("`, `")
    )))
}

/// Trains a run into a folder, unless it stands there already; `anywhere` as for [`check_same`].
///
/// # Errors
/// If the folder holds another run, or anything fails; [`Error::Interrupted`] if `stop` says so.
pub fn trained(
    config: &Config,
    (folder, anywhere): (&Path, bool),
    open: &dyn Fn() -> Result<Box<dyn Executor>>,
    stop: &dyn Fn() -> bool,
) -> Result<()> {
    check_same(config, folder, anywhere)?;
    let mut run = match TrainRun::is_in(folder) {
        true => TrainRun::resume(Config::load(&folder.join(FILE_NAME))?, folder, open()?)?,
        false => TrainRun::start(config.clone(), folder, open()?)?,
    };
    if run.epochs_done() < config.training.epochs as u64 && run.train(&mut Quiet(stop))? == Outcome::Stopped {
        return Err(Error::Interrupted(
            "Stopped. What was trained is kept; the same command goes on with it.".to_string(),
        ));
    }
    Ok(())
}
