//! Adapters: what GPUs there are, and what they offer.

use super::cache::Identity;
use crate::kernels::Traits;

/// A GPU, or a driver that plays one.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// Its place in the list that `elbo devices` shows.
    pub index: usize,
    pub(super) handle: wgpu::Adapter,
    pub(super) info: wgpu::AdapterInfo,
}

/// Every adapter of every backend, real GPUs first: discrete, integrated, others, and software last.
pub fn adapters() -> Vec<Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    descriptor.backends &= wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    // Validation is for developing kernels; the tests switch it on through WGPU_VALIDATION.
    descriptor.flags = wgpu::InstanceFlags::empty().with_env();
    let instance = wgpu::Instance::new(descriptor);
    let mut found: Vec<(wgpu::Adapter, wgpu::AdapterInfo)> =
        pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()))
            .into_iter()
            .map(|handle| {
                let info = handle.get_info();
                (handle, info)
            })
            .collect();
    found.sort_by_key(|(_, info)| match info.device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::Cpu => 3,
        _ => 2,
    });
    found.into_iter().enumerate().map(|(index, (handle, info))| Adapter { index, handle, info }).collect()
}

impl Adapter {
    /// Its name, as the driver gives it.
    pub fn name(&self) -> &str {
        &self.info.name
    }

    /// Vulkan, Metal or DX12.
    pub fn backend(&self) -> String {
        format!("{:?}", self.info.backend)
    }

    /// Discrete, integrated, software or virtual.
    pub fn kind(&self) -> &'static str {
        match self.info.device_type {
            wgpu::DeviceType::DiscreteGpu => "discrete",
            wgpu::DeviceType::IntegratedGpu => "integrated",
            wgpu::DeviceType::Cpu => "software",
            wgpu::DeviceType::VirtualGpu => "virtual",
            wgpu::DeviceType::Other => "other",
        }
    }

    /// The driver and its version.
    pub fn driver(&self) -> String {
        format!("{} {}", self.info.driver, self.info.driver_info).trim().to_string()
    }

    /// Whose files in the cache folder are this adapter's.
    pub(super) fn identity(&self) -> Identity {
        Identity {
            version: env!("CARGO_PKG_VERSION").to_string(),
            adapter: self.info.name.clone(),
            backend: self.backend(),
            driver: self.driver(),
            device: [self.info.vendor, self.info.device],
            subgroups: [self.info.subgroup_min_size, self.info.subgroup_max_size],
        }
    }

    /// Whether it is a driver that runs shaders on the CPU.
    pub fn is_software(&self) -> bool {
        self.info.device_type == wgpu::DeviceType::Cpu
    }

    /// Whether a user's word means this adapter: a part of its name or driver, or `lavapipe` for llvmpipe.
    pub fn answers_to(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        let alias = if self.info.name.contains("llvmpipe") { "lavapipe" } else { "" };
        let names = [self.info.name.to_lowercase(), self.info.driver.to_lowercase(), alias.to_string()];
        (word == "software" && self.is_software()) || names.iter().any(|n| n.contains(&word))
    }

    /// What programs need and this adapter lacks; empty if it can train.
    pub fn missing(&self) -> Vec<&'static str> {
        let has = self.handle.limits();
        let needs = [
            (has.max_storage_buffers_per_shader_stage >= 8, "8 storage buffers in a shader"),
            (has.max_compute_invocations_per_workgroup >= 256, "256 invocations in a workgroup"),
            (has.max_compute_workgroup_storage_size >= 16 << 10, "16 KiB of workgroup memory"),
        ];
        needs.into_iter().filter(|(is_met, _)| !is_met).map(|(_, what)| what).collect()
    }

    /// Bytes of immediates that it grants.
    pub(super) fn immediates(&self) -> u32 {
        let offered = self.handle.features().contains(wgpu::Features::IMMEDIATES);
        if offered { self.handle.limits().max_immediate_size } else { 0 }
    }

    /// Bytes of the device's own memory, where the backend tells; of the machine's, for a software adapter.
    pub fn memory(&self) -> Option<u64> {
        // SAFETY: the handle is only read, and not beyond this function.
        let vulkan = unsafe { self.handle.as_hal::<wgpu::hal::api::Vulkan>() }?;
        let instance = vulkan.shared_instance().raw_instance();
        // SAFETY: the physical device belongs to this instance.
        let memory = unsafe { instance.get_physical_device_memory_properties(vulkan.raw_physical_device()) };
        let heaps = memory.memory_heaps.iter().take(memory.memory_heap_count as usize);
        // Flag 1 of a heap: device local.
        Some(heaps.filter(|heap| heap.flags.as_raw() & 1 != 0).map(|heap| heap.size).sum())
    }

    /// What the texts of kernels may depend on.
    pub fn traits(&self) -> Traits {
        let (low, high) = (self.info.subgroup_min_size, self.info.subgroup_max_size);
        let fixed = self.handle.features().contains(wgpu::Features::SUBGROUP) && low == high;
        Traits { software: self.is_software(), subgroup_size: fixed.then_some(low) }
    }

    /// Limits and features, for people: name and value.
    pub fn details(&self) -> Vec<(&'static str, String)> {
        let (limits, features) = (self.handle.limits(), self.handle.features());
        let mib = |bytes: u64| format!("{} MiB", bytes >> 20);
        let has = |feature| if features.contains(feature) { "yes" } else { "no" }.to_string();
        vec![
            ("driver", self.driver()),
            ("memory", self.memory().map_or("unknown".to_string(), mib)),
            ("largest buffer", mib(limits.max_buffer_size)),
            ("largest binding", mib(limits.max_storage_buffer_binding_size)),
            ("workgroup memory", format!("{} KiB", limits.max_compute_workgroup_storage_size >> 10)),
            ("invocations per workgroup", limits.max_compute_invocations_per_workgroup.to_string()),
            ("immediates", format!("{} bytes", self.immediates())),
            (
                "subgroups",
                format!(
                    "{} ({} to {})",
                    has(wgpu::Features::SUBGROUP),
                    self.info.subgroup_min_size,
                    self.info.subgroup_max_size
                ),
            ),
            ("timestamps", has(wgpu::Features::TIMESTAMP_QUERY)),
            ("f16", has(wgpu::Features::SHADER_F16)),
            ("pipeline cache", has(wgpu::Features::PIPELINE_CACHE)),
        ]
    }
}
