//! How far reading has come, for whoever wants to show it.
//!
//! Most data is read in a moment. Where it is not, as with thousands of photographs, what is read tells a listener that the
//! program has set for all of its threads; without one nothing happens.

use std::sync::OnceLock;

/// How far something has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// What is being done, as `reading pictures`.
    pub what: &'static str,
    /// How much of it is done.
    pub done: usize,
    /// How much there is to do; 0 where that is not known yet.
    pub of: usize,
}

type Listener = Box<dyn Fn(Reading) + Send + Sync>;

static LISTENER: OnceLock<Listener> = OnceLock::new();

/// Has a listener told how far reading has come, from any thread. The first that is set stays.
pub fn on_reading(listener: impl Fn(Reading) + Send + Sync + 'static) {
    let _ = LISTENER.set(Box::new(listener));
}

/// Tells the listener.
pub(crate) fn tell(what: &'static str, done: usize, of: usize) {
    if let Some(listener) = LISTENER.get() {
        listener(Reading { what, done, of });
    }
}
