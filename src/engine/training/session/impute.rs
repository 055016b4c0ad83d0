//! Rows with blanks, filled by importance sampling: with means, and with draws.
//!
//! Codes z_k ~ q(z | x) weigh w_k = p(x_observed | z_k) p(z_k)/q(z_k | x). A mean is Σ w_k E\[x | z_k\]/Σ w_k; a draw takes a code by
//! chance in proportion to w_k and draws all that is missing from p(x | z_k), which as K grows is a draw from p(x_missing | x_observed)
//! (sampling importance resampling: Rubin 1987; Mattei & Frellsen 2019, section 4.2).

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::super::given::Given;
use super::super::importance::{check_samples, effective};
use super::super::programs::{Taken, transform};
use super::Session;
use super::rows::{CHUNK, part_of_seed};
use super::taken::Prepared;
use crate::error::{Error, Result};
use crate::models::{Condition, Rows};

/// Codes of each row that are weighed at once.
const CODES: usize = 16;
/// The most draws of a row.
pub const MAX_DRAWS: usize = 10_000;

/// How blanks are filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imputing {
    /// K, codes of each row that are weighed, at least.
    pub samples: usize,
    /// How often codes are drawn anew after the blanks have been filled with the means of those before. Any codes do, as they are
    /// weighed; but an encoder that has never seen blanks gives better ones of a row that looks whole (after Rezende, Mohamed &
    /// Wierstra 2014, appendix F).
    pub rounds: usize,
    /// Draws of each row; 0 for means alone.
    pub draws: usize,
    /// Whether a draw is one from p(x | z) of the code that was drawn, or E\[x | z\] of it, as new pictures are.
    pub noise: bool,
    /// Decides what is drawn by chance.
    pub seed: u64,
}

/// Rows that were filled.
#[derive(Clone, Debug, PartialEq)]
pub struct Imputed {
    /// All rows `[rows, features]`: what was observed as it is, else what is expected of it.
    pub means: Vec<f32>,
    /// Those of the rows that had blanks, in their order.
    pub blank: Vec<BlankRow>,
}

/// A row that had blanks.
#[derive(Clone, Debug, PartialEq)]
pub struct BlankRow {
    /// Its number.
    pub row: usize,
    /// Whether nothing of it was observed, so that it is filled from the prior.
    pub is_empty: bool,
    /// (Σ w)²/Σ w²: how many of the codes count. Of a row of which nothing was observed, all.
    pub effective_samples: f64,
    /// Draws of the whole row `[draws, features]`, each with what was observed as it is.
    pub draws: Vec<f32>,
}

/// What the codes of a row say.
struct Weighed {
    /// ln w_k.
    logs: Vec<f32>,
    /// `[codes, width of a code]`, where draws are wanted.
    codes: Vec<f32>,
    means: Sum,
}

