//! A report: all that there is to say of a run, in one HTML file that needs neither a network nor another file.
//!
//! A section is a file here that gives its HTML and, where scripts show more of it, its data. [`page`] puts them together with the styles and
//! scripts of `assets/report/`. What comes from users (names of files, columns and classes) is text to the templates, which escape it,
//! and to the scripts, which never make HTML of text; the page's own policy forbids all that it does not bring along.

mod about;
mod curves;
mod figures;
mod inline;
mod map;
mod page;
mod portable;
mod rows;
mod sliders;
mod subject;
mod tables;
mod told;

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::Saved;
use super::uses::{ending, write_file};
use crate::data::Keep;
use crate::error::{Error, Result};
use page::page;

#[cfg(feature = "export")]
pub(super) use inline::{json, text_of};
pub(super) use page::Section;
#[cfg(feature = "export")]
pub(super) use page::{Document, source};
#[cfg(feature = "export")]
pub(super) use rows::{rebuilt, samples};
#[cfg(feature = "export")]
pub(super) use sliders::{Dimension, dimensions, look, order};
#[cfg(feature = "export")]
pub(super) use subject::Look;
pub(super) use subject::{Held, Subject};
#[cfg(feature = "export")]
pub(super) use told::Told;

/// A report's file in a run folder.
pub const REPORT: &str = "report.html";

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reported {
    /// The file.
    pub out: PathBuf,
    /// Its size.
    pub bytes: usize,
    /// Whether the page decodes codes by itself, or shows what was decoded beforehand.
    pub decodes: bool,
    /// What could not be shown, and why, in sentences.
    pub notes: Vec<String>,
}

impl Saved {
    /// Writes a report of a run, or of a model in a file of its own: `data` are the rows that it is shown with, or else those that the run held
    /// out. Where these cannot be read, the report says why, and shows what can be shown without them.
    ///
    /// # Errors
    /// If the file is not called `.html` or is to be kept, if `data` is named and cannot be read, if the measurements are damaged, or if the device
    /// fails.
    pub fn report_to(&mut self, data: Option<&str>, out: Option<&Path>, force: bool, seed: u64) -> Result<Reported> {
        let keep = self.keep(data, force);
        let usual = self.folder.join(REPORT);
        let out = match (out, &keep.run) {
            (Some(out), _) => out.to_owned(),
            (None, Some(_)) => usual.clone(),
            (None, None) => {
                return Err(Error::invalid(format!(
                    "the model lies in no run folder that a report could be written to: say where, as --out {REPORT}"
                )));
            }
        };
        ending(&out, "a report", &["html"])?;
        // A report is written anew into its place; another file of the run stays.
        let is_usual = keep.run.is_some() && out.canonicalize().ok() == usual.canonicalize().ok();
        let keep = if is_usual { Keep { run: None, ..keep } } else { keep };
        keep.check(&out)?;
        self.with_subject(data, seed, |subject| subject.write(&out))
    }

    /// Works with the model and the rows that it is shown with: `data`, or else those that the run held out, or none where these cannot be
    /// read.
    ///
    /// # Errors
    /// What the work says, or if `data` is named and cannot be read.
    pub(super) fn with_subject<T>(
        &mut self,
        data: Option<&str>,
        seed: u64,
        work: impl FnOnce(Subject) -> Result<T>,
    ) -> Result<T> {
        let splits = self.data();
        let other = data.map(|data| self.shown(Some(data))).transpose()?;
        let held = match (&other, &splits) {
            (Some((split, rows)), _) => Held::Rows(*split, rows),
            (None, Ok(splits)) => {
                let (split, rows) = splits.evaluation_split();
                Held::Rows(split, rows)
            }
            (None, Err(error)) => Held::Nothing(error.to_string()),
        };
        work(Subject {
            folder: &self.folder,
            is_run: self.folder.join(crate::config::FILE_NAME).is_file(),
            config: &self.config,
            form: &self.form,
            session: &mut self.session,
            epoch: self.epoch,
            best: self.best,
            splits: splits.as_ref().ok(),
            held,
            device: super::tuning::device(&self.folder),
            seed,
        })
    }
}

impl Subject<'_> {
    /// Writes the report.
    pub fn write(mut self, out: &Path) -> Result<Reported> {
        let history = self.history()?;
        let found = figures::found(&self, &history)?;
        let map = map::map(&mut self)?;
        let sliders = sliders::sliders(&mut self, map.as_ref())?;
        let decodes = sliders.as_ref().is_some_and(|sliders| sliders.decodes);
        let sections = [
            Some(about::section(&mut self, &history)?),
            Some(curves::section(&self, &history)?),
            rows::samples(&mut self)?,
            rows::rebuilt(&mut self)?,
            map.map(|map| map.section),
            sliders.map(|sliders| sliders.section),
            Some(figures::section(&self, found)?),
        ];
        let sections: Vec<Section> = sections.into_iter().flatten().collect();
        let notes = self.notes();
        let text = page(&self, &sections, &notes)?;
        write_file(out, |file| file.write_all(text.as_bytes()).map_err(Error::io("write", out)))?;
        Ok(Reported { out: out.to_owned(), bytes: text.len(), decodes, notes })
    }
}

/// The data of a section, by the name that its script knows it by.
type Data = (&'static str, Value);
