//! Address space that the C library's allocator takes beforehand.

use std::path::Path;

use super::{Bounds, read};

/// Where the address space of the process is limited, has the C library's allocator keep to one arena. Else it takes 128 MiB of addresses
/// for every thread that allocates, of which a small run uses hardly any, and there may be none left for what is needed.
pub(crate) fn spare_address_space() {
    if Bounds::of_addresses(&read(Path::new("/proc/self/limits")), "").is_some() {
        keep_to_one();
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn keep_to_one() {
    use std::ffi::c_int;
    /// The number of arenas at most, as <malloc.h> has it.
    const M_ARENA_MAX: c_int = -8;
    // SAFETY: glibc has it, and it may be called at any time.
    unsafe extern "C" {
        safe fn mallopt(what: c_int, value: c_int) -> c_int;
    }
    mallopt(M_ARENA_MAX, 1);
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn keep_to_one() {}
