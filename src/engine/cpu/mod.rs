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
//! - Other sums (biases, losses, norms, statistics) are added up in a tree that their shape alone decides.
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

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::kernels::{Args, Arithmetic, Step};
use crate::program::{Buffer, Counters, Executor, Launch, Program, ProgramId, RING_SLOTS, check_memory, check_room};

/// Runs programs on the CPU.
#[derive(Default)]
pub struct Cpu {
    buffers: Vec<Box<[u32]>>,
    names: HashMap<String, usize>,
    programs: Vec<Loaded>,
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

    /// Runs one call of a loaded program.
    fn call(&mut self, id: ProgramId, call: usize, step: &Step) {
        let loaded = &self.programs[id.0];
        let call = &loaded.program.calls[call];
        let mut bound = [(std::ptr::null_mut::<u32>(), 0); 8];
        for (bound, slice) in bound.iter_mut().zip(&call.bindings) {
            let buffer = &mut self.buffers[loaded.buffers[slice.buffer]];
            *bound = (buffer[slice.offset..][..slice.words].as_mut_ptr(), slice.words);
        }
        // SAFETY: the slices are inside live buffers, nothing else touches those during the call, and the program was
        // checked not to let what a call writes overlap its other slices.
        let args = unsafe { Args::new(&bound[..call.bindings.len()]) };
        call.kernel.run(&args.computed(self.arithmetic), step);
    }

    fn replay(&mut self, launches: &[Launch]) {
        for &Launch { program: id, step } in launches {
            let loaded = &mut self.programs[id.0];
            let step = Step { slot: (loaded.steps % RING_SLOTS) as u32, ..step };
            loaded.steps += 1;
            self.steps += 1;
            for call in 0..loaded.program.calls.len() {
                self.call(id, call, &step);
            }
            let loaded = &mut self.programs[id.0];
            if let Some(ring) = loaded.program.ring {
                let items = loaded.program.statistics.len();
                let values = &self.buffers[loaded.buffers[ring]][step.slot as usize * items..][..items];
                loaded.finished.extend(values.iter().map(|&w| f32::from_bits(w)));
            }
        }
    }

    /// Buffers that are to be made must fit this machine's memory; said before any is.
    fn check_memory(&self, what: &str, buffers: &[Buffer]) -> Result<()> {
        let new = buffers.iter().filter(|b| !self.names.contains_key(&b.name)).map(Buffer::bytes).sum();
        let mut system = sysinfo::System::new();
        system.refresh_memory();
        check_memory(what, new, system.available_memory(), "this machine")
    }

    /// The index of a buffer, made if there is none of that name.
    fn make(&mut self, name: String, words: usize) -> Result<usize> {
        match self.names.get(&name) {
            Some(&known) if self.buffers[known].len() == words => Ok(known),
            Some(&known) => Err(Error::invalid(format!(
                "the buffer {name} has {} words in one program and {words} in another",
                self.buffers[known].len()
            ))),
            None => {
                self.buffers.push(vec![0; words].into_boxed_slice());
                self.names.insert(name, self.buffers.len() - 1);
                Ok(self.buffers.len() - 1)
            }
        }
    }

    fn named(&self, name: &str) -> Result<usize> {
        self.names.get(name).copied().ok_or_else(|| Error::invalid(format!("no program has a buffer named {name}")))
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
        let id = self.programs.len();
        self.check_memory(&format!("the program `{}`", program.name), &program.buffers)?;
        let mut buffers = Vec::new();
        for buffer in &program.buffers {
            let name = if buffer.is_private() {
                format!("{}.{id}.{}", program.name, buffer.name)
            } else {
                buffer.name.clone()
            };
            buffers.push(self.make(name, buffer.words)?);
        }
        self.programs.push(Loaded { program, buffers, steps: 0, finished: Vec::new() });
        Ok(ProgramId(id))
    }

    fn allocate(&mut self, buffer: &Buffer) -> Result<()> {
        self.check_memory(&format!("the buffer {}", buffer.name), std::slice::from_ref(buffer))?;
        self.make(buffer.name.clone(), buffer.words).map(|_| ())
    }

    fn words(&self, buffer: &str) -> Option<usize> {
        self.names.get(buffer).map(|&index| self.buffers[index].len())
    }

    fn program(&self, id: ProgramId) -> &Program {
        &self.programs[id.0].program
    }

    fn launch(&mut self, launches: &[Launch]) -> Result<()> {
        // Inside the pool, where handing work to the next thread costs a tenth of what it does from outside.
        rayon::scope(|_| self.replay(launches));
        Ok(())
    }

    fn profile(&mut self, id: ProgramId, step: &Step) -> Result<Vec<f64>> {
        let calls = self.programs[id.0].program.calls.len();
        let timed = |call| {
            let started = std::time::Instant::now();
            self.call(id, call, step);
            started.elapsed().as_secs_f64()
        };
        Ok((0..calls).map(timed).collect())
    }

    fn statistics(&mut self, id: ProgramId, _wait: bool, into: &mut Vec<f32>) -> Result<()> {
        into.append(&mut self.programs[id.0].finished);
        Ok(())
    }

    fn write_at(&mut self, buffer: &str, first: usize, words: &[u32]) -> Result<()> {
        let index = self.named(buffer)?;
        let room = self.buffers[index].len();
        check_room(buffer, room, first, words.len())?;
        self.buffers[index][first..][..words.len()].copy_from_slice(words);
        self.uploaded += 4 * words.len() as u64;
        Ok(())
    }

    fn read(&mut self, buffer: &str) -> Result<Vec<u32>> {
        Ok(self.buffers[self.named(buffer)?].to_vec())
    }

    fn bytes(&self) -> u64 {
        self.buffers.iter().map(|b| 4 * b.len() as u64).sum()
    }

    fn largest_buffer(&self) -> u64 {
        self.largest_buffer.unwrap_or(u64::MAX)
    }

    fn counters(&self) -> Counters {
        let buffers = self.buffers.len() as u64;
        let (steps, uploaded) = (self.steps, self.uploaded);
        Counters { steps, submits: steps, buffers, uploaded, ..Counters::default() }
    }
}
