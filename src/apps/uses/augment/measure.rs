//! Whether new rows help: a classifier that learns from few labelled rows, without and with them.

use serde::Serialize;

use super::super::parts::parts;
use super::check;
use super::new_rows::NewRows;
use crate::apps::Saved;
use crate::apps::setup::as_measured;
use crate::data::{Dataset, Split, labelled_part};
use crate::error::{Error, Result};
use crate::evaluation::{Interval, Logistic, fill_gaps, mean_interval, observed_means};
use crate::models::LabelUse;
use crate::training::part_of_seed;

/// Labels that are used where nobody says how many.
const USUAL_LABELS: usize = 100;

/// How it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Few {
    /// New rows of each class.
    pub per_class: usize,
    /// Rows whose labels are used.
    pub labels: Option<usize>,
    /// How often, each time with other new rows, and with other labelled rows where the model has seen no labels.
    pub repeats: usize,
    /// The first of the seeds, the others being those behind it.
    pub seed: u64,
}

/// The shares of held-out rows whose class is told right.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Repeat {
    /// What decided which rows are labelled, and what is drawn.
    pub seed: u64,
    /// By a classifier of the labelled rows.
    pub without: f64,
    /// By one of the new rows as well.
    pub with: f64,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeasuredGain {
    /// Labelled rows.
    pub labels: usize,
    /// New rows.
    pub new_rows: usize,
    /// The part whose classes are told, and its rows.
    pub split: Split,
    /// Its rows.
    pub rows: usize,
    /// What the model that draws the new rows had seen.
    pub seen: String,
    /// What codes were drawn from.
    pub codes: &'static str,
    /// Each time.
    pub repeats: Vec<Repeat>,
    /// The mean accuracy without new rows; with no interval where the labelled rows are the same each time.
    pub without: Interval,
    /// The mean accuracy with them.
    pub with: Interval,
    /// The mean of the differences.
    pub gain: Interval,
}

impl Saved {
    /// The accuracy on held-out rows of multinomial logistic regression on the values of rows, fitted to few labelled training rows, and to
    /// these with new rows of each class. How the codes of a class are spread is told by the same labelled rows. Intervals are Student's over
    /// the repeats; the gain is paired.
    ///
    /// # Errors
    /// As for [`Saved::augment_to`]; if no labelled rows were held out, there are too few rows of a class, or the model was told labels of
    /// other rows than those that are to be used.
    pub fn measure_gain(&mut self, few: Few) -> Result<MeasuredGain> {
        check(self, few.per_class)?;
        let splits = self.data()?;
        let (split, held_out) = splits.evaluation_split();
        let train = &*as_measured(&self.config, &splits.train);
        if split == Split::Train || held_out.labels.is_none() {
            let what = if split == Split::Train { "no rows were held out" } else { "the held-out rows have no labels" };
            return Err(Error::invalid(format!(
                "accuracy is measured on labelled rows that the model has not seen, and of {} {what}",
                train.name
            )));
        }
        let (labels, seen) = self.permitted(train, few.labels)?;
        // Where the labelled rows are the same each time, so is what they come to by themselves.
        let is_fixed = labels == train.rows || !matches!(seen, Seen::Rows);
        let (mut codes, mut known) = ("", None);
        let mut once = |seed: u64| -> Result<Repeat> {
            let labelled = match &seen {
                _ if labels == train.rows => train.clone(),
                Seen::Labels(_) => labelled_part(train, labels, self.config.training.seed)?,
                _ => labelled_part(train, labels, seed)?,
            };
            let source = NewRows::of(self, &labelled, seed)?;
            codes = source.codes();
            let features = train.shape().features();
            let means = observed_means(&labelled.gather(0..labelled.rows).0, features);
            let mut rows = Rows::of(&labelled, &means);
            let without = match known {
                Some(without) => without,
                None => accuracy(&rows.fit(features)?, held_out, &means),
            };
            known = is_fixed.then_some(without);
            for class in 0..source.classes().len() {
                let drawn = source.draw(self, class, few.per_class, part_of_seed(seed, class as u64))?;
                rows.add(&drawn, class as u32, few.per_class);
            }
            let with = accuracy(&rows.fit(features)?, held_out, &means);
            Ok(Repeat { seed, without, with })
        };
        let repeats = (0..few.repeats as u64).map(|i| once(few.seed.wrapping_add(i))).collect::<Result<Vec<_>>>()?;
        let over = |value: fn(&Repeat) -> f64| mean_interval(&repeats.iter().map(value).collect::<Vec<_>>());
        Ok(MeasuredGain {
            labels,
            new_rows: few.per_class * train.labels.as_ref().map_or(0, |labels| labels.classes),
            split,
            rows: held_out.rows,
            seen: seen.describe(train),
            codes,
            without: if is_fixed { mean_interval(&[repeats[0].without]) } else { over(|repeat| repeat.without) },
            with: over(|repeat| repeat.with),
            gain: over(|repeat| repeat.with - repeat.without),
            repeats,
        })
    }

