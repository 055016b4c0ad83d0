//! A model on a device: its parameters, the data sets that are resident, and the programs that have been loaded.

mod compress;
mod drawn_weights;
mod impute;
mod likelihood;
mod loaded;
mod moments;
mod replayed;
mod rows;
mod several;
mod taken;
mod uncertainty;

use super::accumulator::{Means, Sums};
use super::batches::Batches;
use super::feed::Feed;
use super::layout::Layout;
use super::metrics::{ActiveUnits, EpochRecord, Split, bits_per_dimension};
use super::programs::{evaluate_outputs, evaluate_program};
use super::resident::{Resident, Written};
use super::swag::Swag;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::kernels::{SCALARS, Step};
use crate::models::{Condition, LOG_RATIO, Model};
use crate::objectives::BETA;
use crate::program::{Buffer, Executor, ParameterSet, Program, ProgramId};

pub use impute::{BlankRow, Imputed, Imputing, MAX_DRAWS};
use loaded::LoadedPrograms;
pub use moments::{CodeMoments, MOMENT_DRAWS};
pub use rows::part_of_seed;
pub(crate) use several::each_member_of;
pub(super) use several::flat_values;
use several::{LearntValues, Member};
pub use uncertainty::Uncertainty;

/// A model on a device.
pub struct Session {
    /// What runs the programs.
    pub executor: Box<dyn Executor>,
    /// The model.
    pub model: Box<dyn Model>,
    /// How its parameters lie in memory.
    pub layout: Layout,
    seed: u64,
    /// The other members of an ensemble.
    others: Vec<Member>,
    /// How weights spread around those that are used, where a run has taken several.
    pub(super) swag: Option<Swag>,
    loaded: LoadedPrograms,
    takes_gaps: bool,
    /// The data sets that were made resident, with what tells them from others, and what was written of them.
    residents: Vec<(Vec<Option<u128>>, Resident)>,
    written: Written,
}

impl Session {
    /// A model on a device; its parameters start as `seed` says once a program is loaded and [`Session::start`] called.
    pub fn new(model: Box<dyn Model>, executor: Box<dyn Executor>, seed: u64) -> Session {
        let layout = Layout::new(&*model);
        let (loaded, residents, written) = (LoadedPrograms::default(), Vec::new(), Written::new());
        Session {
            executor,
            model,
            layout,
            seed,
            others: vec![],
            swag: None,
            loaded,
            takes_gaps: false,
            residents,
            written,
        }
    }

    /// The same, for rows some of whose values were not observed: then a NaN stands for such a value, and is no mistake.
    pub fn with_gaps(self, takes_gaps: bool) -> Session {
        Session { takes_gaps, ..self }
    }

    /// Whether a NaN in rows stands for a value that was not observed.
    pub fn takes_gaps(&self) -> bool {
        self.takes_gaps
    }

    /// From now on, a NaN in rows stands for a value that was not observed.
    pub fn take_gaps(&mut self) {
        self.takes_gaps = true;
    }

    /// What decides all that is random.
    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// Dimensions of the model's codes: of those that it gives rows, or else of those that it draws.
    ///
    /// # Errors
    /// If it has none.
    pub fn latent(&self) -> Result<usize> {
        self.model.can().latent()
    }

    /// Loads a program under its name, unless it is loaded already. It stays until many others were asked for since; its handle is to be
    /// asked for anew for every use, unless it is kept for good ([`Session::keep`]).
    ///
    /// # Errors
    /// If it cannot be made, or the device fails.
    pub fn load(&mut self, name: &str, make: impl FnOnce(&dyn Model, &Layout) -> Result<Program>) -> Result<ProgramId> {
        if let Some(id) = self.loaded.ask(name) {
            return Ok(id);
        }
        let program = make(&*self.model, &self.layout)?;
        if let Some(oldest) = self.loaded.make_room() {
            let Session { executor, written, .. } = self;
            executor.unload(oldest)?;
            // A buffer that went with it is made anew, of zeros.
            written.retain(|buffer, _| executor.words(buffer).is_some());
        }
        let id = self.executor.load(program)?;
        self.loaded.insert(name, id);
        Ok(id)
    }

    /// Keeps a program loaded for as long as the session lives.
    pub fn keep(&mut self, name: &str) {
        self.loaded.keep(name);
    }

