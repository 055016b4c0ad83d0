//! Printing that cannot end the program: a reader may leave, a disk may be full, and a run goes on, being kept in files.

use std::fmt::Arguments;
use std::io::{ErrorKind, IsTerminal, Write, stdout};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};

/// The first thing that went wrong.
static FAILED: Mutex<Option<std::io::Error>> = Mutex::new(None);

/// Whether nothing is to be printed but errors.
static SILENT: AtomicBool = AtomicBool::new(false);

/// Has nothing printed from now on.
pub(super) fn silence() {
    SILENT.store(true, Ordering::Relaxed);
}

/// Whether somebody at a terminal wants to see how far things are.
pub(super) fn is_watched() -> bool {
    std::io::stderr().is_terminal() && !SILENT.load(Ordering::Relaxed)
}

/// Prints; what cannot be printed is lost.
pub(super) fn print(text: Arguments) {
    if SILENT.load(Ordering::Relaxed) {
        return;
    }
    if let Err(error) = stdout().lock().write_fmt(text) {
        FAILED.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get_or_insert(error);
    }
}

/// Whether all that was printed arrived, or nobody was there to read it.
pub(super) fn was_printed() -> Result<()> {
    let flushed = stdout().flush();
    let failed = FAILED.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take().map_or(flushed, Err);
    match failed {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::io("write to", Path::new("the standard output"))(error))
        }
        _ => Ok(()),
    }
}

/// In this module, the standard macros would panic where the output is closed.
macro_rules! print {
    ($($text:tt)*) => {
        $crate::cli::print::print(format_args!($($text)*))
    };
}

/// As `print!`, with the end of the line.
macro_rules! println {
    () => {
        $crate::cli::print::print(format_args!("\n"))
    };
    ($($text:tt)*) => {
        $crate::cli::print::print(format_args!("{}\n", format_args!($($text)*)))
    };
}
