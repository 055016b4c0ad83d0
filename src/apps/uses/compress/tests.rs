//! Whatever rows go in come out, in as many bits as they are likely, and what is damaged is an error, never other rows.

use super::Coding;
use super::packed::Packed;
use super::rows::values;
use crate::apps::{Saved, train};
use crate::config::{DeviceChoice, Preset};
use crate::cpu::Cpu;
use crate::data::{Dataset, Shape, Values};
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
        match [PLACES, PICTURES].contains(&self.codes) {
            true => Shape { height: 4, width: 4, channels: 1 },
            false => Shape::vector(6),
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

const ALL: [Untrained; 15] = [
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
    Untrained { codes: EVEN, likelihood: "beta-binomial:levels=9", levels: 9 },
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

/// A code that is certain gives no bits back and is lent none: rows take −log₂ p(x, k), which is their −ELBO.
#[test]
fn rows_of_indices_take_the_bits_of_their_bound() {
    const ROWS: usize = 1500;
    for model in ALL.iter().filter(|model| model.codes == VECTORS || model.codes == PLACES) {
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

#[test]
fn trained_models_of_several_layers_come_near_their_bound() {
    let levels = waves(2000);
    let x: Vec<f32> = levels.iter().map(|&level| f32::from(level) / 31.0).collect();
    let (vector, picture) = (Shape::vector(12), Shape { height: 4, width: 3, channels: 1 });
    for (kind, shape) in [("hierarchical", vector), ("ladder", vector), (PICTURES.kind, picture)] {
        let data = Dataset::new("waves", Values::Floats(x.clone()), shape).unwrap();
        let mut config = Preset::Classic.config();
        config.device.device = DeviceChoice::Cpu;
        (config.model.kind, config.model.encoder) = (kind.parse().unwrap(), "mlp:24".parse().unwrap());
        (config.model.latent, config.model.upper) = (3, (shape == vector).then(|| vec![2]));
        config.model.likelihood = "discretized-logistic:levels=32".parse().unwrap();
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
        assert!((bits / bound - 1.0).abs() < 0.01, "{kind}: {bits} bits, and -ELBO is {bound}");
        // It has learnt something: rows of which nothing is known take 5 bits a value.
        assert!(bound < 0.8 * 5.0 * levels.len() as f64, "{kind}: {bound} bits");
        let coding = Coding::of(&mut saved.session).unwrap();
        assert_eq!(coding.unpack(&mut saved.session, packed, 2000).unwrap(), levels);
    }
}
