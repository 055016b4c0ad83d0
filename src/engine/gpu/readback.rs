//! What is on its way back: statistics in a few mapped buffers, used in turn, and never waited for unless too many are out; and
//! whole buffers that were asked for.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::failure::Failure;
use crate::error::{Error, Result};
use crate::program::{ProgramId, ReadTicket, Reads};

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
    /// Programs, and how many words of each, behind each other.
    parts: Vec<(ProgramId, usize)>,
    mapped: Mapping,
}

/// A whole buffer on its way.
struct Read {
    buffer: wgpu::Buffer,
    mapped: Mapping,
    submission: wgpu::SubmissionIndex,
}

/// What has become of mapping a buffer, which the driver tells on some thread.
#[derive(Clone, Default)]
struct Mapping(Arc<Mutex<Mapped>>);

impl Mapping {
    /// Begins to map the beginning of a buffer.
    fn begin(&self, buffer: &wgpu::Buffer, bytes: u64) {
        *self.state() = Mapped::Awaited;
        let told = self.clone();
        buffer.map_async(wgpu::MapMode::Read, ..bytes, move |result| {
            *told.state() = match result {
                Ok(()) => Mapped::Ready,
                Err(error) => Mapped::Failed(error.to_string()),
            };
        });
    }

    fn state(&self) -> MutexGuard<'_, Mapped> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Whether the host can read it; tells `failure` if it never can.
    fn is_ready(&self, failure: &Failure, what: &str) -> bool {
        match &*self.state() {
            Mapped::Ready => true,
            Mapped::Awaited => false,
            Mapped::Failed(why) => {
                failure.set(format!("{what} cannot be read: {why}"));
                false
            }
        }
    }
}

/// What has become of mapping a buffer.
#[derive(Default)]
enum Mapped {
    /// It is under way.
    #[default]
    Awaited,
    /// The host can read it.
    Ready,
    /// It failed, of which nobody else need tell.
    Failed(String),
}

impl Slot {
    /// Expects so many words of a program, behind those that it expects already; gives the word at which they are to start.
    pub fn expect(&mut self, program: ProgramId, words: usize) -> usize {
        let at = self.words();
        self.parts.push((program, words));
        at
    }

    fn words(&self) -> usize {
        self.parts.iter().map(|(_, words)| words).sum()
    }
}

/// The ring of readback buffers, and what else is on its way.
pub(super) struct Readback {
    device: wgpu::Device,
    /// How long the device may take over what is waited for.
    limit: Duration,
    spare: Vec<Slot>,
    pending: VecDeque<Pending>,
    reads: Reads<Read>,
    made: u64,
    waits: u64,
}

impl Readback {
    pub fn new(device: &wgpu::Device, limit: Duration) -> Readback {
        Readback {
            device: device.clone(),
            limit,
            spare: Vec::new(),
            pending: VecDeque::new(),
            reads: Reads::default(),
            made: 0,
            waits: 0,
        }
    }

    /// Another one of the same device.
    pub fn another(&self) -> Readback {
        Readback::new(&self.device, self.limit)
    }

    /// Buffers made, and times the host waited, so far.
    pub fn counts(&self) -> (u64, u64) {
        (self.made, self.waits)
    }

    /// Makes all the slots of so many words that can be needed at once, so that none is made later, however fast submits are done.
    /// Smaller ones are given up then.
    pub fn reserve(&mut self, words: usize) {
        let size = 4 * words as u64;
        if self.spare.iter().all(|slot| slot.buffer.size() < size) {
            self.spare.clear();
        }
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
        Slot { buffer, parts: Vec::new(), mapped: Mapping::default() }
    }

    /// Takes charge of a submit; `slot` holds its statistics once it is done.
    pub fn submitted(&mut self, slot: Option<Slot>, submission: wgpu::SubmissionIndex) {
        if let Some(slot) = &slot {
            slot.mapped.begin(&slot.buffer, 4 * slot.words() as u64);
        }
        self.pending.push_back(Pending { slot, submission });
    }

    /// Takes charge of a whole buffer that a submit copied to where it can be mapped.
    pub fn begin_read(&mut self, buffer: wgpu::Buffer, submission: wgpu::SubmissionIndex) -> ReadTicket {
        let mapped = Mapping::default();
        mapped.begin(&buffer, buffer.size());
        self.made += 1;
        self.reads.open(Read { buffer, mapped, submission })
    }

    /// What was read, if it has come.
    pub fn poll_read(&mut self, failure: &Failure, ticket: &ReadTicket) -> Result<Option<Vec<u32>>> {
        let Read { mapped, .. } = self.reads.get(ticket)?;
        let ready = mapped.clone();
        self.poll(failure)?;
        if !ready.is_ready(failure, "a buffer") {
            return failure.check().map(|()| None);
        }
        let read = self.reads.close(ticket)?;
        let view = read.buffer.get_mapped_range(..).map_err(|e| Error::Device(e.to_string()))?;
        Ok(Some(bytemuck::pod_collect_to_vec(&view)))
    }

    /// Whether one more submit can be sent without waiting, of what is known.
    pub fn has_room(&self) -> bool {
        self.pending.len() < IN_FLIGHT
    }

    /// Waits for a read or, without one, for the oldest submit.
    pub fn wait(&mut self, failure: &Failure, ticket: Option<&ReadTicket>) -> Result<()> {
        let submission = match ticket {
            Some(ticket) => Some(self.reads.get(ticket)?.submission.clone()),
            None => self.pending.front().map(|oldest| oldest.submission.clone()),
        };
        submission.map_or_else(|| failure.check(), |submission| self.wait_for(failure, submission))
    }

