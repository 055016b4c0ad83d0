//! The marginal likelihood by importance sampling (Burda, Grosse and Salakhutdinov 2016, section 2; Rezende, Mohamed and
//! Wierstra 2014, appendix E).
//!
//! ln p(x) ≈ ln (1/K) Σ_k w_k with w_k = p(x, z_k)/q(z_k | x), z_k ~ q(z | x). It is a lower bound in expectation, and
//! tight as K grows. Codes come in chunks, so that memory on the device does not grow with K; of each row ln w_k come back, and
//! are summed here in f64.
//!
//! How far the estimate may be off is told by the jackknife over codes (Efron 1982, chapters 2 and 3), which leaves out one code at
//! a time. It holds also where a single weight outweighs all others: then what leaving it out changes is its distance from the
//! next. (1/ESS − 1/K, the usual approximation, is never above 1, however far apart the weights are.)
//!
//! An ensemble of M models is their mixture, p(x) = (1/M) Σ_m p_m(x), whose estimate is the mean of the members' own. With their shares
//! r_m = p_m/Σ p of a row, and estimates that are independent, the delta method gives Var ln p = Σ r_m² Var ln p_m, and the bias likewise.

#![allow(clippy::disallowed_methods, reason = "figures, which no program takes")]

use serde::{Deserialize, Serialize};

use super::batches::Batches;
use super::programs::{importance_program, log_weights_of};
use super::session::Session;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::kernels::Step;
use crate::program::ProgramId;

/// Rows, and codes of each, that one step of the program works on.
pub(super) const ROWS: usize = 32;
const CODES: usize = 64;

/// The most codes per row.
pub const MAX_SAMPLES: usize = 5_000;

/// Below so many effective samples, in the mean over rows, neither the estimate nor its errors can be relied on.
pub const RELIABLE_FROM: f64 = 10.0;

/// An estimate of the mean of −ln p(x) over a data set, in nats per example; rows count as they are weighed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// K, codes per row, of each model.
    pub samples: usize,
    /// The estimate.
    pub nll: f64,
    /// Its standard error over the draws of codes, the rows being what they are, by the jackknife; unknown with one code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monte_carlo_error: Option<f64>,
    /// How far it lies above −ln p(x) in expectation, K being finite, by the jackknife; unknown with one code. Where few samples
    /// are effective, the true bias is larger than this estimate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<f64>,
    /// Its standard error over rows: the sample standard deviation of ln p(x) by √rows; of rows that are weighed, that of w·(ln p(x) − mean).
    pub standard_error: f64,
    /// (Σ w)²/Σ w², the mean over rows: how many of the K codes count, of all models.
    pub effective_samples: f64,
    /// Whether at least [`RELIABLE_FROM`] samples are effective.
    pub reliable: bool,
}

/// An estimate of ln p(x) of one row, in nats.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LogLikelihood {
    /// The estimate, ln (1/K) Σ_k w_k: a lower bound in expectation.
    pub log_likelihood: f64,
    /// Its standard error over the draws of codes, by the jackknife; unknown with one code, and infinite where all hangs on one.
    pub standard_error: Option<f64>,
    /// How far it lies below ln p(x) in expectation, by the jackknife, a negative number; unknown with one code.
    pub bias: Option<f64>,
    /// (Σ w)²/Σ w²: how many of the K codes count. Below [`RELIABLE_FROM`] neither the estimate nor its errors can be relied on.
    pub effective_samples: f64,
}

/// What the weights of one row say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    /// ln (1/K) Σ w.
    log_mean: f64,
    /// The variance of that over draws of codes, and its bias, by the jackknife; of two codes or more.
    jackknife: Option<(f64, f64)>,
    /// (Σ w)²/Σ w².
    effective: f64,
}

impl From<Row> for LogLikelihood {
    fn from(Row { log_mean, jackknife, effective }: Row) -> LogLikelihood {
        LogLikelihood {
            log_likelihood: log_mean,
            standard_error: jackknife.map(|(variance, _)| variance.sqrt()),
            bias: jackknife.map(|(_, bias)| bias),
            effective_samples: effective,
        }
    }
}

/// Says so if so many codes of each row cannot be drawn.
pub(super) fn check_samples(samples: usize) -> Result<()> {
    match (1..=MAX_SAMPLES).contains(&samples) {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "{samples} samples per row were asked for: give a whole number from 1 to {MAX_SAMPLES}"
        ))),
    }
}

