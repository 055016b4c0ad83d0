//! Ctrl-C, and the signals by which a scheduler or a closed terminal ends a program: once to stop when it is safe, twice to leave at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::error::{Error, Result};

/// A flag that these raise, the same for all that a command does.
pub(super) fn on_interrupt() -> Result<Arc<AtomicBool>> {
    static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    if let Some(stop) = STOP.get() {
        return Ok(stop.clone());
    }
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    ctrlc::set_handler(move || {
        // The second time means it.
        if flag.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    })
    .map_err(|e| Error::invalid(format!("cannot listen for Ctrl-C: {e}")))?;
    Ok(STOP.get_or_init(|| stop).clone())
}
