//! A model on a device: its parameters, the data sets that are resident, and the programs that have been loaded.

mod rows;

use std::collections::{BTreeMap, HashMap};

use super::accumulator::Sums;
use super::batches::Batches;
use super::metrics::{ActiveUnits, EpochRecord, Split, bits_per_dimension};
use super::programs::{Sets, evaluate_outputs, evaluate_program};
use super::resident::Resident;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::graph::ParameterSpec;
use crate::kernels::{SCALARS, Step};
use crate::models::{Condition, Model, parameters};
use crate::objectives::BETA;
use crate::program::{Executor, ParameterSet, Program, ProgramId, SQUARED_GRADIENT_NORM};

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
        let (specs, frozen): (Vec<_>, Vec<_>) = parameters(&*model).into_iter().partition(|spec| spec.trained);
        let set = |name, specs: &[ParameterSpec]| {
            ParameterSet::new(name, specs.iter().map(|spec| (spec.name.clone(), spec.shape.clone())))
        };
        let (set, frozen) = (set("model", &specs), set("frozen", &frozen));
        Session { executor, model, set, frozen, specs, seed, loaded: HashMap::new() }
    }

    /// What decides all that is random.
    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// Dimensions of the model's codes.
    ///
    /// # Errors
    /// If it has none.
    pub fn latent(&self) -> Result<usize> {
        Ok(self.model.can().encode()?.latent())
    }

    /// Loads a program once, under its name.
    ///
    /// # Errors
    /// If it cannot be made, or the device fails.
    pub fn load(&mut self, name: &str, make: impl FnOnce(&dyn Model, Sets) -> Result<Program>) -> Result<ProgramId> {
        if let Some(&id) = self.loaded.get(name) {
            return Ok(id);
        }
        let id = self.executor.load(make(&*self.model, [&self.set, &self.frozen])?)?;
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
        (rows, beta): (usize, f64),
    ) -> Result<(EpochRecord, Vec<f32>)> {
        let source = self.resident(format!("{split}.{}", data.rows), data)?;
        let name = format!("evaluate.{}.{rows}", source.name);
        let id = self.load(&name, |model, set| Ok(evaluate_program(model, set, &source, rows)))?;
        source.upload(&mut *self.executor, id, data)?;
        let started = std::time::Instant::now();
        let batches = Batches { count: data.rows, rows };
        let [of_means, of_kl] = evaluate_outputs(rows).map(|name| format!("output.{name}"));
        let latent = self.latent()?;
        let (mut sums, mut per_dimension, mut units) = (Sums::default(), Sums::default(), ActiveUnits::new(latent));
        let (mut means, mut statistics) = (Vec::with_capacity(data.rows * latent), Vec::new());
        for i in 0..batches.len() {
            let (position, live) = batches.at(i);
            let mut step =
                Step { seed: Step::seed_words(!self.seed), step: i as u32, rows: live, position, ..Step::default() };
            step.scalars = self.scalars(id, beta);
            self.executor.run(id, &[step])?;
            let mu = self.executor.read_f32(&of_means)?;
            let kl = self.executor.read_f32(&of_kl)?;
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
        record.bits_per_dimension = self.bits_per_dimension(record.elbo, data.is_black_and_white());
        let can = self.model.can();
        record.active_units = can.decode.map(|_| units.count());
        if can.density.is_some() {
            record.kl_per_dimension = (0..per_dimension.len()).map(|d| per_dimension.mean(d)).collect();
        }
        record.beta = Some(beta);
        let seconds = started.elapsed().as_secs_f64();
        record.seconds = Some(seconds);
        record.samples_per_second = Some(data.rows as f64 / seconds.max(1e-9));
        Ok((record, means))
    }

    /// The ELBO in bits per dimension, of rows of which that means something: all black and white (0 and 1), or not.
    pub(super) fn bits_per_dimension(&self, elbo: f64, black_and_white: bool) -> Option<f64> {
        let counted = self.model.measure(black_and_white).counts_bits();
        counted.then(|| bits_per_dimension(elbo, self.model.features()))
    }

    /// A data set as programs of this model read it.
    ///
    /// # Errors
    /// If the model is given conditions, and the data has none or others.
    pub(super) fn resident(&self, name: impl Into<String>, data: &Dataset) -> Result<Resident> {
        let (condition, found) = (self.model.condition(), data.conditions.as_ref().map_or(0, |found| found.width));
        let wanted = condition.width();
        let may_lack = matches!(condition, Condition::Inferred(_));
        if wanted != found && (found > 0 || !may_lack) && wanted > 0 {
            return Err(Error::invalid(format!(
                "the model is given {wanted} values of condition with every row, and the data {} has {found}: give data \
                 with as many classes or numbers as that which it was trained on",
                data.name
            )));
        }
        Ok(Resident::new(name, data, wanted))
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
}
