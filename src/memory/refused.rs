//! What becomes of the program where the system gives it no more memory: an end in good order.
//!
//! A collection that grows has no way to say that there is no room, and Rust ends the process for it with a signal. The program's own
//! allocator ends it as any other error does: with a line that says what was wanted, and status 1. Files are written beside those
//! that they replace, so what was saved is whole. Whoever can go on without asks with [`asking`](super::asking), and is told no.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::asking::is_asking;

/// What an allocator gives; where it gives nothing and nobody is there to be told so, the process ends.
pub(crate) fn or_end(given: *mut u8, bytes: usize) -> *mut u8 {
    if given.is_null() && !is_asking() {
        end(bytes);
    }
    given
}

/// The line, in room that is there already.
fn line(bytes: usize, room: &mut [u8]) -> usize {
    let all = room.len();
    let mut rest = room;
    let _ = writeln!(
        rest,
        "error: out of memory: the system does not give {bytes} bytes more. Fewer --threads, a smaller --batch or --memory need less; a \
         limit of the shell (ulimit -v) or of a container counts. What was saved is whole"
    );
    all - rest.len()
}

#[cold]
fn end(bytes: usize) -> ! {
    static ENDS: AtomicBool = AtomicBool::new(false);
    if ENDS.swap(true, Ordering::SeqCst) {
        // Another thread says so, or this one while it does.
        std::thread::sleep(Duration::from_secs(1));
    } else {
        let mut room = [0; 400];
        let length = line(bytes, &mut room);
        let _ = std::io::stderr().write_all(&room[..length]);
    }
    leave()
}

/// Ends the process without asking anything else in it, which might want memory.
#[cfg(unix)]
fn leave() -> ! {
    // SAFETY: POSIX has it, and it may be called at any time.
    unsafe extern "C" {
        safe fn _exit(status: std::ffi::c_int) -> !;
    }
    _exit(1)
}

#[cfg(not(unix))]
fn leave() -> ! {
    std::process::exit(1)
}

#[cfg(test)]
mod tests {
    use super::super::asking;
    use super::*;

    #[test]
    fn whoever_asks_is_told_and_the_line_has_room() {
        assert!(asking(|| or_end(std::ptr::null_mut(), 5)).is_null());
        let within = asking(|| {
            asking(|| ());
            is_asking()
        });
        assert!(within && !is_asking());
        let mut place = 7_u8;
        assert_eq!(or_end(&raw mut place, 1), &raw mut place);
        let mut room = [0; 400];
        let length = line(usize::MAX, &mut room);
        let said = std::str::from_utf8(&room[..length]).unwrap();
        assert!(said.contains("give 18446744073709551615 bytes") && said.ends_with("is whole\n"), "{said}");
    }
}
