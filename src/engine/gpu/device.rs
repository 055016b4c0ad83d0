//! Opening an adapter.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::adapter::Adapter;
use super::cache::Cache;
use super::failure::Failure;
use super::loaded::Loaded;
use super::passing::{Passing, Steps};
use super::pipelines::Pipelines;
use super::readback::Readback;
use super::tuner::Tuner;
use crate::error::{Error, Result};
use crate::kernels::Traits;
use crate::program::{Buffers, Counters, Programs};

/// How a device is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Compile shaders with the compiler's own bounds and loop checks, and workgroup memory zeroed: a test mode.
    pub checked: bool,
    /// How long kernels may be timed when a program is loaded, to choose the fastest; without it, the rule chooses.
    pub tuning: Option<Duration>,
    /// Where what was found and compiled is kept for the next start; see [`cache_folder`](crate::data::cache_folder).
    pub cache: Option<PathBuf>,
    /// The most bytes of immediates to ask the adapter for; without it, as many as are of use, which is 128. What does not fit
    /// goes by way of uniform buffers, as on adapters that grant fewer: 64 take the step alone, fewer nothing.
    pub immediates: Option<u32>,
    /// How long the device may take over what is waited for before it is given up; without it, [`TIME_LIMIT`].
    pub time_limit: Option<Duration>,
    /// The most bytes that a buffer may have, where that is to be less than the adapter allows.
    pub largest_buffer: Option<u64>,
}

impl Options {
    /// These with what the environment chooses: `ELBO_IMMEDIATES=BYTES` bounds the immediates, to try what adapters do that grant
    /// fewer.
    ///
    /// # Errors
    /// If it is set to something else than a whole number.
    pub fn with_environment(self) -> Result<Options> {
        let Some(asked) = std::env::var_os("ELBO_IMMEDIATES") else { return Ok(self) };
        let bytes = asked.to_str().and_then(|bytes| bytes.parse().ok());
        let bytes = bytes.ok_or_else(|| {
            Error::invalid(format!(
                "ELBO_IMMEDIATES is {asked:?}, and a number of bytes was expected, such as 0, 64 or 128"
            ))
        })?;
        Ok(Options { immediates: Some(bytes), ..self })
    }
}

/// How long a device may take over what is waited for: much longer than any submit of a run, and than a driver takes to compile.
pub const TIME_LIMIT: Duration = Duration::from_secs(600);

/// Runs programs on a GPU.
pub struct Gpu {
    pub(super) adapter: Adapter,
    pub(super) traits: Traits,
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) pipelines: Pipelines,
    pub(super) buffers: Buffers<wgpu::Buffer>,
    pub(super) programs: Programs<Loaded>,
    pub(super) steps: Option<Steps>,
    pub(super) readback: Readback,
    pub(super) failure: Failure,
    pub(super) counters: Counters,
    /// Bytes that were written to buffers and not yet sent.
    pub(super) staged: usize,
    pub(super) cache: Cache,
    pub(super) tuner: Tuner,
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
                "the adapter {} lacks {}; use another (`elbo devices` lists them), or the `device` cpu",
                adapter.name(),
                missing.join(" and ")
            )));
        }
        let has = adapter.handle.limits();
        let passing = Passing::within(adapter.immediates().min(options.immediates.unwrap_or(u32::MAX)));
        let most = options.largest_buffer.unwrap_or(u64::MAX);
        let limits = wgpu::Limits {
            max_immediate_size: passing.immediates(),
            max_buffer_size: has.max_buffer_size,
            max_storage_buffer_binding_size: has.max_storage_buffer_binding_size.min(most),
            ..wgpu::Limits::default().or_worse_values_from(&has)
        };
        let mut wanted = wgpu::Features::SUBGROUP | wgpu::Features::TIMESTAMP_QUERY | wgpu::Features::PIPELINE_CACHE;
        wanted.set(wgpu::Features::IMMEDIATES, passing.immediates() > 0);
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("elbo"),
            required_features: adapter.handle.features() & wanted,
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
        let cache = Cache::new(adapter.identity(), options.cache);
        // A checked device is for finding errors: it reuses nothing.
        let tuning = options.tuning.filter(|_| !options.checked);
        let remembered = tuning.map(|_| cache.choices()).unwrap_or_default();
        let pipelines = Pipelines::new(&device, passing, options.checked, &cache);
        Ok(Gpu {
            traits: adapter.traits(),
            adapter: adapter.clone(),
            steps: Steps::new(&device, pipelines.step_layout.as_ref()),
            pipelines,
            cache,
            tuner: Tuner { budget: tuning, remembered, ..Tuner::default() },
            readback: Readback::new(&device, options.time_limit.unwrap_or(TIME_LIMIT)),
            device,
            queue,
            buffers: Buffers::default(),
            programs: Programs::default(),
            failure,
            counters: Counters::default(),
            staged: 0,
        })
    }

    /// Another executor on the same device, with programs and buffers of its own. What has been compiled for one is there for
    /// both; what goes wrong on the device is told to both. Choices between kernels are made by rule.
    #[must_use]
    pub fn another(&self) -> Gpu {
        Gpu {
            adapter: self.adapter.clone(),
            traits: self.traits,
            device: self.device.clone(),
            queue: self.queue.clone(),
            steps: Steps::new(&self.device, self.pipelines.step_layout.as_ref()),
            pipelines: self.pipelines.clone(),
            buffers: Buffers::default(),
            programs: Programs::default(),
            readback: self.readback.another(),
            failure: self.failure.clone(),
            counters: Counters::default(),
            staged: 0,
            cache: self.cache.clone(),
            tuner: Tuner::default(),
        }
    }

    /// Destroys the device, as when its driver is reset: all that is asked of it from now on is an error.
    pub fn destroy(&self) {
        self.device.destroy();
    }

    /// The adapter that was opened.
    pub fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// What the texts of kernels depend on here.
    pub fn traits(&self) -> Traits {
        self.traits
    }

    /// How a step and the sizes of a call reach kernels here, for people.
    pub fn passing(&self) -> &'static str {
        self.pipelines.passing.describe()
    }
}
