//! What a report is about: a model with its settings, and rows that it is shown with.

use std::path::Path;

use crate::apps::Form;
use crate::config::Config;
use crate::data::schema::Role;
use crate::data::{Dataset, Shape, Split, Splits};
use crate::error::Result;
use crate::models::StochasticLayers;
use crate::training::metrics::{EpochRecord, METRICS, read_epochs};
use crate::training::{Best, Session};

/// The rows that a model is shown with.
pub enum Held<'a> {
    /// These, of a part of the data.
    Rows(Split, &'a Dataset),
    /// None, and why.
    Nothing(String),
}

/// What a report is about.
pub struct Subject<'a> {
    /// The folder of the run, or of the file that holds the model.
    pub folder: &'a Path,
    /// Whether that is a run.
    pub is_run: bool,
    /// How it was trained.
    pub config: &'a Config,
    /// What its rows look like.
    pub form: &'a Form,
    /// The model on a device.
    pub session: &'a mut Session,
    /// Epochs that are done.
    pub epoch: u64,
    /// The epoch that the weights are of, where the best was looked for.
    pub best: Option<Best>,
    /// The run's own data, where that can be read.
    pub splits: Option<&'a Splits>,
    /// The rows that it is shown with.
    pub held: Held<'a>,
    /// The device that it was trained on, where that is known.
    pub device: Option<String>,
    /// Decides what is drawn.
    pub seed: u64,
}

/// What rows are, as far as that decides how they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Pictures of a shape.
    Pictures(Shape),
    /// Lines of a table.
    Table,
    /// Numbers.
    Vectors,
}

impl<'a> Subject<'a> {
    /// How its rows are shown.
    pub fn look(&self) -> Look {
        let shape = self.form.shape();
        match (self.form.schema.is_table(), shape.is_picture()) {
            (true, _) => Look::Table,
            (false, true) => Look::Pictures(shape),
            (false, false) => Look::Vectors,
        }
    }

    /// The rows that it is shown with.
    pub fn rows(&self) -> Option<&'a Dataset> {
        match &self.held {
            Held::Rows(_, rows) => Some(rows),
            Held::Nothing(_) => None,
        }
    }

    /// At most so many of the rows, from all over them, which all count alike.
    pub fn some_rows(&self, most: usize) -> Option<Dataset> {
        let rows = self.rows()?;
        let count = most.min(rows.rows);
        let chosen: Vec<usize> = (0..count).map(|i| i * rows.rows / count).collect();
        Some(Dataset { weights: None, ..rows.subset(&chosen) })
    }

    /// The measurements of all epochs; none where there are none.
    pub fn history(&self) -> Result<Vec<EpochRecord>> {
        let path = self.folder.join(METRICS);
        if self.is_run && path.exists() { read_epochs(&path) } else { Ok(vec![]) }
    }

    /// The epoch that its weights are of.
    pub fn weights_of(&self) -> u64 {
        self.best.map_or(self.epoch, |best| best.epoch)
    }

    /// What values that are told of every row are called, with their columns.
    pub fn told(&self) -> Vec<String> {
        let named: Vec<String> = self.form.schema.of_role(Role::Condition).map(|field| field.name.clone()).collect();
        let names = self.rows().and_then(|rows| rows.factors.as_ref()).map(|factors| factors.names.clone());
        [named, names.unwrap_or_default()]
            .into_iter()
            .find(|names| names.len() == self.form.condition)
            .unwrap_or_else(|| (1..=self.form.condition).map(|number| format!("number {number}")).collect())
    }

    /// What cannot be shown, and why.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = vec![];
        if let Held::Nothing(why) = &self.held {
            notes.push(format!(
                "The rows of the data are not shown, as they could not be read: {}.",
                why.trim_end_matches('.')
            ));
        }
        let can = self.session.model.can();
        if can.decode.is_none() {
            notes.push(
                "This model tells labels and makes no rows: there is nothing to draw, to rebuild or to turn."
                    .to_string(),
            );
        } else if can.encode.is_none() {
            notes.push(
                "This model makes rows of noise and gives rows no codes: there is nothing to turn or to rebuild, and no map."
                    .to_string(),
            );
        } else if can.generate.is_none() {
            notes.push(
                "This model has no prior over codes: it cannot draw new rows, and only rebuilds those that it is given."
                    .to_string(),
            );
        }
        if matches!(self.config.model.kind.layers, Some(StochasticLayers::Stack(_))) {
            notes.push(format!(
                "This model has {} layers of codes. Map and sliders are of the layer nearest to the data; the layers above it shape what \
                 it draws, and cannot be shown here by themselves.",
                1 + self.config.model.upper_widths().len()
            ));
        }
        notes
    }
}
