//! From a user's word to a device.

use crate::config::DeviceChoice;
use crate::cpu::Cpu;
use crate::error::{Error, Result};
use crate::gpu::{Adapter, Gpu, Options, adapters};
use crate::program::Executor;

/// Opens the device that a user asked for: `auto` is the first real GPU that can train, else the CPU executor; a
/// software adapter is taken only where it was asked for by number or name.
///
/// # Errors
/// If there is no such device, with what there is instead.
pub fn open_device(choice: &DeviceChoice) -> Result<Box<dyn Executor>> {
    if *choice == DeviceChoice::Cpu {
        return Ok(Box::new(Cpu::new()));
    }
    let all = adapters();
    let real = || all.iter().find(|a| !a.is_software() && a.missing().is_empty());
    let found = match choice {
        DeviceChoice::Auto => match real() {
            Some(adapter) => adapter,
            None => return Ok(Box::new(Cpu::new())),
        },
        DeviceChoice::Cpu => return Ok(Box::new(Cpu::new())),
        DeviceChoice::Gpu => real().ok_or_else(|| {
            Error::Device(format!("there is no GPU that can be used. {}{}", there_is(&all), "Use --device cpu to train without"))
        })?,
        DeviceChoice::Index(index) => all.get(*index).ok_or_else(|| {
            Error::Device(format!("there is no device number {index}. {}`elbo devices` lists them", there_is(&all)))
        })?,
        DeviceChoice::Name(name) => all.iter().find(|a| a.answers_to(name)).ok_or_else(|| {
            Error::Device(format!("no device's name contains `{name}`. {}`elbo devices` lists them", there_is(&all)))
        })?,
    };
    Ok(Box::new(Gpu::open(found, Options::default())?))
}

fn there_is(all: &[Adapter]) -> String {
    match all {
        [] => "No Vulkan, Metal or DX12 driver was found; install your GPU's driver. ".to_string(),
        _ => {
            let names = all.iter().map(|a| format!("{} ({}, number {})", a.name(), a.kind(), a.index));
            format!("Found: {}. ", names.collect::<Vec<_>>().join(", "))
        }
    }
}
