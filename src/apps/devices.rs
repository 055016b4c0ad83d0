//! From a user's word to a device.

#[cfg(feature = "gpu")]
mod gpus;
mod team;

use std::time::Duration;

use crate::config::DeviceChoice;
use crate::cpu::Cpu;
use crate::error::Result;
use crate::program::Executor;

#[cfg(feature = "gpu")]
pub use gpus::{open_gpu, shader_traits};
pub use team::Team;

/// How long kernels are timed for one program.
const TUNING: Duration = Duration::from_millis(300);

/// Opens the device that a user asked for: `auto` is the first real GPU that can train, else the CPU executor; a
/// software adapter is taken only where it was asked for by number or name.
///
/// # Errors
/// If there is no such device, with what there is instead.
pub fn open_device(choice: &DeviceChoice) -> Result<Box<dyn Executor>> {
    open(choice, None)
}

/// As [`open_tuned`], for one of several processes of a machine, counted from 0, which share its GPUs: of `auto` and `gpu`, each gets the one whose
/// turn it is.
///
/// # Errors
/// As for [`open_device`].
pub fn open_in_turn(choice: &DeviceChoice, process: usize) -> Result<Box<dyn Executor>> {
    open_tuned(&in_turn(choice, process))
}

/// The device that is meant by a choice where several processes of a machine make it, this one being one of them: of `auto` and `gpu`, one after
/// the other.
#[cfg(feature = "gpu")]
fn in_turn(choice: &DeviceChoice, process: usize) -> DeviceChoice {
    match choice {
        DeviceChoice::Auto | DeviceChoice::Gpu => {
            gpus::real(process).map_or_else(|| choice.clone(), DeviceChoice::Index)
        }
        _ => choice.clone(),
    }
}

/// Of a build without GPUs.
#[cfg(not(feature = "gpu"))]
fn in_turn(choice: &DeviceChoice, _: usize) -> DeviceChoice {
    choice.clone()
}

/// The CPU executor that a user asked for.
fn cpu(choice: &DeviceChoice) -> Box<dyn Executor> {
    Box::new(if *choice == DeviceChoice::CpuExact { Cpu::exact() } else { Cpu::new() })
}

/// As [`open_device`], for work that is long enough to try first which of its kernels are fastest on a real GPU: a third
/// of a second at most for every program. `ELBO_TUNE=0` in the environment forbids it.
///
/// # Errors
/// As for [`open_device`].
pub fn open_tuned(choice: &DeviceChoice) -> Result<Box<dyn Executor>> {
    let wanted = std::env::var_os("ELBO_TUNE").is_none_or(|value| value != "0");
    open(choice, wanted.then_some(TUNING))
}

#[cfg(feature = "gpu")]
fn open(choice: &DeviceChoice, tuning: Option<Duration>) -> Result<Box<dyn Executor>> {
    Ok(match gpus::open(choice, tuning)? {
        Some(gpu) => Box::new(gpu),
        None => cpu(choice),
    })
}

/// Of a build without GPUs.
#[cfg(not(feature = "gpu"))]
fn open(choice: &DeviceChoice, _: Option<Duration>) -> Result<Box<dyn Executor>> {
    match choice {
        DeviceChoice::Auto | DeviceChoice::Cpu | DeviceChoice::CpuExact => Ok(cpu(choice)),
        DeviceChoice::Gpu | DeviceChoice::Index(_) | DeviceChoice::Name(_) => Err(crate::Error::Device(format!(
            "the device `{choice}` was asked for, and this program was built without GPUs: choose `auto` or `cpu`, or build it \
             with the cargo feature `gpu` of elbo"
        ))),
    }
}