impl Session {
    /// Rows with what was not observed of them filled in: E\[x | what was observed\] by self-normalised importance sampling with
    /// at least `samples` codes of each row (see [`Weighted::mean`](crate::models::Weighted::mean)). What was observed stays as it
    /// is. `[rows, features]`
    ///
    /// # Errors
    /// If the model gives rows no likelihood, `samples` is 0 or above [`MAX_SAMPLES`](crate::training::MAX_SAMPLES); otherwise as for
    /// [`Session::encode`].
    pub fn impute<'a>(&mut self, rows: impl Into<Given<'a>>, samples: usize, seed: u64) -> Result<Vec<f32>> {
        Ok(self.fill(rows, Imputing { samples, rounds: 0, draws: 0, noise: true, seed })?.means)
    }

    /// Rows with what was not observed of them filled in, by means and by draws. Rows of which nothing was observed are filled from
    /// the prior, unless the model knows why values are missing: then they are filled as all others.
    ///
    /// # Errors
    /// If more than [`MAX_DRAWS`] are asked for, or the model's likelihood is a loss that nothing can be drawn from; otherwise as for
    /// [`Session::impute`].
    pub fn fill<'a>(&mut self, rows: impl Into<Given<'a>>, how: Imputing) -> Result<Imputed> {
        check_samples(how.samples)?;
        if how.draws > MAX_DRAWS {
            return Err(Error::invalid(format!(
                "{} draws of a row were asked for: give {MAX_DRAWS} or fewer",
                how.draws
            )));
        }
        let explains_gaps = self.model.can().density()?.explains_gaps();
        let (given, features) = (rows.into(), self.model.features());
        let (given, taken) = self.taken(given);
        Prepared::new(given, taken)?;
        // Only rows with blanks have anything to fill in.
        let row_of = |row: usize| &given.x[row * features..][..features];
        let y_of = |row: usize| &given.y[row * taken.condition..][..taken.condition];
        let blank: Vec<usize> =
            (0..given.x.len() / features).filter(|&row| row_of(row).iter().any(|value| value.is_nan())).collect();
        let mut imputed = Imputed { means: given.x.to_vec(), blank: Vec::with_capacity(blank.len()) };
        for (block, rows) in blank.chunks(CHUNK).enumerate() {
            let how = Imputing { seed: part_of_seed(how.seed, block as u64), ..how };
            let (empty, some): (Vec<usize>, Vec<usize>) =
                rows.iter().partition(|&&row| !explains_gaps && row_of(row).iter().all(|value| value.is_nan()));
            let gather = |rows: &[usize], of: &dyn Fn(usize) -> Vec<f32>| -> Vec<f32> {
                rows.iter().flat_map(|&row| of(row)).collect()
            };
            let y = |rows: &[usize]| gather(rows, &|row| y_of(row).to_vec());
            let x = gather(&some, &|row| row_of(row).to_vec());
            let mut found = self.given_the_rest(Given::new(&x, &y(&some)), how)?;
            found.extend(self.given_nothing(empty.len(), &y(&empty), how)?);
            let mut found: Vec<_> = some.into_iter().chain(empty).zip(found).collect();
            found.sort_by_key(|(row, _)| *row);
            for (row, (means, mut of_row)) in found {
                let observed = row_of(row);
                let fill = |into: &mut [f32], from: &[f32]| {
                    into.iter_mut().zip(from).filter(|(value, _)| value.is_nan()).for_each(|(value, of)| *value = *of);
                };
                fill(&mut imputed.means[row * features..][..features], &means);
                for draw in of_row.draws.chunks_exact_mut(features) {
                    let drawn = draw.to_vec();
                    draw.copy_from_slice(observed);
                    fill(draw, &drawn);
                }
                of_row.row = row;
                imputed.blank.push(of_row);
            }
        }
        Ok(imputed)
    }

    /// Means and draws of rows of which something was observed.
    fn given_the_rest(&mut self, given: Given, how: Imputing) -> Result<Vec<(Vec<f32>, BlankRow)>> {
        let features = self.model.features();
        let count = given.x.len() / features;
        if count == 0 {
            return Ok(vec![]);
        }
        let mut guess: Option<Vec<f32>> = None;
        for round in 0..how.rounds {
            let seed = part_of_seed(!how.seed, round as u64);
            let found = self.weigh_rows(Given { guess: guess.as_deref(), ..given }, (CODES, false), seed)?;
            guess = Some(found.iter().flat_map(|row| row.means.means().collect::<Vec<_>>()).collect());
        }
        let of_rows = Given { guess: guess.as_deref(), ..given };
        let found = self.weigh_rows(of_rows, (how.samples, how.draws > 0), how.seed)?;
        let [_, width] = self.model.can().density()?.code_shape();
        let condition = given.y.len() / count;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(part_of_seed(how.seed, u64::MAX));
        let mut codes = Vec::with_capacity(count * how.draws * width);
        let mut y = Vec::with_capacity(count * how.draws * condition);
        for (row, found) in found.iter().enumerate() {
            for place in chosen(&found.logs, how.draws, &mut rng) {
                codes.extend_from_slice(&found.codes[place * width..][..width]);
                y.extend_from_slice(&given.y[row * condition..][..condition]);
            }
        }
        let draws = match how.draws {
            0 => vec![],
            _ => self.made_of(Given::new(&codes, &y), how.noise, part_of_seed(how.seed, u64::MAX - 1))?,
        };
        let of_row = |(row, found): (usize, &Weighed)| {
            let draws = draws.get(row * how.draws * features..(row + 1) * how.draws * features).unwrap_or_default();
            let effective_samples = effective(found.logs.iter().map(|&log| f64::from(log)));
            (found.means.means().collect(), BlankRow { row, is_empty: false, effective_samples, draws: draws.to_vec() })
        };
        Ok(found.iter().enumerate().map(of_row).collect())
    }

    /// Means and draws of so many rows of which nothing was observed, by the prior.
    fn given_nothing(&mut self, count: usize, y: &[f32], how: Imputing) -> Result<Vec<(Vec<f32>, BlankRow)>> {
        let features = self.model.features();
        let mut found = Vec::with_capacity(count);
        for row in 0..count {
            let condition = y.len() / count;
            let y = &y[row * condition..][..condition];
            let [of_means, of_draws] = [0, 1].map(|part| part_of_seed(!how.seed, u64::MAX - 2 * row as u64 - part));
            let many = self.sample(how.samples, &self.any_condition(y, how.samples, of_means), of_means)?;
            let mean = |j: usize| {
                let all = many.iter().skip(j).step_by(features).map(|&value| f64::from(value));
                (all.sum::<f64>() / how.samples as f64) as f32
            };
            let draws = match how.draws {
                0 => vec![],
                draws => {
                    let y = self.any_condition(y, draws, of_draws);
                    if how.noise { self.draw_rows(draws, &y, of_draws)? } else { self.sample(draws, &y, of_draws)? }
                }
            };
            let effective_samples = how.samples as f64;
            found.push(((0..features).map(mean).collect(), BlankRow { row, is_empty: true, effective_samples, draws }));
        }
        Ok(found)
    }

    /// So many times what is known of a row; of a model that infers labels, labels by chance, all being as likely.
    fn any_condition(&self, y: &[f32], count: usize, seed: u64) -> Vec<f32> {
        let Condition::Inferred(classes) = self.model.condition() else { return y.repeat(count) };
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let label = |_| -> Vec<f32> {
            let label = rng.random_range(0..classes);
            (0..classes).map(|class| f32::from(u8::from(class == label))).collect()
        };
        (0..count).flat_map(label).collect()
    }

    /// Weighs at least so many codes of rows, and keeps the codes where that is wanted.
    fn weigh_rows(&mut self, given: Given, (samples, keep): (usize, bool), seed: u64) -> Result<Vec<Weighed>> {
        let features = self.model.features();
        let [each, width] = self.model.can().density()?.code_shape();
        let (codes, width) = (CODES * each, if keep { width } else { 0 });
        let name = if keep { "impute.codes" } else { "impute" };
        let new = || Weighed { logs: vec![], codes: vec![], means: Sum::new(features) };
        let mut rows: Vec<Weighed> = (0..given.x.len() / features).map(|_| new()).collect();
        // Codes come in parts, and means are summed up as they come.
        for part in 0..samples.div_ceil(CODES) {
            let outputs = features + 1 + codes * (1 + width);
            let found = self.of_rows(name, given, outputs, part_of_seed(seed, part as u64), |model, rows| {
                let weighted = model.can().density()?.weighted(rows, CODES);
                let [mean, log_total] = weighted.mean();
                let mut all = vec![mean, log_total, weighted.log_weights];
                all.extend(keep.then(|| weighted.codes.reshape(&[rows.count(), codes * width])));
                Ok(mean.graph().concat(&all, 1))
            })?;
            for (row, part) in rows.iter_mut().zip(found.chunks_exact(outputs)) {
                let (mean, rest) = part.split_at(features + 1);
                let (logs, kept) = rest.split_at(codes);
                row.means.add(mean);
                row.logs.extend_from_slice(logs);
                row.codes.extend_from_slice(kept);
            }
        }
        Ok(rows)
    }

    /// Rows drawn from p(x | z), or E\[x | z\], of codes as [`Weighted::codes`](crate::models::Weighted::codes) gives them
    /// `[rows, width]`, with conditions where the model is given them. `[rows, features]`
    fn made_of(&mut self, codes: Given, noise: bool, seed: u64) -> Result<Vec<f32>> {
        let [_, width] = self.model.can().density()?.code_shape();
        let taken = Taken { width, condition: self.model.condition().given(), gaps: false, guessed: false };
        let name = if noise { "draw_given" } else { "mean_given" };
        let id = self.load(name, |model, layout| {
            transform(name, &layout.read(), CHUNK, taken, |Rows { x: z, y, .. }| {
                let density = model.can().density()?;
                let made = if noise { density.draw_given(z, y) } else { Some(density.mean_given(z, y)) };
                made.ok_or_else(|| {
                    Error::invalid("nothing can be drawn from this model's likelihood, which is a loss: fill in means")
                })
            })
        })?;
        self.transform((name, id), codes, taken, self.model.features(), seed)
    }
}