    /// How many labels may be used, and what the model has seen.
    fn permitted(&self, train: &Dataset, wanted: Option<usize>) -> Result<(usize, Seen)> {
        let seen = match (self.config.model.kind.labels, self.config.data.labels) {
            (LabelUse::Ignored, _) => Seen::Rows,
            (_, Some(labels)) => Seen::Labels(labels),
            (_, None) => Seen::AllLabels,
        };
        let must = match seen {
            Seen::Rows => return Ok((wanted.unwrap_or(USUAL_LABELS.min(train.rows)), seen)),
            Seen::Labels(labels) => labels,
            Seen::AllLabels => train.rows,
        };
        match wanted {
            Some(wanted) if wanted != must => Err(Error::invalid(format!(
                "the model has learnt from the labels of {must} rows, and a classifier of {wanted} would be held against it: give --labels \
                 {must}, or measure a vae, which sees no labels, or an m2 that was trained with --labels {wanted}"
            ))),
            _ => Ok((must, seen)),
        }
    }
}

/// What a model has seen of its training rows.
enum Seen {
    Rows,
    Labels(usize),
    AllLabels,
}

impl Seen {
    fn describe(&self, train: &Dataset) -> String {
        let rows = train.rows;
        match self {
            Seen::Rows => format!(
                "all {rows} training rows without labels, so that this is semi-supervised; labels are used of the labelled rows only"
            ),
            Seen::Labels(labels) => {
                format!("all {rows} training rows, and the labels of the same {labels} rows; this is semi-supervised")
            }
            Seen::AllLabels => {
                format!("all {rows} training rows with their labels, which the classifier is given as well")
            }
        }
    }
}

/// Labelled rows as a classifier takes them, means in the place of gaps.
struct Rows {
    values: Vec<f64>,
    labels: Vec<u32>,
    classes: usize,
}

impl Rows {
    fn of(data: &Dataset, means: &[f32]) -> Rows {
        let mut rows = data.gather(0..data.rows).0;
        fill_gaps(&mut rows, means);
        let values = rows.into_iter().map(f64::from).collect();
        let (labels, classes) = data.labels.as_ref().map_or((vec![], 0), |of| (of.values.clone(), of.classes));
        Rows { values, labels, classes }
    }

    fn add(&mut self, values: &[f32], class: u32, count: usize) {
        self.values.extend(values.iter().map(|&value| f64::from(value)));
        self.labels.extend(vec![class; count]);
    }

    fn fit(&self, features: usize) -> Result<Logistic> {
        Logistic::fit(&self.values, features, &self.labels, self.classes)
    }
}

/// The share of labelled rows that a classifier tells right.
fn accuracy(of: &Logistic, data: &Dataset, means: &[f32]) -> f64 {
    let labels = data.labels.as_ref().map_or(&[][..], |labels| &labels.values);
    let mut right = 0.0;
    for mut part in parts("telling classes", data) {
        part.change(|values| fill_gaps(values, means));
        let values: Vec<f64> = part.values().iter().map(|&value| f64::from(value)).collect();
        right += of.accuracy(&values, &labels[part.start..part.start + part.rows]) * part.rows as f64;
    }
    right / data.rows as f64
}
