//! A model on a device: its parameters, the data sets that are resident, and the programs that have been loaded.

mod compress;
mod likelihood;
mod moments;
mod rows;
mod taken;

use std::collections::HashMap;

use super::accumulator::{Means, Sums};
use super::batches::Batches;
use super::layout::Layout;
use super::metrics::{ActiveUnits, EpochRecord, Split, bits_per_dimension};
use super::programs::{evaluate_outputs, evaluate_program};
use super::resident::Resident;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::kernels::{SCALARS, Step};
use crate::models::{Condition, Model};
use crate::objectives::BETA;
use crate::program::{Buffer, Executor, ParameterSet, Program, ProgramId};

pub use moments::{CodeMoments, MOMENT_DRAWS};

/// A model on a device.
pub struct Session {
    /// What runs the programs.
    pub executor: Box<dyn Executor>,
    /// The model.
    pub model: Box<dyn Model>,
    /// How its parameters lie in memory.
    pub layout: Layout,
    seed: u64,
    loaded: HashMap<String, ProgramId>,
    takes_gaps: bool,
}

impl Session {
    /// A model on a device; its parameters start as `seed` says once a program is loaded and [`Session::start`] called.
    pub fn new(model: Box<dyn Model>, executor: Box<dyn Executor>, seed: u64) -> Session {
        let layout = Layout::new(&*model);
        Session { executor, model, layout, seed, loaded: HashMap::new(), takes_gaps: false }
    }

    /// The same, for rows some of whose values were not observed: then a NaN stands for such a value, and is no mistake.
    pub fn with_gaps(self, takes_gaps: bool) -> Session {
        Session { takes_gaps, ..self }
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
    pub fn load(&mut self, name: &str, make: impl FnOnce(&dyn Model, &Layout) -> Result<Program>) -> Result<ProgramId> {
        if let Some(&id) = self.loaded.get(name) {
            return Ok(id);
        }
        let id = self.executor.load(make(&*self.model, &self.layout)?)?;
        self.loaded.insert(name.to_string(), id);
        Ok(id)
    }

    /// The programs that have been loaded.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.loaded.values().map(|&id| self.executor.program(id))
    }

    /// Writes the starting values of all parameters but the frozen ones, which the seed decides.
    ///
    /// # Errors
    /// If the device fails.
    pub fn start(&mut self) -> Result<()> {
        for set in self.layout.groups.iter().chain([&self.layout.assigned]) {
            let values = self.layout.start(set, self.seed);
            write(&mut *self.executor, set, &set.values(), &values)?;
            if self.layout.averaged {
                write(&mut *self.executor, set, &set.averages().values(), &values)?;
            }
        }
        Ok(())
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
        let id = self.load(&name, |model, layout| Ok(evaluate_program(model, &layout.read(), &source, rows)))?;
        source.upload(&mut *self.executor, data)?;
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
            statistics.iter().enumerate().for_each(|(i, &mean)| sums.add(i, live, f64::from(mean)));
            kl.iter().enumerate().for_each(|(d, &mean)| per_dimension.add(d, live, f64::from(mean)));
            let live_means = &mu[..live as usize * latent];
            live_means.chunks_exact(latent).try_for_each(|row| units.push(row))?;
            means.extend_from_slice(live_means);
        }
        let names = &self.executor.program(id).statistics;
        let mut record = EpochRecord::of(0, split, &Means { names, sums: &sums });
        record.bits_per_dimension =
            self.bits_per_dimension(record.elbo, data.is_black_and_white(), data.share_observed());
        let can = self.model.can();
        record.active_units = can.decode.map(|_| units.count());
        if can.density.is_some() {
            record.kl_per_dimension = (0..per_dimension.len()).filter_map(|d| per_dimension.mean(d)).collect();
        }
        record.beta = Some(beta);
        let seconds = started.elapsed().as_secs_f64();
        record.seconds = Some(seconds);
        record.samples_per_second = Some(data.rows as f64 / seconds.max(1e-9));
        Ok((record, means))
    }

    /// The ELBO in bits per value that was observed, of rows of which that means something: all black and white (0 and 1), or not.
    pub(super) fn bits_per_dimension(&self, elbo: f64, black_and_white: bool, share_observed: f64) -> Option<f64> {
        let counted = self.model.measure(black_and_white).counts_bits();
        counted.then(|| bits_per_dimension(elbo, self.model.features()) / share_observed)
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

/// Writes values of a set into one of its buffers, which is made if there is none yet.
pub(super) fn write(executor: &mut dyn Executor, set: &ParameterSet, buffer: &str, values: &[f32]) -> Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    executor.allocate(&Buffer { name: buffer.to_string(), words: set.words() })?;
    executor.write_f32(buffer, values)
}