/// The places of so many codes, each taken by chance in proportion to its weight e^{log}.
fn chosen(logs: &[f32], count: usize, rng: &mut Xoshiro256PlusPlus) -> Vec<usize> {
    let largest = logs.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let below: Vec<f64> = logs
        .iter()
        .scan(0.0, |sum, &log| {
            *sum += libm::exp(f64::from(log - largest));
            Some(*sum)
        })
        .collect();
    let total = below.last().copied().unwrap_or_default();
    let last = logs.len() - 1;
    let draw = |_| {
        let at = rng.random::<f64>() * total;
        below.partition_point(|&sum| sum <= at).min(last)
    };
    (0..count).map(draw).collect()
}

/// Weighted means of values, of which parts come one by one.
struct Sum {
    /// The largest logarithm of a part's weight.
    largest: f32,
    /// Σ w and Σ w·value, relative to the largest.
    weight: f64,
    values: Vec<f64>,
}

impl Sum {
    fn new(features: usize) -> Sum {
        Sum { largest: f32::NEG_INFINITY, weight: 0.0, values: vec![0.0; features] }
    }

    /// Takes in the means of a part, behind which the logarithm of its weight stands.
    fn add(&mut self, part: &[f32]) {
        let (log_weight, means) = part.split_last().expect("a weight stands behind the means");
        let largest = self.largest.max(*log_weight);
        // What weighs nothing does so also beside what weighs nothing.
        let relative = |log: f32| if log == f32::NEG_INFINITY { 0.0 } else { libm::exp(f64::from(log - largest)) };
        let [before, now] = [self.largest, *log_weight].map(relative);
        self.largest = largest;
        self.weight = self.weight * before + now;
        for (sum, mean) in self.values.iter_mut().zip(means) {
            *sum = *sum * before + now * f64::from(*mean);
        }
    }

