//! The aggregate posterior as a Gaussian: how the codes of normal rows are spread.

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};

use crate::apps::Saved;
use crate::apps::uses::parts::parts;
use crate::data::Dataset;
use crate::error::{Error, Result};

/// N(m, S) with the mean and the covariance of codes z ~ q(z | x) of all rows x: S = Cov(E\[z | x\]) + E\[diag Var(z | x)\].
pub struct Aggregate {
    mean: Vec<f64>,
    factor: faer::linalg::solvers::Llt<f64>,
}

impl Aggregate {
    /// That of the rows of a data set.
    ///
    /// # Errors
    /// If the model has no encoder, or the codes are no numbers.
    pub fn of(saved: &mut Saved, data: &Dataset, seed: u64) -> Result<Aggregate> {
        let latent = saved.session.latent()?;
        let (mut rows, mut sum, mut squares) = (0.0, vec![0.0; latent], Mat::<f64>::zeros(latent, latent));
        for part in parts("codes of normal rows", data) {
            let moments = saved.session.code_moments(part.given(), part.seed(seed))?;
            for (mean, variance) in moments.mean.chunks_exact(latent).zip(moments.variance.chunks_exact(latent)) {
                rows += 1.0;
                for i in 0..latent {
                    let a = f64::from(mean[i]);
                    sum[i] += a;
                    squares[(i, i)] += f64::from(variance[i]);
                    (0..=i).for_each(|j| squares[(i, j)] += a * f64::from(mean[j]));
                }
            }
        }
        let mean: Vec<f64> = sum.iter().map(|sum| sum / rows).collect();
        let mut covariance = Mat::from_fn(latent, latent, |i, j| {
            let (i, j) = (i.max(j), i.min(j));
            squares[(i, j)] / rows - mean[i] * mean[j]
        });
        // Directions in which no code moves, as a collapsed one has where codes are points, are given a little.
        let size = (0..latent).map(|i| covariance[(i, i)]).sum::<f64>() / latent as f64;
        (0..latent).for_each(|i| covariance[(i, i)] += 1e-6 * size + 1e-12);
        let factor = covariance.llt(Side::Lower).map_err(|_| {
            Error::invalid("the codes of normal rows have no covariance, as some are no numbers: was the model trained to the end?")
        })?;
        Ok(Aggregate { mean, factor })
    }

    /// √((z − m)ᵀ S⁻¹ (z − m)) of a code.
    pub fn distance(&self, code: &[f32]) -> f64 {
        let off = Mat::from_fn(code.len(), 1, |i, _| f64::from(code[i]) - self.mean[i]);
        let solved = self.factor.solve(&off);
        (0..code.len()).map(|i| off[(i, 0)] * solved[(i, 0)]).sum::<f64>().max(0.0).sqrt()
    }
}
