//! How sure a model is of the values that it gives rows again, by the law of total variance:
//! Var\[x | row\] = Var_z E\[x | z\] + E_z Var\[x | z\], z ~ q(z | row); and where there are several weights, draws of a
//! distribution q(w) or members of an ensemble, the mean of that over them, and Var_w E\[x | row, w\] besides.

use super::super::given::Given;
use super::Session;
use super::rows::part_of_seed;
use crate::error::{Error, Result};
use crate::graph::{Graph, Tensor};
use crate::models::{Rows, example};

/// Codes of each row that are drawn at once.
const CODES: usize = 16;

/// What codes drawn from the posteriors of rows say of their values, each `[rows, features]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Uncertainty {
    /// E_z E\[x | z\]: what is expected.
    pub mean: Vec<f32>,
    /// Var_z E\[x | z\]: how far what codes stand for differs, as a sample variance.
    pub of_codes: Vec<f32>,
    /// E_z Var\[x | z\]: how far values lie from what a code stands for.
    pub of_likelihood: Vec<f32>,
    /// Var_w E_z E\[x | z, w\], as a sample variance, of a model whose weights have a distribution and of an ensemble: then the others are
    /// means over draws of the weights, or over members. Empty where weights are points.
    pub of_weights: Vec<f32>,
}

/// The mean over the codes of each of so many rows.
fn over_codes(t: Tensor, rows: usize) -> Tensor {
    let features = t.width();
    t.reshape(&[rows, CODES, features]).mean(&[1]).reshape(&[rows, features])
}

impl Session {
    /// Mean and variances of the values of rows, from at least `draws` codes of each (two or more) and, where weights have a distribution,
    /// so many draws of the weights (two or more), or all members of an ensemble. The seed decides both; codes are drawn by the same numbers
    /// for each of the weights.
    ///
    /// # Errors
    /// If the model has no likelihood with a variance in closed form; otherwise as for [`Session::encode`].
    pub fn uncertainty<'a>(
        &mut self,
        rows: impl Into<Given<'a>>,
        (draws, weight_draws): (usize, usize),
        seed: u64,
    ) -> Result<Uncertainty> {
        let given = rows.into();
        let Ok(count) = self.count_of_weights(weight_draws) else {
            return self.uncertainty_of_codes(given, draws, seed);
        };
        // Of each value the mean over weights so far, the squares of how far they are from it, and the sums of both other variances.
        let mut sums: Vec<[f64; 4]> = vec![];
        self.over_weights(weight_draws, !seed, |session, draw| {
            let found = session.uncertainty_of_codes(given, draws, seed)?;
            sums.resize(found.mean.len(), [0.0; 4]);
            let values = found.mean.iter().zip(&found.of_codes).zip(&found.of_likelihood);
            for ([mean, squares, codes, likelihood], ((&m, &c), &l)) in sums.iter_mut().zip(values) {
                let off = f64::from(m) - *mean;
                *mean += off / (draw + 1) as f64;
                *squares += off * (f64::from(m) - *mean);
                *codes += f64::from(c);
                *likelihood += f64::from(l);
            }
            Ok(())
        })?;
        let of = |place: usize, over: usize| sums.iter().map(|sums| (sums[place] / over as f64) as f32).collect();
        Ok(Uncertainty {
            mean: of(0, 1),
            of_codes: of(2, count),
            of_likelihood: of(3, count),
            of_weights: of(1, count - 1),
        })
    }

    /// The same for the weights that the session holds.
    fn uncertainty_of_codes(&mut self, given: Given, draws: usize, seed: u64) -> Result<Uncertainty> {
        let (features, graph) = (self.model.features(), Graph::new());
        let latent = self.latent()?;
        let Rows { y, .. } = example(&*self.model, &graph).rows;
        let count = y.map_or(1, |y| y.shape()[0]);
        if self.model.can().decode()?.variance(graph.input("z", &[count, latent]), y).is_none() {
            return Err(Error::invalid(
                "the variance of what this model gives again is not known: that takes a vae with a likelihood whose variance is finite and \
                 has a closed form, which a loss, a negative binomial and a Student's t of nu up to 2 do not have",
            ));
        }
        let parts = draws.div_ceil(CODES).max(1);
        let mut sums: Vec<[f64; 3]> = vec![];
        for part in 0..parts {
            let found =
                self.of_rows("uncertainty", given, 3 * features, part_of_seed(seed, part as u64), |model, rows| {
                    let count = rows.count();
                    let z = model.can().encode()?.draw(rows, CODES);
                    let y = rows.y.map(|y| y.repeat_rows(CODES));
                    let decode = model.can().decode()?;
                    let means = decode.mean(z, y);
                    let mean = over_codes(means, count);
                    let spread = over_codes((means - mean.repeat_rows(CODES)).square(), count);
                    let variance = over_codes(decode.variance(z, y).expect("there was one of an example"), count);
                    Ok(mean.graph().concat(&[mean, spread, variance], 1))
                })?;
            let rows = found.len() / (3 * features);
            sums.resize(rows * features, [0.0; 3]);
            for (row, found) in found.chunks_exact(3 * features).enumerate() {
                for (j, sums) in sums[row * features..][..features].iter_mut().enumerate() {
                    let [mean, spread, variance] = [0, 1, 2].map(|k| f64::from(found[k * features + j]));
                    // Mean and squares of parts that come one by one (Chan, Golub & LeVeque 1983).
                    let before = (part * CODES) as f64;
                    let (all, off) = (before + CODES as f64, mean - sums[0]);
                    sums[1] += CODES as f64 * (spread + off * off * before / all);
                    sums[0] += off * CODES as f64 / all;
                    sums[2] += variance / parts as f64;
                }
            }
        }
        let all = (parts * CODES) as f64;
        let of = |what: &dyn Fn(&[f64; 3]) -> f64| sums.iter().map(|sums| what(sums) as f32).collect();
        Ok(Uncertainty {
            mean: of(&|s| s[0]),
            of_codes: of(&|s| s[1] / (all - 1.0)),
            of_likelihood: of(&|s| s[2]),
            of_weights: vec![],
        })
    }
}
