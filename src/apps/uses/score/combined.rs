//! Several scores as one: Fisher's combination of their p-values.

use super::given::Calibration;
use super::{ScoreKind, Scores, Scoring};
use crate::error::{Error, Result};
use crate::evaluation::NormalScores;

/// What ranks the parts of [`ScoreKind::Combined`], T(x) = −2 Σ_i ln p_i(x), p_i(x) being the share of normal rows whose score i is at least
/// that of x. Parts are not independent, so T has no χ² distribution: its own p-values are told by normal rows, as those of every score are.
pub struct Combined {
    place: usize,
    parts: Vec<(usize, NormalScores)>,
    /// Whether rows are among those that rank.
    is_own: bool,
}

impl Combined {
    /// Says so if nothing can be combined.
    pub fn check(scoring: &Scoring) -> Result<()> {
        let is_part = |kind: &&ScoreKind| **kind != ScoreKind::Combined;
        match scoring.kinds.contains(&ScoreKind::Combined) && scoring.kinds.iter().filter(is_part).count() < 2 {
            true => Err(Error::invalid(
                "the score `combined` joins the others that are asked for, and there are fewer than two: ask for some, such as \
                 --scores combined,reconstruction,latent",
            )),
            false => Ok(()),
        }
    }

    /// What ranks, where it is asked for: where normal rows stand apart, every other of them, so that the rest tells p-values of a score that
    /// does not depend on them; else all normal rows, whose ranks among themselves treat all alike.
    pub fn of(
        scoring: &Scoring,
        calibration: &Calibration,
        normal: Option<&Scores>,
        found: &Scores,
    ) -> Result<Option<Combined>> {
        let Some(place) = scoring.kinds.iter().position(|kind| *kind == ScoreKind::Combined) else { return Ok(None) };
        let chosen = |kind: usize| -> Result<Vec<f64>> {
            match (calibration, normal) {
                (Calibration::Own(is_normal), _) => {
                    let own = found.by_kind[kind].iter().zip(is_normal).filter(|(_, is)| **is);
                    Ok(own.map(|(score, _)| *score).collect())
                }
                (_, Some(normal)) => Ok(normal.by_kind[kind].iter().step_by(2).copied().collect()),
                (Calibration::None(why), _) => Err(Error::invalid(format!(
                    "the score `combined` ranks the others by normal rows, and there are none: {why}"
                ))),
                (Calibration::Other(_), None) => unreachable!("normal rows that stand apart were scored"),
            }
        };
        let others = (0..scoring.kinds.len()).filter(|&kind| kind != place);
        let parts = others.map(|kind| Ok((kind, NormalScores::new(chosen(kind)?)))).collect::<Result<_>>()?;
        Ok(Some(Combined { place, parts, is_own: matches!(calibration, Calibration::Own(_)) }))
    }

    /// Fills in the score of rows that are scored, or are known anomalies.
    pub fn fill(&self, scores: &mut Scores, is_normal: impl Fn(usize) -> bool) {
        let count = scores.by_kind[self.parts[0].0].len();
        scores.by_kind[self.place] =
            (0..count).map(|row| self.score(scores, row, is_normal(row) && self.is_own)).collect();
    }

    /// The same of normal rows that stand apart, of those that do not rank.
    pub fn fill_normal(&self, scores: &mut Scores) {
        let count = scores.by_kind[self.parts[0].0].len();
        scores.by_kind[self.place] = (1..count).step_by(2).map(|row| self.score(scores, row, false)).collect();
    }

    fn score(&self, scores: &Scores, row: usize, ranks: bool) -> f64 {
        let p_value = |(kind, normal): &(usize, NormalScores)| {
            let score = scores.by_kind[*kind][row];
            if ranks { normal.p_value_of_own(score) } else { normal.p_value(score) }
        };
        -2.0 * self.parts.iter().map(|part| libm::log(p_value(part))).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_are_multiplied() {
        // Two parts with normal scores 1, 2, 3 and 10, 20, 30, 40.
        let parts =
            vec![(1, NormalScores::new(vec![1.0, 2.0, 3.0])), (2, NormalScores::new(vec![10.0, 20.0, 30.0, 40.0]))];
        let mut combined = Combined { place: 0, parts, is_own: false };
        let mut scores = Scores { by_kind: vec![vec![], vec![2.5, 9.0, 1.0], vec![50.0, 25.0, 10.0]], errors: None };
        combined.fill(&mut scores, |_| true);
        // (1 + 1)/4 · 1/5, 1/4 · (1 + 2)/5 and 1 · 1.
        let expected = [0.5 * 0.2, 0.25 * 0.6, 1.0f64].map(|p| -2.0 * p.ln());
        assert!(scores.by_kind[0].iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{:?}", scores.by_kind);
        // Rows that rank count themselves: 3/3 and 4/4 of the last; none above the first is one, itself.
        combined.is_own = true;
        combined.fill(&mut scores, |_| true);
        assert!((scores.by_kind[0][0] + 2.0 * (1.0f64 / 3.0 * 0.25).ln()).abs() < 1e-12 && scores.by_kind[0][2] == 0.0);
        // Of normal rows that stand apart, those that do not rank.
        combined.fill_normal(&mut scores);
        assert!(scores.by_kind[0].len() == 1 && (scores.by_kind[0][0] - expected[1]).abs() < 1e-12);
    }
}
