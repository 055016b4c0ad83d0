//! Which programs a batch is given to, with what scalars, and what comes back.

use std::sync::Arc;

use super::accumulator::GRADIENT_NORM;
use super::batches::Batches;
use super::programs::{TrainingStep, moved_by};
use super::scalars::{Moved, Scalars};
use super::schedule::Rates;
use super::session::Session;
use crate::error::{Error, Result};
use crate::kernels::{NOT_FINITE, Step};
use crate::models::Model;
use crate::program::{Exchange, Executor, Launch, Link, Program, ProgramId, SKIPPED, SQUARED_GRADIENT_NORM};

/// A program that is run for some batches.
#[derive(Debug)]
struct Part {
    id: ProgramId,
    phase: usize,
    /// Whether it moves parameters along gathered gradients, and so is run for the last batch of an iteration alone.
    applies: bool,
    /// What the trainers of a shared training exchange before it.
    before: Arc<[Exchange]>,
    scalars: Scalars,
    /// The place of each of its statistics among the names of all.
    statistics: Vec<usize>,
    /// How many of them, the last ones, are of the gradient, which is the same in all trainers: squares of norms, and 1 or 0 for whether a
    /// step was skipped.
    of_gradient: usize,
    /// Statistics that have come back and were not taken in yet.
    found: Vec<f32>,
    /// How many of them, the first, are those of all trainers, where several share the training.
    summed: usize,
}

/// When a phase is done, and which groups it moves.
#[derive(Debug)]
struct Timing {
    every: u64,
    after: u64,
    moves: Vec<usize>,
}

impl Timing {
    fn runs_in(&self, iteration: u64) -> bool {
        iteration >= self.after && (iteration - self.after).is_multiple_of(self.every)
    }

    /// How often the phase has been done after so many iterations.
    fn runs_before(&self, iterations: u64) -> u64 {
        iterations.saturating_sub(self.after).div_ceil(self.every)
    }
}

/// The programs of a model's phases. An iteration is what moves parameters once: one batch, or several whose gradients are
/// gathered.
#[derive(Debug)]
pub(super) struct Phases {
    /// The names of all statistics.
    pub names: Vec<String>,
    parts: Vec<Part>,
    timing: Vec<Timing>,
    groups: Vec<Moved>,
    rates: Rates,
    batches: Batches,
    accumulate: usize,
    is_shared: bool,
    /// What is added to the numbers of steps, by which noise is drawn.
    noise: u32,
}

/// What lies between the numbers by which a step draws noise before and after a run has gone back: 2³² over the golden ratio, so that
/// all of them lie far apart.
const NOISE: u32 = 0x9e37_79b9;

impl Phases {
    /// Loads the programs of all phases.
    ///
    /// # Errors
    /// If the device has too little memory, or a kernel does not compile.
    pub fn load(
        session: &mut Session,
        step: &TrainingStep,
        rates: Rates,
        batches: Batches,
        (accumulate, shared): (usize, Option<usize>),
    ) -> Result<Phases> {
        let phases = session.model.plan().phases.into_iter().enumerate().map(|(place, phase)| {
            let moves = moved_by(&*session.model, place);
            (phase.name, Timing { every: phase.every.max(1), after: phase.after, moves })
        });
        let (names, timing): (Vec<&str>, Vec<Timing>) = phases.unzip();
        let load = |session: &mut Session, name: &str, program: Program| -> Result<ProgramId> {
            let id = session.load(name, |_, _| Ok(program))?;
            session.keep(name);
            Ok(id)
        };
        let mut loaded: Vec<(ProgramId, usize, bool, Vec<Exchange>)> = vec![];
        for (place, name) in names.into_iter().enumerate() {
            // What else is loaded has names of its own.
            let name = format!("phase.{name}");
            let (model, layout) = (&*session.model, &session.layout);
            let links = match shared {
                None => vec![Link { program: step.phase(model, layout, place), before: vec![] }],
                Some(parts) => step.in_parts((model, layout), place, parts),
            };
            let apply = step.gathers.then(|| step.apply(model, layout, place));
            for (number, Link { program, before }) in links.into_iter().enumerate() {
                let name = if number == 0 { name.clone() } else { format!("{name}.{number}") };
                loaded.push((load(session, &name, program)?, place, false, before));
            }
            if let Some(program) = apply {
                let gathered = |&group: &usize| Exchange::sum_of(session.layout.groups[group].accumulated());
                let before = shared.map_or(vec![], |_| timing[place].moves.iter().map(gathered).collect());
                loaded.push((load(session, &format!("{name}.apply"), program)?, place, true, before));
            }
        }
        let one_group = step.groups.len() == 1;
        let named = |statistic: &String| match statistic.strip_suffix(SQUARED_GRADIENT_NORM) {
            Some(_) if one_group => GRADIENT_NORM.to_string(),
            Some(group) => format!("{group}{GRADIENT_NORM}"),
            None if one_group && statistic.ends_with(SKIPPED) => SKIPPED.to_string(),
            None => statistic.clone(),
        };
        let is_of_gradient =
            |statistic: &&String| [SQUARED_GRADIENT_NORM, SKIPPED].iter().any(|name| statistic.ends_with(name));
        // What is of gradients stands last, whichever program gives it.
        let (mut means, mut of_gradients): (Vec<String>, Vec<String>) = (vec![], vec![]);
        for (id, ..) in &loaded {
            for statistic in &session.executor.program(*id)?.statistics {
                let (name, list) =
                    (named(statistic), if is_of_gradient(&statistic) { &mut of_gradients } else { &mut means });
                if !list.contains(&name) {
                    list.push(name);
                }
            }
        }
        let names = [means, of_gradients].concat();
        let part = |(id, phase, applies, before): (ProgramId, usize, bool, Vec<Exchange>)| {
            let program = session.executor.program(id)?;
            let Program { statistics, .. } = program;
            let place = |statistic: &String| names.iter().position(|name| *name == named(statistic));
            Ok(Part {
                id,
                phase,
                applies,
                before: before.into(),
                scalars: Scalars::of(program, step.groups),
                statistics: statistics.iter().filter_map(place).collect(),
                of_gradient: statistics.iter().filter(is_of_gradient).count(),
                found: vec![],
                summed: 0,
            })
        };
        let parts = loaded.into_iter().map(part).collect::<Result<_>>()?;
        let groups = step.groups.to_vec();
        let is_shared = shared.is_some();
        Ok(Phases { names, parts, timing, groups, rates, batches, accumulate, is_shared, noise: 0 })
    }