/// The programs that draw so many codes of each row: how many of them one run draws, and how often it is run.
pub(super) fn runs(samples: usize) -> Result<impl Iterator<Item = (usize, usize)>> {
    check_samples(samples)?;
    let all = [(CODES, samples / CODES), (samples % CODES, usize::from(!samples.is_multiple_of(CODES)))];
    Ok(all.into_iter().filter(|(_, times)| *times > 0))
}

/// (Σ w)²/Σ w² of weights w of which the logarithms are given (Kong 1992): how many draws of equal weight they are worth; 0 where none can be
/// told, as of weights that are all 0 or none.
pub(super) fn effective(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    let (sum, squares) =
        logs.map(|log| (log - largest).exp()).fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
    if sum.is_finite() && squares > 0.0 { sum * sum / squares } else { 0.0 }
}

impl Row {
    /// From ln w of every code of a row.
    fn of(logs: &[f64]) -> Row {
        let count = logs.len() as f64;
        let at = (0..logs.len()).fold(0, |best, k| if logs[k] > logs[best] { k } else { best });
        let largest = logs[at];
        let sum = logs.iter().map(|log| (log - largest).exp()).sum::<f64>();
        let log_mean = largest + (sum / count).ln();
        Row {
            log_mean,
            jackknife: (logs.len() > 1).then(|| jackknife(logs, (at, sum))),
            effective: effective(logs.iter().copied()),
        }
    }

    /// A row under a mixture of models, of what each of them says of it.
    fn mixture(members: &[Row]) -> Row {
        if let [one] = members {
            return *one;
        }
        let largest = members.iter().map(|row| row.log_mean).fold(f64::NEG_INFINITY, f64::max);
        if largest == f64::NEG_INFINITY && members.iter().all(|row| row.log_mean == largest) {
            return members[0];
        }
        let total = members.iter().map(|row| (row.log_mean - largest).exp()).sum::<f64>();
        if !(largest.is_finite() && total.is_finite()) {
            return Row { log_mean: largest + total.ln(), ..members[0] };
        }
        // What has no share says nothing, whatever its error.
        let shares = members.iter().map(|row| ((row.log_mean - largest).exp() / total, row));
        let shares = shares.filter(|(share, _)| *share > 0.0);
        let squares =
            |of: &dyn Fn(&Row) -> f64| shares.clone().map(|(share, row)| share.powi(2) * of(row)).sum::<f64>();
        let jackknife: Option<Vec<(f64, f64)>> = members.iter().map(|row| row.jackknife).collect();
        let known = |row: &Row| row.jackknife.unwrap_or_default();
        Row {
            log_mean: largest + (total / members.len() as f64).ln(),
            jackknife: jackknife.map(|_| (squares(&|row| known(row).0), squares(&|row| known(row).1))),
            effective: 1.0 / squares(&|row| 1.0 / row.effective),
        }
    }

    /// Rows under a mixture of models, of what each of them says of them.
    pub(super) fn mixtures(members: &[Vec<Row>]) -> Vec<Row> {
        let rows = members.first().map_or(0, Vec::len);
        (0..rows).map(|row| Row::mixture(&members.iter().map(|of| of[row]).collect::<Vec<_>>())).collect()
    }
}

/// The jackknife's variance and bias of ln (1/K) Σ w, of ln w of at least two codes, the place of the largest, and Σ w relative
/// to it.
fn jackknife(logs: &[f64], (at, sum): (usize, f64)) -> (f64, f64) {
    let (count, largest) = (logs.len() as f64, logs[at]);
    let others = || logs.iter().enumerate().filter(move |(k, _)| *k != at).map(|(_, log)| *log);
    // Without the largest weight, the rest is summed anew: it may be lost beside it.
    let next = others().fold(f64::NEG_INFINITY, f64::max);
    if next == f64::NEG_INFINITY {
        // All hangs on one code, and how much that may be nobody knows.
        return (f64::INFINITY, f64::NEG_INFINITY);
    }
    let without_largest = next + others().map(|log| (log - next).exp()).sum::<f64>().ln();
    let left_out = |k: usize| {
        let rest = if k == at { without_largest } else { largest + (sum - (logs[k] - largest).exp()).ln() };
        rest - (count - 1.0).ln()
    };
    let mean = (0..logs.len()).map(left_out).sum::<f64>() / count;
    let spread = (0..logs.len()).map(|k| (left_out(k) - mean).powi(2)).sum::<f64>();
    let whole = largest + (sum / count).ln();
    (spread * (count - 1.0) / count, (count - 1.0) * (mean - whole))
}

/// A program that draws so many codes of some rows, which is run so often, and its output of ln w `[rows, codes]`.
pub(super) struct Weigher {
    pub id: ProgramId,
    pub codes: usize,
    pub times: usize,
    pub output: String,
}

