//! Aggregate posteriors as Gaussians: how the codes of rows, or of the rows of each class, are spread.

use faer::linalg::solvers::{Llt, Solve};
use faer::{Mat, Side};

use super::parts::parts;
use crate::apps::Saved;
use crate::data::{Dataset, Labels};
use crate::error::{Error, Result};
use crate::evaluation::Points;

/// N(m, S) with the mean and the covariance of codes z ~ q(z | x) of all rows x: S = Cov(E\[z | x\]) + E\[diag Var(z | x)\].
pub struct Aggregate {
    mean: Vec<f64>,
    factor: Llt<f64>,
}

impl Aggregate {
    /// That of the rows of a data set.
    ///
    /// # Errors
    /// If the model has no encoder, or the codes are no numbers.
    pub fn of(saved: &mut Saved, data: &Dataset, seed: u64) -> Result<Aggregate> {
        Sums::of(saved, data, 1, |_| 0, seed)?.remove(0).finish()
    }

    /// That of each class.
    ///
    /// # Errors
    /// If there are no rows of a class; as for [`Aggregate::of`].
    pub fn of_classes(saved: &mut Saved, data: &Dataset, labels: &Labels, seed: u64) -> Result<Vec<Aggregate>> {
        let sums = Sums::of(saved, data, labels.classes, |row| labels.values[row] as usize, seed)?;
        if let Some(class) = sums.iter().position(|sums| sums.rows == 0.0) {
            return Err(Error::invalid(format!(
                "no row of {} is of the class {}, so that nothing is known of its codes",
                data.name, labels.names[class]
            )));
        }
        sums.into_iter().map(Sums::finish).collect()
    }

    /// √((z − m)ᵀ S⁻¹ (z − m)) of a code.
    pub fn distance(&self, code: &[f32]) -> f64 {
        let off = Mat::from_fn(code.len(), 1, |i, _| f64::from(code[i]) - self.mean[i]);
        let solved = self.factor.solve(&off);
        (0..code.len()).map(|i| off[(i, 0)] * solved[(i, 0)]).sum::<f64>().max(0.0).sqrt()
    }

    /// Codes that are drawn from it `[count, latent]`: m + L ε, L Lᵀ being S.
    pub fn draw(&self, count: usize, seed: u64) -> Vec<f32> {
        let latent = self.mean.len();
        // Two are the fewest that a sample has.
        let noise = Points::standard_normal(count.max(2), latent, seed, 0).expect("draws from N(0, 1) are finite");
        let lower = self.factor.L();
        let code = |noise: &[f32]| -> Vec<f32> {
            let along = |i: usize| (0..=i).map(|j| lower[(i, j)] * f64::from(noise[j])).sum::<f64>();
            (0..latent).map(|i| (self.mean[i] + along(i)) as f32).collect()
        };
        noise.iter().take(count).flat_map(code).collect()
    }
}

/// Sums over codes.
struct Sums {
    rows: f64,
    mean: Vec<f64>,
    squares: Mat<f64>,
}

impl Sums {
    /// Those of each of so many groups of rows.
    fn of(
        saved: &mut Saved,
        data: &Dataset,
        groups: usize,
        group: impl Fn(usize) -> usize,
        seed: u64,
    ) -> Result<Vec<Sums>> {
        let latent = saved.session.latent()?;
        let empty = || Sums { rows: 0.0, mean: vec![0.0; latent], squares: Mat::zeros(latent, latent) };
        let mut sums: Vec<Sums> = (0..groups).map(|_| empty()).collect();
        for part in parts("codes of rows", data) {
            let moments = saved.session.code_moments(part.given(), part.seed(seed))?;
            let rows = moments.mean.chunks_exact(latent).zip(moments.variance.chunks_exact(latent));
            for (row, (mean, variance)) in rows.enumerate() {
                sums[group(part.start + row)].add(mean, variance);
            }
        }
        Ok(sums)
    }

    fn add(&mut self, mean: &[f32], variance: &[f32]) {
        self.rows += 1.0;
        for i in 0..mean.len() {
            let a = f64::from(mean[i]);
            self.mean[i] += a;
            self.squares[(i, i)] += f64::from(variance[i]);
            (0..=i).for_each(|j| self.squares[(i, j)] += a * f64::from(mean[j]));
        }
    }

    fn finish(self) -> Result<Aggregate> {
        let Sums { rows, mean, squares } = self;
        let latent = mean.len();
        let mean: Vec<f64> = mean.iter().map(|sum| sum / rows).collect();
        let mut covariance = Mat::from_fn(latent, latent, |i, j| {
            let (i, j) = (i.max(j), i.min(j));
            squares[(i, j)] / rows - mean[i] * mean[j]
        });
        // Directions in which no code moves, as a collapsed one has where codes are points, are given a little.
        let size = (0..latent).map(|i| covariance[(i, i)]).sum::<f64>() / latent as f64;
        (0..latent).for_each(|i| covariance[(i, i)] += 1e-6 * size + 1e-12);
        let factor = covariance.llt(Side::Lower).map_err(|_| {
            Error::invalid(
                "the codes of rows have no covariance, as some are no numbers: was the model trained to the end?",
            )
        })?;
        Ok(Aggregate { mean, factor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aggregate(rows: &[([f32; 2], [f32; 2])]) -> Aggregate {
        let mut sums = Sums { rows: 0.0, mean: vec![0.0; 2], squares: Mat::zeros(2, 2) };
        rows.iter().for_each(|(mean, variance)| sums.add(mean, variance));
        sums.finish().unwrap()
    }

    #[test]
    fn draws_have_the_mean_and_the_covariance_of_the_codes() {
        // Means (±2, ±1) by turns around (5, −1), of which the variances (1, 0.5) are added: S is [[5, 2], [2, 1.5]].
        let found = aggregate(&[([7.0, 0.0], [1.0, 0.5]), ([3.0, -2.0], [1.0, 0.5])]);
        let draws = found.draw(40_000, 3);
        let mean = |f: &dyn Fn(f64, f64) -> f64| {
            draws.chunks_exact(2).map(|z| f(f64::from(z[0]) - 5.0, f64::from(z[1]) + 1.0)).sum::<f64>() / 40_000.0
        };
        for (what, got, wanted) in [
            ("mean", mean(&|a, _| a), 0.0),
            ("mean", mean(&|_, b| b), 0.0),
            ("variance", mean(&|a, _| a * a), 5.0),
            ("covariance", mean(&|a, b| a * b), 2.0),
            ("variance", mean(&|_, b| b * b), 1.5),
        ] {
            assert!((got - wanted).abs() < 0.12, "{what} {got}, not {wanted}");
        }
        assert_eq!((found.draw(1, 3), found.draw(0, 3).len()), (draws[..2].to_vec(), 0));
        assert_ne!(found.draw(1, 4), draws[..2]);
        // Of a point at (5 + 5, −1): S⁻¹ is [[1.5, −2], [−2, 5]]/3.5.
        assert!((found.distance(&[10.0, -1.0]) - (25.0f64 * 1.5 / 3.5).sqrt()).abs() < 1e-3);
    }
}
