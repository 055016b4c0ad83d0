//! Statistics on their way back: a few mapped buffers, used in turn, and never waited for unless too many are out.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::device::Failure;
use crate::error::Result;

/// Submits that may be under way at once.
const IN_FLIGHT: usize = 3;

/// A submit that has not been collected.
struct Pending {
    program: usize,
    words: usize,
    buffer: Option<wgpu::Buffer>,
    ready: Arc<AtomicBool>,
    submission: wgpu::SubmissionIndex,
}

/// The ring of readback buffers.
pub(super) struct Readback {
    device: wgpu::Device,
    spare: Vec<wgpu::Buffer>,
    pending: VecDeque<Pending>,
}

impl Readback {
    pub fn new(device: &wgpu::Device) -> Readback {
        Readback { device: device.clone(), spare: Vec::new(), pending: VecDeque::new() }
    }

    /// A buffer of at least so many words to copy statistics into.
    pub fn buffer(&mut self, words: usize) -> wgpu::Buffer {
        let size = 4 * words as u64;
        match self.spare.iter().position(|b| b.size() >= size) {
            Some(at) => self.spare.swap_remove(at),
            None => self.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("readback"),
                size,
                usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
                mapped_at_creation: false,
            }),
        }
    }

    /// Takes charge of a submit; `buffer` holds its statistics once it is done.
    pub fn submitted(
        &mut self,
        program: usize,
        words: usize,
        buffer: Option<wgpu::Buffer>,
        submission: wgpu::SubmissionIndex,
    ) {
        let ready = Arc::new(AtomicBool::new(false));
        let done = ready.clone();
        match &buffer {
            Some(buffer) => buffer.map_async(wgpu::MapMode::Read, ..4 * words as u64, move |result| {
                done.store(result.is_ok(), Ordering::Release);
            }),
            None => done.store(true, Ordering::Release),
        }
        self.pending.push_back(Pending { program, words, buffer, ready, submission });
    }

    /// Makes room for one more submit: waits for the oldest if too many are out. Gives what has finished to `deliver`.
    pub fn make_room(&mut self, failure: &Failure, deliver: &mut dyn FnMut(usize, &[f32])) -> Result<()> {
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
            let wait = wgpu::PollType::Wait { submission_index: Some(oldest.submission.clone()), timeout: None };
            if let Err(error) = self.device.poll(wait) {
                failure.set(error.to_string());
            }
        }
        failure.check()
    }

    /// Delivers what has finished, in order, without waiting.
    pub fn collect(&mut self, failure: &Failure, deliver: &mut dyn FnMut(usize, &[f32])) -> Result<()> {
        if let Err(error) = self.device.poll(wgpu::PollType::Poll) {
            failure.set(error.to_string());
        }
        failure.check()?;
        while self.pending.front().is_some_and(|p| p.ready.load(Ordering::Acquire)) {
            let Some(done) = self.pending.pop_front() else { break };
            let Some(buffer) = done.buffer else { continue };
            match buffer.get_mapped_range(..4 * done.words as u64) {
                Ok(view) => deliver(done.program, bytemuck::cast_slice(&view)),
                Err(error) => failure.set(error.to_string()),
            }
            buffer.unmap();
            self.spare.push(buffer);
        }
        failure.check()
    }
}
