//! The GPUs of this machine.

use std::time::Duration;

use crate::config::DeviceChoice;
use crate::data::Bytes;
use crate::error::{Error, Result};
use crate::gpu::{Adapter, Gpu, Options, adapters};
use crate::kernels::Traits;
use crate::user_cache::cache_folder;

/// The environment's word for the largest buffer of GPUs.
const LARGEST_BUFFER: &str = "ELBO_LARGEST_BUFFER";

/// As [`open_device`](super::open_device), but nothing where that is the CPU executor.
///
/// # Errors
/// As for [`open_device`](super::open_device).
pub fn open_gpu(choice: &DeviceChoice) -> Result<Option<Gpu>> {
    open(choice, None)
}

/// The name of the adapter that a user asked for and what the texts of kernels depend on there. The CPU executor has no texts:
/// instead of it, a GPU without subgroups.
///
/// # Errors
/// As for [`open_device`](super::open_device).
pub fn shader_traits(choice: &DeviceChoice) -> Result<(String, Traits)> {
    Ok(match find(choice)? {
        Some(adapter) => (adapter.name().to_string(), adapter.traits()),
        None => ("a GPU without subgroups".to_string(), Traits::default()),
    })
}

/// The GPU that a user asked for, whose kernels are timed for so long.
pub(super) fn open(choice: &DeviceChoice, tuning: Option<Duration>) -> Result<Option<Gpu>> {
    let open = |adapter: Adapter| {
        // For a software adapter the rule is as fast and compiling what is to be timed takes seconds, and it keeps what it
        // compiles itself.
        let real = !adapter.is_software();
        let (tuning, cache) = (tuning.filter(|_| real), cache_folder().filter(|_| real));
        let largest_buffer = largest_buffer()?;
        Gpu::open(&adapter, Options { tuning, cache, largest_buffer, ..Options::default() }.with_environment()?)
    };
    find(choice)?.map(open).transpose()
}

/// The most bytes of a buffer, where the environment has less than the adapter: to see what becomes of data and models on others.
fn largest_buffer() -> Result<Option<u64>> {
    let Some(text) = std::env::var_os(LARGEST_BUFFER) else { return Ok(None) };
    let bytes = text.to_str().and_then(|text| text.parse::<Bytes>().ok());
    let wrong = || Error::invalid(format!("{LARGEST_BUFFER} is {}: give bytes, such as 128MiB", text.display()));
    bytes.map(|bytes| Some(bytes.get())).ok_or_else(wrong)
}

/// The adapter that a user asked for; nothing where that is the CPU executor.
fn find(choice: &DeviceChoice) -> Result<Option<Adapter>> {
    if matches!(choice, DeviceChoice::Cpu | DeviceChoice::CpuExact) {
        return Ok(None);
    }
    let all = adapters();
    let real = all.iter().find(|a| !a.is_software() && a.missing().is_empty());
    let missing = |what: String| Error::Device(format!("{what}. {}", there_is(&all)));
    let found = match choice {
        DeviceChoice::Auto | DeviceChoice::Cpu | DeviceChoice::CpuExact => real,
        DeviceChoice::Gpu => Some(real.ok_or_else(|| missing("there is no GPU that can be used".to_string()))?),
        DeviceChoice::Index(index) => {
            Some(all.get(*index).ok_or_else(|| missing(format!("there is no device number {index}")))?)
        }
        DeviceChoice::Name(name) => {
            let named = all.iter().find(|a| a.answers_to(name));
            Some(named.ok_or_else(|| missing(format!("no device's name contains `{name}`")))?)
        }
    };
    Ok(found.cloned())
}

/// What there is, and what to do.
fn there_is(all: &[Adapter]) -> String {
    match all {
        [] => "No Vulkan, Metal or DX12 driver was found: install your GPU's, or choose the `device` cpu".to_string(),
        _ => {
            let names = all.iter().map(|a| format!("{} ({}, number {})", a.name(), a.kind(), a.index));
            let names = names.collect::<Vec<_>>().join(", ");
            format!(
                "Found: {names}. Software is used only when asked for by number or name; the `device` cpu needs no driver"
            )
        }
    }
}
