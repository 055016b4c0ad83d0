//! A model on a device: its parameters, the data sets that are resident, and the programs that have been loaded.

use std::collections::{BTreeMap, HashMap};

use super::accumulator::Sums;
use super::batches::Batches;
use super::given::Given;
use super::metrics::{ActiveUnits, EpochRecord, Split, bits_per_dimension};
use super::programs::{EVALUATE_OUTPUTS, Sets, evaluate_program, generator, known, transform};
use super::resident::Resident;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::graph::{Graph, Tensor};
use crate::kernels::{SCALARS, Step};
use crate::models::{Model, Rows};
use crate::nn::ParameterSpec;
use crate::objectives::BETA;
use crate::program::{Executor, ParameterSet, Program, ProgramId, SQUARED_GRADIENT_NORM};

/// Rows that encoding, decoding and reconstructing work on at once.
const CHUNK: usize = 256;

/// A model on a device.
pub struct Session {
    /// What runs the programs.
    pub executor: Box<dyn Executor>,
    /// The model.
    pub model: Box<dyn Model>,
    /// How its parameters lie in memory.
    pub set: ParameterSet,
    /// How those lie that it reads and never trains.
    pub frozen: ParameterSet,
    specs: Vec<ParameterSpec>,
    seed: u64,
    loaded: HashMap<String, ProgramId>,
}

impl Session {
    /// A model on a device; its parameters start as `seed` says once a program is loaded and [`Session::start`] called.
    pub fn new(model: Box<dyn Model>, executor: Box<dyn Executor>, seed: u64) -> Session {
        let specs = model.parameters();
        let set = ParameterSet::new("model", specs.iter().map(|s| (s.name.clone(), s.shape.clone())));
        let frozen = ParameterSet::new("frozen", model.frozen().into_iter().map(|s| (s.name, s.shape)));
        Session { executor, model, set, frozen, specs, seed, loaded: HashMap::new() }
    }

    /// What decides all that is random.
    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// Loads a program once, under its name.
    pub fn load(&mut self, name: &str, make: impl FnOnce(&dyn Model, Sets) -> Program) -> Result<ProgramId> {
        if let Some(&id) = self.loaded.get(name) {
            return Ok(id);
        }
        let id = self.executor.load(make(&*self.model, [&self.set, &self.frozen]))?;
        self.loaded.insert(name.to_string(), id);
        Ok(id)
    }

