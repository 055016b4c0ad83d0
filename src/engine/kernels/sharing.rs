//! From how much work on the CPU takes a second thread, which costs about ten microseconds to wake.

/// Miri, which watches how threads share, runs a thousandth as fast as the processor: there as much less is shared.
const SLOWER: usize = if cfg!(miri) { 512 } else { 1 };

/// The least work that is shared, of what is the least on a processor.
pub(super) const fn least(work: usize) -> usize {
    let least = work / SLOWER;
    if least == 0 { 1 } else { least }
}
