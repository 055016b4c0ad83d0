//! The figures of a run as TensorBoard reads them, beside those that are kept anyway.
//!
//! They lie in the folder `tensorboard` of a run. All stand over steps of the optimiser, so that what a run that goes on does again takes the place of
//! what it had done: a new file says from which step on.

mod events;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::train::Watcher;
use crate::error::{Error, Result};
use crate::files::create_folder;
use crate::training::Progress;
use crate::training::metrics::{EpochRecord, RetryRecord, StepRecord};
use events::Events;

/// The folder in that of a run.
const FOLDER: &str = "tensorboard";

/// The event file of a run.
pub struct Board {
    events: Events,
    /// Steps that are done.
    step: u64,
    failed: Option<Error>,
}

/// Writes the figures of a run beside what another watcher does.
struct Beside<'a> {
    board: &'a mut Board,
    watcher: &'a mut dyn Watcher,
}

/// Whether figures were written for TensorBoard before in the folder of a run.
pub fn has_board(run: &Path) -> bool {
    run.join(FOLDER).is_dir()
}

impl Board {
    /// Begins a new file in the folder of a run of which so many steps are done.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn begin(run: &Path, step: u64) -> Result<Board> {
        let folder = run.join(FOLDER);
        create_folder(&folder)?;
        let mut events = Events::begin(&folder)?;
        if step > 0 {
            events.begin_again(step + 1)?;
        }
        Ok(Board { events, step, failed: None })
    }

    /// A watcher that writes figures, and passes all on to another. What cannot be written ends the run, see [`Board::check`].
    pub fn beside<'a>(&'a mut self, watcher: &'a mut dyn Watcher) -> impl Watcher + 'a {
        Beside { board: self, watcher }
    }

    /// The end: adds the pictures of a run by the names of their files.
    ///
    /// # Errors
    /// If one cannot be read or written.
    pub fn finish(self, pictures: &[PathBuf]) -> Result<()> {
        let Board { mut events, step, .. } = self;
        for path in pictures.iter().filter(|path| path.extension().is_some_and(|ending| ending == "png")) {
            let bytes = fs::read(path).map_err(Error::io("read", path))?;
            let size = image::image_dimensions(path).map_err(|error| Error::malformed(path, error))?;
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            events.picture(step, &format!("pictures/{name}"), size.into(), bytes)?;
        }
        Ok(())
    }

    /// Says so if figures could not be written, with which the run has ended.
    ///
    /// # Errors
    /// Why they could not.
    pub fn check(&mut self) -> Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }

    fn note(&mut self, written: Result<()>) {
        if let Err(error) = written {
            self.failed.get_or_insert(error);
        }
    }
}

impl Watcher for Beside<'_> {
    fn progress(&mut self, epoch: u64, epochs: u64, progress: &Progress) -> ControlFlow<()> {
        let board = &mut *self.board;
        for record in progress.steps {
            board.step = record.step;
            let written = board.events.numbers(record.step, of_step(record));
            board.note(written);
        }
        let flow = self.watcher.progress(epoch, epochs, progress);
        if self.board.failed.is_some() { ControlFlow::Break(()) } else { flow }
    }

    fn epoch(&mut self, records: &[EpochRecord]) {
        let board = &mut *self.board;
        board.step = records.iter().find_map(|record| record.steps).unwrap_or(board.step);
        let written = board.events.numbers(board.step, records.iter().flat_map(of_epoch));
        board.note(written);
        self.watcher.epoch(records);
    }

    fn retried(&mut self, record: &RetryRecord) {
        let board = &mut *self.board;
        board.step = record.back_to;
        let written = board.events.begin_again(record.back_to + 1);
        board.note(written);
        self.watcher.retried(record);
    }

    fn noticed(&mut self, sentence: &str) {
        self.watcher.noticed(sentence);
    }
}

/// The figures of a step, as `step/NAME`.
fn of_step(record: &StepRecord) -> Vec<(String, f64)> {
    let figures = [
        ("loss", Some(record.loss)),
        ("reconstruction", Some(record.reconstruction)),
        ("kl", Some(record.kl)),
        ("beta", record.beta),
        ("learning_rate", record.learning_rate),
        ("gradient_norm", record.gradient_norm),
        ("samples_per_second", record.samples_per_second),
    ];
    let parts = record.parts.iter().map(|(name, &part)| (name.as_str(), Some(part)));
    figures.into_iter().chain(parts).filter_map(|(name, figure)| Some((format!("step/{name}"), figure?))).collect()
}

/// The figures of a part of the data behind an epoch, as `NAME/train`, `NAME/validation` or `NAME/test`.
fn of_epoch(record: &EpochRecord) -> Vec<(String, f64)> {
    let units = record.active_units.map(|units| units as f64);
    let figures = [
        ("loss", Some(record.loss)),
        ("elbo", Some(record.elbo)),
        ("reconstruction", Some(record.reconstruction)),
        ("kl", Some(record.kl)),
        ("bits_per_dimension", record.bits_per_dimension),
        ("active_units", units),
        ("beta", record.beta),
        ("learning_rate", record.learning_rate),
        ("gradient_norm", record.gradient_norm),
        ("samples_per_second", record.samples_per_second),
        ("seconds", record.seconds),
        ("epoch", Some(record.epoch as f64)),
    ];
    let parts = record.parts.iter().map(|(name, &part)| (name.as_str(), Some(part)));
    let all = figures.into_iter().chain(parts);
    all.filter_map(|(name, figure)| Some((format!("{name}/{}", record.split), figure?))).collect()
}
