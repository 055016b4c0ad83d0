//! How good a trained model is, on data it was not trained on: everything that can be said, in one report.

mod ensemble;
#[cfg(feature = "report")]
mod figures;

use std::collections::BTreeMap;
use std::path::PathBuf;

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

use super::columns::ColumnFigures;
use super::folder::locked;
use super::saved::Saved;
use super::setup::{BINARISATION_SEED, as_measured};
use crate::config::Binarise;
use crate::data::Dataset;
use crate::distributions::Measure;
use crate::error::{Error, Result};
use crate::evaluation::{Coded, DISTANCES, METRICS, Points};
use crate::files::write_own;
use crate::models::Model;
use crate::training::metrics::{EpochRecord, Split, bits_per_dimension};
use crate::training::{Given, Importance, MAX_SAMPLES, RELIABLE_FROM};

pub use ensemble::MemberFigures;
#[cfg(feature = "report")]
pub use figures::{Comparison, Figure};

/// The file in a run folder that holds the last report.
pub const EVALUATION: &str = "evaluation.json";

/// The most rows whose codes are compared with factors and with the prior.
const MOST_CODES: usize = 10_000;
/// The most numbers of all of them together, unless they would be too few codes: axes and distances of codes take time by the square of how
/// many there are.
const MOST_NUMBERS: usize = 1 << 23;
const FEW_CODES: usize = 100;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// K of the importance-sampled likelihood; `None` leaves it out.
    pub samples: Option<usize>,
    /// Whether codes are compared with the prior and with factors.
    pub codes: bool,
    /// Whether it is an error if the data has no known factors.
    pub factors: bool,
    /// Decides what is drawn.
    pub seed: u64,
}

/// How the KL of codes is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KlEstimator {
    /// Computed from the parameters of posterior and prior.
    #[serde(rename = "closed form")]
    ClosedForm,
    /// The mean of ln q(z | x) − ln p(z) over codes drawn from the posterior.
    #[serde(rename = "Monte Carlo")]
    MonteCarlo,
}

impl KlEstimator {
    /// How a model computes it; `None` if its codes are deterministic.
    pub fn of(model: &dyn Model) -> Option<KlEstimator> {
        let closed = model.can().density?.kl_is_closed_form();
        Some(if closed { KlEstimator::ClosedForm } else { KlEstimator::MonteCarlo })
    }
}

impl std::fmt::Display for KlEstimator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            KlEstimator::ClosedForm => "closed form",
            KlEstimator::MonteCarlo => "Monte Carlo",
        })
    }
}

/// Everything that was found. As JSON, the fields of the record stand beside the others.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Evaluation {
    /// The data.
    pub data: String,
    /// Its rows.
    pub rows: usize,
    /// Latent dimensions; a classifier has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latent: Option<usize>,
    /// ELBO, its parts, and what comes with them.
    #[serde(flatten)]
    pub record: EpochRecord,
    /// What the reconstruction term measures of these rows.
    pub measure: Measure,
    /// The seed by which grey values were drawn black and white, once for all figures, where training draws them anew in every step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binarisation_seed: Option<u64>,
    /// What must be known to read the figures, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// How the KL in it is computed; nothing where codes are deterministic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kl_estimator: Option<KlEstimator>,
    /// The marginal likelihood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importance: Option<Importance>,
    /// The same in bits per dimension, where the likelihood is one of discrete values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nll_bits_per_dimension: Option<f64>,
    /// The mean squared error per value, rows counting as they are weighed, of E\[x | z\] at the posterior means, where codes can be decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconstruction_error: Option<f64>,
    /// How well the columns of a table are rebuilt from the posterior means, one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnFigures>,
    /// How far the aggregate posterior lies from the prior, by the measure's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub aggregate_posterior: BTreeMap<String, Distance>,
    /// How well the posterior means separate the known factors, by the score's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub disentanglement: BTreeMap<String, Score>,
    /// A sentence about each factor that was left out, with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded_factors: Vec<String>,
    /// The members of an ensemble, each by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberFigures>,
}

/// A distance between codes drawn from the posteriors of all rows and codes drawn from the prior.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Distance {
    /// The estimate.
    pub value: f64,
    /// Its standard error, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<f64>,
    /// The same between two samples of the prior.
    pub of_prior: f64,
}

