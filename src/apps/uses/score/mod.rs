//! How strange each row is: scores, p-values, alarms, and where the strangeness lies.

mod background;
mod columns;
mod combined;
mod complexity;
mod given;
mod kind;
mod lines;
mod report;
#[cfg(feature = "pictures")]
mod sheet;
mod ssim;
mod values;

use std::path::{Path, PathBuf};

use super::aggregate::Aggregate;
use super::ids::Ids;
use super::write::{ending, write_file};
use crate::apps::Saved;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::evaluation::NormalScores;
use combined::Combined;
use given::{Calibration, Truth, calibration};
use lines::Columns;
use values::Beside;

pub use columns::Strange;
pub use complexity::{png_bits, webp_bits};
pub use kind::ScoreKind;
pub use report::{Detection, Scored};

/// How rows are scored.
#[derive(Clone, Debug)]
pub struct Scoring {
    /// The scores, the first of which is the one that p-values and alarms are of; at least one.
    pub kinds: Vec<ScoreKind>,
    /// Normal rows that the model did not learn from; else those that the run held out.
    pub fit: Option<String>,
    /// The share of normal rows that may be marked.
    pub false_alarms: f64,
    /// Codes of each row that −ELBO and reconstruction are means over.
    pub draws: usize,
    /// Draws of the weights that [`ScoreKind::Disagreement`] and [`ScoreKind::Waic`] are over, where models have a distribution of them; of an ensemble they are over its
    /// members.
    pub weight_draws: usize,
    /// Codes of each row that −ln p(x) is estimated from.
    pub samples: usize,
    /// The labels of normal rows: all others are known anomalies.
    pub normal: Vec<String>,
    /// The column of a table that holds labels, where it is not the one that the model was trained with.
    pub label: Option<String>,
    /// Other data, all of whose rows are known anomalies.
    pub against: Option<String>,
    /// How many of the strangest rows are told apart.
    pub top: usize,
    /// The PNG file that shows the strangest pictures, what the model makes of them, and which pixels surprise it.
    pub sheet: Option<PathBuf>,
    /// Decides which codes are drawn.
    pub seed: u64,
}

/// The scores of some rows, kind by kind.
struct Scores {
    by_kind: Vec<Vec<f64>>,
    /// The standard errors of [`ScoreKind::Likelihood`], where that is among them.
    errors: Option<Vec<f64>>,
}

impl Saved {
    /// Scores rows `data`, or else those that the run held out, and writes them to `to` where that is named: a `.csv` with the columns
    /// `row`, what else says which row it is, `score`, `p_value`, `anomaly` (1 or 0), one for each of several scores, and of a table
    /// `oddest`, the columns whose cells cost most beyond what they cost in normal rows. `background` is the model of
    /// [`ScoreKind::LikelihoodRatio`].
    ///
    /// # Errors
    /// If a model cannot give a score that is asked for, the background model is of other rows or of another unit, data cannot be read or
    /// has no such labels, or the file cannot be written.
    pub fn score_to(
        &mut self,
        data: Option<&str>,
        scoring: &Scoring,
        background: Option<&mut Saved>,
        to: Option<&Path>,
    ) -> Result<Scored> {
        let first = *scoring.kinds.first().ok_or_else(|| Error::invalid("no score is asked for: give at least one"))?;
        if let Some(kind) =
            scoring.kinds.iter().enumerate().find_map(|(i, kind)| scoring.kinds[..i].contains(kind).then_some(kind))
        {
            return Err(Error::invalid(format!("the score `{kind}` is asked for twice: leave one of them out")));
        }
        self.check_kinds(scoring)?;
        Combined::check(scoring)?;
        to.map(|to| ending(to, "scores", &["csv"])).transpose()?;
        if scoring.sheet.is_some() && (self.form.shape().height == 1 || scoring.top == 0) {
            return Err(Error::invalid(
                "a sheet shows the strangest pictures: it takes a model of pictures, and how many are to be shown (--top)",
            ));
        }
        let (ids, (split, rows)) = (Ids::of(self, data)?, self.shown(data)?);
        background::check(self, background.as_deref(), scoring, &rows)?;
        let truth = Truth::of(&rows, data, scoring)?;
        let against = match &scoring.against {
            Some(other) => Some(self.shown(Some(other))?.1),
            None => None,
        };
        let calibration = calibration(self, data.is_none().then_some(split), &rows, scoring)?;
        let learnt = scoring.kinds.contains(&ScoreKind::Latent).then(|| self.aggregate(&calibration, scoring));
        let baseline = match &calibration {
            Calibration::Other(normal) => &**normal,
            _ => &rows,
        };
        let range = match scoring.kinds.contains(&ScoreKind::Ssim) {
            true => ssim::dynamic_range(&baseline.gather(some_of(baseline)).0),
            false => 1.0,
        };
        let mut beside = Beside { aggregate: learnt.transpose()?, background, range };
        let mut of = |data: &Dataset, what| self.all_scores(data, what, scoring, &mut beside);
        // Rows that are held against each other are scored once.
        let mut normal = match &calibration {
            Calibration::Other(normal) => Some(of(normal, "scoring normal rows")?),
            Calibration::Own(_) | Calibration::None(_) => None,
        };
        let mut found = of(&rows, "scoring")?;
        let mut strange = against.as_ref().map(|against| of(against, "scoring anomalies")).transpose()?;
        if let Some(combined) = Combined::of(scoring, &calibration, normal.as_ref(), &found)? {
            combined.fill(&mut found, |row| calibration.holds(row));
            normal.iter_mut().for_each(|normal| combined.fill_normal(normal));
            strange.iter_mut().for_each(|strange| combined.fill(strange, |_| false));
        }
        let primary = &found.by_kind[0];
        let normals = match (&calibration, &normal) {
            (Calibration::Own(is_normal), _) => {
                let own = primary.iter().zip(is_normal).filter(|(_, is)| **is).map(|(score, _)| *score);
                Some(NormalScores::new(own.collect()))
            }
            (_, Some(normal)) => Some(NormalScores::new(normal.by_kind[0].clone())),
            _ => None,
        };
        let p_values: Vec<f64> = match &normals {
            None => vec![f64::NAN; rows.rows],
            Some(normals) => {
                let p = |(row, score): (usize, &f64)| {
                    if calibration.holds(row) { normals.p_value_of_own(*score) } else { normals.p_value(*score) }
                };
                primary.iter().enumerate().map(p).collect()
            }
        };
        let marked: Vec<bool> = p_values.iter().map(|&p| p <= scoring.false_alarms).collect();
        let is_table = self.form.schema.is_table();
        let usual = if is_table { self.usual_losses(baseline, scoring.seed)? } else { None };
        if let Some(to) = to {
            let all = Columns { ids: &ids, scores: &found, p_values: &p_values, marked: &marked };
            write_file(to, |file| self.write_scores(file, &rows, &all, scoring, usual.as_deref()))?;
        }
        let top = self.strangest(&rows, &ids, &found, &p_values, scoring, usual.as_deref())?;
        if let Some(sheet) = &scoring.sheet {
            #[cfg(feature = "pictures")]
            self.draw_strange(&rows, &top, scoring, sheet)?;
            #[cfg(not(feature = "pictures"))]
            return Err(Error::invalid(format!("{} cannot be drawn by a build without pictures", sheet.display())));
        }
        let all = report::All {
            kinds: &scoring.kinds,
            shape: self.form.shape(),
            is_table: self.form.schema.is_table(),
            found: &found,
            normal: normal.as_ref(),
            truth: truth.as_ref(),
            against: strange.as_ref(),
            p_values: &p_values,
            baseline,
        };
        Ok(Scored {
            data: rows.name.clone(),
            rows: rows.rows,
            score: first.name(),
            false_alarms: scoring.false_alarms,
            marked: marked.iter().filter(|marked| **marked).count(),
            calibrated_on: calibration.describe(&rows),
            calibration_rows: normals.as_ref().map_or(0, NormalScores::count),
            detection: all.detection(scoring.seed),
            warnings: all.warnings(first, normals.as_ref(), &calibration, scoring.false_alarms),
            top,
        })
    }

