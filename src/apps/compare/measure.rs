//! What is measured of a run, on rows that it held out.

use std::path::Path;

use serde::Serialize;

use super::features::{Baselines, Features, beside, halfway};
use crate::apps::evaluation::Wanted;
use crate::apps::saved::Saved;
use crate::apps::setup::as_measured;
use crate::apps::uses::Draws;
use crate::data::{Dataset, Split, choose};
use crate::error::{Error, Result};
use crate::evaluation::Points;
use crate::training::Given;
use crate::training::metrics::{METRICS, read_epochs};

/// The most rows that samples are compared with.
const ROWS: usize = 10_000;
/// The most pairs of rows between which is looked.
const PAIRS: usize = 1_000;
/// Rows in a picture.
const SHOWN: usize = 10;

/// What a model can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Abilities {
    /// Draws new rows.
    pub generates: bool,
    /// Its codes are distributions, so that it says how sure it is of one.
    pub tells_uncertainty: bool,
    /// Fills what is missing in rows.
    pub fills_gaps: bool,
}

/// Figures of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Parameters that were trained.
    pub parameters: usize,
    /// Seconds that training took.
    pub seconds: f64,
    /// The mean squared error of a value of E\[x | z\] at the posterior means.
    pub reconstruction_error: Option<f64>,
    /// The mean of -ln p(x | z) of codes of the rows, or the loss of a model without densities, in nats; none where rows
    /// are not rebuilt.
    pub distortion: Option<f64>,
    /// The mean KL(q(z | x) ‖ p(z)) in nats.
    pub rate: Option<f64>,
    /// The evidence lower bound in nats.
    pub elbo: Option<f64>,
    /// -ln p(x) in nats by importance sampling.
    pub nll: Option<f64>,
    /// -log₂ p(x) of a value, bounded by the ELBO, where values are discrete.
    pub bits_per_dimension: Option<f64>,
    /// The squared Fréchet distance of as many new rows from the held-out rows.
    pub samples: Option<f64>,
    /// The mean distance of rows that are decoded half-way between the codes of two held-out rows from the nearest training row, over that of
    /// held-out rows; none where each of these stands among the training rows, or rows have no codes.
    pub between: Option<f64>,
}

/// Rows that are shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    /// Held-out rows.
    pub rows: Vec<f32>,
    /// What the model makes of them; none where it rebuilds none.
    pub rebuilt: Vec<f32>,
    /// New ones; none where it draws none.
    pub new: Vec<f32>,
}

/// All that was found of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// What it can do.
    pub abilities: Abilities,
    /// How well.
    pub figures: Figures,
    /// Rows to look at.
    pub shown: Shown,
}

/// What all runs of a seed are measured with: the same rows, and pairs of them.
pub struct Yardstick {
    /// The part of the data.
    pub split: Split,
    /// The space in which rows are compared.
    pub features: Features,
    /// What is got without a model.
    pub baselines: Baselines,
    chosen: Vec<usize>,
    pairs: Vec<[usize; 2]>,
    held_out: Points,
    /// The mean distance of those from the nearest training row.
    nearest: f64,
}

impl Yardstick {
    /// That of the data of a run.
    ///
    /// # Errors
    /// If nothing was held out, or too few rows.
    pub fn of(saved: &Saved, seed: u64) -> Result<Yardstick> {
        let splits = saved.data()?;
        let (split, data) = splits.evaluation_split();
        if split == Split::Train || data.rows < 2 {
            return Err(Error::invalid(format!(
                "models are compared on rows that they have not seen, and of {} none, or only one, are held out: give more rows",
                data.name
            )));
        }
        let train = as_measured(&saved.config, &splits.train);
        let features = Features::of(&train, seed)?;
        let count = ROWS.min(data.rows).min(train.rows);
        let chosen = choose(data.rows, count, seed, *b"compare\0");
        let pairs: Vec<[usize; 2]> = (0..count.min(PAIRS)).map(|i| [i, (i + 1) % count]).collect();
        let (rows, _) = data.gather(chosen.iter().copied());
        let held_out = features.points(rows.clone())?;
        let nearest = features.mean_nearest(&held_out);
        let baselines = Baselines::of(&features, &train, (&held_out, &rows, nearest), &pairs, seed)?;
        Ok(Yardstick { split, features, baselines, chosen, pairs, held_out, nearest })
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.chosen.len()
    }

