//! SWAG, stochastic weight averaging with a Gaussian (Maddox, Garipov, Izmailov, Vetrov & Wilson 2019): weights θᵢ that the end of a run passes
//! through are taken as draws from the posterior, and a Gaussian is fitted to them (equation 1):
//!
//! ```text
//! θ ~ N(θ̄, ½ Σ_diag + D Dᵀ/(2(K − 1)))
//! θ̄ = (1/T) Σᵢ θᵢ        Σ_diag = diag((1/T) Σᵢ θᵢ² − θ̄²)        D = (θᵢ − θ̄ᵢ for the last K of the i),
//! ```
//!
//! θ̄ᵢ being the mean of the first i. K is the number of columns that there are, which is less than what was asked for where fewer weights were
//! taken. The mean lies where the weights that are used lie; what is kept here is how they spread around it.

use std::collections::VecDeque;

use super::checkpoint::{Checkpoint, NamedTensor};
use super::weights::{flat, named};
use crate::error::{Error, Result};
use crate::kernels::Step;
use crate::kernels::random::fill_normals;
use crate::program::ParameterSet;

/// The checkpoint's entry of how many weights were taken.
pub(crate) const SWAG: &str = "swag";
/// What stands in a checkpoint before the names of Σᵢ (θᵢ − θ̄)².
const SQUARES: &str = "swag.squares.";

/// How weights spread around their mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Swag {
    /// The most columns.
    columns: usize,
    /// T.
    taken: u64,
    /// Of each group of parameters.
    spreads: Vec<Spread>,
}

/// The same of one group, as its values lie in memory.
#[derive(Clone, Debug, PartialEq)]
struct Spread {
    /// Σᵢ (θᵢ − θ̄)², which is T Σ_diag and keeps digits that the difference of two large numbers would not (Welford 1962).
    squares: Vec<f32>,
    /// The columns of D, the oldest first.
    deviations: VecDeque<Vec<f32>>,
}

/// What stands in a checkpoint before the names of a column.
fn column(place: usize) -> String {
    format!("swag.deviation.{place}.")
}

impl Swag {
    /// Of no weights yet; the covariance has at most so many columns.
    pub(super) fn new(columns: usize, groups: &[ParameterSet]) -> Swag {
        let none = |set: &ParameterSet| Spread { squares: vec![0.0; set.words()], deviations: VecDeque::new() };
        Swag { columns, taken: 0, spreads: groups.iter().map(none).collect() }
    }

    /// How many weights were taken.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Forgets what was taken.
    pub(super) fn clear(&mut self) {
        self.taken = 0;
        for spread in &mut self.spreads {
            spread.squares.fill(0.0);
            spread.deviations.clear();
        }
    }

    /// Takes weights, and moves their mean; both are of all groups.
    pub(super) fn take(&mut self, mean: &mut [Vec<f32>], weights: &[Vec<f32>]) {
        self.taken += 1;
        let (is_first, share) = (self.taken == 1, 1.0 / self.taken as f64);
        for ((spread, mean), weights) in self.spreads.iter_mut().zip(mean).zip(weights) {
            if is_first {
                mean.clone_from(weights);
            }
            let moved = mean.iter_mut().zip(&mut spread.squares).zip(weights).map(|((mean, squares), weight)| {
                let off = f64::from(*weight) - f64::from(*mean);
                *mean = (f64::from(*mean) + off * share) as f32;
                let deviation = f64::from(*weight) - f64::from(*mean);
                *squares = (f64::from(*squares) + off * deviation) as f32;
                deviation as f32
            });
            let deviations = moved.collect();
            spread.deviations.push_back(deviations);
            if spread.deviations.len() > self.columns {
                spread.deviations.pop_front();
            }
        }
    }

    /// Says so if too few weights were taken for a spread.
    pub(super) fn check(&self) -> Result<()> {
        match self.taken {
            0 | 1 => Err(Error::invalid(format!(
                "of the weights of this run that --swag takes there {}, and a spread takes 2 or more: go on with elbo train --resume",
                if self.taken == 0 { "are none yet" } else { "is 1 so far" }
            ))),
            _ => Ok(()),
        }
    }

