//! Opening an adapter.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::adapter::Adapter;
use super::executor::Loaded;
use super::pipelines::Pipelines;
use super::readback::Readback;
use crate::error::{Error, Result};
use crate::kernels::Traits;
use crate::program::Counters;

/// How a device is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Compile shaders with the compiler's own bounds and loop checks, and workgroup memory zeroed: a test mode.
    pub checked: bool,
}

/// Runs programs on a GPU.
pub struct Gpu {
    pub(super) adapter: Adapter,
    pub(super) traits: Traits,
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) pipelines: Pipelines,
    pub(super) buffers: HashMap<String, wgpu::Buffer>,
    pub(super) programs: Vec<Loaded>,
    pub(super) readback: Readback,
    pub(super) failure: Failure,
    pub(super) counters: Counters,
}

/// The first thing that went wrong on the device, which wgpu tells asynchronously.
#[derive(Clone, Default)]
pub(super) struct Failure(Arc<Mutex<Option<String>>>);

impl Failure {
    pub fn set(&self, message: String) {
        let mut first = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        first.get_or_insert(message);
    }

    pub fn check(&self) -> Result<()> {
        match &*self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) {
            None => Ok(()),
            Some(message) => Err(Error::Device(format!(
                "the GPU failed: {message}\nA smaller --batch needs less memory; --device cpu trains without a GPU."
            ))),
        }
    }
}

impl Gpu {
    /// Opens an adapter.
    ///
    /// # Errors
    /// If the adapter lacks what programs need, or refuses.
    pub fn open(adapter: &Adapter, options: Options) -> Result<Gpu> {
        let missing = adapter.missing();
        if !missing.is_empty() {
            return Err(Error::Device(format!(
                "the adapter {} lacks {}; use another (`elbo devices` lists them) or --device cpu",
                adapter.name(),
                missing.join(" and ")
            )));
        }
        let has = adapter.handle.limits();
        let limits = wgpu::Limits {
            max_immediate_size: 128,
            max_buffer_size: has.max_buffer_size,
            max_storage_buffer_binding_size: has.max_storage_buffer_binding_size,
            ..wgpu::Limits::default().or_worse_values_from(&has)
        };
        let wanted = wgpu::Features::SUBGROUP | wgpu::Features::TIMESTAMP_QUERY;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("elbo"),
            required_features: wgpu::Features::IMMEDIATES | (adapter.handle.features() & wanted),
            required_limits: limits,
            memory_hints: wgpu::MemoryHints::Performance,
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.handle.request_device(&descriptor))
            .map_err(|e| Error::Device(format!("the adapter {} does not open: {e}", adapter.name())))?;
        let failure = Failure::default();
        let told = failure.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| told.set(error.to_string())));
        let told = failure.clone();
        device.set_device_lost_callback(move |reason, message| {
            if reason != wgpu::DeviceLostReason::Destroyed {
                told.set(format!("device lost ({message})"));
            }
        });
        Ok(Gpu {
            traits: adapter.traits(),
            adapter: adapter.clone(),
            pipelines: Pipelines::new(&device, options.checked),
            readback: Readback::new(&device),
            device,
            queue,
            buffers: HashMap::new(),
            programs: Vec::new(),
            failure,
            counters: Counters::default(),
        })
    }

    /// What the texts of kernels depend on here.
    pub fn traits(&self) -> Traits {
        self.traits
    }
}
