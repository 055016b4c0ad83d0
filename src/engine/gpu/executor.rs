//! Programs on a device: loading them, replaying them, reading back.

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::Arc;

use super::device::Gpu;
use super::dispatch::{BoundStep, Dispatch};
use super::loaded::Loaded;
use super::passing::{Steps, size_block};
use crate::error::{Error, Result};
use crate::kernels::{Access, Module, Step};
use crate::program::{
    Buffer, Choices, Counters, DeviceMemory, Executor, Launch, Objects, Program, ProgramId, Programs, RING_SLOTS,
    ReadTicket, check_memory,
};

/// Bytes that are written to buffers before they are sent.
const STAGED: usize = 32 << 20;

impl Gpu {
    /// Buffers that are to be made must fit the adapter's limits; said before any is.
    fn check_memory(&self, what: &str, buffers: &[Buffer]) -> Result<()> {
        self.buffers.check_sizes(buffers)?;
        match buffers.iter().max_by_key(|b| b.words) {
            Some(buffer) if buffer.bytes() > self.device.limits().max_buffer_size => {
                Err(self.too_large(&buffer.name, buffer.bytes(), self.device.limits().max_buffer_size))
            }
            _ => {
                let new = self.buffers.bytes_missing(buffers);
                let free = self.adapter.memory().map_or(u64::MAX, |all| all.saturating_sub(self.bytes()));
                check_memory(what, new, free, self.adapter.name())
            }
        }
    }

    /// The pipelines that loaded programs use.
    fn pipelines_used(&self) -> HashSet<*const wgpu::ComputePipeline> {
        let calls = self.programs.iter().flat_map(|(_, loaded)| &loaded.calls);
        calls.map(|call| Arc::as_ptr(call.pipeline())).collect()
    }

    /// What calls bind must fit as well: parts of buffers, which may be larger.
    fn check_bindings(&self, program: &Program) -> Result<()> {
        let (largest, bound) = (self.largest_buffer(), program.calls.iter().flat_map(|call| &call.bindings));
        match bound.max_by_key(|slice| slice.words).filter(|slice| 4 * slice.words as u64 > largest) {
            Some(slice) => Err(self.too_large(&program.buffers[slice.buffer].name, 4 * slice.words as u64, largest)),
            None => Ok(()),
        }
    }

    fn too_large(&self, buffer: &str, needed: u64, allowed: u64) -> Error {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        Error::Device(format!(
            "{buffer} needs {:.1} MiB at once, and {} binds {:.1} MiB at most; a smaller `batch` or narrower layers make it fit, or \
             choose the `device` cpu",
            mib(needed),
            self.adapter.name(),
            mib(allowed)
        ))
    }

    /// Sends what was written, and waits until it is there.
    fn flush(&mut self) -> Result<()> {
        self.staged = 0;
        let submission = self.queue.submit([]);
        self.readback.wait_for(&self.failure, submission)
    }

    /// Takes in what has come back, without a wait.
    fn collect(&mut self) -> Result<()> {
        let Gpu { programs, readback, failure, .. } = self;
        readback.collect(failure, &mut |id, values| deliver(programs, id, values))
    }

    /// Begins to read a buffer that can be copied from.
    fn copy_back(&mut self, source: &wgpu::Buffer, mut encoder: wgpu::CommandEncoder) -> ReadTicket {
        let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("read"),
            size: source.size(),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        self.counters.encoders += 1;
        encoder.copy_buffer_to_buffer(source, 0, &staging, 0, source.size());
        let submission = self.queue.submit([encoder.finish()]);
        self.readback.begin_read(staging, submission)
    }

