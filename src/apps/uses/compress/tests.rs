//! Whatever rows go in come out, and what is damaged is an error, never other rows.

use super::lanes::{Packed, pack, unpack};
use crate::catalogue::build;
use crate::cpu::Cpu;
use crate::distributions::LIKELIHOODS;
use crate::models::{Parts, Vae};
use crate::nn::Activation;
use crate::training::Session;

const FEATURES: usize = 6;

/// A model that has learnt nothing.
fn session(likelihood: &str, seed: u64) -> Session {
    let parts = Parts::new(build(LIKELIHOODS, &likelihood.parse().unwrap()).unwrap());
    let vae = Vae::new(FEATURES, 3, (&[8], &[8]), Activation::Tanh, parts);
    let mut session = Session::new(Box::new(vae), Box::new(Cpu::exact()), seed);
    session.start().unwrap();
    session
}

/// Numbers without a pattern (xorshift).
fn numbers(mut state: u64) -> impl Iterator<Item = u64> {
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
}

#[test]
fn random_rows_come_back_and_damaged_ones_never_do() {
    for (likelihood, count) in [
        ("bernoulli", 2),
        ("categorical:levels=7", 7),
        ("beta-binomial:levels=9", 9),
        ("discretized-logistic", 256),
        ("discretized-logistic-mixture:components=2,levels=16", 16),
    ] {
        let mut own = session(likelihood, 1);
        for rows in [1, 3, 5, 300] {
            let levels: Vec<u16> = numbers(7 + rows as u64).take(rows * FEATURES).map(|x| (x % count) as u16).collect();
            let bytes = pack(&mut own, &levels, count as usize).unwrap().to_bytes();
            let again = |session: &mut Session, bytes: &[u8]| {
                Packed::from_bytes(bytes, rows).and_then(|packed| unpack(session, packed, rows, count as usize))
            };
            // Another session, as another machine has it.
            assert_eq!(again(&mut session(likelihood, 1), &bytes).unwrap(), levels, "{likelihood}, {rows} rows");
            assert!(again(&mut session(likelihood, 2), &bytes).is_err(), "the weights are others");
            for number in numbers(99).take(40) {
                let mut flipped = bytes.clone();
                flipped[(number >> 8) as usize % bytes.len()] ^= 1 << (number % 8);
                // How rows were dealt to the last batch may be said in more than one way.
                assert!(!again(&mut own, &flipped).is_ok_and(|found| found != levels), "{likelihood}, {rows} rows");
                let short = &bytes[..(number >> 8) as usize % bytes.len()];
                assert!(again(&mut own, short).is_err());
            }
        }
    }
}