    /// Waits for a submit, not longer than the limit.
    pub fn wait_for(&mut self, failure: &Failure, submission: wgpu::SubmissionIndex) -> Result<()> {
        self.waits += 1;
        let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(self.limit) };
        match self.device.poll(wait) {
            Ok(_) => {}
            Err(wgpu::PollError::Timeout) => failure.set(format!(
                "it did not finish what was sent to it within {} s, and is given up: its driver hangs, or one step takes longer than that",
                self.limit.as_secs_f64()
            )),
            Err(error) => failure.set(error.to_string()),
        }
        failure.check()
    }

    /// Lets the driver tell what has happened.
    fn poll(&self, failure: &Failure) -> Result<()> {
        if let Err(error) = self.device.poll(wgpu::PollType::Poll) {
            failure.set(error.to_string());
        }
        failure.check()
    }

    /// Makes room for one more submit: waits for the oldest if too many are out. Gives what has finished to `deliver`.
    pub fn make_room(&mut self, failure: &Failure, deliver: &mut dyn FnMut(ProgramId, &[f32])) -> Result<()> {
        if !self.has_room() {
            self.collect(failure, deliver)?;
        }
        while !self.has_room() {
            self.wait(failure, None)?;
            self.collect(failure, deliver)?;
        }
        Ok(())
    }

    /// Waits for everything, and delivers it.
    pub fn finish(&mut self, failure: &Failure, deliver: &mut dyn FnMut(ProgramId, &[f32])) -> Result<()> {
        while !self.pending.is_empty() {
            self.wait(failure, None)?;
            self.collect(failure, deliver)?;
        }
        Ok(())
    }

    /// Delivers what has finished, in order, without waiting; says so if that cannot be read, or whoever waits for it would wait
    /// for ever.
    pub fn collect(&mut self, failure: &Failure, deliver: &mut dyn FnMut(ProgramId, &[f32])) -> Result<()> {
        self.poll(failure)?;
        let finished =
            |p: &Pending| p.slot.as_ref().is_none_or(|slot| slot.mapped.is_ready(failure, "the statistics of a step"));
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
    use crate::program::{Buffer, Executor, Programs};

    /// A device of the tests, or a word that there is none.
    fn open(options: Options) -> Option<Gpu> {
        let wanted = std::env::var("ELBO_ADAPTER").unwrap_or_default();
        let allowed = std::env::var_os("ELBO_NO_GPU").is_none_or(|value| value != "1");
        let found = adapters().into_iter().find(|adapter| allowed && adapter.answers_to(&wanted));
        if found.is_none() {
            let all = std::env::var_os("ELBO_TEST_ALL").is_some_and(|value| value == "1");
            assert!(!all && (wanted.is_empty() || !allowed), "there is no GPU adapter that answers to {wanted:?}");
            // Where nobody captures it.
            writeln!(std::io::stderr(), "NOT TESTED: how a failed read is told, as there is no GPU adapter").unwrap();
        }
        Some(Gpu::open(&found?, options).unwrap())
    }

    /// A buffer that cannot be mapped, though the device works on: waiting for it ends, and says why.
    #[test]
    fn statistics_that_cannot_be_read_are_an_error() {
        let Some(mut gpu) = open(Options::default()) else { return };
        let mut programs = Programs::default();
        let [a, b] = [(), ()].map(|()| programs.insert(()));
        let failure = Failure::default();
        // What wgpu says of it to the device's owner is caught here, as on a driver that says nothing.
        let scope = gpu.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let mut slot = gpu.readback.slot(4);
        slot.expect(a, 4);
        slot.buffer.destroy();
        let submission = gpu.queue.submit([]);
        gpu.readback.submitted(Some(slot), submission);
        let error = gpu.readback.finish(&failure, &mut |_, _| panic!("there is nothing to deliver")).unwrap_err();
        assert!(error.to_string().contains("cannot be read"), "{error}");
        assert!(pollster::block_on(scope.pop()).is_some(), "the map was to fail");
        // A slot that can be mapped is none.
        let failure = Failure::default();
        let Some(mut gpu) = open(Options::default()) else { return };
        let mut slot = gpu.readback.slot(4);
        assert_eq!([slot.expect(b, 3), slot.expect(a, 1)], [0, 3]);
        let submission = gpu.queue.submit([]);
        gpu.readback.submitted(Some(slot), submission);
        let mut delivered = vec![];
        gpu.readback.finish(&failure, &mut |program, values| delivered.push((program, values.len()))).unwrap();
        assert_eq!(delivered, [(b, 3), (a, 1)]);
    }

    /// A device that does not finish in its time, or is lost, is an error that says so, and so is all that follows.
    #[test]
    fn nothing_is_waited_for_for_ever() {
        let buffer = Buffer { name: "zeros".to_string(), words: 1 << 22 };
        let time_limit = Some(Duration::ZERO);
        let Some(mut slow) = open(Options { time_limit, ..Options::default() }) else { return };
        slow.allocate(&buffer).unwrap();
        let error = slow.read(&buffer.name).unwrap_err().to_string();
        assert!(error.contains("within 0 s") && error.contains("given up"), "{error}");
        assert!(slow.begin_read(&buffer.name).is_err());

        let Some(mut lost) = open(Options::default()) else { return };
        lost.allocate(&buffer).unwrap();
        assert_eq!(lost.read(&buffer.name).unwrap().len(), buffer.words);
        let ticket = lost.begin_read(&buffer.name).unwrap();
        lost.device.destroy();
        let found = (0..100).find_map(|_| lost.wait(Some(&ticket)).and_then(|()| lost.poll_read(&ticket)).transpose());
        if let Some(Ok(words)) = found {
            // It may have been there before the device went.
            assert_eq!(words.len(), buffer.words);
        }
        let error = lost.read(&buffer.name).unwrap_err().to_string();
        assert!(error.contains("the GPU failed"), "{error}");
    }
}
