//! Entropy coding: from probabilities to bits and back, without loss.
//!
//! A [`Stack`] of bits takes what is pushed with its probability, and gives it back when it is popped with the same (asymmetric numeral
//! systems, Duda 2013). Popping with *other* probabilities than those that were pushed draws from them, which bits-back coding makes use
//! of (Townsend, Bird & Barber 2019). The crate `constriction` does both; what stands here is what it is given: probabilities as whole
//! numbers, which come from 64-bit floats of the crate `libm`, so that they are the same on every machine:
//!
//! | what | probabilities |
//! |---|---|
//! | one of some levels | [`Cumulative`], or of one that is known [`Interval`] |
//! | a bin of a Gaussian code, bins being alike under N(0, 1) | [`GaussianBins`], [`PriorBins`] |

use std::num::NonZeroU32;

mod bins;
mod cumulative;
mod stack;

pub use bins::{CodeBins, GaussianBins, PriorBins};
pub use cumulative::{Cumulative, Interval, exponentials};
pub use stack::Stack;

/// The symbol, of so many, in whose interval `slot` lies, where that begins and how long it is. `start` says where that of each begins,
/// rises, and is 0 at 0; the search begins `near` a symbol and takes steps that grow.
fn found(near: u32, count: u32, slot: u32, start: impl Fn(u32) -> u32) -> (u32, u32, NonZeroU32) {
    let (mut low, mut high, mut step) = (0, count, 1);
    if start(near) <= slot {
        low = near;
        while high - low > step && start(low + step) <= slot {
            low += step;
            step *= 4;
        }
        high = high.min(low + step);
    } else {
        high = near;
        while high - low > step && start(high - step) > slot {
            high -= step;
            step *= 4;
        }
        low = high.saturating_sub(step);
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if start(middle) <= slot { low = middle } else { high = middle }
    }
    let [start, end] = [start(low), start(low + 1)];
    (low, start, NonZeroU32::new(end - start).expect("every symbol has an interval"))
}