    /// Puts a draw in place of the mean of all groups, as the seed decides: θ̄ + Σ_diag^½ z₁/√2 + D z₂/√(2(K − 1)) with standard normal z₁, one
    /// number for each weight, and z₂, one for each column. The column of the first weights that were taken is 0, as their mean is themselves.
    ///
    /// # Errors
    /// If too few weights were taken.
    pub(super) fn draw(&self, mean: &mut [Vec<f32>], seed: u64) -> Result<()> {
        self.check()?;
        let step = Step { seed: Step::seed_words(seed), ..Step::default() };
        let columns = self.spreads.first().map_or(0, |spread| spread.deviations.len());
        let mut of_columns = vec![0.0; columns];
        fill_normals(&mut of_columns, 0, &step, 0);
        let scale = 1.0 / libm::sqrt(2.0 * (columns.max(2) - 1) as f64);
        for (stream, (spread, mean)) in (1..).zip(self.spreads.iter().zip(mean)) {
            let mut of_weights = vec![0.0; mean.len()];
            fill_normals(&mut of_weights, 0, &step, stream);
            for (i, (value, z)) in mean.iter_mut().zip(&of_weights).enumerate() {
                let deviation = libm::sqrt(0.5 * f64::from(spread.squares[i]) / self.taken as f64);
                let along = spread.deviations.iter().zip(&of_columns).map(|(d, z)| f64::from(d[i]) * f64::from(*z));
                *value = (f64::from(*value) + deviation * f64::from(*z) + scale * along.sum::<f64>()) as f32;
            }
        }
        Ok(())
    }

    /// Writes it into a checkpoint.
    pub(super) fn write(&self, groups: &[ParameterSet], checkpoint: &mut Checkpoint) {
        checkpoint.set_metadata(SWAG, self.taken);
        for (set, spread) in groups.iter().zip(&self.spreads) {
            let mut tensors: Vec<NamedTensor> = named(set, &spread.squares, SQUARES);
            for (place, deviations) in spread.deviations.iter().enumerate() {
                tensors.extend(named(set, deviations, &column(place)));
            }
            checkpoint.tensors.extend(tensors);
        }
    }

