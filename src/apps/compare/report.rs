//! What a comparison found, over seeds.

use serde::Serialize;

use super::Planned;
use super::features::Baselines;
use super::measure::{Abilities, Figures, Measured, Shown, Yardstick};
use crate::apps::saved::Saved;
use crate::data::{Shape, Split};
use crate::evaluation::{Interval, mean_interval};

/// A model, or a setting of one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// What it is called.
    pub name: String,
    /// The weight of the KL term, where weights are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta: Option<String>,
    /// What it can do.
    #[serde(flatten)]
    pub abilities: Abilities,
    /// The figures of each seed.
    pub runs: Vec<Of<Figures>>,
    /// Rows of the first seed.
    #[serde(skip)]
    pub shown: Shown,
}

/// What belongs to a seed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Of<T> {
    /// The seed.
    pub seed: u64,
    /// What belongs to it.
    #[serde(flatten)]
    pub of: T,
}

/// All that was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// The data.
    pub data: String,
    /// The part that all is measured on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// Rows of it that samples are compared with.
    pub rows: usize,
    /// Principal axes of training rows that they are compared along.
    pub axes: usize,
    /// The share of the variance of training rows along these.
    pub explained: f64,
    /// Epochs of every run.
    pub epochs: usize,
    /// What is got without a model, of each seed.
    pub baselines: Vec<Of<Baselines>>,
    /// The models.
    pub models: Vec<Compared>,
    /// The shape of pictures; nothing of tables and vectors.
    #[serde(skip)]
    pub shape: Option<Shape>,
}

impl Compared {
    /// A figure over seeds, where all runs have it.
    pub fn over(&self, figure: impl Fn(&Figures) -> Option<f64>) -> Option<Interval> {
        let found: Option<Vec<f64>> = self.runs.iter().map(|run| figure(&run.of)).collect();
        found.filter(|found| !found.is_empty()).map(|found| mean_interval(&found))
    }
}

impl Comparison {
    /// Takes in a run.
    pub(super) fn add(&mut self, run: &Planned, with: &Yardstick, measured: Measured, saved: &Saved) {
        let seed = run.seed;
        if self.models.is_empty() {
            let shape = saved.form.shape();
            let is_picture = !saved.form.schema.is_table() && shape.is_picture();
            self.shape = is_picture.then_some(shape);
            self.data.clone_from(&run.config.data.source);
            (self.split, self.rows, self.epochs) = (Some(with.split), with.rows(), run.config.training.epochs);
            (self.axes, self.explained) = (with.features.count(), with.features.explained());
        }
        if self.baselines.iter().all(|known| known.seed != seed) {
            self.baselines.push(Of { seed, of: with.baselines });
        }
        let Measured { abilities, figures, shown } = measured;
        let figures = Of { seed, of: figures };
        match self.models.iter_mut().find(|known| known.name == run.choice.name) {
            Some(known) => known.runs.push(figures),
            None => self.models.push(Compared {
                name: run.choice.name.clone(),
                beta: run.choice.beta.clone(),
                abilities,
                runs: vec![figures],
                shown,
            }),
        }
    }

    /// A baseline over seeds.
    pub fn baseline(&self, of: impl Fn(&Baselines) -> f64) -> Interval {
        mean_interval(&self.baselines.iter().map(|known| of(&known.of)).collect::<Vec<_>>())
    }
}