/// A score of the posterior means against the known factors.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Score {
    /// The score.
    pub value: f64,
    /// What codes that say nothing reach.
    pub chance: f64,
    /// What the factors themselves reach.
    pub perfect: f64,
    /// The score of each factor or dimension.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<String, f64>,
}

impl Saved {
    /// Evaluates on a data set; of an ensemble its mixture, and its members each by itself.
    ///
    /// # Errors
    /// If factors are wanted and there are none; if the device fails.
    pub fn evaluate(&mut self, split: Split, data: &Dataset, wanted: Wanted) -> Result<Evaluation> {
        if wanted.factors && data.factors.is_none() {
            return Err(Error::invalid(format!(
                "the data {} does not say which factors it was made from, so codes cannot be held against them: leave \
                 `factors` out, or evaluate on the built-in sprites",
                data.name
            )));
        }
        // All figures are of the same rows.
        let data = &*as_measured(&self.config, data);
        let how = (self.config.training.batch, self.config.model.beta);
        let (records, mut means): (Vec<_>, Vec<_>) =
            self.session.each_member(|session| session.evaluate(split, data, how))?.into_iter().unzip();
        // Each member has codes of its own, and the first's are looked at.
        let means = means.swap_remove(0);
        let mut record = ensemble::mean(&records);
        record.epoch = self.epoch;
        let can = self.session.model.can();
        let (generative, encodes, rebuilds) = (can.generate.is_some(), can.encode.is_some(), can.reconstruct.is_some());
        let (samples, has_codes) = (wanted.samples.filter(|_| can.density.is_some()), can.decode.is_some());
        if wanted.factors {
            can.encode()?;
        }
        let latent = has_codes.then(|| self.session.latent()).transpose()?;
        let (importance, by_member) = samples.map(|k| self.session.importance_by_member(data, k)).transpose()?.unzip();
        let measure = self.session.model.measure(data.is_black_and_white());
        let mut notes = notes(&*self.session.model, measure, importance.as_ref(), records.len());
        let mut members = vec![];
        if records.len() > 1 {
            let has_bound = self.session.tells_a_bound(&records[0]);
            notes.insert(0, ensemble::note(self.several(), records.len(), [has_bound, importance.is_some()]));
            let own = |place: usize| by_member.as_ref().map(|of| &of[place]);
            let figures =
                records.iter().enumerate().map(|(place, record)| MemberFigures::of(place, record, own(place)));
            members = figures.collect();
            self.tell_labels(data, &mut record)?;
        }
        let features = data.shape().features();
        let bits = |found: &Importance| bits_per_dimension(-found.nll, features) / data.share_observed();
        let mut evaluation = Evaluation {
            data: data.name.clone(),
            rows: data.rows,
            latent,
            nll_bits_per_dimension: importance.as_ref().filter(|_| record.bits_per_dimension.is_some()).map(bits),
            importance,
            record,
            measure,
            binarisation_seed: (self.config.data.binarise == Binarise::Dynamic).then_some(BINARISATION_SEED),
            notes,
            kl_estimator: KlEstimator::of(&*self.session.model),
            reconstruction_error: None,
            columns: vec![],
            aggregate_posterior: BTreeMap::new(),
            disentanglement: BTreeMap::new(),
            excluded_factors: vec![],
            members,
        };
        if rebuilds {
            let (mut error, mut all) = (SquaredError::default(), vec![]);
            self.rebuild(data, |row, x, again| {
                error.add(data.weight(row), x, again);
                if data.schema.is_table() {
                    all.extend_from_slice(again);
                }
            })?;
            evaluation.reconstruction_error = (error.count > 0.0).then(|| error.sum / error.count);
            if data.schema.is_table() {
                evaluation.columns = ColumnFigures::of(data, &all);
            }
        }
        if wanted.codes && generative && encodes && data.rows > 1 {
            let (found, left_out) = self.distances(data, wanted.seed)?;
            evaluation.aggregate_posterior = found;
            evaluation.notes.extend(left_out);
        }
        if encodes && (wanted.codes || wanted.factors) {
            self.scores(data, &means, wanted, &mut evaluation)?;
        }
        Ok(evaluation)
    }

