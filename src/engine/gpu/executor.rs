//! Programs on a device: loading them, replaying them, reading back.

use std::cell::Cell;

use super::device::Gpu;
use crate::error::{Error, Result};
use crate::kernels::{Access, DIMS, Kernel, Module, Step};
use crate::program::{
    Buffer, Choices, Counters, DeviceMemory, Executor, Launch, Program, ProgramId, RING_SLOTS, check_memory, check_room,
};

/// A program whose pipelines, bind groups and buffers are made.
pub(super) struct Loaded {
    program: Program,
    calls: Vec<Dispatch>,
    ring: Option<wgpu::Buffer>,
    /// Steps recorded for the submit under way.
    recorded: Cell<usize>,
    finished: Vec<f32>,
}

/// One call, ready to record.
pub(super) struct Dispatch {
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
    dims: [u32; DIMS],
    workgroups: [u32; 3],
}

impl Dispatch {
    /// Records the call into a pass of its own.
    pub(super) fn record(&self, pass: &mut wgpu::ComputePass, step: &Step) {
        pass.set_pipeline(&self.pipeline);
        self.dispatch(pass, step);
    }

    /// Records the call, its pipeline being set.
    fn dispatch(&self, pass: &mut wgpu::ComputePass, step: &Step) {
        pass.set_bind_group(0, &self.group, &[]);
        pass.set_immediates(0, bytemuck::bytes_of(step));
        pass.set_immediates(64, bytemuck::cast_slice(&self.dims));
        let [x, y, z] = self.workgroups;
        pass.dispatch_workgroups(x, y, z);
    }
}

/// Bytes that are written to buffers before they are sent.
const STAGED: usize = 32 << 20;

impl Gpu {
    /// Buffers that are to be made must fit the adapter's limits; said before any is.
    fn check_memory(&self, what: &str, buffers: &[Buffer]) -> Result<()> {
        match buffers.iter().max_by_key(|b| b.words) {
            Some(buffer) if buffer.bytes() > self.device.limits().max_buffer_size => {
                Err(self.too_large(&buffer.name, buffer.bytes(), self.device.limits().max_buffer_size))
            }
            _ => {
                let new = buffers.iter().filter(|b| !self.buffers.contains_key(&b.name));
                let new: u64 = new.map(|b| b.bytes()).sum();
                let free = self.adapter.memory().map_or(u64::MAX, |all| all.saturating_sub(self.bytes()));
                check_memory(what, new, free, self.adapter.name())
            }
        }
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
        self.queue.submit([]);
        self.counters.waits += 1;
        if let Err(error) = self.device.poll(wgpu::PollType::wait_indefinitely()) {
            self.failure.set(error.to_string());
        }
        self.failure.check()
    }

    fn make_buffers(&mut self, program: &Program) -> Result<Vec<wgpu::Buffer>> {
        let id = self.programs.len();
        let mut all = Vec::new();
        for buffer in &program.buffers {
            let name = if buffer.is_private() {
                format!("{}.{id}.{}", program.name, buffer.name)
            } else {
                buffer.name.clone()
            };
            all.push(self.make_buffer(name, buffer.words)?);
        }
        Ok(all)
    }

    /// A buffer, made if there is none of that name.
    fn make_buffer(&mut self, name: String, words: usize) -> Result<wgpu::Buffer> {
        let size = 4 * words.max(1) as u64;
        if let Some(made) = self.buffers.get(&name) {
            return match made.size() == size {
                true => Ok(made.clone()),
                false => Err(Error::invalid(format!(
                    "the buffer {name} has {} bytes in one program and {size} in another",
                    made.size()
                ))),
            };
        }
        self.counters.buffers += 1;
        let made = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(&name),
            size,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.buffers.insert(name, made.clone());
        Ok(made)
    }

    fn named(&self, name: &str) -> Result<&wgpu::Buffer> {
        self.buffers.get(name).ok_or_else(|| Error::invalid(format!("no program has a buffer named {name}")))
    }

