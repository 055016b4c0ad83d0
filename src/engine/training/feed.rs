//! Data that is larger than memory, on its way to a device: window by window, read by threads ahead of the steps.
//!
//! An epoch takes the rows of a data set in shards of neighbours, in an order that the seed and the epoch decide, and cuts what comes
//! into windows; the rows of a window are shuffled on the device (see [`crate::kernels::Batch`]). So the order of rows depends on the
//! seed, the epoch and the sizes of shards and windows alone, and training goes on from any batch. A device holds two windows: while
//! one is trained on, the next takes the place of the one before it, piece by piece.

mod plan;
mod reader;

use std::ops::Range;
use std::sync::Arc;

use super::resident::Resident;
use crate::data::{Dataset, Values};
use crate::error::{Error, Result};
use crate::kernels::Step;
use crate::program::{DataSpec, Executor};

pub(super) use plan::Plan;
use reader::Reader;

/// A part of a data set as a device is given it: the names of its buffers, and its values.
#[derive(Debug)]
pub(super) struct Part {
    name: String,
    spec: DataSpec,
    values: Values,
}

/// Words that are brought behind some steps: fewer than make an executor wait for what it was given.
const AT_ONCE: usize = 4 << 20;

/// A data set that is brought to a device window by window.
#[derive(Debug)]
pub(super) struct Feed {
    plan: Plan,
    parts: Arc<Vec<Part>>,
    reader: Reader,
    /// The first window that was written since reading began anew, and the one that is being written.
    first: u64,
    writing: u64,
    /// Whether some of it was written.
    begun: bool,
    /// The window that the steps that were sent last began in.
    seen: u64,
}

impl Feed {
    /// A feed of a data set whose programs are loaded; in the order of training as a seed decides it, else in its own, once.
    pub fn new(source: &Resident, data: &Dataset, executor: &dyn Executor, seed: Option<u64>) -> Feed {
        let is_read =
            |name: &str, spec: &DataSpec| spec.buffers(name).all(|(buffer, _)| executor.words(&buffer).is_some());
        let read = source.parts(data).filter(|(name, spec, _)| is_read(name, spec));
        let parts = read.map(|(name, spec, values)| Part { name, spec, values: values.clone() });
        let shard = match &data.values {
            Values::Stored(stored) => stored.shard(),
            _ => 1,
        };
        let plan = Plan { count: data.rows, window: source.values.window, shard, seed: seed.map(Step::seed_words) };
        let parts = Arc::new(parts.collect::<Vec<_>>());
        let reader = Reader::new(plan, parts.clone(), 0);
        Feed { plan, parts, reader, first: 0, writing: 0, begun: false, seen: 0 }
    }

    /// Rows of a window.
    pub fn window(&self) -> usize {
        self.plan.window
    }

    /// The numbers of the windows that some positions of an epoch lie in.
    fn windows(&self, epoch: u64, positions: &Range<usize>) -> Range<u64> {
        let of = |position: usize| epoch * self.plan.windows() + (position / self.plan.window) as u64;
        of(positions.start)..of(positions.end - 1) + 1
    }

    /// Whether some positions of an epoch are on the device.
    pub fn has(&self, epoch: u64, positions: &Range<usize>) -> bool {
        let wanted = self.windows(epoch, positions);
        self.holds(wanted.start) && wanted.end <= self.writing
    }

    /// Whether a window is on the device, or will be by going on.
    fn holds(&self, window: u64) -> bool {
        let least = self.writing.saturating_sub(if self.begun { 1 } else { 2 }).max(self.first);
        (least..=self.writing).contains(&window)
    }

    /// Brings the rows at some positions of an epoch to the device, behind the steps that were sent; these must not lie in windows
    /// before the one that the next will begin in.
    ///
    /// # Errors
    /// If they cannot be read, or the device fails.
    pub fn bring(&mut self, executor: &mut dyn Executor, epoch: u64, positions: Range<usize>) -> Result<()> {
        let wanted = self.windows(epoch, &positions);
        if !self.holds(wanted.start) {
            (self.first, self.writing, self.begun) = (wanted.start, wanted.start, false);
            self.reader = Reader::new(self.plan, self.parts.clone(), wanted.start);
        }
        self.seen = wanted.start;
        if wanted.end > self.seen + 2 {
            return Err(Error::invalid(format!(
                "a window holds {} rows, and {} are seen at once: a larger `memory` or a smaller `batch` makes them fit",
                self.plan.window,
                positions.len()
            )));
        }
        while self.writing < wanted.end {
            let piece = self.reader.next()?;
            self.write(executor, piece)?;
        }
        Ok(())
    }

    /// Brings what has been read meanwhile, without waiting, where there is room for it.
    ///
    /// # Errors
    /// As for [`Feed::bring`].
    pub fn go_on(&mut self, executor: &mut dyn Executor) -> Result<()> {
        let mut words = 0;
        while self.writing <= self.seen + 1 && words < AT_ONCE {
            let Some(piece) = self.reader.ready()? else { break };
            words += piece.words.iter().map(Vec::len).sum::<usize>();
            self.write(executor, piece)?;
        }
        Ok(())
    }

    fn write(&mut self, executor: &mut dyn Executor, piece: reader::Read) -> Result<()> {
        for (part, words) in self.parts.iter().zip(&piece.words) {
            part.write(executor, piece.at, words)?;
        }
        self.begun = !piece.ends_window;
        self.writing += u64::from(piece.ends_window);
        Ok(())
    }
}

impl Part {
    /// Writes rows from a place on.
    fn write(&self, executor: &mut dyn Executor, at: usize, words: &[u32]) -> Result<()> {
        let width = self.spec.row_words();
        let rows = at..at + words.len() / width;
        for (buffer, held) in self.spec.buffers(&self.name) {
            let some = rows.start.max(held.start)..rows.end.min(held.end);
            if !some.is_empty() {
                let words = &words[(some.start - at) * width..(some.end - at) * width];
                executor.write_at(&buffer, (some.start - held.start) * width, words)?;
            }
        }
        Ok(())
    }
}
