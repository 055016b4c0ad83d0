//! The scores of rows, each by the model alone or beside another.

use super::complexity::smallest_bits;
use super::ssim::dissimilarity;
use super::{ScoreKind, Scores, Scoring};
use crate::apps::Saved;
use crate::apps::uses::aggregate::Aggregate;
use crate::apps::uses::parts::{Part, parts};
use crate::data::Dataset;
use crate::error::Result;
use crate::training::{LogLikelihood, Session, part_of_seed};

/// What rows are scored by, besides the model.
pub(super) struct Beside<'a> {
    /// How codes of normal rows are spread, for [`ScoreKind::Latent`].
    pub aggregate: Option<Aggregate>,
    /// The model of [`ScoreKind::LikelihoodRatio`].
    pub background: Option<&'a mut Saved>,
    /// The dynamic range of pictures, for [`ScoreKind::Ssim`].
    pub range: f64,
}

/// What several scores of some rows are made of, each computed once.
#[derive(Default)]
struct Known {
    elbo: Option<Vec<f64>>,
    /// E\[x | z\] at the posterior means.
    rebuilt: Option<Vec<f32>>,
    likelihood: Option<Vec<LogLikelihood>>,
    /// Mean and variance of −ELBO over draws of the weights.
    over_weights: Option<Vec<[f64; 2]>>,
}

impl Saved {
    /// Scores of all rows; those of [`ScoreKind::Combined`] are left empty, as they are made of the others.
    pub(super) fn all_scores(
        &mut self,
        data: &Dataset,
        what: &'static str,
        scoring: &Scoring,
        beside: &mut Beside,
    ) -> Result<Scores> {
        let mut all = Scores { by_kind: vec![vec![]; scoring.kinds.len()], errors: None };
        for part in parts(what, data) {
            let mut known = Known::default();
            for (place, kind) in scoring.kinds.iter().enumerate() {
                let scores = match kind {
                    ScoreKind::Elbo => self.mean_elbo(&part, scoring, &mut known)?,
                    ScoreKind::Likelihood => {
                        let found = self.importance(&part, scoring, &mut known)?;
                        let errors = found.iter().map(|estimate| estimate.standard_error.unwrap_or(f64::NAN));
                        all.errors.get_or_insert_default().extend(errors);
                        found.iter().map(|estimate| -estimate.log_likelihood).collect()
                    }
                    ScoreKind::LikelihoodRatio => {
                        let background = beside.background.as_deref_mut().expect("it was asked for with this score");
                        let own = self.cost(&part, scoring, &mut known)?;
                        let other = background.cost(&part, scoring, &mut Known::default())?;
                        own.iter().zip(other).map(|(own, other)| own - other).collect()
                    }
                    ScoreKind::Reconstruction => {
                        let (losses, width) = self.mean_losses(&part, scoring)?;
                        losses.chunks_exact(width).map(|row| row.iter().sum()).collect()
                    }
                    ScoreKind::SquaredError => {
                        let rebuilt = self.rebuilt(&part, &mut known)?;
                        let width = rebuilt.len() / part.rows;
                        let rows = part.values().chunks_exact(width).zip(rebuilt.chunks_exact(width));
                        rows.map(|(row, rebuilt)| squared_distance(row, rebuilt)).collect()
                    }
                    ScoreKind::Ssim => {
                        let shape = self.form.shape();
                        dissimilarity(part.values(), self.rebuilt(&part, &mut known)?, shape, beside.range)
                    }
                    ScoreKind::Latent => {
                        let codes = self.session.encode(part.given())?;
                        let aggregate = beside.aggregate.as_ref().expect("it was made for this score");
                        codes.chunks_exact(self.session.latent()?).map(|code| aggregate.distance(code)).collect()
                    }
                    ScoreKind::Disagreement => {
                        self.over_weights(&part, scoring, &mut known)?.iter().map(|[_, variance]| *variance).collect()
                    }
                    ScoreKind::Waic => {
                        let found = self.over_weights(&part, scoring, &mut known)?;
                        found.iter().map(|[mean, variance]| mean + variance).collect()
                    }
                    ScoreKind::Complexity => {
                        let bits = smallest_bits(part.values(), self.form.shape());
                        let nats = self.mean_elbo(&part, scoring, &mut known)?;
                        nats.iter().zip(bits).map(|(nats, bits)| nats / std::f64::consts::LN_2 - bits).collect()
                    }
                    ScoreKind::Combined => vec![],
                };
                all.by_kind[place].extend::<Vec<f64>>(scores);
            }
        }
        Ok(all)
    }

    /// What the model makes of each row `[rows, features]`.
    fn rebuilt<'k>(&mut self, part: &Part, known: &'k mut Known) -> Result<&'k [f32]> {
        if known.rebuilt.is_none() {
            known.rebuilt = Some(self.session.reconstruct(part.given())?);
        }
        Ok(known.rebuilt.as_deref().unwrap_or_default())
    }

    /// −ln p(x) of each row where that is asked for, else −ELBO: what rows cost under two models, one as the other.
    fn cost(&mut self, part: &Part, scoring: &Scoring, known: &mut Known) -> Result<Vec<f64>> {
        if !scoring.kinds.contains(&ScoreKind::Likelihood) {
            return self.mean_elbo(part, scoring, known);
        }
        Ok(self.importance(part, scoring, known)?.iter().map(|estimate| -estimate.log_likelihood).collect())
    }

    /// ln p(x) of each row by importance sampling.
    fn importance<'k>(&mut self, part: &Part, scoring: &Scoring, known: &'k mut Known) -> Result<&'k [LogLikelihood]> {
        if known.likelihood.is_none() {
            let found = self.session.log_likelihood(part.given(), scoring.samples, part.seed(scoring.seed))?;
            known.likelihood = Some(found);
        }
        Ok(known.likelihood.as_deref().unwrap_or_default())
    }

    /// −ELBO of each row, or its loss: a mean over several codes.
    fn mean_elbo(&mut self, part: &Part, scoring: &Scoring, known: &mut Known) -> Result<Vec<f64>> {
        if let Some(elbo) = &known.elbo {
            return Ok(elbo.clone());
        }
        Ok(known.elbo.insert(mean_score(&mut self.session, part, scoring)?).clone())
    }

    /// Mean and variance of −ELBO over draws of the weights, the codes being drawn by the same numbers each time. All rows are seen by the
    /// same draws.
    fn over_weights<'k>(&mut self, part: &Part, scoring: &Scoring, known: &'k mut Known) -> Result<&'k [[f64; 2]]> {
        if known.over_weights.is_none() {
            known.over_weights = Some(self.draw_weights(part, scoring)?);
        }
        Ok(known.over_weights.as_deref().unwrap_or_default())
    }

    fn draw_weights(&mut self, part: &Part, scoring: &Scoring) -> Result<Vec<[f64; 2]>> {
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
        let count = (scoring.weight_draws - 1) as f64;
        Ok(moments.into_iter().map(|[mean, squares]| [mean, squares / count]).collect())
    }

    /// −ln p(x_j | z) of each value, means over several codes, and how many values a row has.
    pub(super) fn mean_losses(&mut self, part: &Part, scoring: &Scoring) -> Result<(Vec<f64>, usize)> {
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

/// ‖x − y‖², over what is known of x.
fn squared_distance(x: &[f32], y: &[f32]) -> f64 {
    let known = x.iter().zip(y).filter(|(x, _)| !x.is_nan());
    known.map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_of_a_row_has_no_error() {
        assert_eq!(squared_distance(&[1.0, f32::NAN, -2.0], &[0.5, 7.0, 1.0]), 0.25 + 9.0);
    }
}
