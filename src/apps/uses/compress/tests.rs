//! Whatever rows go in come out, in as many bits as they are likely, and what is damaged is an error, never other rows.

use super::Coding;
use super::lanes::Decoded;
use super::packed::Packed;
use super::rows::values;
use crate::apps::{Saved, train};
use crate::coding::{Cumulative, Stack};
use crate::config::{DeviceChoice, Preset};
use crate::cpu::Cpu;
use crate::data::{Dataset, Shape, Values};
use crate::distributions::{Discrete, LogisticMixture};
use crate::models::{ModelConfig, RowForm};
use crate::training::Session;

/// What codes are.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Codes {
    kind: &'static str,
    prior: &'static str,
    encoder: &'static str,
    latent: usize,
}

const NUMBERS: Codes = Codes { kind: "vae", prior: "standard-normal", encoder: "mlp:8", latent: 3 };
/// Three layers: each inferred from the one below, or all from the row.
const UPWARDS: Codes = Codes { kind: "hierarchical", latent: 4, ..NUMBERS };
const LADDER: Codes = Codes { kind: "ladder", ..UPWARDS };
/// Three layers of pictures of 4×4, 2×2 and 2×2 places, all inferred from the row.
const PICTURES: Codes = Codes { kind: "very-deep:blocks=1,2,width=6,inner=3,channels=2", ..NUMBERS };
/// Vectors of which each is two indices, of four in all.
const VECTORS: Codes =
    Codes { kind: "vq-vae:codes=5,vectors=2,residual=2", prior: "pixelcnn:channels=4,layers=1", latent: 4, ..NUMBERS };
/// Pictures of 2×2 places.
const PLACES: Codes = Codes {
    kind: "fsq:levels=3,2",
    prior: "pixelcnn:channels=4,layers=2",
    encoder: "resnet:width=4,inner=2,blocks=1,shrink=1,code=spatial",
    latent: 8,
};
/// Two levels, of pictures of 2×2 places and of one, each of two indices.
const LEVELS: Codes =
    Codes { kind: "vq-vae:codes=5,levels=2,residual=2", prior: "pixelcnn:channels=4,layers=1", ..PLACES };
/// Indices that are as likely, whatever stands beside them.
const EVEN: Codes = Codes { kind: "vq-vae:codes=3,vectors=4", prior: "uniform", latent: 4, ..NUMBERS };

/// A model that has learnt nothing, over so many levels of a value.
#[derive(Debug)]
struct Untrained {
    codes: Codes,
    likelihood: &'static str,
    levels: u64,
}

impl Untrained {
    fn shape(&self) -> Shape {
        let channels = if self.likelihood.contains("channels=3") { 3 } else { 1 };
        match self.codes.kind == PICTURES.kind || self.codes.encoder == PLACES.encoder {
            true => Shape { height: 4, width: 4, channels },
            false => Shape { height: 1, width: 6 / channels, channels },
        }
    }

    fn session(&self, seed: u64) -> Session {
        let Codes { kind, prior, encoder, latent } = self.codes;
        let config = ModelConfig {
            kind: kind.parse().unwrap(),
            prior: prior.parse().unwrap(),
            encoder: encoder.parse().unwrap(),
            likelihood: self.likelihood.parse().unwrap(),
            latent,
            upper: [UPWARDS, LADDER].contains(&self.codes).then(|| vec![3, 2]),
            ..ModelConfig::default()
        };
        let form = RowForm { schema: &self.shape().into(), condition: 0 };
        let mut session = Session::new((config.kind.build)(&config, form).unwrap(), Box::new(Cpu::exact()), seed);
        session.start().unwrap();
        session
    }

    /// Levels without a pattern `[rows, features]`.
    fn levels(&self, rows: usize) -> Vec<u16> {
        numbers(7 + rows as u64).take(rows * self.shape().features()).map(|x| (x % self.levels) as u16).collect()
    }
}