    /// The program of the first phase.
    pub fn first(&self) -> ProgramId {
        self.parts[0].id
    }

    /// The groups of parameters, and how each is moved.
    pub fn groups(&self) -> &[Moved] {
        &self.groups
    }

    /// The rates of the run.
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    /// Takes the rates of a run whose epochs have so many steps.
    pub fn rate_by(&mut self, steps_per_epoch: u64) {
        self.rates = self.rates.clone().with_epochs_of(steps_per_epoch);
    }

    /// Takes the rates and the noise of a run that has gone back so many times.
    pub fn retry(&mut self, retries: u64) {
        self.rates = self.rates.clone().after(retries);
        self.noise = (retries as u32).wrapping_mul(NOISE);
    }

    /// Whether all is one loss, which only falls in the long run: losses of phases that work against each other do as they like.
    pub fn is_one_loss(&self) -> bool {
        self.timing.len() == 1
    }

    /// Whether batch `i` of an epoch is the last of its iteration.
    fn ends_iteration(&self, i: usize) -> bool {
        (i + 1).is_multiple_of(self.accumulate) || i + 1 == self.batches.len()
    }

    /// Whether an iteration has ended after so many batches of an epoch.
    pub fn is_between_iterations(&self, batches: usize) -> bool {
        batches == 0 || self.ends_iteration(batches - 1)
    }

    /// What batch `i` of an epoch counts for among those of its iteration, with a minus sign if it is the first.
    fn share(&self, i: usize) -> f64 {
        let first = i - i % self.accumulate;
        let all = first..(first + self.accumulate).min(self.batches.len());
        let rows = |i: usize| f64::from(self.batches.at(i).1);
        let share = rows(i) / all.map(rows).sum::<f64>();
        if i == first { -share } else { share }
    }

    /// Whether a program is run for batch `i` of an epoch, which is step `number` of the run.
    fn is_run(&self, part: &Part, i: usize, number: u64) -> bool {
        let timing = &self.timing[part.phase];
        timing.runs_in(self.rates.iteration(number)) && (!part.applies || self.ends_iteration(i))
    }

    /// How often a group will have been moved once a phase has been done in an iteration.
    fn updates(&self, phase: usize, iteration: u64, group: usize) -> u64 {
        let moves = self.timing.iter().enumerate().filter(|(_, timing)| timing.moves.contains(&group));
        moves.map(|(place, timing)| timing.runs_before(iteration + u64::from(place <= phase))).sum()
    }

    /// Appends what is to be run for batch `i` of an epoch, which is step `number` of the run. Phases of an iteration come one
    /// after the other, each seeing what those before it have moved: all but the first wait for its last batch.
    pub fn launch(&self, model: &dyn Model, (i, number): (usize, u64), step: &Step, into: &mut Vec<Launch>) {
        let iteration = self.rates.iteration(number);
        for phase in 0..self.timing.len() {
            let batches = match (phase, self.ends_iteration(i)) {
                (0, _) => i..i + 1,
                (_, true) => i - i % self.accumulate..i + 1,
                (_, false) => continue,
            };
            let updates = |group: usize| self.updates(phase, iteration, group);
            for batch in batches {
                let ((position, rows), number) = (self.batches.at(batch), number - (i - batch) as u64);
                let run = |part: &&Part| part.phase == phase && self.is_run(part, batch, number);
                for part in self.parts.iter().filter(run) {
                    let varies = (number, self.share(batch));
                    let scalars = part.scalars.at((&self.groups, &self.rates), model, varies, &updates);
                    let step =
                        Step { step: (number as u32).wrapping_add(self.noise), rows, position, scalars, ..*step };
                    into.push(Launch { program: part.id, step });
                }
            }
        }
    }

