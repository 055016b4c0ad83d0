//! Where new rows of a class come from: a model that is told its label, or codes as the rows of the class have them.

use super::super::aggregate::Aggregate;
use crate::apps::{Draws, Saved};
use crate::data::Dataset;
use crate::distributions::CodeSpace;
use crate::error::{Error, Result};

/// Draws new rows of each class.
pub enum NewRows {
    /// The model is told the label, and codes are drawn from its prior.
    Told(Vec<String>),
    /// Codes are drawn from the aggregate posterior of the class.
    Spread(Vec<String>, Vec<Aggregate>),
}

impl NewRows {
    /// Those of a model that is told labels.
    pub fn told(saved: &Saved) -> Option<NewRows> {
        (!saved.form.classes.is_empty()).then(|| NewRows::Told(saved.form.classes.clone()))
    }

    /// Of the classes of labelled rows, whose codes say how those of each class are spread.
    ///
    /// # Errors
    /// If the model is told something that is no label, has codes that are no real numbers, or the rows have no labels.
    pub fn of(saved: &mut Saved, data: &Dataset, seed: u64) -> Result<NewRows> {
        if let Some(told) = NewRows::told(saved) {
            return Ok(told);
        }
        if saved.form.condition > 0 {
            return Err(Error::invalid(format!(
                "the model is given {} numbers with every row, and no label, so that it cannot be asked for a class: train a vae, or a \
                 cvae that is told labels",
                saved.form.condition
            )));
        }
        if saved.config.model.kind.quantises {
            return Err(Error::invalid(
                "codes of this model are indices of finitely many vectors, and those of a class are described by a Gaussian over real numbers: \
                 train a cvae, which is told labels, or a vae",
            ));
        }
        let space = saved.config.model.parts()?.posterior.codes();
        if space != CodeSpace::Real {
            return Err(Error::invalid(format!(
                "codes of this model are {space}, and those of a class are described by a Gaussian over real numbers: train a cvae, \
                 which is told labels, or a vae with another posterior"
            )));
        }
        let Some(labels) = &data.labels else {
            return Err(Error::invalid(format!(
                "the data {} that the model was trained on comes with no labels, so there are no classes to draw rows of: train on \
                 pictures in class folders, on a table with --label COLUMN, or on an array with labels beside it",
                data.name
            )));
        };
        Ok(NewRows::Spread(labels.names.clone(), Aggregate::of_classes(saved, data, labels, seed)?))
    }

    /// The names of the classes.
    pub fn classes(&self) -> &[String] {
        match self {
            NewRows::Told(classes) | NewRows::Spread(classes, _) => classes,
        }
    }

    /// What codes are drawn from, for people.
    pub fn codes(&self) -> &'static str {
        match self {
            NewRows::Told(_) => "the prior, the model being told the label",
            NewRows::Spread(..) => "a Gaussian fitted to the codes of the rows of each class",
        }
    }

    /// New rows of a class `[count, features]`.
    ///
    /// # Errors
    /// If the device fails.
    pub fn draw(&self, saved: &mut Saved, class: usize, count: usize, seed: u64) -> Result<Vec<f32>> {
        match self {
            NewRows::Told(classes) => {
                let y = saved.form.label(&classes[class])?.repeat(count);
                saved.new_rows(count, &y, Draws::default(), seed)
            }
            NewRows::Spread(_, spread) => saved.rows_of_codes(&spread[class].draw(count, seed), &[], seed),
        }
    }
}
