//! A host of its own for exported programs: it reads their JSON as `docs/program.md` describes it, and runs them by wgpu alone.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use wgpu::util::DeviceExt;

/// Bytes from one block of a uniform buffer to the next.
const APART: usize = 256;

/// Programs on a device.
pub struct Host {
    bundle: Value,
    kind: &'static str,
    device: wgpu::Device,
    queue: wgpu::Queue,
    buffers: Vec<wgpu::Buffer>,
    step_layout: wgpu::BindGroupLayout,
    steps: wgpu::Buffer,
    loaded: HashMap<usize, Vec<Ready>>,
}

/// A call that is ready.
struct Ready {
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
    grid: [u32; 3],
}

/// The number of an index or a size.
fn number(value: &Value) -> usize {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number")) as usize
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

/// The bytes of words in Base64.
pub fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().expect("text")).expect("Base64")
}

impl Host {
    /// Puts programs on the first adapter, with the texts of this kind; nothing where there is none.
    pub fn new(bundle: &Value, kind: &'static str) -> Option<Host> {
        assert_eq!((bundle["format"].as_str(), bundle["version"].as_u64()), (Some("elbo-programs"), Some(1)));
        let descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
        let instance = wgpu::Instance::new(descriptor);
        let adapter = pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default())).ok()?;
        // Nothing beyond what WebGPU promises of every adapter.
        let wanted =
            wgpu::DeviceDescriptor { required_limits: wgpu::Limits::default(), ..wgpu::DeviceDescriptor::default() };
        let (device, queue) = pollster::block_on(adapter.request_device(&wanted)).expect("the adapter opens");
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let make = |size: u64, usage| {
            device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
        };
        let buffers: Vec<_> =
            list(&bundle["buffers"]).iter().map(|b| make(4 * number(&b["words"]).max(1) as u64, usage)).collect();
        for (buffer, about) in buffers.iter().zip(list(&bundle["buffers"])) {
            if !about["initial"].is_null() {
                queue.write_buffer(buffer, 0, &bytes(&bundle["contents"][number(&about["initial"])]));
            }
        }
        let steps = make(APART as u64, wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST);
        let entries = [uniform(0)];
        let step_layout =
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries });
        let (bundle, loaded) = (bundle.clone(), HashMap::new());
        Some(Host { bundle, kind, device, queue, buffers, step_layout, steps, loaded })
    }

    /// The index of a program.
    pub fn program(&self, name: &str) -> usize {
        let found = list(&self.bundle["programs"]).iter().position(|program| program["name"] == name);
        found.unwrap_or_else(|| panic!("no program {name}"))
    }

    /// Puts into a run's buffers what they have before its first launch; all of its programs' other buffers are still zeros.
    pub fn restore(&self, run: &Value) {
        for pair in list(&run["state"]) {
            let contents = bytes(&self.bundle["contents"][number(&pair[1])]);
            self.queue.write_buffer(&self.buffers[number(&pair[0])], 0, &contents);
        }
    }

    /// Writes an input.
    pub fn write(&self, program: usize, name: &str, values: &[f32]) {
        let inputs = list(&self.bundle["programs"][program]["inputs"]);
        let place = inputs.iter().find(|place| place["name"] == name).expect("an input");
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.queue.write_buffer(&self.buffers[number(&place["buffer"])], 0, &bytes);
    }

    /// Reads an output.
    pub fn read(&self, program: usize, name: &str) -> Vec<f32> {
        let outputs = list(&self.bundle["programs"][program]["outputs"]);
        let place = outputs.iter().find(|place| place["name"] == name).expect("an output");
        self.words(number(&place["buffer"]), number(&place["offset"]), number(&place["words"]))
    }

    fn words(&self, buffer: usize, offset: usize, words: usize) -> Vec<f32> {
        let copy = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 4 * words as u64,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(&self.buffers[buffer], 4 * offset as u64, &copy, 0, 4 * words as u64);
        self.queue.submit([encoder.finish()]);
        copy.map_async(wgpu::MapMode::Read, .., |mapped| mapped.expect("the buffer is mapped"));
        self.device.poll(wgpu::PollType::wait_indefinitely()).expect("the device works");
        let view = copy.get_mapped_range(..).expect("it is mapped");
        view.chunks_exact(4).map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect()
    }

    /// Runs one step of a program; gives its statistics. The slot of the ring is 7.
    pub fn run(&mut self, program: usize, step: &[u8]) -> Vec<f32> {
        let mut step = step.to_vec();
        step[12..16].copy_from_slice(&7_u32.to_le_bytes());
        self.queue.write_buffer(&self.steps, 0, &step);
        self.load(program);
        let entries = [wgpu::BindGroupEntry { binding: 0, resource: block(&self.steps, 0) }];
        let group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &self.step_layout,
            entries: &entries,
        });
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_bind_group(1, &group, &[]);
            for Ready { pipeline, group, grid: [x, y, z] } in &self.loaded[&program] {
                pass.set_pipeline(pipeline);
                pass.set_bind_group(0, group, &[]);
                pass.dispatch_workgroups(*x, *y, *z);
            }
        }
        self.queue.submit([encoder.finish()]);
        let about = &self.bundle["programs"][program];
        let width = list(&about["statistics"]).len();
        if width == 0 { vec![] } else { self.words(number(&about["ring"]), 7 * width, width) }
    }

    fn load(&mut self, program: usize) {
        if self.loaded.contains_key(&program) {
            return;
        }
        let calls = list(&self.bundle["programs"][program]["calls"]).iter().map(|call| self.ready(call)).collect();
        self.loaded.insert(program, calls);
    }

    fn ready(&self, call: &Value) -> Ready {
        let how = &call[self.kind];
        let about = &self.bundle["pipelines"][number(&how["pipeline"])];
        let access = about["access"].as_str().expect("letters");
        let storage = |(i, letter): (usize, char)| wgpu::BindGroupLayoutEntry {
            binding: i as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Storage { read_only: letter == 'r' },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        };
        let entries: Vec<_> = access.chars().enumerate().map(storage).chain([uniform(access.len())]).collect();
        let layout =
            self.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries });
        let text = self.bundle["modules"][number(&about["module"])].as_str().expect("a text");
        let source = wgpu::ShaderSource::Wgsl(text.into());
        let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: Some(&self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: None,
                bind_group_layouts: &[Some(&layout), Some(&self.step_layout)],
                immediate_size: 0,
            })),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let mut sizes: Vec<u8> =
            list(&call["sizes"]).iter().flat_map(|size| (number(size) as u32).to_le_bytes()).collect();
        sizes.resize(APART, 0);
        let sizes = self.device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: None,
            contents: &sizes,
            usage: wgpu::BufferUsages::UNIFORM,
        });
        let bound = list(&call["bindings"]).iter().map(|slice| {
            wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: &self.buffers[number(&slice[0])],
                offset: 4 * number(&slice[1]) as u64,
                size: wgpu::BufferSize::new(4 * number(&slice[2]).max(1) as u64),
            })
        });
        let entries: Vec<_> = bound
            .chain([block(&sizes, 0)])
            .enumerate()
            .map(|(i, resource)| wgpu::BindGroupEntry { binding: i as u32, resource })
            .collect();
        let descriptor = wgpu::BindGroupDescriptor { label: None, layout: &layout, entries: &entries };
        let group = self.device.create_bind_group(&descriptor);
        let grid = [0, 1, 2].map(|axis| number(&how["grid"][axis]) as u32);
        Ready { pipeline, group, grid }
    }
}

fn uniform(binding: usize) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding: binding as u32,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Uniform,
            has_dynamic_offset: false,
            min_binding_size: wgpu::BufferSize::new(64),
        },
        count: None,
    }
}

/// A block of 64 bytes.
fn block(buffer: &wgpu::Buffer, offset: u64) -> wgpu::BindingResource<'_> {
    wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset, size: wgpu::BufferSize::new(64) })
}