    fn means(&self) -> impl Iterator<Item = f32> {
        self.values.iter().map(|sum| (sum / self.weight) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_taken_in_proportion_to_their_weights() {
        // Weights 1, 0, 3 and 4 times e^{−300}.
        let logs = [1.0f32, 0.0, 3.0, 4.0].map(|weight| weight.ln() - 300.0);
        let mut counts = [0; 4];
        chosen(&logs, 8000, &mut Xoshiro256PlusPlus::seed_from_u64(1)).iter().for_each(|&place| counts[place] += 1);
        // Standard deviations are √(n p (1 − p)), at most 45.
        assert!(
            counts[1] == 0
                && [(0, 1000), (2, 3000), (3, 4000)].iter().all(|&(k, n): &(usize, i32)| (counts[k] - n).abs() < 180),
            "{counts:?}"
        );
        // (1 + 3 + 4)²/(1 + 9 + 16).
        assert!((effective(logs.iter().map(|&log| f64::from(log))) - 64.0 / 26.0).abs() < 1e-3);
        assert!((effective([-5.0; 7].into_iter()) - 7.0).abs() < 1e-9);
        for none in [f64::NEG_INFINITY, f64::NAN] {
            assert_eq!(effective([none; 3].into_iter()), 0.0);
        }
    }

    #[test]
    fn parts_are_weighed_whatever_their_size_and_order() {
        // Weights 1, 3 and 4 times e^{200}: (1·8 + 3·0 + 4·2)/8 = 2 and (1·0 + 3·4 + 4·1)/8 = 2.
        let part = |weight: f32, a: f32, b: f32| [a, b, 200.0 + weight.ln()];
        let parts = [part(1.0, 8.0, 0.0), part(3.0, 0.0, 4.0), part(4.0, 2.0, 1.0)];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let mut sum = Sum::new(2);
            order.iter().for_each(|&i| sum.add(&parts[i]));
            assert!(sum.means().all(|mean| (mean - 2.0).abs() < 1e-4), "{:?}", sum.means().collect::<Vec<_>>());
        }
        let mut one = Sum::new(2);
        one.add(&[5.0, 5.0, f32::NEG_INFINITY]);
        one.add(&parts[0]);
        assert_eq!(one.means().collect::<Vec<_>>(), [8.0, 0.0]);
    }
}
