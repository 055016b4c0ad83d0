//! Entropy coding: from probabilities to bits and back, without loss.
//!
//! A [`Stack`] of bits takes what is pushed with its probability, and gives it back when it is popped with the same (asymmetric numeral
//! systems, Duda 2013). Popping with *other* probabilities than those that were pushed draws from them, which bits-back coding makes use
//! of (Townsend, Bird & Barber 2019). The crate `constriction` does both; what stands here is what it is given: probabilities as whole
//! numbers, which come from 64-bit floats of the crate `libm`, so that they are the same on every machine:
//!
//! | what | probabilities |
//! |---|---|
//! | the levels of some values | [`Cumulative`], or of a level that is known [`Interval`] |
//! | a bin of a Gaussian code, bins being alike under N(0, 1) | [`GaussianBins`], [`PriorBins`] |

use std::num::NonZeroU32;

mod bins;
mod cumulative;
mod exp;
mod logistics;
mod stack;

pub use bins::{CodeBins, GaussianBins, PriorBins};
pub use cumulative::{Cumulative, Interval, Value};
pub use logistics::LogisticOutputs;
pub use stack::Stack;

/// The symbol, of so many, in whose interval `slot` lies, where that begins and how long it is. `start` says where that of each begins,
/// rises, and is 0 at 0 and the whole at their number; the search begins `near` a symbol and takes steps that grow.
fn found(near: u32, count: u32, slot: u32, start: impl Fn(u32) -> u32) -> (u32, u32, NonZeroU32) {
    let of = |symbol: u32| (symbol, start(symbol));
    // The slot lies at or behind where the lower begins, and before the higher.
    let (mut low, mut high, near, mut step) = (of(0), of(count), of(near), 1);
    if near.1 <= slot {
        low = near;
        while high.0 - low.0 > step {
            let next = of(low.0 + step);
            if next.1 > slot {
                high = next;
                break;
            }
            (low, step) = (next, step * 4);
        }
    } else {
        high = near;
        while high.0 - low.0 > step {
            let next = of(high.0 - step);
            if next.1 <= slot {
                low = next;
                break;
            }
            (high, step) = (next, step * 4);
        }
    }
    while high.0 - low.0 > 1 {
        let middle = of(low.0 + (high.0 - low.0) / 2);
        if middle.1 <= slot { low = middle } else { high = middle }
    }
    (low.0, low.1, NonZeroU32::new(high.1 - low.1).expect("every symbol has an interval"))
}