    /// Records some runs of programs into one pass and submits them: as many as a ring has slots, at most.
    fn submit(&mut self, launches: &[Launch]) -> Result<()> {
        let Gpu { programs, readback, failure, counters, staged, .. } = self;
        launches.iter().try_for_each(|launch| programs.get(launch.program).map(|_| ()))?;
        readback.make_room(failure, &mut |id, values| deliver(programs, id, values))?;
        *staged = 0;
        counters.steps += launches.len() as u64;
        counters.submits += 1;
        counters.encoders += 1;
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
        {
            let mut pass =
                encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes: None });
            let mut bound = None;
            programs.iter().for_each(|(_, loaded)| loaded.recorded.set(0));
            self.steps.iter_mut().for_each(Steps::clear);
            for &Launch { program, step } in launches {
                let loaded = programs.get(program)?;
                let step = Step { slot: loaded.recorded.get() as u32, ..step };
                loaded.recorded.set(loaded.recorded.get() + 1);
                let step = BoundStep::new(self.pipelines.passing, &mut self.steps, &mut pass, &step);
                for call in &loaded.calls {
                    if bound != Some(call.pipeline()) {
                        pass.set_pipeline(call.pipeline());
                        bound = Some(call.pipeline());
                    }
                    call.dispatch(&mut pass, step);
                }
            }
        }
        let parts = || {
            programs.iter().filter_map(|(id, loaded)| {
                let words = loaded.recorded.get() * loaded.program.statistics.len();
                (words > 0).then_some((id, words, loaded.ring.as_ref()?))
            })
        };
        let words = parts().map(|(_, words, _)| words).sum();
        let back = (words > 0).then(|| {
            let mut slot = readback.slot(words);
            for (id, words, ring) in parts() {
                let at = slot.expect(id, words);
                encoder.copy_buffer_to_buffer(ring, 0, &slot.buffer, 4 * at as u64, 4 * words as u64);
            }
            slot
        });
        self.steps.iter().for_each(|steps| steps.write(&self.queue));
        let submission = self.queue.submit([encoder.finish()]);
        readback.submitted(back, submission);
        failure.check()
    }
}

/// Keeps statistics for their program, unless it is gone.
fn deliver(programs: &mut Programs<Loaded>, id: ProgramId, values: &[f32]) {
    if let Ok(loaded) = programs.get_mut(id) {
        loaded.finished.extend_from_slice(values);
    }
}

/// What the calls of a program are compiled from.
fn texts(program: &Program, modules: &[Module]) -> Vec<(String, Vec<Access>)> {
    modules.iter().zip(&program.calls).map(|(m, c)| (m.text.clone(), c.kernel.bindings())).collect()
}

/// A buffer of zeros that programs read and write.
fn zeros(device: &wgpu::Device, buffer: &Buffer) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(&buffer.name),
        size: 4 * buffer.words.max(1) as u64,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

impl Executor for Gpu {
    fn describe(&self) -> String {
        let a = &self.adapter;
        format!("{} ({}, {}, {})", a.name(), a.backend(), a.kind(), a.driver())
    }

    fn load(&mut self, program: Program) -> Result<ProgramId> {
        let named = program.named_buffers(self.programs.next());
        self.check_memory(&format!("the program `{}`", program.name), &named)?;
        self.check_bindings(&program)?;
        let modules = self.modules(&program)?;
        let wanted = texts(&program, &modules);
        self.pipelines.prepare(&wanted);
        self.failure.check()?;
        self.pipelines.keep(&self.cache);
        let Gpu { device, buffers, counters, .. } = self;
        let mut take = |buffer| {
            buffers.take(buffer, || {
                counters.buffers += 1;
                Ok(zeros(device, buffer))
            })
        };
        let buffers: Vec<wgpu::Buffer> = named.iter().map(&mut take).collect::<Result<_>>()?;
        let sizes = self.pipelines.passing.bound_sizes(&self.device, program.calls.iter().map(|call| &*call.kernel));
        self.counters.buffers += u64::from(sizes.is_some());
        let mut used = self.pipelines_used();
        let mut calls: Vec<Dispatch> = Vec::new();
        for ((call, module), (text, access)) in program.calls.iter().zip(&modules).zip(&wanted) {
            let pipeline = self.pipelines.get(text, access);
            let bound = call.bindings.iter().map(|slice| wgpu::BufferBinding {
                buffer: &buffers[slice.buffer],
                offset: 4 * slice.offset as u64,
                size: wgpu::BufferSize::new(4 * slice.words.max(1) as u64),
            });
            let bound = bound.map(wgpu::BindingResource::Buffer);
            let bound = bound.chain(sizes.as_ref().map(|sizes| size_block(sizes, calls.len()))).collect();
            self.counters.pipelines += u64::from(used.insert(Arc::as_ptr(&pipeline)));
            self.counters.bind_groups += 1;
            calls.push(Dispatch::new(&self.device, &*call.kernel, module, pipeline, bound));
        }
        let ring = program.ring.map(|index| buffers[index].clone());
        if ring.is_some() {
            self.readback.reserve(RING_SLOTS * program.statistics.len());
        }
        let sizes_bound = sizes.is_some();
        let loaded = Loaded { program, calls, ring, sizes_bound, recorded: Cell::new(0), finished: Vec::new() };
        let id = self.programs.insert(loaded);
        self.failure.check()?;
        Ok(id)
    }

