//! The pictures of a finished run.

mod codes;

use std::path::PathBuf;

use super::TrainRun;
use crate::apps::evaluation::most_codes;
use crate::apps::form::Form;
use crate::apps::pictures::{Captions, EpochPoint, save_grid_with, save_latent_map, save_loss, save_reconstructions};
use crate::data::{Dataset, Keep, Output, ROWS, Shape};
use crate::distributions::Measure;
use crate::error::Result;
use crate::training::Given;
use crate::training::metrics::read_epochs;

/// The metrics' file in a run folder.
const METRICS: &str = "metrics.jsonl";
/// Pictures in a grid of samples.
const SAMPLES: usize = 64;
/// Samples side by side.
const COLUMNS: usize = 8;
/// Pairs in a picture of reconstructions.
const PAIRS: usize = 20;

impl TrainRun {
    /// The set that pictures are made from: test, else validation, else training.
    fn shown(&self) -> &Dataset {
        self.data.evaluation_split().1
    }

    /// The conditions of a picture of samples, and how many stand side by side: a row for each label, or those of shown rows.
    fn sampled(&self) -> (Vec<Vec<f32>>, usize) {
        let form = Form::of(&self.config.model.kind, &self.data.train);
        if form.classes.is_empty() {
            let shown = self.shown();
            return ((0..SAMPLES).map(|i| shown.condition(i % shown.rows)).collect(), COLUMNS);
        }
        (form.every_label(COLUMNS).chunks_exact(form.condition).map(<[f32]>::to_vec).collect(), COLUMNS)
    }

    /// Draws the pictures of a finished run; gives their files.
    ///
    /// # Errors
    /// If a file cannot be written, or the device fails.
    pub fn pictures(&mut self) -> Result<Vec<PathBuf>> {
        let path = |name: &str| self.folder.join(name);
        let shape = self.data.train.shape();
        let image = shape;
        let (mut made, is_table) = (Vec::new(), self.data.train.schema.is_table());
        if is_table && self.trainer.session.model.can().generate.is_some() {
            let (y, _) = self.sampled();
            let rows = self.trainer.session.draw_rows(y.len(), &y.concat(), self.config.training.seed)?;
            let out = Output::new(&path("samples.csv"), ROWS, &Keep::default())?;
            let form = Form::of(&self.config.model.kind, &self.data.train);
            out.write_rows(&form.drawn(&rows, &form.names_of_every_label(COLUMNS)))?;
            made.push(path("samples.csv"));
        }
        if !is_table && self.trainer.session.model.can().generate.is_some() {
            let (y, columns) = self.sampled();
            let samples = self.trainer.session.sample(y.len(), &y.concat(), self.config.training.seed)?;
            let classes = Form::of(&self.config.model.kind, &self.data.train).classes;
            let captions = Captions { rows: &classes, columns: &[] };
            save_grid_with(&path("samples.png"), &samples, image, columns, &captions)?;
            made.push(path("samples.png"));
        }
        if self.trainer.session.model.can().encode.is_some() {
            made.extend(self.pictures_of_rows(image)?);
        }
        let path = |name: &str| self.folder.join(name);
        let history = read_epochs(&path(METRICS))?;
        let points: Vec<EpochPoint> = history.iter().map(EpochPoint::from).collect();
        save_loss(&path("loss.png"), &points, self.measure(), self.config.model.kind.is_variational)?;
        made.push(path("loss.png"));
        Ok(made)
    }

    /// Draws what becomes of rows: what they are rebuilt to, and their codes.
    fn pictures_of_rows(&mut self, image: Shape) -> Result<Vec<PathBuf>> {
        let (mut made, is_table) = (Vec::new(), self.data.train.schema.is_table());
        let shown = self.shown();
        let rows = PAIRS.min(shown.rows);
        let (originals, known) = shown.gather(0..rows);
        let latent = self.trainer.session.latent()?;
        let codes_of = shown.rows.min(most_codes(latent));
        let labels = shown.labels.as_ref().map(|l| (l.values[..codes_of].to_vec(), l.names.clone()));
        let (x, y) = shown.gather(0..codes_of);
        let means = self.trainer.session.encode(Given::new(&x, &y))?;
        if !is_table && self.trainer.session.model.can().reconstruct.is_some() {
            let reconstructions = self.trainer.session.reconstruct(Given::new(&originals, &known))?;
            let path = self.folder.join("reconstructions.png");
            save_reconstructions(&path, &originals, &reconstructions, image, 10)?;
            made.push(path);
        }
        let path = |name: &str| self.folder.join(name);
        let labels = labels.as_ref().map(|(values, names)| (values.as_slice(), names.as_slice()));
        // A classifier has no codes: what is shown is what its last hidden layer makes of rows.
        let (codes, title) = match self.measure() {
            Measure::Labels => ("hidden.png", "Last hidden layer"),
            _ => ("latent.png", "Latent space, posterior means"),
        };
        save_latent_map(&path(codes), title, (&means, latent), labels)?;
        made.push(path(codes));
        made.extend(self.pictures_of_codes(&means, image)?);
        Ok(made)
    }
}
