//! Asking for memory that may be refused.

use std::cell::Cell;

thread_local! {
    static ASKS: Cell<bool> = const { Cell::new(false) };
}

/// Does something that has an answer of its own for being given no memory.
pub(crate) fn asking<T>(work: impl FnOnce() -> T) -> T {
    let before = ASKS.replace(true);
    let done = work();
    ASKS.set(before);
    done
}

/// Whether this thread is doing that.
#[cfg(feature = "cli")]
pub(super) fn is_asking() -> bool {
    ASKS.get()
}
