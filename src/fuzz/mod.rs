//! Readers are given damaged files: none panics, none takes memory or time beyond what the size of the file allows.
//!
//! `ELBO_FUZZ=1000000 cargo test --lib fuzz -- --nocapture` gives each a million. What is given is the same every time. The tests stand
//! beside the readers, in files that are called `fuzz.rs`.

mod heap;

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

/// What a reader may take.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// Bytes for a file of any size.
    pub base: usize,
    /// Bytes for each of the file's.
    pub factor: usize,
    /// One in so many of the usual number of files is tried, of readers that are slow.
    pub one_in: u32,
}

/// What a reader of words may take: none of them makes more than so much of a byte.
pub(crate) const OF_WORDS: Bounds = Bounds { base: 1 << 20, factor: 1 << 10, one_in: 1 };

/// Far more than any machine takes for a file of a few thousand bytes, however busy it is; what hangs takes longer.
const MOST_TIME: Duration = Duration::from_secs(20);
/// And for each byte.
const TIME_PER_BYTE: Duration = Duration::from_millis(1);

fn times() -> u32 {
    std::env::var("ELBO_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(1_500)
}

/// One of them, damaged: bytes changed, cut out, put in or repeated, or the end cut off.
fn damaged(seeds: &[Vec<u8>], rng: &mut Xoshiro256PlusPlus) -> Vec<u8> {
    const TELLING: [u8; 16] = *b"\0\x01\x7f\x80\xff09,;\"'([{\n-";
    let mut bytes = seeds[rng.random_range(0..seeds.len())].clone();
    for _ in 0..rng.random_range(1..6) {
        let at = rng.random_range(0..bytes.len().max(1)).min(bytes.len());
        let end = (at + rng.random_range(1..9usize)).min(bytes.len());
        match rng.random_range(0..6) {
            0 if at < bytes.len() => bytes[at] = rng.random(),
            1 if at < bytes.len() => bytes[at] = TELLING[rng.random_range(0..TELLING.len())],
            2 => drop(bytes.drain(at..end)),
            3 => bytes.insert(at, TELLING[rng.random_range(0..TELLING.len())]),
            4 => {
                let part = bytes[at..end].repeat(rng.random_range(1..20));
                drop(bytes.splice(at..at, part));
            }
            _ if rng.random_range(0..8) == 0 => bytes.truncate(at),
            _ => {}
        }
    }
    bytes
}

/// Reads whole files, which must do, and then damaged ones: each is refused with a word, or read. Of both there must be some.
pub(crate) fn attack<T, E: Display>(
    name: &str,
    bounds: Bounds,
    seeds: &[Vec<u8>],
    mut read: impl FnMut(&[u8]) -> Result<T, E>,
) {
    for seed in seeds {
        read(seed).unwrap_or_else(|error| panic!("{name}: undamaged: {error}"));
    }
    let (mut rng, mut taken, mut peak) = (Xoshiro256PlusPlus::seed_from_u64(7), 0, 0);
    let times = (times() / bounds.one_in).max(1);
    for time in 0..times {
        let bytes = damaged(seeds, &mut rng);
        let begun = Instant::now();
        let (outcome, took) = heap::peak(|| catch_unwind(AssertUnwindSafe(|| read(&bytes))));
        let shown = || String::from_utf8_lossy(&bytes).into_owned();
        // Told first, since what is said of a panic takes memory itself.
        let Ok(outcome) = outcome else { panic!("{name}: a panic at the damaged file {time}: {:?}", shown()) };
        assert!(
            begun.elapsed() <= MOST_TIME + TIME_PER_BYTE * bytes.len() as u32,
            "{name}: the damaged file {time} takes {:?}: {:?}",
            begun.elapsed(),
            shown()
        );
        let most = bounds.base + bounds.factor * bytes.len();
        assert!(took <= most, "{name}: the damaged file {time} takes {took} bytes, more than {most}: {:?}", shown());
        peak = peak.max(took);
        match outcome {
            Ok(_) => taken += 1,
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    eprintln!("{name}: {taken} of {times} damaged files were read nevertheless, with {peak} bytes at most");
    assert!(taken > 0 && taken < times, "{name}: all or none are no trial: {taken}");
}

#[test]
fn what_panics_or_takes_too_much_is_noticed() {
    let seeds = [b"some bytes".to_vec()];
    let attacked = |read: fn(&[u8]) -> Result<usize, String>| {
        let bounds = Bounds { base: 1 << 12, factor: 1, one_in: 1 };
        let outcome = catch_unwind(|| attack("a trial", bounds, &seeds, read));
        outcome.err().map(|said| said.downcast_ref::<String>().cloned().expect("words"))
    };
    fn sound(bytes: &[u8]) -> Result<usize, String> {
        if bytes.starts_with(b"some") { Ok(bytes.len()) } else { Err("cut off".to_string()) }
    }
    assert_eq!(attacked(sound), None);
    // Each is sound but for one fault, and it is that which is told.
    let panics = attacked(|bytes| if bytes.len() > 20 { panic!("too long") } else { sound(bytes) });
    assert!(panics.is_some_and(|said| said.contains("a panic at the damaged file")));
    let greedy = attacked(|bytes| {
        let taken = vec![7_u8; if bytes.len() > 20 { 1 << 14 } else { 0 }];
        std::hint::black_box(&taken);
        sound(bytes)
    });
    assert!(greedy.is_some_and(|said| said.contains("more than")));
    let lenient = attacked(|bytes| Ok(bytes.len()));
    assert!(lenient.is_some_and(|said| said.contains("all or none")));
}
