//! What executes programs: the interface that the GPU and the CPU share.

use std::collections::BTreeMap;

use super::{Buffer, Counters, Objects, Program, ProgramId, ReadTicket};
use crate::error::Result;
use crate::kernels::Step;

/// One run of a program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Launch {
    /// Which program.
    pub program: ProgramId,
    /// What varies with the step.
    pub step: Step,
}

/// What is taken of a device's memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceMemory {
    /// By what lives: buffers, with what alignment adds, and the queue's own.
    pub allocated: u64,
    /// By the blocks that those are cut from.
    pub reserved: u64,
}

/// What kernels of a shape are run with, by name, where an executor could choose.
pub type Choices = BTreeMap<String, String>;

/// Runs programs over named buffers. Buffers of the same name are shared by all programs of one executor and start as zeros. They
/// are made when they are asked for ([`Executor::allocate`]), and then live as long as the executor; or when the first program is loaded
/// that names them, and then until the last is unloaded. An executor may be handed from thread to thread.
///
/// Nothing here needs a thread that waits but [`Executor::wait`] and what is built on it ([`Executor::read`],
/// [`Executor::statistics`] with `wait`, a launch without [`Executor::has_room`], [`Executor::write_at`] of more than 32 MiB between two
/// launches): who has an event loop in place of such a thread begins
/// reads, polls for them, and launches where there is room.
pub trait Executor: Send {
    /// The device, for people: name, backend, driver.
    fn describe(&self) -> String;

    /// Whether it is the CPU executor.
    fn is_cpu(&self) -> bool {
        false
    }

    /// Prepares a program: makes its buffers, and all else that steps will need.
    ///
    /// # Errors
    /// If the device has too little memory, said before anything is made; if a kernel does not compile.
    fn load(&mut self, program: Program) -> Result<ProgramId>;

    /// Compiles what programs need, side by side where the device can, and loads none of them: who will load many one after the other does
    /// not wait for one compiler at a time. [`Executor::load`] compiles what was not prepared.
    ///
    /// # Errors
    /// If a kernel does not compile.
    fn prepare(&mut self, _programs: &[Program]) -> Result<()> {
        Ok(())
    }

    /// Gives a program up, with all that only it needed. What was launched of it is done all the same; statistics of it that were not
    /// taken are lost.
    ///
    /// # Errors
    /// If it is not loaded.
    fn unload(&mut self, id: ProgramId) -> Result<()>;

    /// Makes a buffer of zeros, unless there is one of that name.
    ///
    /// # Errors
    /// If the device has too little memory, or there is one of another size.
    fn allocate(&mut self, buffer: &Buffer) -> Result<()>;

    /// The words of a buffer, if there is one of that name.
    fn words(&self, buffer: &str) -> Option<usize>;

    /// A loaded program.
    ///
    /// # Errors
    /// If it is not loaded.
    fn program(&self, id: ProgramId) -> Result<&Program>;

    /// Runs programs, each for a step of its own, in order. May return before the work is done. The executor chooses the
    /// ring slot of each step.
    ///
    /// # Errors
    /// If a program is not loaded, or the device is lost.
    fn launch(&mut self, launches: &[Launch]) -> Result<()>;

    /// Runs one program for each of some steps; see [`Executor::launch`].
    ///
    /// # Errors
    /// As for [`Executor::launch`].
    fn run(&mut self, program: ProgramId, steps: &[Step]) -> Result<()> {
        let launches: Vec<Launch> = steps.iter().map(|&step| Launch { program, step }).collect();
        self.launch(&launches)
    }

    /// Appends the statistics of finished steps of a program, in the order of the steps, flattened: as many numbers
    /// per step as the program has statistics. With `wait`, of all steps that were run.
    ///
    /// # Errors
    /// If the program is not loaded, or the device is lost.
    fn statistics(&mut self, id: ProgramId, wait: bool, into: &mut Vec<f32>) -> Result<()>;

    /// Writes into a buffer from this word on, behind all steps that were run, without waiting for them.
    ///
    /// # Errors
    /// If no loaded program has such a buffer, or it ends before the words do.
    fn write_at(&mut self, buffer: &str, first: usize, words: &[u32]) -> Result<()>;

