//! Settling which of its choices a kernel is run with, by timing those that nothing is known about.
//!
//! Timing is bounded, per program that is loaded: when the budget is spent, what is left keeps the rule's choice.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::device::Gpu;
use super::dispatch::{BoundStep, Dispatch};
use super::passing::{Steps, size_block};
use crate::error::Result;
use crate::kernels::{Kernel, Module, Step};
use crate::program::{Call, Choices, Program};

/// A choice must be this much faster than the rule's to replace it: less may be noise.
const GAIN: f64 = 0.97;
/// Runs of a candidate that are timed at once, at most; about a millisecond of them.
const RUNS: usize = 16;
/// The most choices of one shape that are timed.
const CANDIDATES: usize = 8;
/// Words of the buffers on which a shape is timed, at most: they are needed beside everything else.
const ROOM: usize = 64 << 20;

impl Gpu {
    /// The module of every call of a program, with its choices settled.
    pub(super) fn modules(&mut self, program: &Program) -> Result<Vec<Module>> {
        if self.tuner.budget.is_some() {
            self.settle(program)?;
        }
        let module = |call: &Call| self.module(&*call.kernel, self.tuner.index(&*call.kernel, &self.traits));
        Ok(program.calls.iter().map(module).collect())
    }

    /// A kernel's module as it is compiled here.
    fn module(&self, kernel: &dyn Kernel, choice: usize) -> Module {
        let Module { text, workgroups } = kernel.module(&self.traits, choice);
        Module { text: self.pipelines.passing.text(&text, kernel.bindings().len()), workgroups }
    }

    /// Decides for every shape of a program that has not been met.
    fn settle(&mut self, program: &Program) -> Result<()> {
        let started = Instant::now();
        let mut open: BTreeMap<String, (&Call, Vec<String>)> = BTreeMap::new();
        for call in &program.calls {
            let Some(choices) = call.kernel.choices(&self.traits) else { continue };
            let known = |name: &String| choices.names.contains(name);
            if self.tuner.decided.get(&choices.shape).is_some_and(known) {
                continue;
            }
            match self.tuner.remembered.get(&choices.shape).filter(|name| known(name)) {
                Some(name) => _ = self.tuner.decided.insert(choices.shape, name.clone()),
                None => _ = open.insert(choices.shape, (call, choices.names)),
            }
        }
        // What takes longest matters most.
        let mut open: Vec<_> = open.into_iter().collect();
        open.sort_by(|(_, (a, _)), (_, (b, _))| b.kernel.cost().flops.total_cmp(&a.kernel.cost().flops));
        let mut found = Choices::new();
        let mut compiling = Duration::ZERO;
        for (shape, (call, names)) in open {
            let best = self.fastest(call, names.len().min(CANDIDATES), started, &mut compiling)?;
            if let Some(best) = best {
                found.insert(shape.clone(), names[best].clone());
            }
            self.tuner.decided.insert(shape, names[best.unwrap_or(0)].clone());
        }
        if !found.is_empty() {
            self.cache.add_choices(&found);
        }
        Ok(())
    }

    /// The fastest choice of a call on buffers of zeros; nothing if the budget, or the room, is not enough for all of them.
    /// `compiling` is the longest that a pipeline has taken.
    fn fastest(
        &mut self,
        call: &Call,
        count: usize,
        started: Instant,
        compiling: &mut Duration,
    ) -> Result<Option<usize>> {
        if call.bindings.iter().map(|slice| slice.words).sum::<usize>() > ROOM {
            return Ok(None);
        }
        let budget = self.tuner.budget.unwrap_or_default();
        let access = call.kernel.bindings();
        let modules: Vec<Module> = (0..count).map(|choice| self.module(&*call.kernel, choice)).collect();
        // One first: it tells whether there is time for the others, which compile side by side.
        for part in [&modules[..1], &modules[1..]] {
            let rounds = part.len().div_ceil(rayon::current_num_threads()) as u32;
            if started.elapsed() + rounds * *compiling >= budget {
                return Ok(None);
            }
            let wanted: Vec<_> = part.iter().map(|module| (module.text.clone(), access.clone())).collect();
            let before = Instant::now();
            self.pipelines.prepare(&wanted);
            *compiling = (*compiling).max(before.elapsed() / rounds.max(1));
        }
        self.failure.check()?;
        let buffers: Vec<wgpu::Buffer> = call
            .bindings
            .iter()
            .map(|slice| {
                self.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("tuning"),
                    size: 4 * slice.words.max(1) as u64,
                    usage: wgpu::BufferUsages::STORAGE,
                    mapped_at_creation: false,
                })
            })
            .collect();
        let sizes = self.pipelines.passing.bound_sizes(&self.device, [&*call.kernel].into_iter());
        let mut times = Vec::new();
        for module in &modules {
            let pipeline = self.pipelines.get(&module.text, &access);
            let bound = buffers.iter().map(|buffer| buffer.as_entire_binding());
            let bound = bound.chain(sizes.as_ref().map(|sizes| size_block(sizes, 0))).collect();
            let dispatch = Dispatch::new(&self.device, &*call.kernel, module, pipeline, bound);
            let mut run = |runs: usize| -> Result<f64> {
                let before = Instant::now();
                self.run_alone(&dispatch, runs, &Step::default())?;
                Ok(before.elapsed().as_secs_f64() / runs as f64)
            };
            let once = run(1)?;
            let runs = ((1e-3 / once) as usize).clamp(1, RUNS);
            let mut best = f64::INFINITY;
            for _ in 0..3 {
                best = best.min(run(runs)?);
                if started.elapsed() >= budget {
                    return Ok(None);
                }
            }
            times.push(best);
        }
        let (fastest, time) = times.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).unwrap_or((0, &0.0));
        Ok(Some(if *time < GAIN * times[0] { fastest } else { 0 }))
    }

    /// Runs one call so many times, and waits.
    fn run_alone(&mut self, call: &Dispatch, runs: usize, step: &Step) -> Result<()> {
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            self.steps.iter_mut().for_each(Steps::clear);
            let step = BoundStep::new(self.pipelines.passing, &mut self.steps, &mut pass, step);
            (0..runs).for_each(|_| call.record(&mut pass, step));
        }
        self.steps.iter().for_each(|steps| steps.write(&self.queue));
        let submission = self.queue.submit([encoder.finish()]);
        self.readback.wait_for(&self.failure, submission)
    }
}
