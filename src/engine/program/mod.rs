//! A program: the flat list of kernel calls that one step replays, with every buffer, binding and size settled.
//!
//! [`lower`] makes it from a graph. Both executors read the same program; neither adds a call or a buffer to it.

mod buffers;
mod check;
mod counters;
mod executor;
mod lower;
mod parameters;
mod partition;
mod programs;
mod reads;
mod request;

pub(crate) use buffers::Buffers;
pub use counters::{Counters, Objects};
pub use executor::{Choices, DeviceMemory, Executor, Launch};
pub use lower::lower;
pub use parameters::{Parameter, ParameterSet};
pub use partition::{Exchange, Held, Link, PartRows, RowBlocks, lower_in_parts};
pub use programs::ProgramId;
pub(crate) use programs::Programs;
pub use reads::ReadTicket;
pub(crate) use reads::Reads;
pub use request::{DataSpec, Gradients, Request, Rule, Update};

use std::collections::HashSet;
use std::ops::Add;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::kernels::{Access, Cost, Kernel};

/// The statistic of a set ([`ParameterSet::scalar`]) that an update adds: Σg² before clipping, 1e38 or more if a gradient was not
/// finite.
pub const SQUARED_GRADIENT_NORM: &str = "squared_gradient_norm";
/// The statistic of a set that an update adds which may be skipped: 1 where it was, because the norm of the gradient was above its bound.
pub const SKIPPED: &str = "skipped";
/// A scalar of a program that gathers gradients over several batches: what this one counts for among them, all together 1; and with
/// a minus sign for the first, whose gradient takes the place of what was gathered before.
pub const SHARE: &str = "share";

/// A buffer of words. Buffers of programs in one session that have the same name are the same memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Its name; `scratch…` is the program's own.
    pub name: String,
    /// Its size.
    pub words: usize,
}

impl Buffer {
    /// Whether it is a program's own, whatever it is called in others.
    pub fn is_private(&self) -> bool {
        self.name.starts_with("scratch")
    }

    /// Its size in bytes.
    pub fn bytes(&self) -> u64 {
        4 * self.words as u64
    }
}

/// A range of a buffer, bound to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// Index into the program's buffers.
    pub buffer: usize,
    /// First word; a multiple of 64, which every adapter accepts as the start of a binding.
    pub offset: usize,
    /// How many words.
    pub words: usize,
}

/// One kernel call.
#[derive(Clone, Debug)]
pub struct Call {
    /// What is run.
    pub kernel: Arc<dyn Kernel>,
    /// On what, in binding order.
    pub bindings: Vec<Slice>,
    /// What it computes, for people.
    pub label: String,
}

/// A tensor that the host can read after a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Where it lies.
    pub slice: Slice,
}

/// The calls of one step.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its name, for people.
    pub name: String,
    /// The buffers that calls name by index.
    pub buffers: Vec<Buffer>,
    /// The calls, in order.
    pub calls: Vec<Call>,
    /// The names of the step's scalars, by slot.
    pub scalars: Vec<String>,
    /// The names of the statistics, by their place in a slot of the ring.
    pub statistics: Vec<String>,
    /// The buffer of the ring of statistics, if there are any.
    pub ring: Option<usize>,
    /// What the host can read.
    pub outputs: Vec<Output>,
}

/// The bindings of a call that every adapter has.
const MOST_BINDINGS: usize = 8;

/// Steps whose statistics the ring holds before it comes round.
pub const RING_SLOTS: usize = 256;

impl Program {
    /// The slot of a scalar.
    pub fn scalar(&self, name: &str) -> Option<usize> {
        self.scalars.iter().position(|s| s == name)
    }

    /// What one step costs.
    pub fn cost(&self) -> Cost {
        self.calls.iter().map(|c| c.kernel.cost()).fold(Cost::default(), Cost::add)
    }

    /// Its buffers as an executor names them that loads it under this handle: those of its own by a name that no other has.
    pub(crate) fn named_buffers(&self, id: ProgramId) -> Vec<Buffer> {
        let named = |buffer: &Buffer| match buffer.is_private() {
            true => Buffer { name: format!("{}.{id}.{}", self.name, buffer.name), words: buffer.words },
            false => buffer.clone(),
        };
        self.buffers.iter().map(named).collect()
    }

    /// Bytes of all its buffers, those it shares with other programs included.
    pub fn bytes(&self) -> u64 {
        self.buffers.iter().map(Buffer::bytes).sum()
    }

    /// Bytes of all buffers of several programs of one executor, those they share counted once: what loading them takes.
    pub fn bytes_together<'a>(programs: impl IntoIterator<Item = &'a Program>) -> u64 {
        let mut seen = HashSet::new();
        let all = programs.into_iter().enumerate().flat_map(|(p, program)| program.buffers.iter().map(move |b| (p, b)));
        let new = all.filter(|(p, buffer)| seen.insert((buffer.is_private().then_some(*p), &buffer.name)));
        new.map(|(_, buffer)| buffer.bytes()).sum()
    }

    /// The program as a listing for people: one line per call.
    pub fn listing(&self) -> String {
        let mut out = String::new();
        for (i, call) in self.calls.iter().enumerate() {
            let names = call.bindings.iter().zip(call.kernel.bindings()).map(|(s, a)| {
                let mark = if a == Access::Write { "→" } else { "" };
                format!("{mark}{}+{}", self.buffers[s.buffer].name, s.offset)
            });
            let names = names.collect::<Vec<_>>().join(" ");
            out += &format!("{i:3} {:10} {:32} {names}\n", call.kernel.name(), call.label);
        }
        out
    }
}

/// Refuses words that do not fit a buffer of `room` from `first` on.
pub(crate) fn check_room(buffer: &str, room: usize, first: usize, words: usize) -> Result<()> {
    match first.checked_add(words) {
        Some(end) if end <= room => Ok(()),
        _ => {
            Err(Error::invalid(format!("{words} words from word {first} on do not fit the buffer {buffer} of {room}")))
        }
    }
}

/// Refuses what needs `new` bytes more than there are.
///
/// # Errors
/// With both sizes, and what to do.
pub(crate) fn check_memory(what: &str, new: u64, available: u64, device: &str) -> Result<()> {
    if new <= available {
        return Ok(());
    }
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    Err(Error::Device(format!(
        "{what} needs {} MiB of memory, and {device} has {} MiB: a smaller `batch`, narrower `hidden` layers or less data make \
         it fit",
        mib(new),
        mib(available)
    )))
}