    /// The programs that have been loaded.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.loaded.ids().filter_map(|id| self.executor.program(id).ok())
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
        let mut feed = self.supply(&source, data, None)?;
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
            step.scalars = self.scalars(id, beta)?;
            self.bring(&mut feed, position, live)?;
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
        let names = &self.executor.program(id)?.statistics;
        let mut record = EpochRecord::of(0, split, &Means { names, sums: &sums });
        record.bits_per_dimension = self.bits_per_dimension(&record, data.is_black_and_white(), data.share_observed());
        let can = self.model.can();
        record.active_units = can.reconstruct.map(|_| units.count());
        if can.density.is_some() {
            record.kl_per_dimension = (0..per_dimension.len()).filter_map(|d| per_dimension.mean(d)).collect();
        }
        record.beta = Some(beta);
        let seconds = started.elapsed().as_secs_f64();
        record.seconds = Some(seconds);
        record.samples_per_second = Some(data.rows as f64 / seconds.max(1e-9));
        Ok((record, means))
    }

    /// Whether what a record tells as the ELBO is one: not what a critic makes of it, nor of a model whose codes have no density.
    pub(crate) fn tells_a_bound(&self, record: &EpochRecord) -> bool {
        !record.parts.contains_key(LOG_RATIO)
    }

    /// The ELBO in bits per value that was observed, of rows of which that means something: all black and white (0 and 1), or not. Where it is what a
    /// critic makes of it, it is none.
    pub(super) fn bits_per_dimension(
        &self,
        record: &EpochRecord,
        black_and_white: bool,
        share_observed: f64,
    ) -> Option<f64> {
        let counted = self.tells_a_bound(record) && self.model.measure(black_and_white).counts_bits();
        counted.then(|| bits_per_dimension(record.elbo, self.model.features()) / share_observed)
    }

    /// A data set as programs of this model read it: under this name, unless the same is there under another.
    ///
    /// # Errors
    /// If the model is given conditions, and the data has none or others; if a row is larger than the device's buffers.
    pub(super) fn resident(&mut self, name: impl Into<String>, data: &Dataset) -> Result<Resident> {
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
        self.check_weights(data)?;
        let new = Resident::new(name, data, wanted, self.executor.largest_buffer())?;
        let prints: Vec<Option<u128>> = new.parts(data).map(|(.., values)| values.fingerprint()).collect();
        let specs = |of: &Resident| (of.values, of.conditions, of.observed, of.weights);
        let same = |(of, known): &&(Vec<Option<u128>>, Resident)| {
            *of == prints && !prints.contains(&None) && specs(known) == specs(&new)
        };
        if let Some((_, known)) = self.residents.iter().find(same) {
            return Ok(known.clone());
        }
        // What had this name is overwritten.
        self.residents.retain(|(_, known)| known.name != new.name);
        self.residents.push((prints, new.clone()));
        Ok(new)
    }

    /// Says so if rows are weighed and cannot be.
    fn check_weights(&self, data: &Dataset) -> Result<()> {
        let Some(weights) = &data.weights else { return Ok(()) };
        let has_state = !self.layout.assigned.parameters.is_empty();
        let of_batch = has_state.then(|| "the model has state that follows the rows of a batch alike".to_string());
        if let Some(why) = self.model.couples_rows().or(of_batch) {
            return Err(Error::invalid(format!(
                "the rows of {} are weighed, and {why}: leave `weight` and `class-balance` out and take NAME.weights.npy away, or \
                 choose another objective, network or model",
                data.name
            )));
        }
        match weights.are_nothing() {
            false => Ok(()),
            true => Err(Error::invalid(format!(
                "all {} rows of a part of the data {} have the weight 0, so that none of them counts: give one of them more",
                data.rows, data.name
            ))),
        }
    }

    /// Brings a data set to the device, where loaded programs read it and it is not there yet; of one that comes window by window, gives
    /// what brings them, in the order of training as a seed decides it, else in its own.
    pub(super) fn supply(&mut self, source: &Resident, data: &Dataset, seed: Option<u64>) -> Result<Option<Feed>> {
        if source.streams() {
            return Ok(Some(Feed::new(source, data, &*self.executor, seed)));
        }
        source.upload(&mut *self.executor, data, &mut self.written)?;
        Ok(None)
    }

    /// Brings the live rows of a batch from this position on, where they come window by window, and what has been read besides.
    pub(super) fn bring(&mut self, feed: &mut Option<Feed>, position: u32, live: u32) -> Result<()> {
        let Some(feed) = feed else { return Ok(()) };
        feed.bring(&mut *self.executor, 0, position as usize..(position + live) as usize)?;
        feed.go_on(&mut *self.executor)
    }

    /// The scalars of a program that does not train: β, and those of the model as they are at the end of training.
    ///
    /// # Errors
    /// If it is not loaded.
    pub(super) fn scalars(&self, id: ProgramId, beta: f64) -> Result<[f32; SCALARS]> {
        Ok(self.scalars_of(self.executor.program(id)?, beta))
    }

    /// The same of a program that need not be loaded.
    fn scalars_of(&self, program: &Program, beta: f64) -> [f32; SCALARS] {
        let mut scalars = [0.0; SCALARS];
        for (slot, name) in scalars.iter_mut().zip(&program.scalars) {
            *slot = self.scalar(name, beta);
        }
        scalars
    }

    /// A scalar by its name, as it is at the end of training; `beta` is that of the KL's weight.
    pub fn scalar(&self, name: &str, beta: f64) -> f32 {
        let value = if name == BETA { Some(beta) } else { self.model.scalar(name, f64::INFINITY) };
        value.unwrap_or(0.0) as f32
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