    /// Says so if the model cannot give one of these scores.
    fn check_kinds(&self, scoring: &Scoring) -> Result<()> {
        for kind in &scoring.kinds {
            let can = self.session.model.can();
            match kind {
                ScoreKind::Elbo | ScoreKind::Combined => {}
                ScoreKind::Likelihood | ScoreKind::LikelihoodRatio => drop(can.density()?),
                ScoreKind::Reconstruction | ScoreKind::SquaredError => drop(can.reconstruct()?),
                ScoreKind::Ssim => {
                    can.reconstruct()?;
                    self.check_structure()?;
                }
                ScoreKind::Latent => drop(can.encode()?),
                ScoreKind::Disagreement | ScoreKind::Waic => drop(self.session.count_of_weights(scoring.weight_draws)?),
                ScoreKind::Complexity => {
                    let shape = self.form.shape();
                    if self.form.schema.is_table() || shape.height == 1 {
                        return Err(Error::invalid(
                            "the score `complexity` is of pictures, whose size without loss it takes off, and this model was trained on \
                             rows of a table or vectors: ask for another, such as elbo or latent",
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// Says so if rows are no pictures, or too small ones to have a structure.
    fn check_structure(&self) -> Result<()> {
        let shape = self.form.shape();
        if self.form.schema.is_table() || shape.height == 1 {
            return Err(Error::invalid(
                "the score `ssim` is of pictures, whose structure it holds against that of what the model makes of them, and this model was \
                 trained on rows of a table or vectors: ask for another, such as squared_error",
            ));
        }
        match shape.height.min(shape.width) < ssim::SMALLEST {
            true => Err(Error::invalid(format!(
                "the score `ssim` looks at windows of at least {0} by {0} pixels, and pictures of this model are {shape}: ask for another, \
                 such as squared_error",
                ssim::SMALLEST
            ))),
            false => Ok(()),
        }
    }

    /// How codes of normal rows are spread: of those that the model learnt from, or where others are given, of those.
    fn aggregate(&mut self, calibration: &Calibration, scoring: &Scoring) -> Result<Aggregate> {
        if let (Some(_), Calibration::Other(normal)) = (&scoring.fit, calibration) {
            return Aggregate::of(self, normal, scoring.seed);
        }
        let learnt = self.data().map_err(|error| {
            Error::invalid(format!(
                "the score `latent` needs the rows that the model learnt from, and they cannot be read ({error}): give normal \
                 rows with `fit`"
            ))
        })?;
        Aggregate::of(self, &learnt.train, scoring.seed)
    }
}

/// Rows that are looked at to know what pictures are like.
const LOOKED_AT: usize = 1000;

/// Some rows of a data set, evenly spaced, that tell what it is like.
fn some_of(data: &Dataset) -> Vec<usize> {
    let count = data.rows.min(LOOKED_AT);
    (0..count).map(|i| i * data.rows / count).collect()
}
