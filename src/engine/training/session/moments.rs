//! The spread of codes: mean and variance of the posterior of rows in memory, dimension by dimension.

use super::super::given::Given;
use super::super::programs::transform;
use super::Session;
use super::taken::Prepared;
use crate::error::Result;
use crate::graph::Graph;
use crate::kernels::Step;
use crate::models::example;

/// Codes of each row that moments are estimated from where they have no closed form. Of a Gaussian, the standard error of a variance
/// is √(2/1023), or 4.4 %, of it.
pub const MOMENT_DRAWS: usize = 1024;

/// Rows, and codes of each, that one run works on.
const ROWS: usize = 64;
const CODES: usize = 16;

/// Mean and variance of the posterior q(z | x) of each row, dimension by dimension.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CodeMoments {
    /// E\[z | x\] `[rows, latent]`.
    pub mean: Vec<f32>,
    /// Var\[z_d | x\] of each dimension by itself `[rows, latent]`; 0 where codes are deterministic.
    pub variance: Vec<f32>,
    /// How many codes of each row both were estimated from; `None` where they are computed in closed form.
    pub draws: Option<usize>,
}

impl CodeMoments {
    /// The square roots of the variances `[rows, latent]`.
    pub fn standard_deviation(&self) -> Vec<f32> {
        self.variance.iter().map(|variance| variance.sqrt()).collect()
    }
}

impl Session {
    /// Mean and variance of the posterior of each row: in closed form where it has one, else from [`MOMENT_DRAWS`] codes of each that the
    /// seed decides, with the sample variance.
    ///
    /// # Errors
    /// As for [`Session::encode`].
    pub fn code_moments<'a>(&mut self, rows: impl Into<Given<'a>>, seed: u64) -> Result<CodeMoments> {
        let given = rows.into();
        let (latent, graph) = (self.latent()?, Graph::new());
        if self.model.can().encode()?.variance(example(&*self.model, &graph).rows).is_none() {
            return self.moments_of_draws(given, seed);
        }
        let mean = self.encode(given)?;
        let variance = self.of_rows("variance", given, latent, 0, |model, rows| {
            Ok(model.can().encode()?.variance(rows).expect("there was one of an example"))
        })?;
        Ok(CodeMoments { mean, variance, draws: None })
    }

    fn moments_of_draws(&mut self, given: Given, seed: u64) -> Result<CodeMoments> {
        let ((given, taken), latent) = (self.taken(given), self.latent()?);
        let prepared = Prepared::new(given, taken)?;
        let name = taken.program(&format!("code.{CODES}"));
        let id = self.load(&name, |model, layout| {
            transform(&name, &layout.read(), ROWS, taken, |rows| Ok(model.can().encode()?.draw(rows, CODES)))
        })?;
        let (inputs, output) = (prepared.inputs(&name), format!("output.{name}"));
        let (mut mean, mut variance) = (Vec::new(), Vec::new());
        let (seed, scalars, mut number) = (Step::seed_words(seed), self.scalars(id, 1.0)?, 0);
        for start in (0..prepared.rows).step_by(ROWS) {
            let live = self.write_rows(&inputs, (start, prepared.rows), ROWS)?;
            let mut found = vec![Moments::default(); live * latent];
            for _ in 0..MOMENT_DRAWS / CODES {
                let step = Step { seed, step: number, rows: live as u32, scalars, ..Step::default() };
                // No two runs share their noise.
                number += 1;
                self.executor.run(id, &[step])?;
                let codes = self.executor.read_f32(&output)?;
                for (row, codes) in found.chunks_exact_mut(latent).zip(codes.chunks_exact(CODES * latent)) {
                    for code in codes.chunks_exact(latent) {
                        row.iter_mut().zip(code).for_each(|(moments, &z)| moments.add(f64::from(z)));
                    }
                }
            }
            mean.extend(found.iter().map(|moments| moments.mean as f32));
            variance.extend(found.iter().map(|moments| moments.variance() as f32));
        }
        Ok(CodeMoments { mean, variance, draws: Some(MOMENT_DRAWS) })
    }
}

/// Mean and variance of numbers that come one by one (Welford 1962).
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, x: f64) {
        self.count += 1.0;
        let off = x - self.mean;
        self.mean += off / self.count;
        self.squares += off * (x - self.mean);
    }

    /// The sample variance.
    fn variance(self) -> f64 {
        self.squares / (self.count - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Moments;

    #[test]
    fn moments_by_hand() {
        // Of 1, 2, 4, 9, far from zero: the mean is 4, the squares of what is off sum up to 9 + 4 + 0 + 25 = 38, by three.
        let mut moments = Moments::default();
        [1.0, 2.0, 4.0, 9.0].into_iter().for_each(|x| moments.add(1e6 + x));
        assert!((moments.mean - 1e6 - 4.0).abs() < 1e-8 && (moments.variance() - 38.0 / 3.0).abs() < 1e-6);
    }
}
