//! What is said of scores: how well they tell known anomalies, and whether they can be trusted.

use std::collections::BTreeMap;

use serde::Serialize;

use super::columns::Strange;
use super::complexity::smallest_bits;
use super::given::{Calibration, Truth};
use super::{ScoreKind, Scores, some_of};
use crate::data::{Dataset, Shape};
use crate::evaluation::{Interval, NormalScores, auroc, average_precision, rank_correlation};

/// From here on a score is said to follow complexity.
const FOLLOWS: f64 = 0.6;
/// The share of rows in the lowest twentieth of scores from which on more than chance is at work.
const TOO_NORMAL: f64 = 0.25;

/// Everything that was found.
#[derive(Clone, Debug, Serialize)]
pub struct Scored {
    /// The data.
    pub data: String,
    /// Its rows.
    pub rows: usize,
    /// The score that p-values and alarms are of.
    pub score: &'static str,
    /// The share of normal rows that may be marked.
    pub false_alarms: f64,
    /// Rows that are marked.
    pub marked: usize,
    /// The normal rows that p-values are told by.
    pub calibrated_on: String,
    /// How many these are.
    pub calibration_rows: usize,
    /// Of each score, how well it tells known anomalies.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub detection: BTreeMap<&'static str, Detection>,
    /// What must be known to read the figures, a sentence or two each.
    pub warnings: Vec<String>,
    /// The strangest rows, the first the most.
    pub top: Vec<Strange>,
}

/// How well a score tells known anomalies from normal rows.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Detection {
    /// Known anomalies.
    pub anomalies: usize,
    /// Normal rows.
    pub normal: usize,
    /// The probability that an anomaly scores higher than a normal row.
    pub auroc: Interval,
    /// The mean precision over the anomalies.
    pub average_precision: Interval,
}

/// All that is said something of.
pub(super) struct All<'a> {
    pub kinds: &'a [ScoreKind],
    pub shape: Shape,
    pub is_table: bool,
    pub found: &'a Scores,
    pub normal: Option<&'a Scores>,
    pub truth: Option<&'a Truth>,
    pub against: Option<&'a Scores>,
    pub p_values: &'a [f64],
    pub baseline: &'a Dataset,
}

impl All<'_> {
    /// How well each score tells known anomalies, where there are some.
    pub fn detection(&self, seed: u64) -> BTreeMap<&'static str, Detection> {
        let of_kind = |(place, kind): (usize, &ScoreKind)| {
            let (mut normal, mut anomalies) = (vec![], vec![]);
            for (row, &score) in self.found.by_kind[place].iter().enumerate() {
                let is_anomaly = self.truth.is_some_and(|truth| truth.0[row]);
                if is_anomaly { anomalies.push(score) } else { normal.push(score) }
            }
            anomalies.extend(self.against.iter().flat_map(|against| &against.by_kind[place]));
            let found = Detection {
                anomalies: anomalies.len(),
                normal: normal.len(),
                auroc: auroc(&normal, &anomalies)?,
                average_precision: average_precision(&normal, &anomalies, seed)?,
            };
            Some((kind.name(), found))
        };
        self.kinds.iter().enumerate().filter_map(of_kind).collect()
    }

    /// What must be known to read the figures.
    pub fn warnings(
        &self,
        first: ScoreKind,
        normals: Option<&NormalScores>,
        calibration: &Calibration,
        false_alarms: f64,
    ) -> Vec<String> {
        let mut all = Vec::new();
        match normals {
            None => {
                if let Calibration::None(why) = calibration {
                    all.push(format!("There are no p-values and no row is marked: {why}."));
                }
            }
            Some(normals) if false_alarms * ((normals.count() + 1) as f64) < 1.0 => all.push(format!(
                "No row can be marked: with {} normal rows the smallest p-value is {:.4}, and {false_alarms} was asked for. Give \
                 more normal rows, or a larger share of false alarms.",
                normals.count(),
                1.0 / (normals.count() + 1) as f64
            )),
            Some(_) => {}
        }
        if self.against.is_none() && self.truth.is_some_and(|truth| !truth.0.contains(&true)) {
            all.push(
                "All rows have labels of normal ones: there are no known anomalies to measure scores by.".to_owned(),
            );
        }
        let advice = match (first, self.is_table || self.shape.height == 1) {
            (ScoreKind::LikelihoodRatio, _) => {
                "`latent` is not fooled by that, and another background model may know more of what they share"
            }
            (_, true) => {
                "`latent` is not fooled by that, and `likelihood_ratio` takes off what a --background model knows of any row"
            }
            (ScoreKind::Complexity, _) => "`latent` or `ssim` may be better",
            (ScoreKind::Ssim, _) => "`complexity` and `latent` look at something else",
            _ => {
                "`complexity` is made for that, `ssim` looks at the structure, `likelihood_ratio` takes off what a --background model knows of any \
                 row, and `latent` is not fooled"
            }
        };
        // Rows that lie in the lowest twentieth of normal scores, of which there should be a twentieth.
        let in_lower_tail = |count: usize, all: usize| all > 0 && count as f64 > TOO_NORMAL * all as f64;
        if matches!(calibration, Calibration::Other(_)) {
            let low = self.p_values.iter().filter(|p| **p >= 0.95).count();
            if in_lower_tail(low, self.p_values.len()) {
                all.push(inverted(low, self.p_values.len(), "the rows", first, advice));
            }
        }
        if let (Some(normals), Some(against)) = (self.lower(normals), self.against) {
            let scores = &against.by_kind[0];
            let low = scores.iter().filter(|score| normals.p_value(**score) >= 0.95).count();
            if in_lower_tail(low, scores.len()) {
                all.push(inverted(low, scores.len(), "the other data's rows", first, advice));
            }
        }
        all.extend(self.follows_complexity(first));
        all
    }

    /// What the scores of other data are held against: normal rows, or else the scored rows themselves.
    fn lower(&self, normals: Option<&NormalScores>) -> Option<NormalScores> {
        normals.cloned().or_else(|| Some(NormalScores::new(self.found.by_kind[0].clone())))
    }

    /// Whether the score says how much there is in a picture more than how strange it is.
    fn follows_complexity(&self, first: ScoreKind) -> Option<String> {
        let is_likelihood = matches!(
            first,
            ScoreKind::Elbo | ScoreKind::Likelihood | ScoreKind::Reconstruction | ScoreKind::SquaredError
        );
        if !is_likelihood || self.is_table || self.shape.height == 1 {
            return None;
        }
        let scores = self.normal.unwrap_or(self.found);
        let chosen = some_of(self.baseline);
        let bits = smallest_bits(&self.baseline.gather(chosen.iter().copied()).0, self.shape);
        let of: Vec<f64> = chosen.iter().map(|&row| scores.by_kind[0][row]).collect();
        let correlation = rank_correlation(&of, &bits);
        (correlation > FOLLOWS).then(|| {
            format!(
                "The score `{first}` rises with how much there is in a picture: among normal rows its rank correlation with the \
                 size of the picture without loss is {correlation:.2}. Simple pictures of any kind then pass for normal. `complexity` takes that off \
                 (Serrà et al. 2020), as does `likelihood_ratio` with a --background model (Ren et al. 2019), and `latent` does not see it."
            )
        })
    }
}

fn inverted(low: usize, of: usize, which: &str, score: ScoreKind, advice: &str) -> String {
    format!(
        "{:.0} % of {which} score lower than 95 % of the normal rows, where 5 % were expected: `{score}` takes them for more normal \
         than normal. Likelihoods do that with simple data (Nalisnick et al. 2019); {advice}.",
        100.0 * low as f64 / of as f64
    )
}
