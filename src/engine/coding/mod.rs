//! Entropy coding: from probabilities to bits and back, without loss.
//!
//! A [`Stack`] of bits takes what is pushed with an interval of its probability, and gives it back when it is popped with the same
//! (asymmetric numeral systems, Duda 2013). Popping with *other* probabilities than those that were pushed draws from them, which
//! bits-back coding makes use of (Townsend, Bird & Barber 2019). Intervals are whole numbers that come from 64-bit floats of the crate
//! `libm`, so that they are the same on every machine:
//!
//! | what | intervals |
//! |---|---|
//! | one of some levels | [`Cumulative`] |
//! | a bin of a Gaussian code, bins being alike under N(0, 1) | [`CodeBins`] |

mod bins;
mod cumulative;
mod stack;

pub use bins::{BITS, CodeBins};
pub use cumulative::Cumulative;
pub use stack::{Interval, Stack};
