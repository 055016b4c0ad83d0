//! Threads that read pieces ahead of whoever takes them, in order.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::Part;
use super::plan::{Piece, Plan};
use crate::error::{Error, Result};

/// Threads that read: few, as most of what they do is to wait for a disk.
const THREADS: usize = 2;

/// A piece that has been read.
#[derive(Debug)]
pub(super) struct Read {
    /// Where its first row lies on the device.
    pub at: usize,
    /// The words of each part.
    pub words: Vec<Vec<u32>>,
    /// Whether a window ends behind it.
    pub ends_window: bool,
}

#[derive(Debug)]
pub(super) struct Reader {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    plan: Plan,
    parts: Arc<Vec<Part>>,
    /// Pieces that are read ahead, at most: as many as an eighth of the memory holds, of which a window is a quarter.
    ahead: u64,
    state: Mutex<State>,
    /// Told when a piece was read, taken, or nothing is wanted any more.
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Pieces that nobody reads yet, and the window behind them.
    next: VecDeque<Piece>,
    window: u64,
    /// Pieces that somebody reads or has read, and those that were handed out.
    begun: u64,
    given: u64,
    read: HashMap<u64, Result<Read>>,
    stopped: bool,
}

impl Reader {
    /// Reads from a window on.
    pub fn new(plan: Plan, parts: Arc<Vec<Part>>, window: u64) -> Reader {
        let state = State { next: VecDeque::new(), window, begun: 0, given: 0, read: HashMap::new(), stopped: false };
        let ahead = (plan.window / plan.shard / 2).max(THREADS) as u64;
        let shared = Arc::new(Shared { plan, parts, ahead, state: Mutex::new(state), changed: Condvar::new() });
        let spawn = |_| {
            let shared = shared.clone();
            std::thread::Builder::new().spawn(move || {
                let work = std::panic::AssertUnwindSafe(|| shared.work());
                if std::panic::catch_unwind(work).is_err() {
                    // So that nobody waits for what will not come.
                    shared.state().stopped = true;
                    shared.changed.notify_all();
                }
            })
        };
        let threads: Vec<_> = (0..THREADS).filter_map(|i| spawn(i).ok()).collect();
        // Where the system gives no threads, nobody waits for them.
        shared.state().stopped |= threads.is_empty();
        Reader { threads, shared }
    }

    /// The next piece, once it is read.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn next(&mut self) -> Result<Read> {
        let mut state = self.shared.state();
        loop {
            if let Some(read) = self.shared.take(&mut state) {
                return read;
            }
            if state.stopped {
                return Err(Error::invalid("the data could not be read to its end: a thread that reads it failed"));
            }
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next piece, if it is read by now.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn ready(&mut self) -> Result<Option<Read>> {
        self.shared.take(&mut self.shared.state()).transpose()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shared.state().stopped = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            // What a thread has to say of itself was said with its piece.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, state: &mut State) -> Option<Result<Read>> {
        let read = state.read.remove(&state.given)?;
        state.given += 1;
        self.changed.notify_all();
        Some(read)
    }

    /// Reads pieces until nothing is wanted any more, or there are none.
    fn work(&self) {
        while let Some((number, piece)) = self.begin() {
            let words = self
                .parts
                .iter()
                .map(|part| Ok(part.values.words(piece.rows.clone(), part.spec.features)?.into_owned()));
            let Piece { at, ends_window, .. } = piece;
            let read = words.collect::<Result<_>>().map(|words| Read { at, words, ends_window });
            self.state().read.insert(number, read);
            self.changed.notify_all();
        }
    }

    /// The next piece that nobody reads, once there is room for it.
    fn begin(&self) -> Option<(u64, Piece)> {
        let mut state = self.state();
        while !state.stopped && state.begun >= state.given + self.ahead {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped {
            return None;
        }
        if state.next.is_empty() {
            state.next = self.plan.pieces(state.window).into();
            state.window += 1;
        }
        let piece = state.next.pop_front()?;
        state.begun += 1;
        Some((state.begun - 1, piece))
    }
}