    /// Writes a whole buffer, or its beginning.
    ///
    /// # Errors
    /// As for [`Executor::write_at`].
    fn write(&mut self, buffer: &str, words: &[u32]) -> Result<()> {
        self.write_at(buffer, 0, words)
    }

    /// Begins to read a whole buffer as it is after all steps that were run so far. The ticket is good for one
    /// [`Executor::poll_read`] that gives something.
    ///
    /// # Errors
    /// If no loaded program has such a buffer; if the device is lost.
    fn begin_read(&mut self, buffer: &str) -> Result<ReadTicket>;

    /// What was read, once it has come; it does not wait for it.
    ///
    /// # Errors
    /// If it was given before; if the device is lost.
    fn poll_read(&mut self, ticket: &ReadTicket) -> Result<Option<Vec<u32>>>;

    /// Whether work can be launched now without waiting for work that was launched before.
    ///
    /// # Errors
    /// If the device is lost.
    fn has_room(&mut self) -> Result<bool>;

    /// Stops this thread until a read has come or, without one, until the oldest launch is done that was not yet known to be; at once
    /// where there is none.
    ///
    /// # Errors
    /// If the device is lost, or does nothing for longer than it is given.
    fn wait(&mut self, ticket: Option<&ReadTicket>) -> Result<()>;

    /// Reads a whole buffer, after all steps that were run, and waits for it.
    ///
    /// # Errors
    /// As for [`Executor::begin_read`] and [`Executor::wait`].
    fn read(&mut self, buffer: &str) -> Result<Vec<u32>> {
        let ticket = self.begin_read(buffer)?;
        self.finish_read(&ticket)
    }

    /// Waits for a read that was begun.
    ///
    /// # Errors
    /// As for [`Executor::poll_read`] and [`Executor::wait`].
    fn finish_read(&mut self, ticket: &ReadTicket) -> Result<Vec<u32>> {
        loop {
            if let Some(words) = self.poll_read(ticket)? {
                return Ok(words);
            }
            self.wait(Some(ticket))?;
        }
    }

    /// Writes f32s to a buffer; see [`Executor::write`].
    ///
    /// # Errors
    /// As for [`Executor::write`].
    fn write_f32(&mut self, buffer: &str, values: &[f32]) -> Result<()> {
        self.write(buffer, bytemuck::cast_slice(values))
    }

    /// Reads a buffer of f32s; see [`Executor::read`].
    ///
    /// # Errors
    /// As for [`Executor::read`].
    fn read_f32(&mut self, buffer: &str) -> Result<Vec<f32>> {
        Ok(self.read(buffer)?.into_iter().map(f32::from_bits).collect())
    }

    /// Runs one step and times each of its calls, in seconds, on the device's own clock where it has one. Slower than
    /// [`Executor::run`]: the calls are kept apart.
    ///
    /// # Errors
    /// If the program is not loaded, the device is lost, or it cannot tell the time.
    fn profile(&mut self, id: ProgramId, step: &Step) -> Result<Vec<f64>>;

    /// What has been chosen for the programs loaded so far; empty where there is no choice, or none is made by timing.
    fn choices(&self) -> Choices {
        Choices::new()
    }

    /// Chooses as an earlier run did, of which this is the record; shapes that it does not name are chosen as usual.
    /// Without a record, by the rule alone. To be called before a program is loaded.
    fn replay_choices(&mut self, _recorded: Option<Choices>) {}

    /// Bytes of all buffers.
    fn bytes(&self) -> u64;

    /// What it has of all that programs need; zeros from an executor that does not count.
    fn objects(&self) -> Objects {
        Objects::default()
    }

    /// The bytes of the largest buffer that programs may have.
    fn largest_buffer(&self) -> u64 {
        u64::MAX
    }

    /// The bytes of memory that its buffers share with nothing else, where it is known: those of a graphics card.
    fn own_memory(&self) -> Option<u64> {
        None
    }

    /// What it has made and waited for so far; zeros from an executor that does not count.
    fn counters(&self) -> Counters {
        Counters::default()
    }

    /// Bytes that it takes of the device whatever it runs.
    fn fixed_bytes(&self) -> u64 {
        0
    }

    /// What its buffers take of the device's memory, as the driver's allocator tells; `None` where nothing tells.
    fn device_memory(&self) -> Option<DeviceMemory> {
        None
    }
}
