//! What a model makes of rows and codes in memory: programs of one chunk, run as often as there are rows.

use super::super::given::Given;
use super::super::programs::{generator, known, transform};
use super::Session;
use crate::error::{Error, Result};
use crate::graph::Tensor;
use crate::kernels::Step;
use crate::models::{Model, Rows};
use crate::program::ProgramId;

/// Rows that are worked on at once.
const CHUNK: usize = 256;

impl Session {
    /// Posterior means `[rows, latent]` of rows.
    ///
    /// # Errors
    /// If these are not whole rows, if what must be known of them is missing, or if the device fails.
    pub fn encode<'a>(&mut self, rows: impl Into<Given<'a>>) -> Result<Vec<f32>> {
        self.encoder()?;
        let widths = (self.model.features(), self.model.condition().given(), self.latent()?);
        self.transform("encode", self.known_of(rows.into()), widths, 0)
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
        self.of_rows("code", rows.into(), latent, seed, |model, rows| Ok(model.can().encode()?.draw(rows)))
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

    /// What a model makes of rows: `outputs` values of each.
    fn of_rows(
        &mut self,
        name: &str,
        given: Given,
        outputs: usize,
        seed: u64,
        work: impl for<'g> FnOnce(&dyn Model, Rows<'g>) -> Result<Tensor<'g>>,
    ) -> Result<Vec<f32>> {
        let (features, condition) = (self.model.features(), self.model.condition().given());
        self.load(name, |model, layout| {
            transform(name, &layout.read(), CHUNK, (features, condition), |rows| work(model, rows))
        })?;
        self.transform(name, self.known_of(given), (features, condition, outputs), seed)
    }

    /// Rows without what the model infers itself.
    fn known_of<'a>(&self, given: Given<'a>) -> Given<'a> {
        Given { x: given.x, y: if self.model.condition().given() == 0 { &[] } else { given.y } }
    }

    pub(super) fn encoder(&mut self) -> Result<ProgramId> {
        let widths = (self.model.features(), self.model.condition().given());
        self.load("encode", |model, layout| {
            transform("encode", &layout.read(), CHUNK, widths, |rows| Ok(model.can().encode()?.mean(rows)))
        })
    }

    /// E\[x | z, y\] `[rows, features]` of codes z `[rows, latent]`, and of conditions y `[rows, condition]` where the model
    /// is given them.
    ///
    /// # Errors
    /// If the model has no decoder; otherwise as for [`Session::encode`].
    pub fn decode<'a>(&mut self, codes: impl Into<Given<'a>>) -> Result<Vec<f32>> {
        let (features, latent) = (self.model.features(), self.latent()?);
        let condition = self.model.condition().width();
        self.load("decode", |model, layout| {
            transform("decode", &layout.read(), CHUNK, (latent, condition), |Rows { x: z, y }| {
                Ok(model.can().decode()?.mean(z, y))
            })
        })?;
        self.transform("decode", codes.into(), (latent, condition, features), 0)
    }

    /// New data: E\[x | z, y\] for codes drawn from the prior, `count` of them, each with the condition of its place in `y`
    /// `[count, condition]` where the model is given conditions; see [`Generate::rows`](crate::models::Generate::rows).
    /// `[count, features]`
    ///
    /// # Errors
    /// If the model has no prior, conditions are missing, or the device fails.
    pub fn sample(&mut self, count: usize, y: &[f32], seed: u64) -> Result<Vec<f32>> {
        self.model.can().generate()?;
        let (features, condition) = (self.model.features(), self.model.condition().width());
        check_conditions(y, count, condition)?;
        let known = known("sample");
        self.load("sample", |model, layout| {
            generator("sample", &layout.read(), |graph| {
                let y = (condition > 0).then(|| graph.input(&known, &[CHUNK, condition]));
                Ok(model.can().generate()?.rows(graph, CHUNK, y))
            })
        })?;
        let inputs = [(known.as_str(), y, condition)];
        self.chunks("sample", (count, features), seed, if condition > 0 { &inputs } else { &[] })
    }

    /// Codes drawn from the prior. `[count, latent]`
    ///
    /// # Errors
    /// If the model has no prior, or the device fails.
    pub fn prior_sample(&mut self, count: usize, seed: u64) -> Result<Vec<f32>> {
        let latent = self.latent()?;
        self.load("prior", |model, layout| {
            generator("prior", &layout.read(), |graph| Ok(model.can().generate()?.codes(graph, CHUNK)))
        })?;
        self.chunks("prior", (count, latent), seed, &[])
    }

    /// Runs a loaded transform over rows of `width` values and `condition` values of what is known, a chunk at a time;
    /// gives rows of `outputs` values.
    fn transform(
        &mut self,
        name: &str,
        Given { x, y }: Given,
        (width, condition, outputs): (usize, usize, usize),
        seed: u64,
    ) -> Result<Vec<f32>> {
        if !x.len().is_multiple_of(width) {
            return Err(Error::invalid(format!("{} values are not whole rows of {width}", x.len())));
        }
        let rows = x.len() / width;
        check_conditions(y, rows, condition)?;
        check_numbers("value", x, width)?;
        check_numbers("value of condition", y, condition)?;
        let known = known(name);
        let inputs = [(name, x, width), (&known, y, condition)];
        self.chunks(name, (rows, outputs), seed, if condition > 0 { &inputs } else { &inputs[..1] })
    }

    /// Runs a loaded program for so many rows, a chunk at a time, writing its inputs, each a name, values and a width.
    fn chunks(
        &mut self,
        name: &str,
        (rows, outputs): (usize, usize),
        seed: u64,
        inputs: &[(&str, &[f32], usize)],
    ) -> Result<Vec<f32>> {
        let id = self.loaded[name];
        let mut out = Vec::with_capacity(rows * outputs);
        let scalars = self.scalars(id, 1.0);
        for (i, start) in (0..rows).step_by(CHUNK).enumerate() {
            let live = CHUNK.min(rows - start);
            for &(input, values, width) in inputs {
                let mut padded = vec![0.0; CHUNK * width];
                padded[..live * width].copy_from_slice(&values[start * width..][..live * width]);
                self.executor.write_f32(&format!("input.{input}"), &padded)?;
            }
            let step =
                Step { seed: Step::seed_words(seed), step: i as u32, rows: live as u32, scalars, ..Step::default() };
            self.executor.run(id, &[step])?;
            let result = self.executor.read_f32(&format!("output.{name}"))?;
            out.extend_from_slice(&result[..live * outputs]);
        }
        Ok(out)
    }
}

/// Says so if one of these values, so many of each row, is no number.
fn check_numbers(what: &str, values: &[f32], width: usize) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::invalid(format!(
            "{what} {} of row {} is {}, and a number was expected: leave such rows out, or fill them in",
            at % width,
            at / width,
            values[at]
        ))),
    }
}

/// Says so if these are not conditions of so many values for so many rows.
fn check_conditions(y: &[f32], rows: usize, condition: usize) -> Result<()> {
    if y.len() == rows * condition {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the model is given {condition} values of condition with every row: give {} with these {rows} rows, not {}",
        rows * condition,
        y.len()
    )))
}
