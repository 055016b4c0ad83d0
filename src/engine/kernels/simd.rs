//! Which vector instructions the loops of the CPU executor use.
//!
//! A loop is written once and compiled for several levels of the processor's instruction set, of which the highest that the
//! processor has is run. Vectors run across elements that do not depend on each other, and a multiplication and an addition stay two
//! operations, so that a loop gives the same bits at every level. [`limit`] forbids the higher ones, by which tests show that.

use std::sync::atomic::{AtomicU8, Ordering};

use pulp::{Scalar128b, Simd, WithSimd};

/// A level of the instruction set. On processors other than x86-64, all but the lowest are the vectors that they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// What every processor has that the program was compiled for.
    Baseline,
    /// x86-64-v3: AVX2 and FMA.
    V3,
    /// x86-64-v4: AVX-512.
    V4,
}

static HIGHEST: AtomicU8 = AtomicU8::new(Level::V4 as u8);

/// Forbids the levels above one, to all threads of this process, until it is called again.
pub fn limit(level: Level) {
    HIGHEST.store(level as u8, Ordering::Relaxed);
}

/// The levels that this processor has, from the lowest on.
pub fn levels() -> Vec<Level> {
    let [v3, v4] = vectors();
    let all = [(Level::Baseline, true), (Level::V3, v3), (Level::V4, v4)];
    all.into_iter().filter(|(_, is_there)| *is_there).map(|(level, _)| level).collect()
}

/// Whether the processor has the levels above the lowest.
#[inline(always)]
fn vectors() -> [bool; 2] {
    #[cfg(target_arch = "x86_64")]
    return [pulp::x86::V3::is_available(), pulp::x86::V4::is_available()];
    #[cfg(not(target_arch = "x86_64"))]
    [true, false]
}

/// The highest level that this processor has and that is not forbidden.
#[inline(always)]
pub(crate) fn level() -> Level {
    let (highest, [v3, v4]) = (HIGHEST.load(Ordering::Relaxed), vectors());
    match highest {
        _ if v4 && highest >= Level::V4 as u8 => Level::V4,
        _ if v3 && highest >= Level::V3 as u8 => Level::V3,
        _ => Level::Baseline,
    }
}

/// Runs what is written in vectors of any width at this level.
#[inline(always)]
pub(super) fn dispatch<Op: WithSimd>(op: Op) -> Op::Output {
    #[cfg(target_arch = "x86_64")]
    match level() {
        Level::V4 => {
            if let Some(simd) = pulp::x86::V4::try_new() {
                return Simd::vectorize(simd, op);
            }
        }
        Level::V3 => {
            if let Some(simd) = pulp::x86::V3::try_new() {
                return Simd::vectorize(simd, op);
            }
        }
        Level::Baseline => {}
    }
    #[cfg(not(target_arch = "x86_64"))]
    if level() > Level::Baseline {
        return pulp::Arch::new().dispatch(op);
    }
    Simd::vectorize(Scalar128b, op)
}

/// Declares a function that runs another one, compiled for each level, at the highest there is. What that calls is compiled with it
/// as far as it is `#[inline(always)]`, which it must be itself. A closure is not enough: behind `FnOnce` stands a function of its own
/// that is compiled for the lowest level.
macro_rules! vectorised {
    ($(#[$attribute:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) = $body:ident;) => {
        $(#[$attribute])*
        $visibility fn $name($($argument: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw")]
                fn v4($($argument: $type),*) {
                    $body($($argument),*);
                }
                #[target_feature(enable = "avx2,fma")]
                fn v3($($argument: $type),*) {
                    $body($($argument),*);
                }
                match $crate::kernels::simd::level() {
                    // SAFETY: this processor has these instructions.
                    $crate::kernels::simd::Level::V4 => return unsafe { v4($($argument),*) },
                    // SAFETY: likewise.
                    $crate::kernels::simd::Level::V3 => return unsafe { v3($($argument),*) },
                    $crate::kernels::simd::Level::Baseline => {}
                }
            }
            $body($($argument),*);
        }
    };
}
pub(crate) use vectorised;

#[cfg(test)]
mod tests {
    use super::*;

    struct Lanes;

    impl WithSimd for Lanes {
        type Output = usize;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }

    #[test]
    fn a_limit_is_kept() {
        let lanes: Vec<usize> = levels()
            .into_iter()
            .map(|level| {
                limit(level);
                dispatch(Lanes)
            })
            .collect();
        limit(Level::V4);
        assert_eq!(levels()[0], Level::Baseline);
        let widths: &[usize] = if cfg!(target_arch = "x86_64") { &[4, 8, 16] } else { &[4, 4] };
        assert_eq!(lanes, widths[..lanes.len()]);
    }
}
