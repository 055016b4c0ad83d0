//! Adapters: what GPUs there are, and what they offer.

use super::cache::Identity;
use crate::kernels::Traits;

/// A GPU, or a driver that plays one.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// Its place in the list that `elbo devices` shows.
    pub index: usize,
    /// Whether its driver says that it passes the tests of its standard; see [`unproven_adapters`].
    pub is_conformant: bool,
    pub(super) handle: wgpu::Adapter,
    pub(super) info: wgpu::AdapterInfo,
}

/// The variable of the environment that says which backends are asked.
pub const BACKENDS: &str = "WGPU_BACKEND";

/// Every adapter of every backend, real GPUs first: discrete, integrated, others, and software last. `WGPU_BACKEND` may name some of
/// `vulkan`, `metal` and `dx12`, with commas; all are asked where it is not set, or is empty.
pub fn adapters() -> Vec<Adapter> {
    enumerate(wgpu::InstanceFlags::empty())
        .into_iter()
        .enumerate()
        .map(|(at, found)| found.numbered(at, true))
        .collect()
}

/// The adapters whose Vulkan driver does not say that it passes Vulkan's tests, numbered behind those that do. Mesa's Dozen is one, which
/// is what the Linux of Windows (WSL 2) has: it speaks to the DX12 driver of Windows.
pub fn unproven_adapters(proven: &[Adapter]) -> Vec<Adapter> {
    let all = enumerate(wgpu::InstanceFlags::ALLOW_UNDERLYING_NONCOMPLIANT_ADAPTER);
    let new = without(all, proven.iter().map(|adapter| &adapter.info), |found| &found.info);
    new.into_iter().enumerate().map(|(at, found)| found.numbered(proven.len() + at, false)).collect()
}

/// What is in a list once more than it is `known`.
fn without<'a, T, K: PartialEq + 'a>(
    list: Vec<T>,
    known: impl Iterator<Item = &'a K>,
    key: impl Fn(&T) -> &K,
) -> Vec<T> {
    let mut known: Vec<&K> = known.collect();
    let is_new = |item: &T| match known.iter().position(|known| *known == key(item)) {
        Some(at) => {
            known.swap_remove(at);
            false
        }
        None => true,
    };
    list.into_iter().filter(is_new).collect()
}

/// An adapter without a number.
struct Found {
    handle: wgpu::Adapter,
    info: wgpu::AdapterInfo,
}

impl Found {
    fn numbered(self, index: usize, is_conformant: bool) -> Adapter {
        Adapter { index, is_conformant, handle: self.handle, info: self.info }
    }
}

fn enumerate(flags: wgpu::InstanceFlags) -> Vec<Found> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    if std::env::var_os(BACKENDS).is_some_and(|value| value.is_empty()) {
        descriptor.backends = wgpu::Backends::all();
    }
    descriptor.backends &= wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    // Validation is for developing kernels; the tests switch it on through WGPU_VALIDATION.
    descriptor.flags = flags.with_env();
    let instance = wgpu::Instance::new(descriptor);
    let mut found: Vec<Found> = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()))
        .into_iter()
        .map(|handle| Found { info: handle.get_info(), handle })
        .collect();
    found.sort_by_key(|found| match found.info.device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::Cpu => 3,
        _ => 2,
    });
    found
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

    /// The numbers of its vendor and of its model, as on its bus.
    pub fn numbers(&self) -> [u32; 2] {
        [self.info.vendor, self.info.device]
    }

    /// The limits that kernels meet, by wgpu's names.
    pub fn limits(&self) -> Vec<(&'static str, u64)> {
        let has = self.handle.limits();
        macro_rules! of {
            ($($name:ident)*) => { vec![$((stringify!($name), has.$name.into())),*] };
        }
        of!(
            max_bind_groups
            max_bindings_per_bind_group
            max_buffer_size
            max_compute_invocations_per_workgroup
            max_compute_workgroup_size_x
            max_compute_workgroup_size_y
            max_compute_workgroup_size_z
            max_compute_workgroup_storage_size
            max_compute_workgroups_per_dimension
            max_immediate_size
            max_storage_buffer_binding_size
            max_storage_buffers_per_shader_stage
            max_uniform_buffer_binding_size
            min_storage_buffer_offset_alignment
            min_uniform_buffer_offset_alignment
        )
    }

    /// The features that it offers, by wgpu's names.
    pub fn features(&self) -> Vec<&'static str> {
        let wgpu::Features { features_webgpu, features_wgpu } = self.handle.features();
        let standard = features_webgpu.iter_names().map(|(name, _)| name);
        standard.chain(features_wgpu.iter_names().map(|(name, _)| name)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_left_out_as_often_as_it_is_known() {
        // Two cards of one kind are two adapters.
        fn left(all: &[&'static str], known: &[&'static str]) -> Vec<&'static str> {
            without(all.to_vec(), known.iter(), |name| name)
        }
        assert_eq!(left(&["card", "dozen", "card"], &["card", "card"]), ["dozen"]);
        assert_eq!(left(&["card", "card"], &["card"]), ["card"]);
        assert_eq!(left(&["dozen"], &[]), ["dozen"]);
        assert!(left(&["card"], &["card"]).is_empty());
    }

    #[test]
    fn every_proven_adapter_is_known_among_all() {
        // As software drivers have it: what is asked for again is found again.
        let all = adapters();
        let more = unproven_adapters(&all);
        assert!(more.iter().all(|adapter| !adapter.is_conformant && adapter.index >= all.len()));
        assert!(all.iter().all(|adapter| more.iter().all(|other| other.info != adapter.info)));
    }
}
