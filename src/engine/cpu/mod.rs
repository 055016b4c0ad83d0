//! The CPU executor: interprets a program with the kernels' CPU references, on as many threads as rayon has.
//!
//! # The same bits everywhere
//!
//! [`Cpu::exact`] gives every number that a program computes the same bits on every processor, with vectors of any width and with any number of
//! threads: what one machine has encoded another can decode without loss, and a seed is a run that anybody can repeat.
//! It is made of IEEE 754 additions, multiplications, divisions, square roots and comparisons of 32-bit floats in a fixed order:
//!
//! - An element of a matrix product is `((0 + a₀b₀) + a₁b₁) + …`, each operation rounded by itself. It depends on its row and its
//!   column alone, not on how many others are computed beside it: the code of a row is the same in a batch of any size.
//! - Other sums (biases, losses, norms, statistics) are added up in an order that their shape alone decides: a tree, or for sums of many rows column by column, up to 16 parts each row after row.
//! - Exponentials, logarithms, tanh and the other functions are polynomials of [`crate::kernels::math`] and
//!   [`crate::kernels::special`], and random numbers are made of integers ([`crate::kernels::random`]). What the host computes for a
//!   program in 64 bits (learning rates, corrections of Adam's moments, constants of densities) comes from the crate `libm`.
//! - Threads share out elements, never the terms of a sum.
//!
//! [`Cpu::new`] differs from it in matrix products alone, which it adds up as is fastest on the processor at hand, fused where that is possible.
//!
//! Not promised are: the bits of a NaN, whose sign and payload processors choose; the same bits from another version of
//! this crate or of `libm`; anything on a thread that flushes subnormal numbers to zero, or in a build that was told to
//! contract or reorder floating-point operations (`-C llvm-args=-fp-contract=fast`); and figures that are computed from a run's
//! numbers in 64 bits, such as those of `elbo evaluate`, in their last digits. A GPU never gives these bits.

mod memory;
#[cfg(test)]
mod shared;

use crate::error::Result;
use crate::kernels::{Args, Arithmetic, Step};
use crate::program::{
    Buffer, Buffers, Counters, Executor, Launch, Objects, Program, ProgramId, Programs, RING_SLOTS, ReadTicket, Reads,
    check_memory,
};
use memory::Memory;

/// Runs programs on the CPU.
#[derive(Default)]
pub struct Cpu {
    memory: Memory,
    /// The index of each buffer in memory, by name.
    buffers: Buffers<usize>,
    programs: Programs<Loaded>,
    /// What was read and not given yet.
    reads: Reads<Vec<u32>>,
    steps: u64,
    uploaded: u64,
    arithmetic: Arithmetic,
    largest_buffer: Option<u64>,
}

struct Loaded {
    program: Program,
    /// The memory of each of the program's buffers, by index into the executor's.
    buffers: Vec<usize>,
    steps: usize,
    finished: Vec<f32>,
}

impl Cpu {
    /// An executor without programs.
    pub fn new() -> Cpu {
        Cpu::default()
    }

    /// The same, with the same bits on every processor; see [the module](self). Matrix products take up to twice as long where
    /// processors fuse, and hardly longer where they add beside multiplying.
    pub fn exact() -> Cpu {
        Cpu { arithmetic: Arithmetic::Exact, ..Cpu::default() }
    }

    /// The same with buffers of so many bytes at most, as adapters have.
    #[must_use]
    pub fn with_largest_buffer(self, bytes: u64) -> Cpu {
        Cpu { largest_buffer: Some(bytes), ..self }
    }

    fn replay(&mut self, launches: &[Launch]) -> Result<()> {
        let Cpu { memory, programs, steps, arithmetic, .. } = self;
        for &Launch { program, step } in launches {
            let loaded = programs.get_mut(program)?;
            let step = Step { slot: (loaded.steps % RING_SLOTS) as u32, ..step };
            loaded.steps += 1;
            *steps += 1;
            for call in 0..loaded.program.calls.len() {
                loaded.call(call, memory, &step, *arithmetic);
            }
            if let Some(ring) = loaded.program.ring {
                let items = loaded.program.statistics.len();
                let values = &memory.buffers[loaded.buffers[ring]][step.slot as usize * items..][..items];
                loaded.finished.extend(values.iter().map(|&w| f32::from_bits(w)));
            }
        }
        Ok(())
    }

    /// Buffers that are to be made must fit this machine's memory; said before any is.
    fn check_memory(&self, what: &str, buffers: &[Buffer]) -> Result<()> {
        self.buffers.check_sizes(buffers)?;
        check_memory(what, self.buffers.bytes_missing(buffers), crate::memory::available(), "this process")
    }
}

