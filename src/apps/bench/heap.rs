//! The program's allocator: the system's, which is counted, and ends the program in good order where there is no more memory. The
//! library does not install it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::memory::or_end;

/// The system's allocator; counts while [`count_heap`] runs, and costs one load of a flag otherwise. Where the system gives no more, the
/// process ends with status 1 and a line that says so.
#[derive(Clone, Copy, Debug, Default)]
pub struct CountingAllocator;

/// What a piece of work took from the heap, on all threads; what it gave back is not subtracted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapUse {
    /// Allocations and reallocations.
    pub allocations: u64,
    /// Their sizes, summed.
    pub bytes: u64,
}

static COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

fn note(bytes: usize) {
    if COUNTING.load(Ordering::Relaxed) {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

// SAFETY: every call is handed to the system's allocator as it came; counting neither allocates nor panics, nor does the end of the process.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promises are the system's.
        or_end(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: as above.
        or_end(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: as above.
        or_end(unsafe { System.realloc(old, layout, size) }, size)
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(old, layout) }
    }
}

/// What `work` takes from the heap; `None` where [`CountingAllocator`] is not the program's allocator. Not for several
/// threads at once.
pub fn count_heap<T>(work: impl FnOnce() -> T) -> (T, Option<HeapUse>) {
    let read = || HeapUse { allocations: ALLOCATIONS.load(Ordering::Relaxed), bytes: BYTES.load(Ordering::Relaxed) };
    COUNTING.store(true, Ordering::Relaxed);
    let before = read();
    drop(black_box(Box::new(0_u8)));
    let installed = read() != before;
    let before = read();
    let result = work();
    let after = read();
    COUNTING.store(false, Ordering::Relaxed);
    let used = HeapUse { allocations: after.allocations - before.allocations, bytes: after.bytes - before.bytes };
    (result, installed.then_some(used))
}
