//! What a model makes of rows and codes in memory: programs of one chunk, run as often as there are rows.

use super::super::given::Given;
use super::super::programs::{generator, known, transform};
use super::Session;
use crate::error::{Error, Result};
use crate::graph::{Graph, Tensor};
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
        let widths = (self.model.features(), self.given_of_rows(), self.model.latent());
        self.transform("encode", self.known_of(rows.into()), widths, 0)
    }

    /// q(y | x): how likely each label is for each row `[rows, classes]`, of a model that infers it.
    ///
    /// # Errors
    /// If the model infers no labels; otherwise as for [`Session::encode`].
    pub fn classify(&mut self, x: &[f32]) -> Result<Vec<f32>> {
        if !self.model.infers_label() {
            return Err(Error::invalid("the model infers no labels: train an m2 or a classifier"));
        }
        let classes = self.model.condition();
        self.of_rows("classify", x.into(), classes, 0, |model, graph, rows| model.classify(graph, rows.x))
    }

    /// A code of each row `[rows, latent]`, drawn from its posterior as the seed decides.
    ///
    /// # Errors
    /// As for [`Session::encode`].
    pub fn draw_codes<'a>(&mut self, rows: impl Into<Given<'a>>, seed: u64) -> Result<Vec<f32>> {
        let latent = self.model.latent();
        self.of_rows("code", rows.into(), latent, seed, |model, graph, rows| model.draw_code(graph, rows))
    }

    /// E\[x | z\] at the posterior means `[rows, features]`.
    ///
    /// # Errors
    /// As for [`Session::encode`].
    pub fn reconstruct<'a>(&mut self, rows: impl Into<Given<'a>>) -> Result<Vec<f32>> {
        self.check_decoder()?;
        let features = self.model.features();
        self.of_rows("reconstruct", rows.into(), features, 0, |model, graph, rows| model.reconstruct(graph, rows))
    }

    /// What each row costs by itself `[rows]`: for a VAE the negative ELBO from one sample of the posterior, which the
    /// seed decides, else the loss.
    ///
    /// # Errors
    /// As for [`Session::encode`].
    pub fn score<'a>(&mut self, rows: impl Into<Given<'a>>, seed: u64) -> Result<Vec<f32>> {
        self.of_rows("score", rows.into(), 1, seed, |model, graph, rows| model.score(graph, rows))
    }

    /// What a model makes of rows: `outputs` values of each.
    fn of_rows(
        &mut self,
        name: &str,
        given: Given,
        outputs: usize,
        seed: u64,
        work: impl FnOnce(&dyn Model, &mut Graph, Rows) -> Tensor,
    ) -> Result<Vec<f32>> {
        let (features, condition) = (self.model.features(), self.given_of_rows());
        self.load(name, |model, set| {
            transform(name, set, CHUNK, (features, condition), |graph, rows| work(model, graph, rows))
        })?;
        self.transform(name, self.known_of(given), (features, condition, outputs), seed)
    }

    fn check_decoder(&self) -> Result<()> {
        if self.model.has_decoder() {
            return Ok(());
        }
        Err(Error::invalid("a classifier tells labels of rows, and cannot make rows: train a vae or an m2"))
    }

    /// Values that are to be known of rows that come in.
    fn given_of_rows(&self) -> usize {
        if self.model.infers_label() { 0 } else { self.model.condition() }
    }

    /// Rows without what the model infers itself.
    fn known_of<'a>(&self, given: Given<'a>) -> Given<'a> {
        Given { x: given.x, y: if self.model.infers_label() { &[] } else { given.y } }
    }

    pub(super) fn encoder(&mut self) -> Result<ProgramId> {
        let widths = (self.model.features(), self.given_of_rows());
        self.load("encode", |model, set| {
            transform("encode", set, CHUNK, widths, |graph, rows| model.encode(graph, rows))
        })
    }

    /// E\[x | z, y\] `[rows, features]` of codes z `[rows, latent]`, and of conditions y `[rows, condition]` where the model
    /// is given them.
    ///
    /// # Errors
    /// As for [`Session::encode`].
    pub fn decode<'a>(&mut self, codes: impl Into<Given<'a>>) -> Result<Vec<f32>> {
        let (features, latent, condition) = (self.model.features(), self.model.latent(), self.model.condition());
        self.decoder()?;
        self.transform("decode", codes.into(), (latent, condition, features), 0)
    }

    /// New data: E\[x | z, y\] for codes drawn from the prior, `count` of them, each with the condition of its place in `y`
    /// `[count, condition]` where the model is given conditions; see [`Model::sample`]. `[count, features]`
    ///
    /// # Errors
    /// If the model has no prior, conditions are missing, or the device fails.
    pub fn sample(&mut self, count: usize, y: &[f32], seed: u64) -> Result<Vec<f32>> {
        self.check_generative()?;
        let (features, condition) = (self.model.features(), self.model.condition());
        check_conditions(y, count, condition)?;
        let known = known("sample");
        self.load("sample", |model, set| {
            generator("sample", set, |graph| {
                let y = (condition > 0).then(|| graph.input(&known, &[CHUNK, condition]));
                model.sample(graph, CHUNK, y).expect("the model has a prior")
            })
        })?;
        let inputs = [(known.as_str(), y, condition)];
        self.chunks("sample", (count, features), seed, if condition > 0 { &inputs } else { &[] })
    }

    /// Says so if the model has no prior.
    fn check_generative(&self) -> Result<()> {
        if self.model.is_generative() {
            return Ok(());
        }
        Err(Error::invalid("a model without a prior has nothing to draw codes from: train a vae"))
    }

    /// Codes drawn from the prior. `[count, latent]`
    ///
    /// # Errors
    /// If the model has no prior, or the device fails.
    pub fn prior_sample(&mut self, count: usize, seed: u64) -> Result<Vec<f32>> {
        self.check_generative()?;
        let latent = self.model.latent();
        self.load("prior", |model, set| {
            generator("prior", set, |g| model.prior_sample(g, CHUNK).expect("the model has a prior"))
        })?;
        self.chunks("prior", (count, latent), seed, &[])
    }

    fn decoder(&mut self) -> Result<ProgramId> {
        self.check_decoder()?;
        let widths = (self.model.latent(), self.model.condition());
        self.load("decode", |model, set| {
            transform("decode", set, CHUNK, widths, |graph, Rows { x: z, y }| model.decode(graph, z, y))
        })
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
