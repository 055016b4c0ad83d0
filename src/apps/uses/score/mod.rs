//! How strange each row is: scores, p-values, alarms, and where the strangeness lies.

mod columns;
mod complexity;
mod given;
mod kind;
mod report;
#[cfg(feature = "pictures")]
mod sheet;

use std::path::{Path, PathBuf};

use super::aggregate::Aggregate;
use super::ids::Ids;
use super::parts::{Part, parts};
use super::write::{Lines, ending, number, write_file};
use crate::apps::Saved;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::evaluation::NormalScores;
use crate::training::{Session, part_of_seed};
use given::{Calibration, Truth, calibration};

pub use columns::Strange;
pub use complexity::png_bits;
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
    /// Draws of the weights whose scores [`ScoreKind::Disagreement`] is the variance of, where models have a distribution of them.
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
    /// `oddest`, the columns whose cells cost most beyond what they cost in normal rows.
    ///
    /// # Errors
    /// If the model cannot give a score that is asked for, data cannot be read or has no such labels, or the file cannot be written.
    pub fn score_to(&mut self, data: Option<&str>, scoring: &Scoring, to: Option<&Path>) -> Result<Scored> {
        let first = *scoring.kinds.first().ok_or_else(|| Error::invalid("no score is asked for: give at least one"))?;
        self.check_kinds(&scoring.kinds)?;
        to.map(|to| ending(to, "scores", &["csv"])).transpose()?;
        if scoring.sheet.is_some() && (self.form.shape().height == 1 || scoring.top == 0) {
            return Err(Error::invalid(
                "a sheet shows the strangest pictures: it takes a model of pictures, and how many are to be shown (--top)",
            ));
        }
        let (ids, (split, rows)) = (Ids::of(self, data)?, self.shown(data)?);
        let truth = Truth::of(&rows, data, scoring)?;
        let against = match &scoring.against {
            Some(other) => Some(self.shown(Some(other))?.1),
            None => None,
        };
        let calibration = calibration(self, data.is_none().then_some(split), &rows, scoring)?;
        let learnt = scoring.kinds.contains(&ScoreKind::Latent).then(|| self.aggregate(&calibration, scoring));
        let aggregate = learnt.transpose()?;
        let mut of = |data: &Dataset, what| self.all_scores(data, what, scoring, aggregate.as_ref());
        // Rows that are held against each other are scored once.
        let normal = match &calibration {
            Calibration::Other(normal) => Some(of(normal, "scoring normal rows")?),
            Calibration::Own(_) | Calibration::None(_) => None,
        };
        let found = of(&rows, "scoring")?;
        let strange = against.as_ref().map(|against| of(against, "scoring anomalies")).transpose()?;
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
                let own = |row: usize| matches!(&calibration, Calibration::Own(is_normal) if is_normal[row]);
                let p = |(row, score): (usize, &f64)| {
                    if own(row) { normals.p_value_of_own(*score) } else { normals.p_value(*score) }
                };
                primary.iter().enumerate().map(p).collect()
            }
        };
        let marked: Vec<bool> = p_values.iter().map(|&p| p <= scoring.false_alarms).collect();
        let baseline = match &calibration {
            Calibration::Other(normal) => normal,
            _ => &rows,
        };
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
    fn check_kinds(&self, kinds: &[ScoreKind]) -> Result<()> {
        for kind in kinds {
            let can = self.session.model.can();
            match kind {
                ScoreKind::Elbo => {}
                ScoreKind::Likelihood => drop(can.density()?),
                ScoreKind::Reconstruction => drop(can.reconstruct()?),
                ScoreKind::Latent => drop(can.encode()?),
                ScoreKind::Disagreement => self.session.check_drawn_weights()?,
                ScoreKind::Complexity => {
                    let shape = self.form.shape();
                    if self.form.schema.is_table() || shape.height == 1 {
                        return Err(Error::invalid(
                            "the score `complexity` is of pictures, whose size as PNG it takes off, and this model was trained on \
                             rows of a table or vectors: ask for another, such as elbo or latent",
                        ));
                    }
                }
            }
        }
        Ok(())
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

    fn all_scores(
        &mut self,
        data: &Dataset,
        what: &'static str,
        scoring: &Scoring,
        aggregate: Option<&Aggregate>,
    ) -> Result<Scores> {
        let mut all = Scores { by_kind: vec![vec![]; scoring.kinds.len()], errors: None };
        for part in parts(what, data) {
            // Two scores are made of it.
            let mut elbo = None;
            for (place, kind) in scoring.kinds.iter().enumerate() {
                let scores = match kind {
                    ScoreKind::Elbo => self.mean_elbo(&part, scoring, &mut elbo)?,
                    ScoreKind::Likelihood => {
                        let found =
                            self.session.log_likelihood(part.given(), scoring.samples, part.seed(scoring.seed))?;
                        let errors = found.iter().map(|estimate| estimate.standard_error.unwrap_or(f64::NAN));
                        all.errors.get_or_insert_default().extend(errors);
                        found.iter().map(|estimate| -estimate.log_likelihood).collect()
                    }
                    ScoreKind::Reconstruction => {
                        let (losses, width) = self.mean_losses(&part, scoring)?;
                        losses.chunks_exact(width).map(|row| row.iter().sum()).collect()
                    }
                    ScoreKind::Latent => {
                        let codes = self.session.encode(part.given())?;
                        let aggregate = aggregate.expect("it was made for this score");
                        codes.chunks_exact(self.session.latent()?).map(|code| aggregate.distance(code)).collect()
                    }
                    ScoreKind::Disagreement => self.disagreement(&part, scoring)?,
                    ScoreKind::Complexity => {
                        let shape = self.form.shape();
                        let bits = part.values().chunks_exact(shape.features()).map(|x| complexity::png_bits(x, shape));
                        let nats = self.mean_elbo(&part, scoring, &mut elbo)?;
                        nats.iter().zip(bits).map(|(nats, bits)| nats / std::f64::consts::LN_2 - bits).collect()
                    }
                };
                all.by_kind[place].extend::<Vec<f64>>(scores);
            }
        }
        Ok(all)
    }

    /// −ELBO of each row, or its loss: a mean over several codes; computed unless it is `known`.
    fn mean_elbo(&mut self, part: &Part, scoring: &Scoring, known: &mut Option<Vec<f64>>) -> Result<Vec<f64>> {
        if let Some(known) = known {
            return Ok(known.clone());
        }
        Ok(known.insert(mean_score(&mut self.session, part, scoring)?).clone())
    }

    /// The variance of −ELBO over draws of the weights, the codes being drawn by the same numbers each time. All rows are seen by the same
    /// draws.
    fn disagreement(&mut self, part: &Part, scoring: &Scoring) -> Result<Vec<f64>> {
        // Mean and squares of what comes one by one (Welford 1962).
        let mut moments = vec![[0.0; 2]; part.rows];
        for draw in 0..scoring.weight_draws {
            let seed = part_of_seed(scoring.seed, draw as u64);
            let scores = self.session.with_drawn_weights(seed, |session| mean_score(session, part, scoring))?;
            for ([mean, squares], score) in moments.iter_mut().zip(scores) {
                let off = score - *mean;
                *mean += off / (draw + 1) as f64;
                *squares += off * (score - *mean);
            }
        }
        Ok(moments.into_iter().map(|[_, squares]| squares / (scoring.weight_draws - 1) as f64).collect())
    }

    /// −ln p(x_j | z) of each value, means over several codes, and how many values a row has.
    fn mean_losses(&mut self, part: &Part, scoring: &Scoring) -> Result<(Vec<f64>, usize)> {
        let width = self.session.model.features();
        let mut sums = vec![0.0; part.rows * width];
        for draw in 0..scoring.draws {
            let seed = part.seed(scoring.seed).wrapping_add(draw as u64);
            let losses = self.session.score_features(part.given(), seed)?;
            sums.iter_mut().zip(losses).for_each(|(sum, loss)| *sum += f64::from(loss));
        }
        sums.iter_mut().for_each(|sum| *sum /= scoring.draws as f64);
        Ok((sums, width))
    }
}

