//! Whatever rows go in come out, and what is damaged is an error, never other rows.

use super::lanes::{pack, unpack};
use super::packed::Packed;
use super::steps::Plan;
use crate::apps::{Saved, train};
use crate::catalogue::build;
use crate::config::{DeviceChoice, Preset};
use crate::cpu::Cpu;
use crate::data::{Dataset, Shape, Values};
use crate::distributions::LIKELIHOODS;
use crate::models::{Hierarchical, Layer, Model, Parts, Recognition, Vae};
use crate::nn::Activation;
use crate::training::Session;

const FEATURES: usize = 6;

/// A model of one stochastic layer, or of several that are inferred so.
fn model(layers: Option<Recognition>, likelihood: &str) -> Box<dyn Model> {
    let parts = Parts::new(build(LIKELIHOODS, &likelihood.parse().unwrap()).unwrap());
    let (hidden, tanh): ((&[usize], &[usize]), _) = ((&[8], &[8]), Activation::Tanh);
    let upper = [3, 2].map(|latent| Layer { latent, hidden: vec![5] });
    match layers {
        None => Box::new(Vae::new(FEATURES, 3, hidden, tanh, parts)),
        Some(layers) => Box::new(Hierarchical::new(layers, (FEATURES, 4), hidden, &upper, tanh, parts)),
    }
}

/// It with weights that have learnt nothing.
fn session(model: Box<dyn Model>, seed: u64) -> Session {
    let mut session = Session::new(model, Box::new(Cpu::exact()), seed);
    session.start().unwrap();
    session
}

fn packed(session: &mut Session, levels: &[u16]) -> Packed {
    let plan = Plan::of(session).unwrap();
    pack(session, &plan, levels).unwrap()
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
    for (layers, likelihood, count) in [
        (None, "bernoulli", 2),
        (None, "categorical:levels=7", 7),
        (None, "beta-binomial:levels=9", 9),
        (None, "discretized-logistic", 256),
        (None, "discretized-logistic-mixture:components=2,levels=16", 16),
        (Some(Recognition::BottomUp), "discretized-logistic", 256),
        (Some(Recognition::BottomUp), "bernoulli", 2),
        (Some(Recognition::Ladder), "discretized-logistic-mixture:components=2,levels=16", 16),
        (Some(Recognition::Ladder), "categorical:levels=7", 7),
    ] {
        let other = |seed: u64| session(model(layers, likelihood), seed);
        let mut own = other(1);
        for rows in [1, 3, 5, 300] {
            let levels: Vec<u16> = numbers(7 + rows as u64).take(rows * FEATURES).map(|x| (x % count) as u16).collect();
            let bytes = packed(&mut own, &levels).to_bytes();
            let again = |session: &mut Session, bytes: &[u8]| {
                let plan = Plan::of(session).unwrap();
                Packed::from_bytes(bytes, rows).and_then(|packed| unpack(session, &plan, packed, rows))
            };
            // Another session, as another machine has it.
            assert_eq!(again(&mut other(1), &bytes).unwrap(), levels, "{layers:?} {likelihood}, {rows} rows");
            assert!(again(&mut other(2), &bytes).is_err(), "the weights are others");
            // Of several layers fewer, as each takes several times as long.
            for number in numbers(99).take(if layers.is_some() { 10 } else { 40 }) {
                let mut flipped = bytes.clone();
                flipped[(number >> 8) as usize % bytes.len()] ^= 1 << (number % 8);
                // How rows were dealt to the last batch may be said in more than one way.
                assert!(
                    !again(&mut own, &flipped).is_ok_and(|found| found != levels),
                    "{layers:?} {likelihood}, {rows} rows"
                );
                let short = &bytes[..(number >> 8) as usize % bytes.len()];
                assert!(again(&mut own, short).is_err());
            }
        }
    }
}

#[test]
fn bit_swap_begins_with_fewer_bits_than_all_layers_ask_for() {
    // One row in each lane: what is lent is what its codes ask for beyond the 31 bits that the state has.
    let levels: Vec<u16> = numbers(3).take(4 * FEATURES).map(|x| (x % 256) as u16).collect();
    let lent = |layers| packed(&mut session(model(Some(layers), "discretized-logistic"), 1), &levels).lent_bits();
    let (swapped, together) = (lent(Recognition::BottomUp), lent(Recognition::Ladder));
    // A ladder draws nine numbers of about 16 bits each before it codes anything; Bit-Swap draws four, and then has the row.
    assert!(swapped < together, "{swapped} and {together} bits");
}

/// Waves of twelve values in 32 levels, each starting anywhere.
fn waves(rows: usize) -> Vec<u16> {
    let wave = |row: usize| (0..12).map(move |i| 15.5 + 13.0 * (i as f32 * 0.5 + row as f32).sin());
    (0..rows).flat_map(wave).map(|value| value.round() as u16).collect()
}

#[test]
fn trained_models_of_several_layers_come_near_their_bound() {
    let levels = waves(2000);
    let x: Vec<f32> = levels.iter().map(|&level| f32::from(level) / 31.0).collect();
    let data = Dataset::new("waves", Values::Floats(x.clone()), Shape::vector(12)).unwrap();
    for kind in ["hierarchical", "ladder"] {
        let mut config = Preset::Classic.config();
        config.device.device = DeviceChoice::Cpu;
        (config.model.kind, config.model.encoder) = (kind.parse().unwrap(), "mlp:24".parse().unwrap());
        (config.model.latent, config.model.upper) = (3, Some(vec![2]));
        config.model.likelihood = "discretized-logistic:levels=32".parse().unwrap();
        (config.training.epochs, config.training.batch, config.training.learning_rate) = (12, 50, 0.01);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("model.safetensors");
        train(&data, &config).unwrap().save(&file).unwrap();
        let mut saved = Saved::load(&file, Box::new(Cpu::exact())).unwrap();

        let packed = packed(&mut saved.session, &levels);
        let bits = 8.0 * packed.to_bytes().len() as f64 - packed.lent_bits() as f64;
        let bound = |seed: u64, session: &mut Session| -> f64 {
            session.score(&x[..], seed).unwrap().iter().map(|&nats| f64::from(nats)).sum::<f64>()
                / std::f64::consts::LN_2
        };
        let bound = (0..4).map(|seed| bound(seed, &mut saved.session)).sum::<f64>() / 4.0;
        assert!((bits / bound - 1.0).abs() < 0.01, "{kind}: {bits} bits, and -ELBO is {bound}");
        // It has learnt something: rows of which nothing is known take 5 bits a value.
        assert!(bound < 0.8 * 5.0 * levels.len() as f64, "{kind}: {bound} bits");
        let plan = Plan::of(&mut saved.session).unwrap();
        assert_eq!(unpack(&mut saved.session, &plan, packed, 2000).unwrap(), levels);
    }
}