    /// Takes the statistics that have come back; with `wait`, of all that was launched.
    pub fn collect(&mut self, executor: &mut dyn Executor, wait: bool) -> Result<()> {
        self.parts.iter_mut().try_for_each(|part| executor.statistics(part.id, wait, &mut part.found))
    }

    /// Forgets the statistics that have come back.
    pub fn forget(&mut self) {
        for part in &mut self.parts {
            part.found.clear();
            part.summed = 0;
        }
    }

    /// What is exchanged before a program, and the phase whose parameters it moves along what was gathered, if it is one that does.
    pub fn before(&self, program: ProgramId) -> (Arc<[Exchange]>, Option<usize>) {
        let part = self.parts.iter().find(|part| part.id == program);
        let phase = part.filter(|part| part.applies).map(|part| part.phase);
        (part.map_or_else(|| [].into(), |part| part.before.clone()), phase)
    }

    /// The place of a program among all, which is the same in all trainers of a shared training.
    pub fn place_of(&self, program: ProgramId) -> Option<usize> {
        self.parts.iter().position(|part| part.id == program)
    }

    /// The program at a place.
    pub fn program_at(&self, place: usize) -> Option<ProgramId> {
        self.parts.get(place).map(|part| part.id)
    }

    /// The statistics of a phase that are this trainer's alone.
    pub fn own_statistics(&mut self, phase: usize) -> impl Iterator<Item = &mut f32> {
        let gradients = self.parts.iter_mut().filter(move |part| part.phase == phase && !part.applies);
        gradients.flat_map(|part| &mut part.found[part.summed..])
    }

    /// Takes what they come to over all trainers.
    pub fn take_sums(&mut self, phase: usize, sums: &[f32]) {
        self.own_statistics(phase).zip(sums).for_each(|(loss, sum)| *loss = *sum);
        for part in self.parts.iter_mut().filter(|part| part.phase == phase && !part.applies) {
            part.summed = part.found.len();
        }
    }

    /// The statistics of batch `i` of an epoch, which is step `number` of the run, once all of them have come back: gives each to
    /// `told`, by its place among the names.
    ///
    /// # Errors
    /// If a loss or a gradient is not a finite number.
    pub fn take(&mut self, (i, number): (usize, u64), told: &mut dyn FnMut(usize, f64)) -> Result<bool> {
        let known = |part: &Part| if self.is_shared && !part.applies { part.summed } else { part.found.len() };
        let has_come = |part: &Part| known(part) >= part.statistics.len() || !self.is_run(part, i, number);
        if !self.parts.iter().all(has_come) {
            return Ok(false);
        }
        for place in 0..self.parts.len() {
            if !self.is_run(&self.parts[place], i, number) {
                continue;
            }
            let Part { applies, statistics, of_gradient, found, summed, .. } = &mut self.parts[place];
            *summed = summed.saturating_sub(statistics.len());
            let means = statistics.len() - *of_gradient;
            for (at, (&name, value)) in statistics.iter().zip(found.drain(..statistics.len())).enumerate() {
                let value = f64::from(value);
                let is_finite = match at < means {
                    true => at > 0 || *applies || value.is_finite(),
                    false => value.is_finite() && value < f64::from(NOT_FINITE),
                };
                if !is_finite {
                    return Err(diverged(number, if at < means { "loss" } else { "gradient" }));
                }
                // 0 and 1 are their own roots.
                told(name, if at < means { value } else { value.sqrt() });
            }
        }
        Ok(true)
    }
}

/// What is said of a step that gave no number.
fn diverged(step: u64, what: &str) -> Error {
    Error::Diverged(format!("step {} gave a {what} that is not a finite number", step + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_is_counted_as_it_is_done() {
        for (every, after) in [(1, 0), (3, 0), (1, 4), (5, 2)] {
            let (timing, mut done) = (Timing { every, after, moves: vec![] }, 0);
            for iteration in 0..40 {
                assert_eq!(timing.runs_before(iteration), done, "every {every} after {after}");
                done += u64::from(timing.runs_in(iteration));
            }
        }
        let timing = Timing { every: 5, after: 2, moves: vec![] };
        assert_eq!([1, 2, 3, 7].map(|iteration| timing.runs_in(iteration)), [false, true, false, true]);
    }
}