const ALL: [Untrained; 23] = [
    Untrained { codes: NUMBERS, likelihood: "bernoulli", levels: 2 },
    Untrained { codes: NUMBERS, likelihood: "categorical:levels=7", levels: 7 },
    Untrained { codes: NUMBERS, likelihood: "beta-binomial:levels=9", levels: 9 },
    Untrained { codes: NUMBERS, likelihood: "discretized-logistic", levels: 256 },
    Untrained { codes: NUMBERS, likelihood: "discretized-logistic-mixture:components=2,levels=16", levels: 16 },
    Untrained { codes: UPWARDS, likelihood: "discretized-logistic", levels: 256 },
    Untrained { codes: UPWARDS, likelihood: "bernoulli", levels: 2 },
    Untrained { codes: LADDER, likelihood: "discretized-logistic-mixture:components=2,levels=16", levels: 16 },
    Untrained { codes: LADDER, likelihood: "categorical:levels=7", levels: 7 },
    Untrained { codes: PICTURES, likelihood: "discretized-logistic", levels: 256 },
    Untrained { codes: PICTURES, likelihood: "bernoulli", levels: 2 },
    Untrained { codes: VECTORS, likelihood: "bernoulli", levels: 2 },
    Untrained { codes: VECTORS, likelihood: "discretized-logistic", levels: 256 },
    Untrained { codes: PLACES, likelihood: "categorical:levels=7", levels: 7 },
    Untrained { codes: LEVELS, likelihood: "beta-binomial:levels=9", levels: 9 },
    Untrained { codes: Codes { prior: "uniform", ..LEVELS }, likelihood: "bernoulli", levels: 2 },
    Untrained { codes: EVEN, likelihood: "beta-binomial:levels=9", levels: 9 },
    Untrained { codes: NUMBERS, likelihood: "discretized-logistic-mixture:components=3,channels=3", levels: 256 },
    Untrained {
        codes: UPWARDS,
        likelihood: "discretized-logistic-mixture:components=2,levels=16,channels=3",
        levels: 16,
    },
    Untrained {
        codes: LADDER,
        likelihood: "discretized-logistic-mixture:components=1,levels=16,channels=3",
        levels: 16,
    },
    Untrained { codes: VECTORS, likelihood: "discretized-logistic-mixture:components=2,channels=3", levels: 256 },
    Untrained { codes: PLACES, likelihood: "discretized-logistic-mixture:components=2,levels=2,channels=3", levels: 2 },
    Untrained { codes: PICTURES, likelihood: "discretized-logistic-mixture:components=2,channels=3", levels: 256 },
];

fn pack(session: &mut Session, levels: &[u16]) -> Packed {
    Coding::of(session).unwrap().pack(session, levels).unwrap()
}

/// Bits of the words of a chunk: of every lane without a state of 64 bits and two numbers of 32, and of all without how many batches there are
/// and a byte for each.
fn bits_of_words(packed: &Packed) -> f64 {
    let bytes = packed.to_bytes();
    let batches = u32::from_le_bytes(bytes[..4].try_into().unwrap());
    8.0 * (bytes.len() - 4) as f64 - 8.0 * f64::from(batches) - 4.0 * 128.0
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
    for model in ALL {
        let mut own = model.session(1);
        for rows in [1, 3, 5, 300] {
            let (levels, what) = (model.levels(rows), format!("{model:?}, {rows} rows"));
            let bytes = pack(&mut own, &levels).to_bytes();
            let again = |session: &mut Session, bytes: &[u8]| {
                let packed = Packed::from_bytes(bytes, rows)?;
                Coding::of(session)?.unpack(session, packed, rows)
            };
            // Another session, as another machine has it.
            assert_eq!(again(&mut model.session(1), &bytes).unwrap(), levels, "{what}");
            assert!(again(&mut model.session(2), &bytes).is_err(), "the weights are others: {what}");
            // Of several layers fewer, as each takes several times as long.
            let is_of_several = [UPWARDS, LADDER, PICTURES].contains(&model.codes);
            for number in numbers(99).take(if is_of_several { 10 } else { 40 }) {
                let mut flipped = bytes.clone();
                flipped[(number >> 8) as usize % bytes.len()] ^= 1 << (number % 8);
                // How rows were dealt to the last batch may be said in more than one way.
                assert!(!again(&mut own, &flipped).is_ok_and(|found| found != levels), "{what}");
                let short = &bytes[..(number >> 8) as usize % bytes.len()];
                assert!(again(&mut own, short).is_err());
            }
        }
    }
}

