//! Memory: what the programs say they need, what was taken, and whether it grows.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::program::{DeviceMemory, Program};
use crate::training::{Session, Trainer};

/// Memory of one workload, in bytes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct MemoryFigures {
    /// What the programs' buffers add up to, those that they share counted once, and what the executor always takes: known
    /// before anything is made.
    pub predicted: u64,
    /// What lives in the device's memory, as the driver's allocator tells.
    pub device_allocated: Option<u64>,
    /// The blocks that those are cut from.
    pub device_reserved: Option<u64>,
    /// By how much the process grew from its start to its steady state: on the CPU executor the buffers and all else, on a
    /// software driver that as well as the driver, on a GPU the driver alone.
    pub process_growth: Option<u64>,
}

impl MemoryFigures {
    /// Of a session in its steady state, in a process that held `at_start` bytes before it opened the device.
    pub fn of(session: &Session, at_start: Option<u64>) -> MemoryFigures {
        let device = session.executor.device_memory();
        MemoryFigures {
            predicted: Program::bytes_together(session.programs()) + session.executor.fixed_bytes(),
            device_allocated: device.map(|d| d.allocated),
            device_reserved: device.map(|d| d.reserved),
            process_growth: resident().zip(at_start).map(|(now, then)| now.saturating_sub(then)),
        }
    }

    /// What was used: what the device allocated where it tells, else the growth of the process.
    pub fn used(&self) -> Option<u64> {
        self.device_allocated.or(self.process_growth)
    }

    /// Used over predicted.
    pub fn ratio(&self) -> Option<f64> {
        self.used().map(|used| used as f64 / self.predicted.max(1) as f64)
    }
}

/// Memory before and after many steps, in bytes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct GrowthFigures {
    /// Steps in between.
    pub steps: u64,
    /// Seconds they took.
    pub seconds: f64,
    /// What the process held, before and after.
    pub process: Option<[u64; 2]>,
    /// What lived in the device's memory, before and after.
    pub device: Option<[u64; 2]>,
    /// Buffers, bind groups and pipelines made in between.
    pub objects: u64,
}

/// Memory before and after so many steps, which are sent `chunk` at once. The trainer has been running.
pub(super) fn measure_growth(trainer: &mut Trainer, chunk: usize, steps: u64) -> Result<GrowthFigures> {
    trainer.settle()?;
    let read = |trainer: &Trainer| {
        let executor = &trainer.session.executor;
        (resident(), executor.device_memory(), executor.counters())
    };
    let (process, device, counters) = read(trainer);
    let (started, mut left) = (Instant::now(), steps);
    while left > 0 {
        let now = left.min(chunk as u64);
        trainer.send(now as usize)?;
        // The statistics that have come back are taken, as training does; else they would pile up.
        trainer.collect()?;
        left -= now;
    }
    trainer.settle()?;
    let seconds = started.elapsed().as_secs_f64();
    let (process_after, device_after, counters_after) = read(trainer);
    let made = counters_after - counters;
    let allocated = |memory: DeviceMemory| memory.allocated;
    Ok(GrowthFigures {
        steps,
        seconds,
        process: process.zip(process_after).map(Into::into),
        device: device.map(allocated).zip(device_after.map(allocated)).map(Into::into),
        objects: made.buffers + made.bind_groups + made.pipelines,
    })
}

/// Bytes of memory that this process holds, where the system tells.
pub fn resident() -> Option<u64> {
    let pid = sysinfo::get_current_pid().ok()?;
    let mut system = sysinfo::System::new();
    let what = sysinfo::ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(sysinfo::ProcessesToUpdate::Some(&[pid]), false, what);
    system.process(pid).map(sysinfo::Process::memory)
}
