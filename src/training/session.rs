//! A model on a device: its parameters, the data sets that are resident, and the programs that have been loaded.

use std::collections::HashMap;

use super::accumulator::Sums;
use super::batches::Batches;
use super::checkpoint::{Checkpoint, NamedTensor};
use super::metrics::{ActiveUnits, EpochRecord, Split, bits_per_dimension};
use super::programs::{EVALUATE_OUTPUTS, evaluate_program, transform};
use crate::data::{Dataset, PackingKind};
use crate::error::{Error, Result};
use crate::kernels::{Packing, SCALARS, Step};
use crate::models::{BETA, Model};
use crate::nn::ParameterSpec;
use crate::program::{DataSpec, Executor, ParameterSet, Program, ProgramId};

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
    specs: Vec<ParameterSpec>,
    seed: u64,
    loaded: HashMap<String, ProgramId>,
}

impl Session {
    /// A model on a device; its parameters start as `seed` says once a program is loaded and [`Session::start`] called.
    pub fn new(model: Box<dyn Model>, executor: Box<dyn Executor>, seed: u64) -> Session {
        let specs = model.parameters();
        let set = ParameterSet::new("model", specs.iter().map(|s| (s.name.clone(), s.shape.clone())));
        Session { executor, model, set, specs, seed, loaded: HashMap::new() }
    }

    /// Loads a program once, under its name.
    pub fn load(&mut self, name: &str, make: impl FnOnce(&dyn Model, &ParameterSet) -> Program) -> Result<ProgramId> {
        if let Some(&id) = self.loaded.get(name) {
            return Ok(id);
        }
        let id = self.executor.load(make(&*self.model, &self.set))?;
        self.loaded.insert(name.to_string(), id);
        Ok(id)
    }

    /// Writes the starting values of all parameters, which the seed decides.
    pub fn start(&mut self) -> Result<()> {
        self.decoder()?;
        let mut values = vec![0.0; self.set.words()];
        for (place, (spec, p)) in self.specs.iter().zip(&self.set.parameters).enumerate() {
            values[p.offset..][..p.len()].copy_from_slice(&spec.start(self.seed, place));
        }
        self.executor.write_f32(&self.set.values(), &values)
    }

    /// A flat buffer of the parameter set as named tensors.
    pub fn tensors(&mut self, buffer: &str, prefix: &str) -> Result<Vec<NamedTensor>> {
        let flat = self.executor.read_f32(buffer)?;
        let named = |p: &crate::program::Parameter| {
            (format!("{prefix}{}", p.name), p.shape.clone(), flat[p.offset..][..p.len()].to_vec())
        };
        Ok(self.set.parameters.iter().map(named).collect())
    }

    /// Writes a flat buffer of the parameter set from a checkpoint's tensors.
    ///
    /// # Errors
    /// If a tensor is missing or has another shape: the checkpoint is of another architecture. Nothing is written then.
    pub fn restore(&mut self, buffer: &str, prefix: &str, checkpoint: &Checkpoint) -> Result<()> {
        let mut flat = vec![0.0; self.set.words()];
        for p in &self.set.parameters {
            let name = format!("{prefix}{}", p.name);
            let found = checkpoint.tensors.iter().find(|t| t.0 == name);
            match found {
                Some((_, shape, values)) if *shape == p.shape => flat[p.offset..][..p.len()].copy_from_slice(values),
                Some((_, shape, _)) => {
                    return Err(Error::invalid(format!(
                        "the checkpoint is of another architecture: {name} has shape {shape:?}, and the model wants {:?}; \
                         use the config.toml that stands beside the checkpoint",
                        p.shape
                    )));
                }
                None => {
                    return Err(Error::invalid(format!(
                        "the checkpoint is of another architecture: it has no {name}; use the config.toml that stands \
                         beside the checkpoint"
                    )));
                }
            }
        }
        self.executor.write_f32(buffer, &flat)
    }