    fn prepare(&mut self, programs: &[Program]) -> Result<()> {
        let mut wanted = Vec::new();
        for program in programs {
            wanted.extend(texts(program, &self.modules(program)?));
        }
        self.pipelines.prepare(&wanted);
        self.failure.check()
    }

    fn unload(&mut self, id: ProgramId) -> Result<()> {
        let Loaded { program, calls, .. } = self.programs.remove(id)?;
        drop(calls);
        for buffer in program.named_buffers(id) {
            self.buffers.release(&buffer.name);
        }
        self.pipelines.trim();
        Ok(())
    }

    fn allocate(&mut self, buffer: &Buffer) -> Result<()> {
        self.check_memory(&format!("the buffer {}", buffer.name), std::slice::from_ref(buffer))?;
        let Gpu { device, buffers, counters, .. } = self;
        buffers.keep(buffer, || {
            counters.buffers += 1;
            Ok(zeros(device, buffer))
        })?;
        self.failure.check()
    }

    fn words(&self, buffer: &str) -> Option<usize> {
        self.buffers.get(buffer).ok().map(|(_, words)| words)
    }

    fn program(&self, id: ProgramId) -> Result<&Program> {
        Ok(&self.programs.get(id)?.program)
    }

    fn launch(&mut self, launches: &[Launch]) -> Result<()> {
        launches.chunks(RING_SLOTS).try_for_each(|chunk| self.submit(chunk))
    }

    fn statistics(&mut self, id: ProgramId, wait: bool, into: &mut Vec<f32>) -> Result<()> {
        self.programs.get(id)?;
        if wait {
            let Gpu { programs, readback, failure, .. } = self;
            readback.finish(failure, &mut |id, values| deliver(programs, id, values))?;
        } else {
            self.collect()?;
        }
        into.append(&mut self.programs.get_mut(id)?.finished);
        Ok(())
    }

    fn write_at(&mut self, buffer: &str, first: usize, words: &[u32]) -> Result<()> {
        let target = self.buffers.with_room(buffer, first, words.len())?.clone();
        // Parts, so that what wgpu keeps of them until the next submit stays small.
        for (i, part) in words.chunks(STAGED / 4).enumerate() {
            if self.staged + 4 * part.len() > STAGED {
                self.flush()?;
            }
            self.queue.write_buffer(&target, 4 * (first + i * (STAGED / 4)) as u64, bytemuck::cast_slice(part));
            self.staged += 4 * part.len();
        }
        self.counters.uploaded += 4 * words.len() as u64;
        self.failure.check()
    }

    fn begin_read(&mut self, buffer: &str) -> Result<ReadTicket> {
        let source = self.buffers.get(buffer)?.0.clone();
        self.failure.check()?;
        let encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
        let ticket = self.copy_back(&source, encoder);
        self.failure.check().map(|()| ticket)
    }