#[test]
fn rows_as_low_and_as_high_as_can_be_come_back() {
    for model in ALL {
        let (features, top) = (model.shape().features(), (model.levels - 1) as u16);
        let steep = (0..features).map(|i| if i % 2 == 0 { 0 } else { top });
        let levels: Vec<u16> = [0, top].into_iter().flat_map(|end| vec![end; features]).chain(steep).collect();
        let mut session = model.session(3);
        let packed = pack(&mut session, &levels);
        let coding = Coding::of(&mut session).unwrap();
        assert_eq!(coding.unpack(&mut session, packed, 3).unwrap(), levels, "{model:?}");
    }
}

/// What a coder takes values for that counts all that it has been told as 0.
struct Blind<'a>(&'a dyn Discrete);

impl Discrete for Blind<'_> {
    fn levels(&self) -> usize {
        self.0.levels()
    }

    fn stages(&self) -> usize {
        self.0.stages()
    }

    fn distributions(&self, outputs: &[f32], features: usize, known: &[u16], into: &mut Cumulative) {
        self.0.distributions(outputs, features, &vec![0; known.len()], into);
    }
}

#[test]
fn colours_that_are_coded_without_the_others_take_more_bits() {
    const ROWS: usize = 500;
    let likelihood = LogisticMixture { components: 2, levels: 256, channels: 3 };
    // Six values: weights alike; means below 1/2, so that links move them into the midst; scales of some four levels; links.
    let of_row = |numbers: &mut dyn Iterator<Item = u64>| -> Vec<f32> {
        let number = |(i, x): (usize, u64)| match (i / 12, (x % 1000) as f32 / 1000.0) {
            (0, x) => x - 0.5,
            (1, x) => 0.1 + 0.4 * x,
            (2, x) => -4.5 + 0.5 * x,
            (_, x) => 2.0 * x - 1.0,
        };
        (0..48).zip(numbers).map(number).collect()
    };
    let mut numbers = numbers(11);
    let outputs: Vec<f32> = (0..ROWS).flat_map(|_| of_row(&mut numbers)).collect();
    let decoded = |values| Decoded { values, outputs: &outputs, features: 6 };
    // Rows that are drawn as the model says; pushing them takes as many bits as drawing them did.
    let (mut stack, mut levels) = (Stack::default(), vec![0; 6 * ROWS]);
    decoded(&likelihood).pop(&mut stack, &mut levels);
    let drawn = -stack.balance();
    decoded(&likelihood).push(&mut stack, &levels);
    let (lent, (state, words)) = (stack.lent(), stack.into_parts());
    assert!(Stack::of(state, words).unwrap().is_as_before(lent), "what was lent is back");
    assert!(drawn > 2.0 * levels.len() as f64, "{drawn} bits");
    // A coder that is not told of the other colours comes back to the same rows, and pays for it.
    let (blind, mut apart) = (Blind(&likelihood), Stack::default());
    decoded(&blind).push(&mut apart, &levels);
    assert!(apart.balance() > 1.1 * drawn, "{} bits, and {drawn} with what is known", apart.balance());
    let mut again = vec![0; levels.len()];
    decoded(&blind).pop(&mut apart.clone(), &mut again);
    assert_eq!(again, levels);
    decoded(&likelihood).pop(&mut apart, &mut again);
    assert_ne!(again, levels, "who reads must know as much as who wrote");
}

/// A code that is certain gives no bits back and is lent none: rows take −log₂ p(x, k), which is their −ELBO.
#[test]
fn rows_of_indices_take_the_bits_of_their_bound() {
    const ROWS: usize = 1500;
    for model in ALL.iter().filter(|model| [VECTORS, PLACES, LEVELS].contains(&model.codes)) {
        let (mut session, levels, count) = (model.session(1), model.levels(ROWS), model.levels as usize);
        let packed = pack(&mut session, &levels);
        assert_eq!(packed.lent_bits(), 0);
        let bits = bits_of_words(&packed);
        let bound = |session: &mut Session, levels: &[u16]| {
            let scores = session.score(&values(levels, count), 0).unwrap();
            scores.iter().map(|&nats| f64::from(nats)).sum::<f64>() / std::f64::consts::LN_2
        };
        // The last word of every lane may be anything but full.
        let fits = |bound: f64| (-5e-4 * bound..4.0 * 32.0 + 5e-4 * bound).contains(&(bits - bound));
        let own = bound(&mut session, &levels);
        assert!(fits(own), "{model:?}: {bits}, not {own}");
        // A row in a hundred, left out, is noticed.
        let fewer = bound(&mut session, &levels[..levels.len() / 100 * 99]);
        assert!(!fits(fewer), "{model:?}: {bits}, and {fewer} without some");
    }
}