    /// Evaluates a data set: means in nats per example, KL per dimension, active units; and the posterior means
    /// `[rows, latent]` of all its rows.
    pub fn evaluate(
        &mut self,
        split: Split,
        data: &Dataset,
        (rows, beta, binarise): (usize, f64, bool),
    ) -> Result<(EpochRecord, Vec<f32>)> {
        let spec = data_spec(data);
        // Another set under the same split is another buffer, unless it is of the same size: then it is written anew.
        let name = format!("{split}.{}x{}", data.rows, spec.features);
        let rows = rows.min(data.rows);
        let id = self.load(&format!("evaluate.{name}"), |model, set| {
            evaluate_program(model, set, (&name, &spec), rows, binarise)
        })?;
        self.upload(&name, data)?;
        let started = std::time::Instant::now();
        let batches = Batches { count: data.rows, rows };
        let latent = self.model.latent();
        let (mut sums, mut per_dimension, mut units) = (Sums::default(), Sums::default(), ActiveUnits::new(latent));
        let (mut means, mut statistics) = (Vec::with_capacity(data.rows * latent), Vec::new());
        for i in 0..batches.len() {
            let (position, live) = batches.at(i);
            let mut step =
                Step { seed: Step::seed_words(!self.seed), step: i as u32, rows: live, position, ..Step::default() };
            step.scalars = scalars(self.executor.program(id), beta);
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
        record.bits_per_dimension = Some(bits_per_dimension(record.elbo, self.model.features()));
        record.active_units = Some(units.count());
        record.kl_per_dimension = (0..latent).map(|d| per_dimension.mean(d)).collect();
        record.beta = Some(beta);
        let seconds = started.elapsed().as_secs_f64();
        record.seconds = Some(seconds);
        record.samples_per_second = Some(data.rows as f64 / seconds.max(1e-9));
        Ok((record, means))
    }

    /// Makes a data set resident. A loaded program must read it.
    pub fn upload(&mut self, name: &str, data: &Dataset) -> Result<()> {
        let (words, _) = data.packed();
        self.executor.write(&format!("data.{name}"), &words)
    }

    /// Posterior means `[rows, latent]` of rows `[rows, features]`.
    pub fn encode(&mut self, x: &[f32]) -> Result<Vec<f32>> {
        let (features, latent) = (self.model.features(), self.model.latent());
        self.load("encode", |model, set| transform("encode", set, CHUNK, features, |g, x| model.encode(g, x)))?;
        self.transform("encode", x, (features, latent), 0)
    }

    /// E\[x | z\] `[rows, features]` of codes `[rows, latent]`.
    pub fn decode(&mut self, z: &[f32]) -> Result<Vec<f32>> {
        let (features, latent) = (self.model.features(), self.model.latent());
        self.decoder()?;
        self.transform("decode", z, (latent, features), 0)
    }

    /// E\[x | z\] at the posterior means: `[rows, features]` to `[rows, features]`.
    pub fn reconstruct(&mut self, x: &[f32]) -> Result<Vec<f32>> {
        let codes = self.encode(x)?;
        self.decode(&codes)
    }

    /// The loss of each row `[rows]` with β = 1, for a VAE the negative ELBO from one sample of the posterior, which the
    /// seed decides; of rows `[rows, features]`.
    pub fn score(&mut self, x: &[f32], seed: u64) -> Result<Vec<f32>> {
        let features = self.model.features();
        self.load("score", |model, set| transform("score", set, CHUNK, features, |g, x| model.terms(g, x).loss))?;
        self.transform("score", x, (features, 1), seed)
    }

    /// New data: E\[x | z\] for `count` codes drawn from the prior N(0, I). `[count, features]`
    pub fn sample(&mut self, count: usize, seed: u64) -> Result<Vec<f32>> {
        let step = Step { seed: Step::seed_words(seed), ..Step::default() };
        let draws =
            (0..count * self.model.latent()).map(|e| crate::kernels::random::normal4(&step, 1, e as u32 / 4)[e % 4]);
        let z: Vec<f32> = draws.collect();
        self.decode(&z)
    }

    fn decoder(&mut self) -> Result<ProgramId> {
        let latent = self.model.latent();
        self.load("decode", |model, set| transform("decode", set, CHUNK, latent, |g, z| model.decode(g, z)))
    }

    /// Runs a loaded transform over rows of `width` values, a chunk at a time; gives rows of `outputs` values.
    fn transform(
        &mut self,
        name: &str,
        values: &[f32],
        (width, outputs): (usize, usize),
        seed: u64,
    ) -> Result<Vec<f32>> {
        let id = self.loaded[name];
        if !values.len().is_multiple_of(width) {
            return Err(Error::invalid(format!("{} values are not whole rows of {width}", values.len())));
        }
        let mut out = Vec::with_capacity(values.len() / width * outputs);
        let scalars = scalars(self.executor.program(id), 1.0);
        for (i, chunk) in values.chunks(CHUNK * width).enumerate() {
            let mut padded = vec![0.0; CHUNK * width];
            padded[..chunk.len()].copy_from_slice(chunk);
            self.executor.write_f32(&format!("input.{name}"), &padded)?;
            let rows = (chunk.len() / width) as u32;
            let step = Step { seed: Step::seed_words(seed), step: i as u32, rows, scalars, ..Step::default() };
            self.executor.run(id, &[step])?;
            let result = self.executor.read_f32(&format!("output.{name}"))?;
            out.extend_from_slice(&result[..chunk.len() / width * outputs]);
        }
        Ok(out)
    }
}

/// How programs see a data set.
pub(super) fn data_spec(data: &Dataset) -> DataSpec {
    let packing = match data.values.kind() {
        PackingKind::Bits => Packing::Bits,
        PackingKind::Bytes => Packing::Bytes,
        PackingKind::Floats => Packing::Floats,
    };
    DataSpec { count: data.rows, features: data.shape.features(), packing }
}

/// The scalars of a program that does not train: β alone.
fn scalars(program: &Program, beta: f64) -> [f32; SCALARS] {
    let mut scalars = [0.0; SCALARS];
    if let Some(slot) = program.scalar(BETA) {
        scalars[slot] = beta as f32;
    }
    scalars
}