    /// Puts what the members of an ensemble tell together in place of the means of what each tells, of a model that tells labels.
    fn tell_labels(&mut self, data: &Dataset, record: &mut EpochRecord) -> Result<()> {
        let Some([loss, accuracy]) = self.told_by_all(data)? else { return Ok(()) };
        record.parts.entry("accuracy".to_string()).and_modify(|of| *of = accuracy);
        if self.session.model.measure(false) == Measure::Labels {
            (record.loss, record.reconstruction, record.elbo) = (loss, loss, -loss);
        }
        Ok(())
    }

    /// Gives the values of every row with E\[x | z\] at its posterior mean, the mean over members.
    fn rebuild(&mut self, data: &Dataset, mut each: impl FnMut(usize, &[f32], &[f32])) -> Result<()> {
        let features = data.shape().features();
        for start in (0..data.rows).step_by(1024) {
            let (x, y) = data.gather(start..data.rows.min(start + 1024));
            let again = self.session.mean_reconstruction(Given::new(&x, &y))?;
            let rows = x.chunks_exact(features).zip(again.chunks_exact(features)).enumerate();
            rows.for_each(|(i, (x, again))| each(start + i, x, again));
        }
        Ok(())
    }

    /// The distances for which there are rows enough, and a sentence about the others.
    fn distances(&mut self, data: &Dataset, seed: u64) -> Result<(BTreeMap<String, Distance>, Option<String>)> {
        let latent = self.session.latent()?;
        let chosen = some_rows(data, latent, seed);
        let rows = chosen.len();
        let (x, y) = data.gather(chosen);
        let codes = Points::new(self.session.draw_codes(Given::new(&x, &y), seed)?, latent)?;
        let mut prior = |seed: u64| Points::new(self.session.prior_sample(rows, seed)?, latent);
        let (prior, other) = (prior(seed.wrapping_add(1))?, prior(seed.wrapping_add(2))?);
        let normal = self.config.model.codes_are_standard_normal();
        let (mut all, mut left_out) = (BTreeMap::new(), vec![]);
        for distance in DISTANCES.iter().filter(|distance| normal || !distance.of_standard_normal) {
            let compared = (distance.compute)(&codes, &prior, seed)
                .and_then(|found| Ok((found, (distance.compute)(&other, &prior, seed)?.value)));
            // A distance fails where it has too few points, and only there.
            let Ok((found, of_prior)) = compared else {
                left_out.push(distance.name);
                continue;
            };
            let (value, standard_error) = (found.value, found.standard_error);
            all.insert(distance.id.to_string(), Distance { value, standard_error, of_prior });
        }
        let note = (!left_out.is_empty()).then(|| {
            format!(
                "{rows} rows are too few to tell how far codes in {latent} dimensions lie from the prior by these measures, which are \
                 left out: {}.",
                left_out.join("; ")
            )
        });
        Ok((all, note))
    }

    fn scores(&self, data: &Dataset, means: &[f32], wanted: Wanted, into: &mut Evaluation) -> Result<()> {
        let Some(factors) = &data.factors else { return Ok(()) };
        let latent = self.session.latent()?;
        let chosen = some_rows(data, latent, wanted.seed);
        let codes: Vec<f32> = chosen.iter().flat_map(|&row| &means[row * latent..][..latent]).copied().collect();
        let some = data.subset(&chosen);
        let coded = match Coded::new(&codes, latent, some.factors.as_ref().unwrap_or(factors)) {
            // Too little data says nothing of the model, unless it was asked for.
            Err(error) if wanted.factors => return Err(error),
            Err(_) => return Ok(()),
            Ok(coded) => coded,
        };
        into.excluded_factors = coded.excluded().to_vec();
        for metric in METRICS {
            let measured = match metric.measure(&coded, wanted.seed) {
                Err(error) if wanted.factors => return Err(error),
                Err(_) => continue,
                Ok(measured) => measured,
            };
            for found in measured {
                let score = Score {
                    value: found.value.mean,
                    chance: found.chance,
                    perfect: found.perfect,
                    parts: found.value.parts.into_iter().collect(),
                };
                into.disentanglement.insert(found.score.id.to_string(), score);
            }
        }
        Ok(())
    }
}

/// Σ w(x − x̂)² over values that were observed, x̂ being what was made of them and w what their row weighs, and Σ w.
#[derive(Default)]
struct SquaredError {
    sum: f64,
    count: f64,
}

impl SquaredError {
    fn add(&mut self, weight: f64, x: &[f32], again: &[f32]) {
        for (x, again) in x.iter().zip(again).filter(|(x, _)| !x.is_nan()) {
            self.sum += weight * f64::from(x - again).powi(2);
            self.count += weight;
        }
    }
}

