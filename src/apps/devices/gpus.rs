//! The GPUs of this machine.

use std::time::Duration;

use crate::config::DeviceChoice;
use crate::data::Bytes;
use crate::error::{Error, Result};
use crate::gpu::{Adapter, BACKENDS, Gpu, Options, adapters, unproven_adapters};
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
    let real = all.iter().find(|a| !a.is_software() && a.missing().is_empty()).cloned();
    match choice {
        DeviceChoice::Auto | DeviceChoice::Cpu | DeviceChoice::CpuExact => Ok(real),
        DeviceChoice::Gpu => real.map(Some).ok_or_else(|| missing("there is no GPU that can be used", &all)),
        DeviceChoice::Index(index) => {
            named(all, |a| a.index == *index, &format!("there is no device number {index}")).map(Some)
        }
        DeviceChoice::Name(name) => {
            named(all, |a| a.answers_to(name), &format!("no device's name contains `{name}`")).map(Some)
        }
    }
}

/// The number of the real GPU that comes `place`th, counted from 0 and round and round, if there is one.
pub(super) fn real(place: usize) -> Option<usize> {
    let all: Vec<usize> =
        adapters().iter().filter(|a| !a.is_software() && a.missing().is_empty()).map(|a| a.index).collect();
    (!all.is_empty()).then(|| all[place % all.len()])
}

/// The first adapter that is meant; one whose driver is unproven only where nothing else is.
fn named(mut all: Vec<Adapter>, is_meant: impl Fn(&Adapter) -> bool, otherwise: &str) -> Result<Adapter> {
    if !all.iter().any(&is_meant) {
        all.extend(unproven_adapters(&all));
    }
    all.iter().find(|a| is_meant(a)).cloned().ok_or_else(|| missing(otherwise, &all))
}

/// What is missing, what there is, and what to do.
fn missing(what: &str, all: &[Adapter]) -> Error {
    let chosen = std::env::var(BACKENDS).unwrap_or_default();
    Error::Device(match all {
        [] if !chosen.is_empty() => format!(
            "{what}. {BACKENDS}={chosen} leaves none: unset it, or let it name some of vulkan, metal and dx12; the `device` cpu needs no \
             driver"
        ),
        [] => {
            format!("{what}. No Vulkan, Metal or DX12 driver was found: install your GPU's, or choose the `device` cpu")
        }
        _ => {
            let names = all.iter().map(|a| {
                let unproven = if a.is_conformant { "" } else { ", unproven" };
                format!("{} ({}{unproven}, number {})", a.name(), a.kind(), a.index)
            });
            let names = names.collect::<Vec<_>>().join(", ");
            format!(
                "{what}. Found: {names}. Software is used only when asked for by number or name; the `device` cpu needs no driver"
            )
        }
    })
}