#[test]
fn bit_swap_begins_with_fewer_bits_than_all_layers_ask_for() {
    // One row in each lane: what is lent is what its codes ask for beyond the 31 bits that the state has.
    let lent = |codes| {
        let model = Untrained { codes, likelihood: "discretized-logistic", levels: 256 };
        pack(&mut model.session(1), &model.levels(4)).lent_bits()
    };
    let (swapped, together) = (lent(UPWARDS), lent(LADDER));
    // A ladder draws nine numbers of about 16 bits each before it codes anything; Bit-Swap draws four, and then has the row.
    assert!(swapped < together, "{swapped} and {together} bits");
}

/// Waves of twelve values in 32 levels, each starting anywhere.
fn waves(rows: usize) -> Vec<u16> {
    let wave = |row: usize| (0..12).map(move |i| 15.5 + 13.0 * (i as f32 * 0.5 + row as f32).sin());
    (0..rows).flat_map(wave).map(|value| value.round() as u16).collect()
}

/// What is trained: its name, its likelihood, and the shape of its rows of twelve values.
const TRAINED: [(&str, &str, Shape); 7] = [
    ("hierarchical", "discretized-logistic:levels=32", VECTOR),
    ("ladder", "discretized-logistic:levels=32", VECTOR),
    (PICTURES.kind, "discretized-logistic:levels=32", Shape { height: 4, width: 3, channels: 1 }),
    ("vae", CHAINED, COLOURS),
    ("hierarchical", CHAINED, COLOURS),
    ("ladder", CHAINED, COLOURS),
    (PICTURES.kind, CHAINED, Shape { height: 2, width: 2, channels: 3 }),
];

const VECTOR: Shape = Shape { height: 1, width: 12, channels: 1 };
const COLOURS: Shape = Shape { height: 1, width: 4, channels: 3 };
const CHAINED: &str = "discretized-logistic-mixture:components=2,levels=32,channels=3";

#[test]
fn trained_models_come_near_their_bound() {
    let levels = waves(2000);
    let x: Vec<f32> = levels.iter().map(|&level| f32::from(level) / 31.0).collect();
    for (kind, likelihood, shape) in TRAINED {
        let data = Dataset::new("waves", Values::Floats(x.clone()), shape).unwrap();
        let mut config = Preset::Classic.config();
        config.device.device = DeviceChoice::Cpu;
        (config.model.kind, config.model.encoder) = (kind.parse().unwrap(), "mlp:24".parse().unwrap());
        (config.model.latent, config.model.upper) = (3, ["hierarchical", "ladder"].contains(&kind).then(|| vec![2]));
        config.model.likelihood = likelihood.parse().unwrap();
        (config.training.epochs, config.training.batch, config.training.learning_rate) = (12, 50, 0.01);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("model.safetensors");
        train(&data, &config).unwrap().save(&file).unwrap();
        let mut saved = Saved::load(&file, Box::new(Cpu::exact())).unwrap();

        let packed = pack(&mut saved.session, &levels);
        let bits = bits_of_words(&packed) - packed.lent_bits() as f64;
        let bound = |seed: u64, session: &mut Session| -> f64 {
            session.score(&x[..], seed).unwrap().iter().map(|&nats| f64::from(nats)).sum::<f64>()
                / std::f64::consts::LN_2
        };
        let bound = (0..4).map(|seed| bound(seed, &mut saved.session)).sum::<f64>() / 4.0;
        assert!((bits / bound - 1.0).abs() < 0.01, "{kind}, {likelihood}: {bits} bits, and -ELBO is {bound}");
        // It has learnt something: rows of which nothing is known take 5 bits a value.
        assert!(bound < 0.8 * 5.0 * levels.len() as f64, "{kind}, {likelihood}: {bound} bits");
        let coding = Coding::of(&mut saved.session).unwrap();
        assert_eq!(coding.unpack(&mut saved.session, packed, 2000).unwrap(), levels, "{kind}, {likelihood}");
    }
}
