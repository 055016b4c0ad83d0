//! Statistics on their way back: a few mapped buffers, used in turn, and never waited for unless too many are out.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use super::device::Failure;
use crate::error::Result;

/// Submits that may be under way at once.
const IN_FLIGHT: usize = 3;

/// A submit that has not been collected.
struct Pending {
    slot: Option<Slot>,
    submission: wgpu::SubmissionIndex,
}

/// A buffer that the device writes and the host reads, what has become of mapping it, and whose statistics it holds. All are
/// used again and again.
pub(super) struct Slot {
    pub buffer: wgpu::Buffer,
    /// Programs, by number, and how many words of each, behind each other.
    parts: Vec<(usize, usize)>,
    mapped: Arc<Mutex<Mapped>>,
}

/// What has become of mapping a buffer.
enum Mapped {
    /// It is under way.
    Awaited,
    /// The host can read it.
    Ready,
    /// It failed, of which nobody else need tell.
    Failed(String),
}

impl Slot {
    /// Expects so many words of a program, behind those that it expects already; gives the word at which they are to start.
    pub fn expect(&mut self, program: usize, words: usize) -> usize {
        let at = self.words();
        self.parts.push((program, words));
        at
    }

    fn words(&self) -> usize {
        self.parts.iter().map(|(_, words)| words).sum()
    }

    fn mapped(&self) -> MutexGuard<'_, Mapped> {
        self.mapped.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// The ring of readback buffers.
pub(super) struct Readback {
    device: wgpu::Device,
    spare: Vec<Slot>,
    pending: VecDeque<Pending>,
    made: u64,
    waits: u64,
}

impl Readback {
    pub fn new(device: &wgpu::Device) -> Readback {
        Readback { device: device.clone(), spare: Vec::new(), pending: VecDeque::new(), made: 0, waits: 0 }
    }

    /// Buffers made, and times the host waited, so far.
    pub fn counts(&self) -> (u64, u64) {
        (self.made, self.waits)
    }

    /// Makes all the slots of so many words that can be needed at once, so that none is made later, however fast submits are done.
    pub fn reserve(&mut self, words: usize) {
        let size = 4 * words as u64;
        while self.spare.iter().filter(|slot| slot.buffer.size() >= size).count() < IN_FLIGHT {
            let slot = self.make(size);
            self.spare.push(slot);
        }
    }

    /// A slot of at least so many words to copy statistics into.
    pub fn slot(&mut self, words: usize) -> Slot {
        let size = 4 * words as u64;
        let mut slot = match self.spare.iter().position(|slot| slot.buffer.size() >= size) {
            Some(at) => self.spare.swap_remove(at),
            None => self.make(size),
        };
        slot.parts.clear();
        slot
    }

    fn make(&mut self, size: u64) -> Slot {
        self.made += 1;
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("readback"),
            size,
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        Slot { buffer, parts: Vec::new(), mapped: Arc::new(Mutex::new(Mapped::Awaited)) }
    }

    /// Takes charge of a submit; `slot` holds its statistics once it is done.
    pub fn submitted(&mut self, slot: Option<Slot>, submission: wgpu::SubmissionIndex) {
        if let Some(slot) = &slot {
            *slot.mapped() = Mapped::Awaited;
            let mapped = slot.mapped.clone();
            slot.buffer.map_async(wgpu::MapMode::Read, ..4 * slot.words() as u64, move |result| {
                let found = match result {
                    Ok(()) => Mapped::Ready,
                    Err(error) => Mapped::Failed(error.to_string()),
                };
                *mapped.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = found;
            });
        }
        self.pending.push_back(Pending { slot, submission });
    }

    /// Makes room for one more submit: waits for the oldest if too many are out. Gives what has finished to `deliver`.
    pub fn make_room(&mut self, failure: &Failure, deliver: &mut dyn FnMut(usize, &[f32])) -> Result<()> {
        if self.pending.len() >= IN_FLIGHT {
            self.collect(failure, deliver)?;
        }
        while self.pending.len() >= IN_FLIGHT {
            self.wait_for_oldest(failure)?;
            self.collect(failure, deliver)?;
        }
        Ok(())
    }

