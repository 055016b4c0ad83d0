//! What a model makes of rows and codes in memory: programs of one chunk, run as often as there are rows.

use super::super::given::Given;
use super::super::programs::{Taken, generator, known, transform};
use super::Session;
use super::taken::{Input, Prepared, check_conditions};
use crate::corruption::Corruption;
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::kernels::Step;
use crate::models::{Model, Rows};
use crate::program::ProgramId;

/// Rows that are worked on at once.
pub(super) const CHUNK: usize = 256;

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
        self.of_rows("reconstruct", rows.into(), features, 0, |model, rows| {
            Ok(model.can().reconstruct()?.reconstruct(rows))
        })
    }

    /// Rows as a way to corrupt them leaves them `[rows, features]`, as the seed decides.
    ///
    /// # Errors
    /// As for [`Session::encode`].
    pub fn corrupt<'a>(&mut self, rows: impl Into<Given<'a>>, way: &dyn Corruption, seed: u64) -> Result<Vec<f32>> {
        let features = self.model.features();
        self.of_rows(&format!("corrupt.{way:?}"), rows.into(), features, seed, |_, rows| Ok(way.corrupt(rows.x)))
    }

    /// What each row costs by itself `[rows]`: for a VAE the negative ELBO from one sample of the posterior, which the
    /// seed decides, else the loss.
    ///
    /// # Errors
    /// As for [`Session::encode`].
    pub fn score<'a>(&mut self, rows: impl Into<Given<'a>>, seed: u64) -> Result<Vec<f32>> {
        self.of_rows("score", rows.into(), 1, seed, |model, rows| Ok(model.score(rows)))
    }

    /// What each value of a row costs by itself `[rows, features]`: −ln p(x_j | z) at one code drawn from the row's posterior, which
    /// the seed decides. Their sum over a row is the reconstruction term of [`Session::score`] for the same seed.
    ///
    /// # Errors
    /// If the model has no decoder; otherwise as for [`Session::encode`].
    pub fn score_features<'a>(&mut self, rows: impl Into<Given<'a>>, seed: u64) -> Result<Vec<f32>> {
        let features = self.model.features();
        self.of_rows("score_features", rows.into(), features, seed, |model, rows| {
            Ok(model.can().reconstruct()?.feature_losses(rows))
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
        let taken =
            Taken { width: self.latent()?, condition: self.model.condition().width(), gaps: false, guessed: false };
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
        let taken =
            Taken { width: self.latent()?, condition: self.model.condition().width(), gaps: false, guessed: false };
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

    /// Codes drawn from the prior at a temperature, see [`Generate::tempered_codes`](crate::models::Generate::tempered_codes)
    /// `[count, latent]`; `None` where it is a density of numbers.
    ///
    /// # Errors
    /// As for [`Session::prior_sample`].
    pub fn tempered_prior_sample(&mut self, count: usize, temperature: f32, seed: u64) -> Result<Option<Vec<f32>>> {
        if !self.model.can().generate()?.is_of_choices() {
            return Ok(None);
        }
        let (latent, name) = (self.latent()?, format!("prior.{temperature}"));
        let id = self.load(&name, |model, layout| {
            generator(&name, &layout.read(), |graph| {
                Ok(model.can().generate()?.tempered_codes(graph, CHUNK, temperature))
            })
        })?;
        self.chunks((&name, id), (count, latent), seed, &[]).map(Some)
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
    pub(super) fn transform(
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
    pub(super) fn chunks(
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

#[cfg(test)]
mod tests {
    use super::part_of_seed;

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
}
