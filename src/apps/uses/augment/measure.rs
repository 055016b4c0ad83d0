//! Whether new rows help: a classifier that learns from few labelled rows, without and with them.

use serde::Serialize;

use super::super::parts::parts;
use super::check;
use super::new_rows::NewRows;
use crate::apps::Saved;
use crate::data::{Dataset, Split, labelled_part};
use crate::error::{Error, Result};
use crate::evaluation::{Interval, Logistic, mean_interval};
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
    /// How often, each time with other labelled rows and other new rows.
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
    /// The mean accuracy without new rows.
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
        let train = &splits.train;
        if split == Split::Train || held_out.labels.is_none() {
            let what = if split == Split::Train { "no rows were held out" } else { "the held-out rows have no labels" };
            return Err(Error::invalid(format!(
                "accuracy is measured on labelled rows that the model has not seen, and of {} {what}",
                train.name
            )));
        }
        let (labels, seen) = self.permitted(train, few.labels)?;
        let mut codes = "";
        let mut once = |seed: u64| -> Result<Repeat> {
            let labelled = match &seen {
                _ if labels == train.rows => train.clone(),
                Seen::Labels(_) => labelled_part(train, labels, self.config.training.seed)?,
                _ => labelled_part(train, labels, seed)?,
            };
            let source = NewRows::of(self, &labelled, seed)?;
            codes = source.codes();
            let mut rows = Rows::of(&labelled);
            let (means, features) = (rows.means(), train.shape().features());
            rows.fill(&means);
            let without = rows.fit(features)?;
            for class in 0..source.classes().len() {
                let drawn = source.draw(self, class, few.per_class, part_of_seed(seed, class as u64))?;
                rows.add(&drawn, class as u32, few.per_class);
            }
            let with = rows.fit(features)?;
            let [without, with] = accuracies([&without, &with], held_out, &means);
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
            without: over(|repeat| repeat.without),
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

/// Labelled rows as a classifier takes them.
struct Rows {
    values: Vec<f64>,
    labels: Vec<u32>,
    classes: usize,
}

impl Rows {
    fn of(data: &Dataset) -> Rows {
        let values = data.gather(0..data.rows).0.into_iter().map(f64::from).collect();
        let (labels, classes) = data.labels.as_ref().map_or((vec![], 0), |of| (of.values.clone(), of.classes));
        Rows { values, labels, classes }
    }

    /// The means of the values that were observed `[features]`.
    fn means(&self) -> Vec<f64> {
        let features = self.values.len() / self.labels.len().max(1);
        let mean = |column: usize| {
            let known = || self.values.iter().skip(column).step_by(features).filter(|value| !value.is_nan());
            known().sum::<f64>() / (known().count().max(1)) as f64
        };
        (0..features).map(mean).collect()
    }

    fn fill(&mut self, means: &[f64]) {
        fill(&mut self.values, means);
    }

    fn add(&mut self, values: &[f32], class: u32, count: usize) {
        self.values.extend(values.iter().map(|&value| f64::from(value)));
        self.labels.extend(vec![class; count]);
    }

    fn fit(&self, features: usize) -> Result<Logistic> {
        Logistic::fit(&self.values, features, &self.labels, self.classes)
    }
}

/// Puts the mean of a column where nothing was observed.
fn fill(values: &mut [f64], means: &[f64]) {
    for row in values.chunks_exact_mut(means.len()) {
        row.iter_mut().zip(means).filter(|(value, _)| value.is_nan()).for_each(|(value, mean)| *value = *mean);
    }
}

/// The shares of labelled rows that classifiers tell right.
fn accuracies<const N: usize>(of: [&Logistic; N], data: &Dataset, means: &[f64]) -> [f64; N] {
    let labels = data.labels.as_ref().map_or(&[][..], |labels| &labels.values);
    let mut right = [0.0; N];
    for part in parts("telling classes", data) {
        let mut values: Vec<f64> = part.values().iter().map(|&value| f64::from(value)).collect();
        fill(&mut values, means);
        let labels = &labels[part.start..part.start + part.rows];
        right.iter_mut().zip(of).for_each(|(right, of)| *right += of.accuracy(&values, labels) * part.rows as f64);
    }
    right.map(|right| right / data.rows as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_observed_is_the_mean_of_what_was() {
        let mut rows = Rows { values: vec![1.0, f64::NAN, 3.0, 5.0, f64::NAN, 9.0], labels: vec![0, 1, 0], classes: 2 };
        let means = rows.means();
        assert_eq!(means, [2.0, 7.0]);
        rows.fill(&means);
        assert_eq!(rows.values, [1.0, 7.0, 3.0, 5.0, 2.0, 9.0]);
    }
}