    /// The programs that have been loaded.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.loaded.values().map(|&id| self.executor.program(id))
    }

    /// Writes the starting values of all parameters that are trained, which the seed decides.
    pub fn start(&mut self) -> Result<()> {
        self.encoder()?;
        if self.set.parameters.is_empty() {
            return Ok(());
        }
        let mut values = vec![0.0; self.set.words()];
        for (place, (spec, p)) in self.specs.iter().zip(&self.set.parameters).enumerate() {
            values[p.offset..][..p.len()].copy_from_slice(&spec.start(self.seed, place));
        }
        self.executor.write_f32(&self.set.values(), &values)
    }

    /// Evaluates a data set: means in nats per example, KL per dimension, active units; and the posterior means
    /// `[rows, latent]` of all its rows.
    pub fn evaluate(
        &mut self,
        split: Split,
        data: &Dataset,
        (rows, beta, binarise): (usize, f64, bool),
    ) -> Result<(EpochRecord, Vec<f32>)> {
        // Another set under the same split is another buffer, unless it is of the same size: then it is written anew.
        let source = self.resident(format!("{split}.{}x{}", data.rows, data.shape.features()), data)?;
        let rows = rows.min(data.rows);
        let name = format!("evaluate.{}.{}", source.name, source.conditions.is_some());
        let id = self.load(&name, |model, set| evaluate_program(model, set, &source, rows, binarise))?;
        source.upload(&mut *self.executor, id, data)?;
        let started = std::time::Instant::now();
        let batches = Batches { count: data.rows, rows };
        let latent = self.model.latent();
        let (mut sums, mut per_dimension, mut units) = (Sums::default(), Sums::default(), ActiveUnits::new(latent));
        let (mut means, mut statistics) = (Vec::with_capacity(data.rows * latent), Vec::new());
        for i in 0..batches.len() {
            let (position, live) = batches.at(i);
            let mut step =
                Step { seed: Step::seed_words(!self.seed), step: i as u32, rows: live, position, ..Step::default() };
            step.scalars = self.scalars(id, beta);
            self.executor.run(id, &[step])?;
            let mu = self.executor.read_f32(&format!("output.{}", EVALUATE_OUTPUTS[0]))?;
            let kl = self.executor.read_f32(&format!("output.{}", EVALUATE_OUTPUTS[1]))?;
            statistics.clear();
            self.executor.statistics(id, true, &mut statistics)?;
            sums.add(live, statistics.iter().map(|&v| f64::from(v)));
            per_dimension.add(live, kl.iter().map(|&v| f64::from(v)));
            let live_means = &mu[..live as usize * latent];
            live_means.chunks_exact(latent).try_for_each(|row| units.push(row))?;
            means.extend_from_slice(live_means);
        }
        let mut record = EpochRecord::new(0, split, sums.mean(0), sums.mean(1), sums.mean(2));
        record.parts = self.parts(id, &sums);
        record.bits_per_dimension = self.bits_per_dimension(record.elbo);
        record.active_units = Some(units.count());
        record.kl_per_dimension = (0..per_dimension.len()).map(|d| per_dimension.mean(d)).collect();
        record.beta = Some(beta);
        let seconds = started.elapsed().as_secs_f64();
        record.seconds = Some(seconds);
        record.samples_per_second = Some(data.rows as f64 / seconds.max(1e-9));
        Ok((record, means))
    }

    /// The ELBO in bits per dimension, where that means something.
    pub(super) fn bits_per_dimension(&self, elbo: f64) -> Option<f64> {
        self.model.is_discrete().then(|| bits_per_dimension(elbo, self.model.features()))
    }

    /// A data set as programs of this model read it.
    ///
    /// # Errors
    /// If the model is given conditions, and the data has none or others.
    pub(super) fn resident(&self, name: impl Into<String>, data: &Dataset) -> Result<Resident> {
        let wanted = self.model.condition();
        let found = data.conditions.as_ref().map_or(0, |found| found.width);
        if wanted != found && (found > 0 || !self.model.infers_label()) && wanted > 0 {
            return Err(Error::invalid(format!(
                "the model is given {wanted} values of condition with every row, and the data {} has {found}: give data \
                 with as many classes or numbers as that which it was trained on",
                data.name
            )));
        }
        Ok(Resident::new(name, data, wanted))
    }

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

    fn encoder(&mut self) -> Result<ProgramId> {
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

    /// The parts of the objective by name, from the statistics of a program: what stands behind loss, reconstruction and KL.
    pub(super) fn parts_of(&self, id: ProgramId, value: impl Fn(usize) -> f64) -> BTreeMap<String, f64> {
        let names = self.executor.program(id).statistics.iter().enumerate().skip(3);
        names.filter(|(_, n)| *n != SQUARED_GRADIENT_NORM).map(|(i, name)| (name.clone(), value(i))).collect()
    }

    /// The same from their means.
    pub(super) fn parts(&self, id: ProgramId, sums: &Sums) -> BTreeMap<String, f64> {
        self.parts_of(id, |i| sums.mean(i))
    }

    /// The scalars of a program that does not train: β, and those of the model as they are at the end of training.
    pub(super) fn scalars(&self, id: ProgramId, beta: f64) -> [f32; SCALARS] {
        let mut scalars = [0.0; SCALARS];
        for (slot, name) in scalars.iter_mut().zip(&self.executor.program(id).scalars) {
            let value = if name == BETA { Some(beta) } else { self.model.scalar(name, f64::INFINITY) };
            *slot = value.unwrap_or(0.0) as f32;
        }
        scalars
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