impl Session {
    /// Estimates the mean of −ln p(x) over a data set with `samples` codes per row; of an ensemble with so many of each member, and p the
    /// mixture of them.
    ///
    /// # Errors
    /// If the model gives rows no likelihood, `samples` is 0 or above [`MAX_SAMPLES`], or the device fails.
    pub fn importance(&mut self, data: &Dataset, samples: usize) -> Result<Importance> {
        Ok(self.importance_by_member(data, samples)?.0)
    }

    /// The same, and besides that of each member by itself.
    ///
    /// # Errors
    /// As for [`Session::importance`].
    pub fn importance_by_member(&mut self, data: &Dataset, samples: usize) -> Result<(Importance, Vec<Importance>)> {
        let members = self.each_member(|session| session.weigh_data(data, samples))?;
        let of = |rows: &[Row]| summary(rows, &|row| data.weight(row), samples);
        Ok((of(&Row::mixtures(&members)), members.iter().map(|rows| of(rows)).collect()))
    }

    /// What the weights of all rows of a data set say under the model that the session holds.
    fn weigh_data(&mut self, data: &Dataset, samples: usize) -> Result<Vec<Row>> {
        let runs = runs(samples)?;
        self.model.can().density()?;
        let source = self.resident(format!("importance.{}", data.rows), data)?;
        let mut programs = Vec::new();
        for (codes, times) in runs {
            let name = format!("{}.{codes}", source.name);
            let id = self.load(&name, |model, layout| {
                Ok(importance_program(model.can().density()?, &layout.read(), &source, (ROWS, codes)))
            })?;
            programs.push(Weigher { id, codes, times, output: log_weights_of(codes) });
        }
        let mut feed = self.supply(&source, data, None)?;
        let (batches, seed) = (Batches { count: data.rows, rows: ROWS }, Step::seed_words(!self.seed()));
        let (mut rows, mut number) = (Vec::with_capacity(data.rows), 0);
        for batch in 0..batches.len() {
            let (position, live) = batches.at(batch);
            let step = Step { seed, rows: live, position, ..Step::default() };
            self.bring(&mut feed, position, live)?;
            rows.extend(self.weigh(&programs, &step, &mut number)?);
        }
        Ok(rows)
    }

    /// What the weights of the live rows of a step say, of the codes that some programs draw; `number` counts their runs, no two of
    /// which share their noise.
    pub(super) fn weigh(&mut self, programs: &[Weigher], step: &Step, number: &mut u32) -> Result<Vec<Row>> {
        let mut logs: Vec<Vec<f64>> = vec![Vec::new(); step.rows as usize];
        for Weigher { id, codes, times, output } in programs {
            let scalars = self.scalars(*id, 1.0)?;
            for _ in 0..*times {
                self.executor.run(*id, &[Step { step: *number, scalars, ..*step }])?;
                *number += 1;
                let found = self.executor.read_f32(&format!("output.{output}"))?;
                for (logs, found) in logs.iter_mut().zip(found.chunks_exact(*codes)) {
                    logs.extend(found.iter().map(|&log| f64::from(log)));
                }
            }
        }
        Ok(logs.iter().map(|logs| Row::of(logs)).collect())
    }
}