    /// Measures a run; `samples` codes of each row estimate its likelihood.
    ///
    /// # Errors
    /// If a file cannot be read, or the device fails.
    pub fn measure(&self, saved: &mut Saved, samples: Option<usize>, seed: u64) -> Result<Measured> {
        let splits = saved.data()?;
        let (split, data) = splits.evaluation_split();
        let wanted = Wanted { samples, codes: false, factors: false, seed };
        let found = saved.evaluate(split, data, wanted)?;
        let (generates, has_density, rebuilds) = {
            let can = saved.session.model.can();
            (can.generate.is_some(), can.density.is_some(), can.reconstruct.is_some())
        };
        let (rows, y) = data.gather(self.chosen.iter().copied());
        let new = generates.then(|| saved.new_rows(self.rows(), &y, Draws::default(), seed)).transpose()?;
        let between = rebuilds.then(|| self.between(saved, &rows, &y, seed)).transpose()?;
        let shown = self.shown(saved, data, new.as_deref())?;
        let distance = |rows: Vec<f32>| self.features.distance(rows, &self.held_out);
        let figures = Figures {
            parameters: saved.session.layout.count(),
            seconds: seconds(&saved.folder)?,
            reconstruction_error: found.reconstruction_error,
            distortion: rebuilds.then_some(found.record.reconstruction),
            rate: has_density.then_some(found.record.kl),
            elbo: has_density.then_some(found.record.elbo),
            nll: found.importance.map(|found| found.nll),
            bits_per_dimension: found
                .nll_bits_per_dimension
                .or(found.record.bits_per_dimension)
                .filter(|_| has_density),
            samples: new.map(distance).transpose()?,
            between: match between {
                None => None,
                Some(rows) => beside(self.features.mean_nearest(&self.features.points(rows)?), self.nearest),
            },
        };
        // Quantised codes have a density, and are certain.
        let tells_uncertainty = has_density && !saved.config.model.kind.quantises;
        let abilities = Abilities { generates, tells_uncertainty, fills_gaps: has_density };
        Ok(Measured { abilities, figures, shown })
    }

    /// Rows half-way between the codes of two rows each; what the model is told is that of the first.
    fn between(&self, saved: &mut Saved, rows: &[f32], y: &[f32], seed: u64) -> Result<Vec<f32>> {
        let latent = saved.session.latent()?;
        let codes = saved.session.encode(Given::new(rows, y))?;
        let told = y.len() / self.rows();
        saved.rows_of_codes(&halfway(&codes, latent, &self.pairs), &y[..self.pairs.len() * told], seed)
    }

    fn shown(&self, saved: &mut Saved, data: &Dataset, new: Option<&[f32]>) -> Result<Shown> {
        if saved.form.schema.is_table() {
            return Ok(Shown::default());
        }
        let count = SHOWN.min(self.rows());
        let (rows, y) = data.gather(0..count);
        let rebuilds = saved.session.model.can().reconstruct.is_some();
        let rebuilt =
            rebuilds.then(|| saved.session.reconstruct(Given::new(&rows, &y))).transpose()?.unwrap_or_default();
        let width = data.shape().features();
        Ok(Shown { new: new.map_or(vec![], |new| new[..count * width].to_vec()), rows, rebuilt })
    }
}

/// Seconds that a run has trained, without what it measured.
fn seconds(folder: &Path) -> Result<f64> {
    let records = read_epochs(&folder.join(METRICS))?;
    Ok(records.iter().filter(|record| record.split == Split::Train).filter_map(|record| record.seconds).sum())
}