/// What must be known to read the figures.
fn notes(model: &dyn Model, measure: Measure, importance: Option<&Importance>, models: usize) -> Vec<String> {
    let mut notes = Vec::new();
    let density = model.can().density;
    if measure == Measure::CrossEntropy && density.is_some() {
        notes.push(
            "The rows are grey, and a Bernoulli gives probabilities to black and white only. So the figures are cross-entropies: \
             bounds on the mean -ln p of rows that are drawn black and white, each pixel white with its grey value as the \
             probability. They are no likelihood of the grey values and give no bits per dimension; --binarise dynamic, or \
             --likelihood discretized-logistic, trains for one."
                .to_string(),
        );
    }
    if importance.is_some() {
        notes.extend(density.and_then(|density| density.note()).map(str::to_string));
    }
    if let Some(found) = importance.filter(|found| !found.reliable) {
        let advice = match found.samples {
            MAX_SAMPLES => "More codes cannot be asked for.".to_string(),
            _ => format!("Give more codes: --samples {MAX_SAMPLES} is the most."),
        };
        notes.push(format!(
            "-ln p(x) is not reliable: {:.1} of {} codes a row are effective on average, and below {RELIABLE_FROM} the estimate lies \
             further above the truth than its errors tell. {advice}",
            found.effective_samples,
            found.samples * models
        ));
    }
    notes
}

/// How many codes are looked at together, of so many numbers each.
pub(super) fn most_codes(latent: usize) -> usize {
    (MOST_NUMBERS / latent.max(1)).clamp(FEW_CODES, MOST_CODES)
}

/// At most [`most_codes`] rows, by chance: data that was made comes in the order of its factors.
fn some_rows(data: &Dataset, latent: usize, seed: u64) -> Vec<usize> {
    let most = most_codes(latent);
    if data.rows <= most {
        return (0..data.rows).collect();
    }
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(seed);
    rand::seq::index::sample(&mut generator, data.rows, most).into_vec()
}

impl Evaluation {
    /// The report as JSON.
    ///
    /// # Errors
    /// None that can be helped.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::invalid)
    }

    /// Writes the report into a run folder; gives the file.
    ///
    /// # Errors
    /// If it cannot be written, or another process writes the folder.
    pub fn save(&self, folder: &std::path::Path) -> Result<PathBuf> {
        let (path, text) = (folder.join(EVALUATION), self.to_json()?);
        let _lock = locked(folder)?;
        write_own(&path, |file| {
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")
        })?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apps::{Form, build_model};
    use crate::config::Preset;
    use crate::data::Shape;

    #[test]
    fn models_say_how_their_kl_is_computed() {
        use KlEstimator::{ClosedForm, MonteCarlo};
        let form = Form::plain(Shape::vector(10));
        for (posterior, prior, expected) in [
            ("diagonal-gaussian", "standard-normal", ClosedForm),
            ("diagonal-gaussian", "diagonal-gaussian", ClosedForm),
            ("diagonal-gaussian", "mixture", MonteCarlo),
            ("full-covariance", "standard-normal", ClosedForm),
            ("planar", "standard-normal", MonteCarlo),
            ("householder", "standard-normal", ClosedForm),
            ("householder", "diagonal-gaussian", MonteCarlo),
        ] {
            let mut model = Preset::Classic.config().model;
            (model.posterior, model.prior) = (posterior.into(), prior.into());
            let found = KlEstimator::of(&*build_model(&model, &form).unwrap());
            assert_eq!(found, Some(expected), "{posterior}, {prior}");
        }
        for (kind, prior, expected) in [
            ("ladder", "standard-normal", ClosedForm),
            ("ladder", "mixture", MonteCarlo),
            ("hierarchical", "standard-normal", MonteCarlo),
        ] {
            let mut model = Preset::Classic.config().model;
            (model.kind, model.prior) = (kind.parse().unwrap(), prior.into());
            assert_eq!(KlEstimator::of(&*build_model(&model, &form).unwrap()), Some(expected), "{kind}, {prior}");
        }
        let mut plain = Preset::Classic.config().model;
        plain.kind = "ae".parse().unwrap();
        assert_eq!(KlEstimator::of(&*build_model(&plain, &form).unwrap()), None);
    }
}
