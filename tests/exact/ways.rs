//! The ways in which one machine can compute the same: levels of the instruction set, and numbers of threads.

use std::sync::{Mutex, MutexGuard};

use elbo::engine::kernels::simd::{Level, levels, limit};

/// One at a time: the level is that of the whole process.
static ALONE: Mutex<()> = Mutex::new(());

/// Every level on two threads, and the highest on others.
fn ways() -> Vec<(Level, usize)> {
    let others = [(Level::V4, 1), (Level::V4, 5)];
    levels().into_iter().map(|level| (level, 2)).chain(others).collect()
}

/// Takes the limit off again at its end, also where a test fails.
struct Limited(#[expect(dead_code, reason = "it is held")] MutexGuard<'static, ()>);

impl Drop for Limited {
    fn drop(&mut self) {
        limit(Level::V4);
    }
}

/// Computes numbers in every way, and wants the same bits of all of them.
pub fn same(what: &str, compute: impl Fn() -> Vec<f32> + Sync) -> Vec<u32> {
    let _limited = Limited(ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
    let mut first: Option<(String, Vec<u32>)> = None;
    for (level, threads) in ways() {
        limit(level);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start");
        let found = bits(&pool.install(&compute));
        let way = format!("{level:?}, {threads} threads");
        match &first {
            None => first = Some((way, found)),
            Some((other, expected)) => {
                assert_eq!(found.len(), expected.len(), "{what}");
                if let Some(at) = (0..found.len()).find(|&at| found[at] != expected[at]) {
                    let [a, b] = [expected[at], found[at]].map(f32::from_bits);
                    panic!("{what}: number {at} is {a:e} with {other}, and {b:e} with {way}");
                }
            }
        }
    }
    first.expect("there is always a level").1
}

/// The bits of numbers; which NaN one is, is not promised.
pub fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| if x.is_nan() { f32::NAN } else { *x }.to_bits()).collect()
}

#[test]
fn a_difference_in_one_way_is_seen() {
    let threads = || vec![rayon::current_num_threads() as f32];
    assert!(std::panic::catch_unwind(|| same("threads", threads)).is_err());
}
