//! What a model makes of rows and codes in memory: programs of one chunk, run as often as there are rows.

use super::super::given::Given;
use super::super::importance::check_samples;
use super::super::programs::{Taken, generator, known, transform};
use super::Session;
use super::taken::{Input, Prepared, check_conditions};
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::kernels::Step;
use crate::models::{Model, Rows};
use crate::program::ProgramId;

/// Rows that are worked on at once.
const CHUNK: usize = 256;
/// Codes of each row that are weighed at once.
const CODES: usize = 16;

/// A seed of its own for each part of what a seed decides: no two parts, of one seed or of neighbouring ones, share what they draw
/// (SplitMix64, Steele, Lea and Flood 2014).
pub fn part_of_seed(seed: u64, part: u64) -> u64 {
    let mut z = seed.wrapping_add(part.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Session {
    /// Posterior means `[rows, latent]` of rows.
    ///
    /// # Errors
    /// If these are not whole rows, if what must be known of them is missing, or if the device fails.
    pub fn encode<'a>(&mut self, rows: impl Into<Given<'a>>) -> Result<Vec<f32>> {
        let latent = self.latent()?;
        self.of_rows("encode", rows.into(), latent, 0, |model, rows| Ok(model.can().encode()?.mean(rows)))
    }

    /// q(y | x): how likely each label is for each row `[rows, classes]`, of a model that infers it.
    ///
    /// # Errors
    /// If the model infers no labels; otherwise as for [`Session::encode`].
    pub fn classify(&mut self, x: &[f32]) -> Result<Vec<f32>> {
        self.model.can().classify()?;
        let classes = self.model.condition().width();
        self.of_rows("classify", x.into(), classes, 0, |model, rows| Ok(model.can().classify()?.probabilities(rows.x)))
    }

    /// A code of each row `[rows, latent]`, drawn from its posterior as the seed decides.
    ///
    /// # Errors
    /// As for [`Session::encode`].
    pub fn draw_codes<'a>(&mut self, rows: impl Into<Given<'a>>, seed: u64) -> Result<Vec<f32>> {
        let latent = self.latent()?;
        self.of_rows("code", rows.into(), latent, seed, |model, rows| Ok(model.can().encode()?.draw(rows, 1)))
    }

    /// E\[x | z\] at the posterior means `[rows, features]`.
    ///
    /// # Errors
    /// If the model has no decoder; otherwise as for [`Session::encode`].
    pub fn reconstruct<'a>(&mut self, rows: impl Into<Given<'a>>) -> Result<Vec<f32>> {
        let features = self.model.features();
        self.of_rows("reconstruct", rows.into(), features, 0, |model, rows| Ok(model.can().decode()?.reconstruct(rows)))
    }

    /// What each row costs by itself `[rows]`: for a VAE the negative ELBO from one sample of the posterior, which the
    /// seed decides, else the loss.
    ///
    /// # Errors
    /// As for [`Session::encode`].
    pub fn score<'a>(&mut self, rows: impl Into<Given<'a>>, seed: u64) -> Result<Vec<f32>> {
        self.of_rows("score", rows.into(), 1, seed, |model, rows| Ok(model.score(rows)))
    }

    /// Rows with what was not observed of them filled in: E\[x | what was observed\] by self-normalised importance sampling with
    /// at least `samples` codes of each row (see [`Weighted::mean`](crate::models::Weighted::mean)). What was observed stays as it
    /// is. `[rows, features]`
    ///
    /// # Errors
    /// If the model gives rows no likelihood, `samples` is 0 or above [`MAX_SAMPLES`](crate::training::MAX_SAMPLES); otherwise as for
    /// [`Session::encode`].
    pub fn impute<'a>(&mut self, rows: impl Into<Given<'a>>, samples: usize, seed: u64) -> Result<Vec<f32>> {
        check_samples(samples)?;
        self.model.can().density()?;
        let (given, features) = (rows.into(), self.model.features());
        let (given, taken) = self.taken(given);
        Prepared::new(given, taken)?;
        // Only rows with blanks have anything to fill in.
        let has_blanks = |row: &usize| given.x[row * features..][..features].iter().any(|value| value.is_nan());
        let rows: Vec<usize> = (0..given.x.len() / features).filter(has_blanks).collect();
        let pick = |values: &[f32], width: usize| -> Vec<f32> {
            rows.iter().flat_map(|&row| &values[row * width..][..width]).copied().collect()
        };
        let (x, y) = (pick(given.x, features), pick(given.y, taken.condition));
        // Codes come in parts, and are summed up as they come, so that memory does not grow with their number.
        let mut sums: Vec<Sum> = rows.iter().map(|_| Sum::new(features)).collect();
        let parts = if rows.is_empty() { 0 } else { samples.div_ceil(CODES) };
        for part in 0..parts {
            let seed = part_of_seed(seed, part as u64);
            let found = self.of_rows("impute", Given::new(&x, &y), features + 1, seed, |model, rows| {
                let [mean, log_total] = model.can().density()?.weighted(rows, CODES).mean();
                Ok(mean.graph().concat(&[mean, log_total], 1))
            })?;
            sums.iter_mut().zip(found.chunks_exact(features + 1)).for_each(|(sum, part)| sum.add(part));
        }
        let mut filled = given.x.to_vec();
        for (&row, sum) in rows.iter().zip(&sums) {
            let row = &mut filled[row * features..][..features];
            row.iter_mut().zip(sum.means()).filter(|(value, _)| value.is_nan()).for_each(|(value, mean)| *value = mean);
        }
        Ok(filled)
    }

    /// What each value of a row costs by itself `[rows, features]`: −ln p(x_j | z) at one code drawn from the row's posterior, which
    /// the seed decides. Their sum over a row is the reconstruction term of [`Session::score`] for the same seed.
    ///
    /// # Errors
    /// If the model has no decoder; otherwise as for [`Session::encode`].
    pub fn score_features<'a>(&mut self, rows: impl Into<Given<'a>>, seed: u64) -> Result<Vec<f32>> {
        let features = self.model.features();
        self.of_rows("score_features", rows.into(), features, seed, |model, rows| {
            Ok(model.can().decode()?.feature_losses(rows))
        })
    }

    /// What a model makes of rows: `outputs` values of each.
    pub(super) fn of_rows(
        &mut self,
        name: &str,
        given: Given,
        outputs: usize,
        seed: u64,
        work: impl for<'g> FnOnce(&dyn Model, Rows<'g>) -> Result<Tensor<'g>>,
    ) -> Result<Vec<f32>> {
        let (given, taken) = self.taken(given);
        let name = &taken.program(name);
        let id =
            self.load(name, |model, layout| transform(name, &layout.read(), CHUNK, taken, |rows| work(model, rows)))?;
        self.transform((name, id), given, taken, outputs, seed)
    }

    /// E\[x | z, y\] `[rows, features]` of codes z `[rows, latent]`, and of conditions y `[rows, condition]` where the model
    /// is given them.
    ///
    /// # Errors
    /// If the model has no decoder; otherwise as for [`Session::encode`].
    pub fn decode<'a>(&mut self, codes: impl Into<Given<'a>>) -> Result<Vec<f32>> {
        let taken = Taken { width: self.latent()?, condition: self.model.condition().width(), gaps: false };
        let id = self.load("decode", |model, layout| {
            transform("decode", &layout.read(), CHUNK, taken, |Rows { x: z, y, .. }| {
                Ok(model.can().decode()?.mean(z, y))
            })
        })?;
        self.transform(("decode", id), codes.into(), taken, self.model.features(), 0)
    }

    /// Rows drawn from p(x | z, y) `[rows, features]` for codes and conditions as for [`Session::decode`], as the seed decides;
    /// E\[x | z, y\] where the reconstruction is a loss and no density.
    ///
    /// # Errors
    /// As for [`Session::decode`].
    pub fn draw_decoded<'a>(&mut self, codes: impl Into<Given<'a>>, seed: u64) -> Result<Vec<f32>> {
        let taken = Taken { width: self.latent()?, condition: self.model.condition().width(), gaps: false };
        let id = self.load("draw_decoded", |model, layout| {
            transform("draw_decoded", &layout.read(), CHUNK, taken, |Rows { x: z, y, .. }| {
                let decoder = model.can().decode()?;
                Ok(decoder.draw(z, y).unwrap_or_else(|| decoder.mean(z, y)))
            })
        })?;
        self.transform(("draw_decoded", id), codes.into(), taken, self.model.features(), seed)
    }

    /// New data: E\[x | z, y\] for codes drawn from the prior, `count` of them, each with the condition of its place in `y`
    /// `[count, condition]` where the model is given conditions; see [`Generate::rows`](crate::models::Generate::rows).
    /// `[count, features]`
    ///
    /// # Errors
    /// If the model has no prior, conditions are missing, or the device fails.
    pub fn sample(&mut self, count: usize, y: &[f32], seed: u64) -> Result<Vec<f32>> {
        self.generated("sample", (count, y), seed, |model, graph, y| Ok(model.can().generate()?.rows(graph, CHUNK, y)))
    }

    /// New data, drawn from p(x | z, y) for codes drawn from the prior, where the model can draw it; else as [`Session::sample`]
    /// gives it. `[count, features]`
    ///
    /// # Errors
    /// As for [`Session::sample`].
    pub fn draw_rows(&mut self, count: usize, y: &[f32], seed: u64) -> Result<Vec<f32>> {
        self.generated("draw", (count, y), seed, |model, graph, y| {
            let (codes, decoder) = (model.can().generate()?.codes(graph, CHUNK), model.can().decode()?);
            match decoder.draw(codes, y) {
                Some(rows) => Ok(rows),
                None => Ok(model.can().generate()?.rows(graph, CHUNK, y)),
            }
        })
    }

    /// So many new rows, of which a model makes a chunk at a time, each given the condition of its place in `y`.
    fn generated(
        &mut self,
        name: &str,
        (count, y): (usize, &[f32]),
        seed: u64,
        work: impl for<'g> FnOnce(&dyn Model, &'g Graph, Option<Tensor<'g>>) -> Result<Tensor<'g>>,
    ) -> Result<Vec<f32>> {
        self.model.can().generate()?;
        let (features, condition) = (self.model.features(), self.model.condition().width());
        check_conditions(y, count, condition)?;
        let known = known(name);
        let id = self.load(name, |model, layout| {
            generator(name, &layout.read(), |graph| {
                let y = (condition > 0).then(|| graph.input(&known, &[CHUNK, condition]));
                work(model, graph, y)
            })
        })?;
        self.chunks((name, id), (count, features), seed, &[(known, y, condition)])
    }

    /// Codes drawn from the prior. `[count, latent]`
    ///
    /// # Errors
    /// If the model has no prior, or the device fails.
    pub fn prior_sample(&mut self, count: usize, seed: u64) -> Result<Vec<f32>> {
        let latent = self.latent()?;
        let id = self.load("prior", |model, layout| {
            generator("prior", &layout.read(), |graph| Ok(model.can().generate()?.codes(graph, CHUNK)))
        })?;
        self.chunks(("prior", id), (count, latent), seed, &[])
    }

    /// The mean and the standard deviation of each dimension of the prior, where it is a product of Gaussians.
    ///
    /// # Errors
    /// If the model has no prior, or the device fails.
    pub fn prior_moments(&mut self) -> Result<Option<[Vec<f32>; 2]>> {
        let latent = self.latent()?;
        if self.model.can().generate()?.gaussian(&Graph::new()).is_none() {
            return Ok(None);
        }
        let id = self.load("prior_moments", |model, layout| {
            generator("prior_moments", &layout.read(), |graph| {
                let found = model.can().generate()?.gaussian(graph).expect("there was one of another graph");
                let [mean, log_var] = found.map(|t| t.expand(&[CHUNK, latent]));
                Ok(graph.concat(&[mean, (log_var * 0.5).exp()], 1))
            })
        })?;
        let found = self.chunks(("prior_moments", id), (1, 2 * latent), 0, &[])?;
        Ok(Some([found[..latent].to_vec(), found[latent..].to_vec()]))
    }

    /// Runs a loaded transform over rows, a chunk at a time; gives rows of `outputs` values.
    fn transform(
        &mut self,
        (name, id): (&str, ProgramId),
        given: Given,
        taken: Taken,
        outputs: usize,
        seed: u64,
    ) -> Result<Vec<f32>> {
        let prepared = Prepared::new(given, taken)?;
        self.chunks((name, id), (prepared.rows, outputs), seed, &prepared.inputs(name))
    }

    /// Runs a loaded program for so many rows, a chunk at a time, writing its inputs.
    fn chunks(
        &mut self,
        (name, id): (&str, ProgramId),
        (rows, outputs): (usize, usize),
        seed: u64,
        inputs: &[Input],
    ) -> Result<Vec<f32>> {
        let mut out = Vec::with_capacity(rows * outputs);
        let scalars = self.scalars(id, 1.0)?;
        for (i, start) in (0..rows).step_by(CHUNK).enumerate() {
            let live = self.write_rows(inputs, (start, rows), CHUNK)?;
            let step =
                Step { seed: Step::seed_words(seed), step: i as u32, rows: live as u32, scalars, ..Step::default() };
            self.executor.run(id, &[step])?;
            let result = self.executor.read_f32(&format!("output.{name}"))?;
            out.extend_from_slice(&result[..live * outputs]);
        }
        Ok(out)
    }
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
    use super::{Sum, part_of_seed};

    #[test]
    fn no_two_parts_share_a_seed() {
        let all: std::collections::HashSet<u64> =
            (0..300).flat_map(|seed| (0..300).map(move |part| part_of_seed(seed, part))).collect();
        assert_eq!(all.len(), 300 * 300);
        // What a plain sum does.
        let sums: std::collections::HashSet<u64> =
            (0..300u64).flat_map(|seed| (0..300).map(move |part| seed + part)).collect();
        assert!(sums.len() < 600);
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