/// −ELBO of each row, or its loss: a mean over several codes.
fn mean_score(session: &mut Session, part: &Part, scoring: &Scoring) -> Result<Vec<f64>> {
    let mut sums = vec![0.0; part.rows];
    for draw in 0..scoring.draws {
        let seed = part.seed(scoring.seed).wrapping_add(draw as u64);
        let scores = session.score(part.given(), seed)?;
        sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum += f64::from(score));
    }
    Ok(sums.iter().map(|sum| sum / scoring.draws as f64).collect())
}

/// What a line says besides its row.
struct Columns<'a> {
    ids: &'a Ids,
    scores: &'a Scores,
    p_values: &'a [f64],
    marked: &'a [bool],
}

impl Saved {
    fn write_scores(
        &mut self,
        file: &mut dyn std::io::Write,
        rows: &Dataset,
        all: &Columns,
        scoring: &Scoring,
        usual: Option<&[f64]>,
    ) -> Result<()> {
        let several = scoring.kinds.len() > 1;
        let mut names = vec!["row".to_string()];
        names.extend(all.ids.names.iter().cloned());
        names.extend(rows.labels.as_ref().map(|_| "label".to_string()));
        names.extend(["score", "p_value", "anomaly"].map(String::from));
        if several {
            names.extend(scoring.kinds.iter().map(|kind| kind.name().to_string()));
        }
        names.extend(all.scores.errors.as_ref().map(|_| "likelihood_error".to_string()));
        let tells_columns = usual.is_some() && self.form.schema.is_table();
        names.extend(tells_columns.then(|| "oddest".to_string()));
        let mut lines = Lines::new(file, names)?;
        for part in parts("looking where", rows) {
            let odd = match usual.filter(|_| tells_columns) {
                Some(usual) => self.odd_columns(&part, scoring, usual)?,
                None => vec![],
            };
            for place in 0..part.rows {
                let row = part.start + place;
                let mut cells = vec![row.to_string()];
                cells.extend(all.ids.row(row).map(String::from));
                cells.extend(rows.labels.as_ref().map(|labels| labels.name_of(row)));
                cells.push(number(all.scores.by_kind[0][row]));
                cells.push(number(all.p_values[row]));
                cells.push(u8::from(all.marked[row]).to_string());
                if several {
                    cells.extend(all.scores.by_kind.iter().map(|scores| number(scores[row])));
                }
                cells.extend(all.scores.errors.as_ref().map(|errors| number(errors[row])));
                cells.extend(odd.get(place).map(|columns| columns::in_words(columns)));
                lines.line(cells)?;
            }
        }
        lines.finish()
    }
}