    fn poll_read(&mut self, ticket: &ReadTicket) -> Result<Option<Vec<u32>>> {
        self.readback.poll_read(&self.failure, ticket)
    }

    fn has_room(&mut self) -> Result<bool> {
        self.collect()?;
        Ok(self.readback.has_room())
    }

    fn wait(&mut self, ticket: Option<&ReadTicket>) -> Result<()> {
        self.readback.wait(&self.failure, ticket)
    }

    fn profile(&mut self, id: ProgramId, step: &Step) -> Result<Vec<f64>> {
        if !self.device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return Err(Error::Device(format!("{} cannot time its calls: it lacks timestamps", self.adapter.name())));
        }
        let loaded = self.programs.get(id)?;
        let count = 2 * loaded.calls.len() as u32;
        let queries = self.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: None,
            ty: wgpu::QueryType::Timestamp,
            count,
        });
        let resolved = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 8 * u64::from(count),
            usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        self.counters.buffers += 1;
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
        for (i, call) in loaded.calls.iter().enumerate() {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: None,
                timestamp_writes: Some(wgpu::ComputePassTimestampWrites {
                    query_set: &queries,
                    beginning_of_pass_write_index: Some(2 * i as u32),
                    end_of_pass_write_index: Some(2 * i as u32 + 1),
                }),
            });
            self.steps.iter_mut().for_each(Steps::clear);
            let step = BoundStep::new(self.pipelines.passing, &mut self.steps, &mut pass, step);
            call.record(&mut pass, step);
        }
        encoder.resolve_query_set(&queries, 0..count, &resolved, 0);
        self.steps.iter().for_each(|steps| steps.write(&self.queue));
        let ticket = self.copy_back(&resolved, encoder);
        self.wait(Some(&ticket))?;
        let words = self
            .poll_read(&ticket)?
            .ok_or_else(|| Error::Device("the times of calls did not come back".to_string()))?;
        let ticks: Vec<u64> = words.chunks_exact(2).map(|w| u64::from(w[0]) | u64::from(w[1]) << 32).collect();
        let period = f64::from(self.queue.get_timestamp_period()) * 1e-9;
        Ok(ticks.chunks_exact(2).map(|t| t[1].wrapping_sub(t[0]) as f64 * period).collect())
    }

    fn largest_buffer(&self) -> u64 {
        let limits = self.device.limits();
        limits.max_buffer_size.min(limits.max_storage_buffer_binding_size)
    }

    fn own_memory(&self) -> Option<u64> {
        self.adapter.memory().filter(|_| !self.adapter.is_software())
    }

    fn choices(&self) -> Choices {
        self.tuner.decided.clone()
    }

    fn replay_choices(&mut self, recorded: Option<Choices>) {
        match recorded {
            Some(recorded) => self.tuner.decided = recorded,
            None => self.tuner.budget = None,
        }
    }

    fn bytes(&self) -> u64 {
        self.buffers.extent().1
    }

    fn objects(&self) -> Objects {
        let loaded = || self.programs.iter().map(|(_, loaded)| loaded);
        let sizes = loaded().filter(|loaded| loaded.sizes_bound).count();
        Objects {
            programs: loaded().count() as u64,
            buffers: self.buffers.extent().0 + sizes as u64,
            bind_groups: loaded().map(|loaded| loaded.calls.len() as u64).sum(),
            pipelines: self.pipelines_used().len() as u64,
        }
    }

    fn counters(&self) -> Counters {
        let (buffers, waits) = self.readback.counts();
        Counters { buffers: self.counters.buffers + buffers, waits: self.counters.waits + waits, ..self.counters }
    }

    /// wgpu keeps 512 KiB of zeros, from which it clears textures.
    fn fixed_bytes(&self) -> u64 {
        512 << 10
    }

    fn device_memory(&self) -> Option<DeviceMemory> {
        let report = self.device.generate_allocator_report()?;
        Some(DeviceMemory { allocated: report.total_allocated_bytes, reserved: report.total_reserved_bytes })
    }
}
