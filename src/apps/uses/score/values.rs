//! The scores of rows, each by the model alone or beside another.

use super::complexity::smallest_bits;
use super::ssim::dissimilarity;
use super::{ScoreKind, Scores, Scoring};
use crate::apps::Saved;
use crate::apps::uses::aggregate::Aggregate;
use crate::apps::uses::parts::{Part, parts};
use crate::data::Dataset;
use crate::error::Result;
use crate::training::{LogLikelihood, Session};

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
    /// Mean and variance of −ELBO over draws of the weights, or over members.
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

    /// What the model makes of each row, or the mean of what its members do `[rows, features]`.
    fn rebuilt<'k>(&mut self, part: &Part, known: &'k mut Known) -> Result<&'k [f32]> {
        if known.rebuilt.is_none() {
            known.rebuilt = Some(self.session.mean_reconstruction(part.given())?);
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

    /// −ELBO of each row, or its loss: a mean over several codes, and over the members of an ensemble: a bound on −ln p(x) of their mixture, as
    /// the logarithm is concave.
    fn mean_elbo(&mut self, part: &Part, scoring: &Scoring, known: &mut Known) -> Result<Vec<f64>> {
        if let Some(elbo) = &known.elbo {
            return Ok(elbo.clone());
        }
        let of_members = self.session.each_member(|session| mean_score(session, part, scoring))?;
        Ok(known.elbo.insert(mean(of_members)).clone())
    }

    /// Mean and variance of −ELBO over draws of the weights, or over the members of an ensemble, the codes being drawn by the same numbers each time. All rows are seen by the
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
        let count = self.session.over_weights(scoring.weight_draws, scoring.seed, |session, draw| {
            let scores = mean_score(session, part, scoring)?;
            for ([mean, squares], score) in moments.iter_mut().zip(scores) {
                let off = score - *mean;
                *mean += off / (draw + 1) as f64;
                *squares += off * (score - *mean);
            }
            Ok(())
        })?;
        Ok(moments.into_iter().map(|[mean, squares]| [mean, squares / (count - 1) as f64]).collect())
    }

    /// −ln p(x_j | z) of each value, means over several codes and over members, and how many values a row has.
    pub(super) fn mean_losses(&mut self, part: &Part, scoring: &Scoring) -> Result<(Vec<f64>, usize)> {
        let of_members = self
            .session
            .each_member(|session| over_codes(part, scoring, |seed| session.score_features(part.given(), seed)))?;
        Ok((mean(of_members), self.session.model.features()))
    }
}

/// −ELBO of each row, or its loss: a mean over several codes.
fn mean_score(session: &mut Session, part: &Part, scoring: &Scoring) -> Result<Vec<f64>> {
    over_codes(part, scoring, |seed| session.score(part.given(), seed))
}

/// The mean over several codes of each row.
fn over_codes(part: &Part, scoring: &Scoring, mut of: impl FnMut(u64) -> Result<Vec<f32>>) -> Result<Vec<f64>> {
    let one = |draw: usize| as_numbers(of(part.seed(scoring.seed).wrapping_add(draw as u64)));
    Ok(mean((0..scoring.draws).map(one).collect::<Result<_>>()?))
}

/// What a device gave, as numbers to add up.
pub(super) fn as_numbers(found: Result<Vec<f32>>) -> Result<Vec<f64>> {
    Ok(found?.into_iter().map(f64::from).collect())
}

/// The mean of lists, number by number.
pub(super) fn mean(lists: Vec<Vec<f64>>) -> Vec<f64> {
    let count = lists.len() as f64;
    let sums = lists.into_iter().reduce(|mut sums, list| {
        sums.iter_mut().zip(list).for_each(|(sum, value)| *sum += value);
        sums
    });
    sums.unwrap_or_default().into_iter().map(|sum| sum / count).collect()
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
