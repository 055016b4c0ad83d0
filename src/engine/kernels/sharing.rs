//! From how much work on the CPU takes a second thread, which costs about ten microseconds to wake.

/// Miri, which watches how threads share, runs a thousandth as fast as the processor: there as much less is shared.
const SLOWER: usize = if cfg!(miri) { 512 } else { 1 };

/// From how much work on it is shared between threads: on a processor, from so much.
pub(super) const fn least(work: usize) -> usize {
    let least = work / SLOWER;
    if least == 0 { 1 } else { least }
}