/// Of what is known of each row, and what each weighs, relative to the mean.
fn summary(found: &[Row], weight: &dyn Fn(usize) -> f64, samples: usize) -> Importance {
    let rows = found.len() as f64;
    let weighed = || found.iter().enumerate().map(|(i, row)| (weight(i), row));
    let mean = weighed().map(|(weight, row)| weight * row.log_mean).sum::<f64>() / rows;
    let squares = weighed().map(|(weight, row)| (weight * (row.log_mean - mean)).powi(2));
    let variance = squares.sum::<f64>() / (rows - 1.0).max(1.0);
    // Codes of different rows are independent, so that the variances of their estimates add up.
    let of_row =
        |(weight, row): (f64, &Row)| row.jackknife.map(|(variance, bias)| (weight.powi(2) * variance, weight * bias));
    let jackknife: Option<Vec<(f64, f64)>> = weighed().map(of_row).collect();
    let jackknife = jackknife.as_deref();
    let effective_samples = found.iter().map(|row| row.effective).sum::<f64>() / rows;
    Importance {
        samples,
        nll: -mean,
        monte_carlo_error: jackknife.map(|of| of.iter().map(|j| j.0).sum::<f64>().sqrt() / rows),
        bias: jackknife.map(|of| -of.iter().map(|j| j.1).sum::<f64>() / rows),
        standard_error: (variance / rows).sqrt(),
        effective_samples,
        reliable: effective_samples >= RELIABLE_FROM,
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::Xoshiro256PlusPlus;
    use rand::{RngExt, SeedableRng};

    use super::*;

    /// A standard normal by Box and Muller.
    fn normal(rng: &mut Xoshiro256PlusPlus) -> f64 {
        let [u, v] = [0; 2].map(|_| 1.0 - rng.random::<f64>());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    /// Of rows that all count alike.
    fn even(found: &[Row], samples: usize) -> Importance {
        summary(found, &|_| 1.0, samples)
    }

    #[test]
    fn a_row_of_weight_2_is_that_row_twice() {
        let [a, b] = [[0.0, -1.0], [-3.0, -2.5]].map(|logs| Row::of(&logs));
        // Weights 2 and 1 by their mean 3/2.
        let weighed = summary(&[a, b], &|row| [4.0 / 3.0, 2.0 / 3.0][row], 2);
        let twice = even(&[a, a, b], 2);
        assert!((weighed.nll - twice.nll).abs() < 1e-12 && (weighed.nll - even(&[a, b], 2).nll).abs() > 0.1);
        assert!((weighed.bias.unwrap() - twice.bias.unwrap()).abs() < 1e-12);
        // Both copies of a row draw codes of their own, and a row that counts twice draws once: √(2²V_a + 1²V_b)/3.
        let variance = |row: Row| row.jackknife.unwrap().0;
        let expected = (4.0 * variance(a) + variance(b)).sqrt() / 3.0;
        assert!((weighed.monte_carlo_error.unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn a_row_by_hand() {
        // w = 1, 2, 5: the mean is 8/3; left out in turn, 7/2, 6/2 and 3/2.
        let row = Row::of(&[1.0, 2.0, 5.0].map(f64::ln));
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        close(row.log_mean, (8.0f64 / 3.0).ln());
        close(row.effective, 64.0 / 30.0);
        let left = [3.5f64, 3.0, 1.5].map(f64::ln);
        let mean = left.iter().sum::<f64>() / 3.0;
        let (variance, bias) = row.jackknife.unwrap();
        close(variance, 2.0 / 3.0 * left.iter().map(|l| (l - mean).powi(2)).sum::<f64>());
        close(bias, 2.0 * (mean - (8.0f64 / 3.0).ln()));
        assert_eq!(Row::of(&[-3.0]).jackknife, None);
        // A single code that counts at all says nothing of its error, and that is said.
        let alone = Row::of(&[-3.0, f64::NEG_INFINITY, f64::NEG_INFINITY]);
        close(alone.log_mean, -3.0 - 3f64.ln());
        assert_eq!(alone.jackknife, Some((f64::INFINITY, f64::NEG_INFINITY)));
    }

    /// Two models whose weights of a row are 1, 2, 5 and 4, 6: p = (8/3 + 5)/2.
    #[test]
    fn a_row_of_a_mixture_by_hand() {
        let [a, b] =
            [&[1.0f64, 2.0, 5.0][..], &[4.0, 6.0]].map(|w| Row::of(&w.iter().map(|w| w.ln()).collect::<Vec<_>>()));
        let found = Row::mixture(&[a, b]);
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        let [p, q] = [8.0 / 3.0, 5.0];
        close(found.log_mean, ((p + q) / 2.0f64).ln());
        assert!((found.log_mean - (a.log_mean + b.log_mean) / 2.0).abs() > 0.01, "it is no mean of logarithms");
        let [r, s] = [(p / (p + q)).powi(2), (q / (p + q)).powi(2)];
        let of = |row: Row| row.jackknife.unwrap();
        close(of(found).0, r * of(a).0 + s * of(b).0);
        close(of(found).1, r * of(a).1 + s * of(b).1);
        // Codes of a model that finds the row e^1000 times less likely do not count.
        let far = Row { log_mean: -1000.0, effective: 0.0, jackknife: Some((f64::INFINITY, f64::NEG_INFINITY)) };
        let found = Row::mixture(&[a, far]);
        close(found.log_mean, a.log_mean - 2f64.ln());
        assert_eq!((found.effective, found.jackknife), (a.effective, a.jackknife));
        assert_eq!(Row::mixture(&[b]), b);
        // What no member can give, their mixture cannot; what is not known of one is not known of all.
        let [never, unknown] = [f64::NEG_INFINITY, f64::NAN].map(|log_mean| Row { log_mean, ..far });
        assert_eq!(Row::mixture(&[never, never]).log_mean, f64::NEG_INFINITY);
        assert!(Row::mixture(&[never, unknown]).log_mean.is_nan());
    }

    /// The error of a mixture of two models beside the one that repetition shows.
    #[test]
    fn the_error_of_a_mixture_is_what_repeated_draws_differ_by() {
        const REPEATS: usize = 3000;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(6);
        let mut of = |codes: usize, at: f64, spread: f64| {
            Row::of(&(0..codes).map(|_| at + spread * normal(&mut rng)).collect::<Vec<_>>())
        };
        let rows: Vec<Row> =
            (0..REPEATS).map(|_| Row::mixture(&[of(100, 0.0, 1.0), of(100, 1.0, 0.5), of(100, -2.0, 1.5)])).collect();
        let n = REPEATS as f64;
        let mean = rows.iter().map(|row| row.log_mean).sum::<f64>() / n;
        let seen = (rows.iter().map(|row| (row.log_mean - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        let told = (rows.iter().map(|row| row.jackknife.unwrap().0).sum::<f64>() / n).sqrt();
        assert!((told / seen - 1.0).abs() < 0.1, "{told} told, {seen} seen");
        let right = ((0.5f64.exp() + (1.0 + 0.125f64).exp() + (-2.0 + 1.125f64).exp()) / 3.0).ln();
        assert!((mean - right).abs() < 0.01, "{mean}, {right}");
    }

    #[test]
    fn equal_weights_have_no_error() {
        let found = even(&[Row::of(&[-3.0; 5]), Row::of(&[-3.0; 5])], 5);
        assert!((found.nll - 3.0).abs() < 1e-12 && found.standard_error < 1e-12);
        assert!(found.monte_carlo_error.unwrap() < 1e-9 && found.bias.unwrap().abs() < 1e-9);
        assert!((found.effective_samples - 5.0).abs() < 1e-9 && !found.reliable);
        assert!(even(&[Row::of(&[-1.0; 10])], 10).reliable);
        assert!(even(&[Row::of(&[-3.0, -1.0])], 2).monte_carlo_error.unwrap() > 0.1);
        assert_eq!(even(&[Row::of(&[-3.0])], 1).monte_carlo_error, None);
    }

    #[test]
    fn rows_add_up_as_independent_ones_do() {
        // Two rows whose ln p(x) differ by 2: the sample deviation is √2, by √2 rows 1.
        let found = even(&[Row::of(&[-1.0, -1.0]), Row::of(&[-3.0, -3.0])], 2);
        assert!((found.nll - 2.0).abs() < 1e-12 && (found.standard_error - 1.0).abs() < 1e-12);
        let one = Row::of(&[0.0, -1.0]);
        let (alone, four) = (even(&[one], 2), even(&[one; 4], 2));
        let ratio = alone.monte_carlo_error.unwrap() / four.monte_carlo_error.unwrap();
        assert!((ratio - 2.0).abs() < 1e-12, "four rows halve the error: {ratio}");
        assert!((alone.bias.unwrap() - four.bias.unwrap()).abs() < 1e-12);
    }

    /// The error that is told beside the one that repetition shows, from many effective samples to hardly more than one.
    #[test]
    fn the_error_is_what_repeated_draws_differ_by() {
        const REPEATS: usize = 3000;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
        for (codes, spread, holds) in [(100, 0.5, true), (100, 1.5, true), (100, 3.0, false), (20, 50.0, false)] {
            let rows: Vec<Row> = (0..REPEATS)
                .map(|_| Row::of(&(0..codes).map(|_| spread * normal(&mut rng)).collect::<Vec<_>>()))
                .collect();
            let n = REPEATS as f64;
            let mean = rows.iter().map(|row| row.log_mean).sum::<f64>() / n;
            let seen = (rows.iter().map(|row| (row.log_mean - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
            let told = (rows.iter().map(|row| row.jackknife.unwrap().0).sum::<f64>() / n).sqrt();
            assert!((told / seen - 1.0).abs() < 0.15, "{codes} codes, spread {spread}: {told} told, {seen} seen");
            // E w = e^{spread²/2}: what the estimate misses of it is its bias, which is known where enough samples count.
            let (bias, told) =
                (mean - spread * spread / 2.0, rows.iter().map(|row| row.jackknife.unwrap().1).sum::<f64>() / n);
            assert!(bias < told && told < 0.0 || (bias - told).abs() < 0.01, "{bias} {told}");
            assert_eq!((bias - told).abs() < 0.02, holds, "{codes} codes, spread {spread}: {bias} {told}");
            // The usual approximation does not see it.
            let usual = rows.iter().map(|row| 1.0 / row.effective - 1.0 / codes as f64).sum::<f64>() / n;
            assert_eq!((usual.sqrt() / seen - 1.0).abs() < 0.15, holds, "{usual} beside {seen}");
        }
    }
}
