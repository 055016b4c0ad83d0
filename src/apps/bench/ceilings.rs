//! What a device can do at most, by kernels made for nothing else.
//!
//! Arithmetic: multiplications and additions on registers, fused where the device can, enough of them at once that none waits for
//! another; on the CPU divisions as well, for which a processor has a unit of their own. Memory: a buffer changed in place, and one
//! that is only read, whichever is faster: a copy would also have to fetch what it writes over. Small buffers stay in caches, so memory has a ceiling for each of several sizes, and a kernel is held
//! against that of the largest size not above its own.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::timing::{program, time};
use crate::error::Result;
use crate::kernels::{Kernel, Peak, Step, Stream};
use crate::program::Executor;

/// What a device can do at most, as measured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Ceilings {
    /// Multiplications and additions per second, on registers.
    pub flops: f64,
    /// Divisions per second on registers, of the CPU executor; on a GPU they are instructions like others.
    #[serde(default)]
    pub divisions: Option<f64>,
    /// Bytes read and written per second in buffers of so many bytes, from small to large.
    #[serde(default)]
    pub memory: Vec<(u64, f64)>,
}

impl Ceilings {
    /// The bytes per second that a kernel may reach whose buffers take so many bytes.
    pub fn bytes(&self, footprint: u64) -> f64 {
        let fits = |&&(size, _): &&(u64, f64)| size <= footprint;
        let found = self.memory.iter().rev().find(fits).or(self.memory.first());
        found.map_or(f64::INFINITY, |&(_, rate)| rate)
    }
}

/// Bytes of the buffers for which memory has a ceiling.
const SIZES: [u64; 5] = [64 << 10, 512 << 10, 4 << 20, 16 << 20, 128 << 20];

/// Measures the ceilings.
///
/// # Errors
/// If the device fails.
pub fn measure_ceilings(executor: &mut dyn Executor) -> Result<Ceilings> {
    let (mut step, is_cpu) = (Step::default(), executor.is_cpu());
    (step.scalars[0], step.scalars[1]) = (0.999, 0.001);
    let mut seconds = |label: &str, kernel: Arc<dyn Kernel>, words: &[usize]| -> Result<f64> {
        let id = executor.load(program(label, kernel, words))?;
        let best = time(executor, id, &step)?.1[0];
        executor.unload(id)?;
        Ok(best)
    };
    let peak = Peak { invocations: 1 << 16, turns: 1024, divides: false };
    // Before and after: one of the two may have had to share a core.
    let mut flops = peak.cost().flops / seconds("peak", Arc::new(peak), &[peak.invocations])?;
    let divide = Peak { turns: 128, divides: true, ..peak };
    let dividing = if is_cpu { Some(seconds("divide", Arc::new(divide), &[divide.invocations])?) } else { None };
    let divisions = dividing.map(|taken| divide.cost().work.divisions / taken);
    let mut memory = Vec::new();
    for size in SIZES {
        let words = size as usize / 4;
        let mut best = 0.0f64;
        for is_read in [false, true] {
            let stream = Stream { words, is_read };
            let buffers = [words, stream.sums()];
            let label = format!("stream {size} {is_read}");
            let taken = seconds(&label, Arc::new(stream), &buffers[..1 + usize::from(is_read)])?;
            best = best.max((stream.cost().bytes_read + stream.cost().bytes_written) / taken);
        }
        memory.push((size, best));
    }
    flops = flops.max(peak.cost().flops / seconds("peak", Arc::new(peak), &[peak.invocations])?);
    // What a larger buffer can do a smaller one can, if it is not for the start of a kernel.
    for at in (1..memory.len()).rev() {
        memory[at - 1].1 = memory[at - 1].1.max(memory[at].1);
    }
    Ok(Ceilings { flops, divisions, memory })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_held_against_buffers_no_larger_than_its_own() {
        let ceilings = Ceilings { flops: 1.0, divisions: None, memory: vec![(100, 50.0), (1000, 20.0), (10_000, 5.0)] };
        assert_eq!([10, 100, 999, 1000, 1_000_000].map(|size| ceilings.bytes(size)), [50.0, 50.0, 50.0, 20.0, 5.0]);
    }
}
