//! A model written out for other hosts: a web page that runs it by WebGPU, or its programs alone, as JSON.
//!
//! What is written is made from lowered programs ([`crate::engine::gpu::bundle`]), so that a model of any network goes the same way. [`programs`]
//! puts them together, [`carried`] gives the rows that a page brings along, and [`page`] makes the page, with the scripts of `assets/export/`.

mod carried;
mod page;
mod programs;

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Saved;
use super::uses::{ending, write_file};
use crate::error::{Error, Result};
use programs::{Bundled, bundled, training};

/// What is to be written besides the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exporting {
    /// Other data whose rows the model is shown with.
    pub data: Option<String>,
    /// Whether training can go on there, over at most so many rows of the training data.
    pub training: Option<usize>,
    /// The epochs over those rows that can be trained.
    pub epochs: u64,
    /// Decides what is drawn by chance.
    pub seed: u64,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// The file.
    pub out: PathBuf,
    /// Its size.
    pub bytes: usize,
    /// How many of those are weights, what an optimiser keeps, and rows.
    pub bytes_of_numbers: usize,
    /// The names of the programs.
    pub programs: Vec<String>,
    /// Steps of training that can be done there.
    pub steps: usize,
    /// Rows that those are taken from.
    pub rows: usize,
    /// What is not there, and why, in sentences.
    pub notes: Vec<String>,
}

impl Saved {
    /// Writes a model for other hosts, by the ending of the file's name: `.html` is a page that runs it in a browser, without a server or a network,
    /// `.json` its programs as `docs/program.md` describes them.
    ///
    /// # Errors
    /// If the ending is another or the file is to be kept, if the model has no decoder, if data cannot be read, if training is to go on and
    /// cannot, or if the device fails.
    pub fn export_to(&mut self, out: &Path, wanted: &Exporting, force: bool) -> Result<Exported> {
        let kind = ending(out, "a page or programs", &["html", "json"])?;
        self.keep(wanted.data.as_deref(), force).check(out)?;
        self.session.model.can().decode()?;
        let training = wanted.training.map(|rows| training(self, rows, wanted.epochs)).transpose()?;
        self.with_subject(wanted.data.as_deref(), wanted.seed, |mut subject| {
            let bundled = bundled(&mut subject, training)?;
            let notes = subject.notes();
            let Bundled { bundle, steps, rows } = &bundled;
            let programs = bundle.programs.iter().map(|program| program.name.clone()).collect();
            let (steps, rows) = (*steps, *rows);
            let (text, bytes_of_numbers) = match kind {
                "json" => (serde_json::to_string(bundle).map_err(Error::invalid)?, bundle.contents_in_text()),
                _ => page::page(&mut subject, bundled, &notes)?,
            };
            write_file(out, |file| file.write_all(text.as_bytes()).map_err(Error::io("write", out)))?;
            Ok(Exported { out: out.to_owned(), bytes: text.len(), bytes_of_numbers, programs, steps, rows, notes })
        })
    }
}