    /// Waits for everything submitted, and reads a mappable buffer.
    fn map(&mut self, staging: &wgpu::Buffer) -> Result<Vec<u32>> {
        let told = self.failure.clone();
        staging.map_async(wgpu::MapMode::Read, .., move |result| {
            if let Err(error) = result {
                told.set(error.to_string());
            }
        });
        self.counters.waits += 1;
        if let Err(error) = self.device.poll(wgpu::PollType::wait_indefinitely()) {
            self.failure.set(error.to_string());
        }
        self.failure.check()?;
        let view = staging.get_mapped_range(..).map_err(|e| Error::Device(e.to_string()))?;
        Ok(bytemuck::pod_collect_to_vec(&view))
    }

    /// Makes a call ready, its pipeline being compiled.
    pub(super) fn dispatch(
        &self,
        kernel: &dyn Kernel,
        module: &Module,
        pipeline: wgpu::ComputePipeline,
        bound: Vec<wgpu::BindingResource>,
    ) -> Dispatch {
        let entry = |(i, resource)| wgpu::BindGroupEntry { binding: i as u32, resource };
        let entries: Vec<_> = bound.into_iter().enumerate().map(entry).collect();
        let layout = pipeline.get_bind_group_layout(0);
        let descriptor = wgpu::BindGroupDescriptor { label: None, layout: &layout, entries: &entries };
        let group = self.device.create_bind_group(&descriptor);
        Dispatch { pipeline, group, dims: kernel.dims(), workgroups: module.workgroups }
    }

    /// Records some runs of programs into one pass and submits them: as many as a ring has slots, at most.
    fn submit(&mut self, launches: &[Launch]) -> Result<()> {
        let programs = &mut self.programs;
        self.readback.make_room(&self.failure, &mut |p, values| programs[p].finished.extend_from_slice(values))?;
        self.staged = 0;
        let counters = &mut self.counters;
        counters.steps += launches.len() as u64;
        counters.submits += 1;
        counters.encoders += 1;
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
        {
            let mut pass =
                encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes: None });
            let mut bound = None;
            programs.iter().for_each(|loaded| loaded.recorded.set(0));
            for &Launch { program, step } in launches {
                let loaded = &programs[program.0];
                let step = Step { slot: loaded.recorded.get() as u32, ..step };
                loaded.recorded.set(loaded.recorded.get() + 1);
                for call in &loaded.calls {
                    if bound != Some(&call.pipeline) {
                        pass.set_pipeline(&call.pipeline);
                        bound = Some(&call.pipeline);
                    }
                    call.dispatch(&mut pass, &step);
                }
            }
        }
        let parts = programs.iter().enumerate().filter_map(|(id, loaded)| {
            let words = loaded.recorded.get() * loaded.program.statistics.len();
            (words > 0).then_some((id, words, loaded.ring.as_ref()?))
        });
        let words = parts.clone().map(|(_, words, _)| words).sum();
        let back = (words > 0).then(|| {
            let mut slot = self.readback.slot(words);
            for (id, words, ring) in parts {
                let at = slot.expect(id, words);
                encoder.copy_buffer_to_buffer(ring, 0, &slot.buffer, 4 * at as u64, 4 * words as u64);
            }
            slot
        });
        let submission = self.queue.submit([encoder.finish()]);
        self.readback.submitted(back, submission);
        self.failure.check()
    }
}

impl Executor for Gpu {
    fn describe(&self) -> String {
        let a = &self.adapter;
        format!("{} ({}, {}, {})", a.name(), a.backend(), a.kind(), a.driver())
    }