    /// Waits for everything, and delivers it.
    pub fn finish(&mut self, failure: &Failure, deliver: &mut dyn FnMut(usize, &[f32])) -> Result<()> {
        while !self.pending.is_empty() {
            self.wait_for_oldest(failure)?;
            self.collect(failure, deliver)?;
        }
        Ok(())
    }

    fn wait_for_oldest(&mut self, failure: &Failure) -> Result<()> {
        if let Some(oldest) = self.pending.front() {
            self.waits += 1;
            let wait = wgpu::PollType::Wait { submission_index: Some(oldest.submission.clone()), timeout: None };
            if let Err(error) = self.device.poll(wait) {
                failure.set(error.to_string());
            }
        }
        failure.check()
    }

    /// Delivers what has finished, in order, without waiting; says so if that cannot be read, or whoever waits for it would wait
    /// for ever.
    pub fn collect(&mut self, failure: &Failure, deliver: &mut dyn FnMut(usize, &[f32])) -> Result<()> {
        if let Err(error) = self.device.poll(wgpu::PollType::Poll) {
            failure.set(error.to_string());
        }
        failure.check()?;
        let finished = |p: &Pending| match p.slot.as_ref().map(|slot| slot.mapped()).as_deref() {
            None | Some(Mapped::Ready) => true,
            Some(Mapped::Awaited) => false,
            Some(Mapped::Failed(why)) => {
                failure.set(format!("the statistics of a step cannot be read: {why}"));
                false
            }
        };
        while self.pending.front().is_some_and(finished) {
            let Some(done) = self.pending.pop_front() else { break };
            let Some(slot) = done.slot else { continue };
            match slot.buffer.get_mapped_range(..4 * slot.words() as u64) {
                Ok(view) => {
                    let mut values: &[f32] = bytemuck::cast_slice(&view);
                    for &(program, words) in &slot.parts {
                        let (own, rest) = values.split_at(words);
                        deliver(program, own);
                        values = rest;
                    }
                }
                Err(error) => failure.set(error.to_string()),
            }
            slot.buffer.unmap();
            self.spare.push(slot);
        }
        failure.check()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::gpu::{Gpu, Options, adapters};

    /// A buffer that cannot be mapped, though the device works on: waiting for it ends, and says why.
    #[test]
    fn statistics_that_cannot_be_read_are_an_error() {
        let wanted = std::env::var("ELBO_ADAPTER").unwrap_or_default();
        let allowed = std::env::var_os("ELBO_NO_GPU").is_none_or(|value| value != "1");
        let found = adapters().into_iter().find(|adapter| allowed && adapter.answers_to(&wanted));
        let Some(adapter) = found else {
            let all = std::env::var_os("ELBO_TEST_ALL").is_some_and(|value| value == "1");
            assert!(!all && (wanted.is_empty() || !allowed), "there is no GPU adapter that answers to {wanted:?}");
            // Where nobody captures it.
            writeln!(std::io::stderr(), "NOT TESTED: how a failed read is told, as there is no GPU adapter").unwrap();
            return;
        };
        let mut gpu = Gpu::open(&adapter, Options::default()).unwrap();
        let failure = Failure::default();
        // What wgpu says of it to the device's owner is caught here, as on a driver that says nothing.
        let scope = gpu.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let mut slot = gpu.readback.slot(4);
        slot.expect(0, 4);
        slot.buffer.destroy();
        let submission = gpu.queue.submit([]);
        gpu.readback.submitted(Some(slot), submission);
        let error = gpu.readback.finish(&failure, &mut |_, _| panic!("there is nothing to deliver")).unwrap_err();
        assert!(error.to_string().contains("cannot be read"), "{error}");
        assert!(pollster::block_on(scope.pop()).is_some(), "the map was to fail");
        // A slot that can be mapped is none.
        let failure = Failure::default();
        let mut gpu = Gpu::open(&adapter, Options::default()).unwrap();
        let mut slot = gpu.readback.slot(4);
        assert_eq!([slot.expect(2, 3), slot.expect(0, 1)], [0, 3]);
        let submission = gpu.queue.submit([]);
        gpu.readback.submitted(Some(slot), submission);
        let mut delivered = vec![];
        gpu.readback.finish(&failure, &mut |program, values| delivered.push((program, values.len()))).unwrap();
        assert_eq!(delivered, [(2, 3), (0, 1)]);
    }
}
