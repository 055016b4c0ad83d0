//! New rows of each class, with their labels: more data for whatever learns from labelled rows.

mod measure;
mod new_rows;

use serde::Serialize;

pub use measure::{Few, MeasuredGain, Repeat};
use new_rows::NewRows;

use super::parts::{PART, say};
use crate::apps::Saved;
use crate::apps::setup::as_measured;
use crate::data::{FileKind, Frame, Output, PictureFolder, Schema};
use crate::error::{Error, Result};
use crate::training::part_of_seed;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Augmented {
    /// New rows.
    pub rows: usize,
    /// New rows of each class.
    pub per_class: usize,
    /// The classes.
    pub classes: Vec<String>,
    /// What codes were drawn from.
    pub codes: &'static str,
}

impl Saved {
    /// What new rows may be written as: of a table lines; of others an archive of arrays or lines; of pictures a folder as well.
    pub fn augment_formats(&self) -> &'static [FileKind] {
        use FileKind::{Csv, Folder, Npz, Parquet, Tsv};
        match (self.form.schema.is_table(), self.form.shape().is_picture()) {
            (true, _) => &[Csv, Tsv, Parquet],
            (false, true) => &[Npz, Csv, Tsv, Parquet, Folder],
            (false, false) => &[Npz, Csv, Tsv, Parquet],
        }
    }

    /// Writes so many new rows of each class with their labels. A model that is told labels is told each; of another, codes are drawn from
    /// the aggregate posterior of the class: a Gaussian with the mean and the covariance of the codes z ~ q(z | x) of its training rows.
    ///
    /// # Errors
    /// If the model draws no rows, is told something that is no label, or has codes that are no real numbers; if the rows that it was trained
    /// on have no labels; if the file cannot be written.
    pub fn augment_to(&mut self, per_class: usize, out: &Output, seed: u64) -> Result<Augmented> {
        check(self, per_class)?;
        let source = match NewRows::told(self) {
            Some(told) => told,
            None => {
                let train = as_measured(&self.config, &self.data()?.train).into_owned();
                NewRows::of(self, &train, seed)?
            }
        };
        let (schema, shape) = (self.form.schema.clone(), self.form.shape());
        let classes = source.classes().to_vec();
        let rows = classes.len() * per_class;
        let starts = (0..classes.len()).flat_map(|class| (0..per_class).step_by(PART).map(move |start| (class, start)));
        let mut done = 0;
        let mut made = starts.enumerate().map(|(number, (class, start))| -> Result<(usize, Vec<f32>)> {
            let count = PART.min(per_class - start);
            let values = source.draw(self, class, count, part_of_seed(seed, number as u64))?;
            done += count;
            say("drawing", done, rows);
            Ok((class, values))
        });
        match out.kind() {
            FileKind::Folder => {
                let mut folder = PictureFolder::begin(out.path(), shape, per_class)?;
                for part in made {
                    let (class, values) = part?;
                    let mut rows = values.chunks_exact(shape.features());
                    rows.try_for_each(|row| folder.add(row, Some(&classes[class])))?;
                }
                folder.finish()?;
            }
            _ => {
                out.write_parts(rows, &mut made.by_ref().map(|part| part.map(|part| frame(&schema, &classes, part))))?
            }
        }
        Ok(Augmented { rows, per_class, classes, codes: source.codes() })
    }
}

/// New rows of a class as they are written.
fn frame(schema: &Schema, classes: &[String], (class, values): (usize, Vec<f32>)) -> Frame {
    let rows = values.len() / schema.width();
    Frame::of_labelled_rows(schema, &values, &vec![classes[class].clone(); rows])
}

/// What can be said before any data is read.
fn check(saved: &Saved, per_class: usize) -> Result<()> {
    if per_class == 0 {
        return Err(Error::invalid("0 new rows of each class are none: give at least 1, such as --per-class 100"));
    }
    saved.session.model.can().generate().map(drop).map_err(|refusal| {
        Error::invalid(format!(
            "{} has no new rows to give: {refusal}; train one with --model vae",
            saved.folder.display()
        ))
    })
}