impl Loaded {
    /// Runs one of its calls.
    fn call(&self, call: usize, memory: &mut Memory, step: &Step, arithmetic: Arithmetic) {
        let call = &self.program.calls[call];
        let mut bound = [(std::ptr::null_mut::<u32>(), 0); 8];
        for (bound, slice) in bound.iter_mut().zip(&call.bindings) {
            let buffer = &mut memory.buffers[self.buffers[slice.buffer]];
            *bound = (buffer[slice.offset..][..slice.words].as_mut_ptr(), slice.words);
        }
        // SAFETY: the slices are inside live buffers, nothing else touches those during the call, and the program was
        // checked not to let what a call writes overlap its other slices.
        let args = unsafe { Args::new(&bound[..call.bindings.len()]) };
        call.kernel.run(&args.computed(arithmetic), step);
    }
}

impl Executor for Cpu {
    fn describe(&self) -> String {
        let exact = if self.arithmetic == Arithmetic::Exact { ", exact" } else { "" };
        match rayon::current_num_threads() {
            1 => format!("CPU executor (1 thread{exact})"),
            threads => format!("CPU executor ({threads} threads{exact})"),
        }
    }

    fn is_cpu(&self) -> bool {
        true
    }

    fn load(&mut self, program: Program) -> Result<ProgramId> {
        let named = program.named_buffers(self.programs.next());
        self.check_memory(&format!("the program `{}`", program.name), &named)?;
        let Cpu { memory, buffers, .. } = self;
        let mut taken = Vec::with_capacity(named.len());
        for buffer in &named {
            match buffers.take(buffer, || memory.make(buffer)) {
                Ok(index) => taken.push(index),
                Err(error) => {
                    let given_up = named[..taken.len()].iter().filter_map(|buffer| buffers.release(&buffer.name));
                    given_up.for_each(|index| memory.give_up(index));
                    return Err(error);
                }
            }
        }
        let buffers = taken;
        Ok(self.programs.insert(Loaded { program, buffers, steps: 0, finished: Vec::new() }))
    }

    fn unload(&mut self, id: ProgramId) -> Result<()> {
        let loaded = self.programs.remove(id)?;
        for buffer in loaded.program.named_buffers(id) {
            if let Some(index) = self.buffers.release(&buffer.name) {
                self.memory.give_up(index);
            }
        }
        Ok(())
    }

    fn allocate(&mut self, buffer: &Buffer) -> Result<()> {
        self.check_memory(&format!("the buffer {}", buffer.name), std::slice::from_ref(buffer))?;
        let Cpu { memory, buffers, .. } = self;
        buffers.keep(buffer, || memory.make(buffer))
    }

    fn words(&self, buffer: &str) -> Option<usize> {
        self.buffers.get(buffer).ok().map(|(_, words)| words)
    }

    fn program(&self, id: ProgramId) -> Result<&Program> {
        Ok(&self.programs.get(id)?.program)
    }

    fn launch(&mut self, launches: &[Launch]) -> Result<()> {
        launches.iter().try_for_each(|launch| self.programs.get(launch.program).map(|_| ()))?;
        // Inside the pool, where handing work to the next thread costs a tenth of what it does from outside.
        rayon::scope(|_| self.replay(launches))
    }

    fn profile(&mut self, id: ProgramId, step: &Step) -> Result<Vec<f64>> {
        let Cpu { memory, programs, arithmetic, .. } = self;
        let loaded = programs.get(id)?;
        let timed = |call| {
            let started = std::time::Instant::now();
            loaded.call(call, memory, step, *arithmetic);
            started.elapsed().as_secs_f64()
        };
        Ok((0..loaded.program.calls.len()).map(timed).collect())
    }

    fn statistics(&mut self, id: ProgramId, _wait: bool, into: &mut Vec<f32>) -> Result<()> {
        into.append(&mut self.programs.get_mut(id)?.finished);
        Ok(())
    }

    fn write_at(&mut self, buffer: &str, first: usize, words: &[u32]) -> Result<()> {
        let &index = self.buffers.with_room(buffer, first, words.len())?;
        self.memory.buffers[index][first..][..words.len()].copy_from_slice(words);
        self.uploaded += 4 * words.len() as u64;
        Ok(())
    }

    fn begin_read(&mut self, buffer: &str) -> Result<ReadTicket> {
        let (&index, _) = self.buffers.get(buffer)?;
        Ok(self.reads.open(self.memory.buffers[index].to_vec()))
    }

    fn poll_read(&mut self, ticket: &ReadTicket) -> Result<Option<Vec<u32>>> {
        self.reads.close(ticket).map(Some)
    }

    /// Always: a launch is done when it returns.
    fn has_room(&mut self) -> Result<bool> {
        Ok(true)
    }

    /// Nothing is ever under way.
    fn wait(&mut self, _ticket: Option<&ReadTicket>) -> Result<()> {
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.buffers.extent().1
    }

    fn objects(&self) -> Objects {
        let (programs, buffers) = (self.programs.iter().count() as u64, self.buffers.extent().0);
        Objects { programs, buffers, ..Objects::default() }
    }

    fn largest_buffer(&self) -> u64 {
        self.largest_buffer.unwrap_or(u64::MAX)
    }

    fn counters(&self) -> Counters {
        let (steps, uploaded) = (self.steps, self.uploaded);
        Counters { steps, submits: steps, buffers: self.memory.made, uploaded, ..Counters::default() }
    }
}