    fn load(&mut self, program: Program) -> Result<ProgramId> {
        self.check_memory(&format!("the program `{}`", program.name), &program.buffers)?;
        self.check_bindings(&program)?;
        let modules = self.modules(&program)?;
        let wanted: Vec<(String, Vec<Access>)> =
            modules.iter().zip(&program.calls).map(|(m, c)| (m.text.clone(), c.kernel.bindings())).collect();
        self.pipelines.prepare(&wanted);
        self.failure.check()?;
        self.pipelines.keep(&self.cache);
        let buffers = self.make_buffers(&program)?;
        let mut calls: Vec<Dispatch> = Vec::new();
        for ((call, module), (text, access)) in program.calls.iter().zip(&modules).zip(&wanted) {
            let pipeline = self.pipelines.get(text, access);
            let bound = call.bindings.iter().map(|slice| wgpu::BufferBinding {
                buffer: &buffers[slice.buffer],
                offset: 4 * slice.offset as u64,
                size: wgpu::BufferSize::new(4 * slice.words.max(1) as u64),
            });
            let known = self.programs.iter().flat_map(|p| &p.calls).chain(&calls).any(|c| c.pipeline == pipeline);
            self.counters.pipelines += u64::from(!known);
            self.counters.bind_groups += 1;
            calls.push(self.dispatch(
                &*call.kernel,
                module,
                pipeline,
                bound.map(wgpu::BindingResource::Buffer).collect(),
            ));
        }
        let ring = program.ring.map(|index| buffers[index].clone());
        if ring.is_some() {
            self.readback.reserve(RING_SLOTS * program.statistics.len());
        }
        self.programs.push(Loaded { program, calls, ring, recorded: Cell::new(0), finished: Vec::new() });
        self.failure.check()?;
        Ok(ProgramId(self.programs.len() - 1))
    }

    fn allocate(&mut self, buffer: &Buffer) -> Result<()> {
        self.check_memory(&format!("the buffer {}", buffer.name), std::slice::from_ref(buffer))?;
        self.make_buffer(buffer.name.clone(), buffer.words)?;
        self.failure.check()
    }

    fn words(&self, buffer: &str) -> Option<usize> {
        self.buffers.get(buffer).map(|made| made.size() as usize / 4)
    }

    fn program(&self, id: ProgramId) -> &Program {
        &self.programs[id.0].program
    }

    fn launch(&mut self, launches: &[Launch]) -> Result<()> {
        launches.chunks(RING_SLOTS).try_for_each(|chunk| self.submit(chunk))
    }

    fn statistics(&mut self, id: ProgramId, wait: bool, into: &mut Vec<f32>) -> Result<()> {
        let programs = &mut self.programs;
        let mut deliver = |p: usize, values: &[f32]| programs[p].finished.extend_from_slice(values);
        if wait {
            self.readback.finish(&self.failure, &mut deliver)?;
        } else {
            self.readback.collect(&self.failure, &mut deliver)?;
        }
        into.append(&mut self.programs[id.0].finished);
        Ok(())
    }

    fn write_at(&mut self, buffer: &str, first: usize, words: &[u32]) -> Result<()> {
        let target = self.named(buffer)?.clone();
        check_room(buffer, target.size() as usize / 4, first, words.len())?;
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

    fn read(&mut self, buffer: &str) -> Result<Vec<u32>> {
        let source = self.named(buffer)?.clone();
        let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("read"),
            size: source.size(),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        self.counters.buffers += 1;
        self.counters.encoders += 1;
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None });
        encoder.copy_buffer_to_buffer(&source, 0, &staging, 0, source.size());
        self.queue.submit([encoder.finish()]);
        self.map(&staging)
    }

    fn profile(&mut self, id: ProgramId, step: &Step) -> Result<Vec<f64>> {
        if !self.device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return Err(Error::Device(format!("{} cannot time its calls: it lacks timestamps", self.adapter.name())));
        }
        let loaded = &self.programs[id.0];
        let count = 2 * loaded.calls.len() as u32;
        let queries = self.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: None,
            ty: wgpu::QueryType::Timestamp,
            count,
        });
        let buffer = |usage| {
            let size = 8 * u64::from(count);
            self.device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
        };
        let resolved = buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC);
        let staging = buffer(wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ);
        self.counters.buffers += 2;
        self.counters.encoders += 1;
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
            call.record(&mut pass, step);
        }
        encoder.resolve_query_set(&queries, 0..count, &resolved, 0);
        encoder.copy_buffer_to_buffer(&resolved, 0, &staging, 0, staging.size());
        self.queue.submit([encoder.finish()]);
        let words = self.map(&staging)?;
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
        self.buffers.values().map(wgpu::Buffer::size).sum()
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