    /// What [`Swag::write`] wrote.
    ///
    /// # Errors
    /// If it is missing, or of another architecture.
    pub(super) fn read(columns: usize, groups: &[ParameterSet], checkpoint: &Checkpoint) -> Result<Swag> {
        let taken = checkpoint.metadata_u64(SWAG)?;
        let count = taken.min(columns as u64) as usize;
        let one = |set: &ParameterSet| -> Result<Spread> {
            let deviations = (0..count).map(|place| flat(set, &column(place), checkpoint)).collect::<Result<_>>()?;
            Ok(Spread { squares: flat(set, SQUARES, checkpoint)?, deviations })
        };
        Ok(Swag { columns, taken, spreads: groups.iter().map(one).collect::<Result<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weights of two groups behind four epochs.
    const TAKEN_OF: [[[f32; 3]; 2]; 4] = [
        [[1.0, -2.0, 0.5], [100.0, 3.0, 7.0]],
        [[1.5, -2.5, 0.5], [100.25, 2.0, 7.0]],
        [[0.75, -1.0, 0.5], [99.5, 4.0, 7.0]],
        [[1.25, -2.25, 0.5], [100.5, 1.0, 7.0]],
    ];

    fn groups() -> Vec<ParameterSet> {
        [("a", "encoder.weight"), ("b", "decoder.weight")]
            .map(|(set, name)| ParameterSet::new(set, [(name.to_string(), vec![3])]))
            .into()
    }

    fn taken(columns: usize) -> (Swag, Vec<Vec<f32>>) {
        let mut swag = Swag::new(columns, &groups());
        let mut mean: Vec<Vec<f32>> = groups().iter().map(|set| vec![9.0; set.words()]).collect();
        TAKEN_OF.iter().for_each(|weights| swag.take(&mut mean, &of_sets(weights)));
        (swag, mean)
    }

    /// Groups and weights of them.
    fn places() -> impl Iterator<Item = (usize, usize)> {
        (0..6).map(|at| (at / 3, at % 3))
    }

    /// Values as they lie in memory, behind which there may be room.
    fn of_sets(weights: &[[f32; 3]; 2]) -> Vec<Vec<f32>> {
        let one = |(set, values): (&ParameterSet, &[f32; 3])| {
            let mut all = vec![0.0; set.words()];
            all[..3].copy_from_slice(values);
            all
        };
        groups().iter().zip(weights).map(one).collect()
    }

    /// Of weight `i` of a group: all that were taken, in f64.
    fn course(group: usize, i: usize) -> Vec<f64> {
        TAKEN_OF.iter().map(|weights| f64::from(weights[group][i])).collect()
    }

    fn mean_of(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    /// Variance (1/T) Σ θ² − θ̄² of weight `i` of a group, and its part of the last K columns, by hand.
    fn by_hand(group: usize, i: usize, columns: usize) -> (f64, f64, Vec<f64>) {
        let all = course(group, i);
        let mean = mean_of(&all);
        let squares = all.iter().map(|x| x * x).sum::<f64>() / all.len() as f64;
        let deviations = (1..=all.len()).map(|t| all[t - 1] - mean_of(&all[..t])).skip(all.len() - columns);
        (mean, squares - mean * mean, deviations.collect())
    }

    #[test]
    fn moments_by_hand() {
        let (swag, mean) = taken(3);
        assert_eq!(swag.taken(), 4);
        for (group, i) in places() {
            let (wanted, variance, deviations) = by_hand(group, i, 3);
            assert!((f64::from(mean[group][i]) - wanted).abs() < 1e-5, "{group}, {i}");
            let found = f64::from(swag.spreads[group].squares[i]) / 4.0;
            assert!((found - variance).abs() < 1e-5, "{group}, {i}: {found}, {variance}");
            for (k, wanted) in deviations.iter().enumerate() {
                let found = f64::from(swag.spreads[group].deviations[k][i]);
                assert!((found - wanted).abs() < 1e-5, "{group}, {i}, {k}: {found}, {wanted}");
            }
        }
        // 1, 1.5, 0.75, 1.25: from the means 1, 1.25, 1.0833 and 1.125; the first column of the last three is that of the second.
        let found: Vec<f32> = swag.spreads[0].deviations.iter().map(|d| d[0]).collect();
        assert!(
            found.iter().zip([0.25, -1.0 / 3.0, 0.125]).all(|(found, wanted)| (found - wanted).abs() < 1e-6),
            "{found:?}"
        );
        // From the mean of all, the first would be 1.5 − 1.125.
        assert_eq!((swag.spreads[0].deviations.len(), mean[0][0]), (3, 1.125));
        assert_eq!(taken(20).0.spreads[1].deviations.len(), 4, "no more than were taken");
    }

    /// θ̄ + Σ_diag^½ z₁/√2 + D z₂/√(2(K − 1)), the normals being those of the generator.
    #[test]
    fn a_draw_by_hand() {
        for columns in [2, 3] {
            let (swag, mean) = taken(columns);
            let mut drawn = mean.clone();
            swag.draw(&mut drawn, 77).unwrap();
            let step = Step { seed: [77, 0], ..Step::default() };
            let normals = |stream: u32| -> Vec<f64> {
                let one = |e: u32| crate::kernels::random::normal4(&step, stream, e / 4)[e as usize % 4];
                (0..4).map(|e| f64::from(one(e))).collect()
            };
            let of_columns = normals(0);
            let of_groups = [normals(1), normals(2)];
            for (group, i) in places() {
                let (mean, variance, deviations) = by_hand(group, i, columns);
                let along: f64 = deviations.iter().zip(&of_columns).map(|(d, z)| d * z).sum();
                let of = |divisor: f64| mean + (variance / 2.0).sqrt() * of_groups[group][i] + along / divisor.sqrt();
                let (wanted, other) = (of(2.0 * (columns as f64 - 1.0)), of(2.0 * columns as f64));
                let found = f64::from(drawn[group][i]);
                assert!((found - wanted).abs() < 2e-5, "{columns}, {group}, {i}: {found}, {wanted}");
                assert!(i == 2 || (found - other).abs() > 1e-3, "another divisor is seen");
            }
        }
    }

    /// Cov[θ] = ½ Σ_diag + D Dᵀ/(2(K − 1)), also of weights of different groups; a weight that never moved stays.
    #[test]
    fn many_draws_spread_as_the_formula_says() {
        const COLUMNS: usize = 3;
        const DRAWS: u64 = 20_000;
        let (swag, mean) = taken(COLUMNS);
        let places = [(0, 0), (0, 1), (1, 0), (1, 1)];
        let mut sums = [[0.0; 4]; 4];
        for seed in 0..DRAWS {
            let mut drawn = mean.clone();
            swag.draw(&mut drawn, seed).unwrap();
            assert_eq!((drawn[0][2], drawn[1][2]), (0.5, 7.0));
            let off = places.map(|(group, i)| f64::from(drawn[group][i] - mean[group][i]));
            (0..16).for_each(|at| sums[at / 4][at % 4] += off[at / 4] * off[at % 4] / DRAWS as f64);
        }
        for (a, (group, i)) in places.into_iter().enumerate() {
            for (b, (other, j)) in places.into_iter().enumerate() {
                let ((_, variance, d), (_, of_other, e)) = (by_hand(group, i, COLUMNS), by_hand(other, j, COLUMNS));
                let along = d.iter().zip(&e).map(|(d, e)| d * e).sum::<f64>() / (2.0 * (COLUMNS as f64 - 1.0));
                let wanted = along + if a == b { variance / 2.0 } else { 0.0 };
                // Six standard errors of a covariance of normals.
                let total = |variance: f64, d: &[f64]| variance / 2.0 + d.iter().map(|d| d * d).sum::<f64>() / 4.0;
                let error = 6.0 * (2.0 * total(variance, &d) * total(of_other, &e) / DRAWS as f64).sqrt();
                assert!((sums[a][b] - wanted).abs() < error, "{a}, {b}: {}, {wanted} ± {error}", sums[a][b]);
                // The whole diagonal, or none of it, would be seen.
                assert!(a != b || variance / 2.0 > 2.0 * error, "{a}: {variance}, {error}");
                assert!(along.abs() > 1.2 * error, "{a}, {b}: {along}, {error}");
            }
        }
    }

    #[test]
    fn a_spread_comes_back_whole_and_a_torn_one_is_refused() {
        let (swag, _) = taken(3);
        let mut checkpoint = Checkpoint::default();
        swag.write(&groups(), &mut checkpoint);
        assert_eq!(checkpoint.tensors.len(), 2 * 4);
        assert_eq!(Swag::read(3, &groups(), &checkpoint).unwrap(), swag);
        let torn = |change: fn(&mut Checkpoint)| {
            let mut torn = checkpoint.clone();
            change(&mut torn);
            Swag::read(3, &groups(), &torn).unwrap_err().to_string()
        };
        assert!(torn(|c| c.metadata.clear()).contains("does not say its `swag`"));
        assert!(torn(|c| c.tensors.truncate(7)).contains("it has no swag.deviation.2.decoder.weight"));
        assert!(torn(|c| c.tensors.truncate(1)).contains("swag.deviation.0.encoder.weight"));
        let mut cleared = swag.clone();
        cleared.clear();
        assert_eq!(cleared, Swag::new(3, &groups()));
    }

    #[test]
    fn too_few_weights_have_no_spread() {
        let mut swag = Swag::new(3, &groups());
        let mut mean = of_sets(&TAKEN_OF[0]);
        let why = |swag: &Swag, mean: &mut Vec<Vec<f32>>| swag.draw(mean, 1).unwrap_err().to_string();
        assert!(why(&swag, &mut mean).contains("are none yet"));
        swag.take(&mut mean, &of_sets(&TAKEN_OF[0]));
        assert!(why(&swag, &mut mean).contains("is 1 so far"));
    }
}
