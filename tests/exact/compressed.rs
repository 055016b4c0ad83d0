//! Files of `elbo compress`, byte by byte: of every likelihood of finitely many values, and in every order of coding. The models have learnt
//! nothing; their weights are numbers that are written down here.

use elbo::apps::{CompressedReader, Saved};
use elbo::catalogue::build;
use elbo::config::DeviceChoice;
use elbo::data::{Dataset, Shape, Values};
use elbo::engine::cpu::Cpu;
use elbo::engine::distributions::LIKELIHOODS;
use elbo::engine::training::checkpoint::Checkpoint;

use crate::training::config;
use crate::{recorded, ways};

const ROWS: usize = 40;
const SHAPE: Shape = Shape { height: 2, width: 2, channels: 3 };

/// What codes rows: its name, its settings, and how many values there are.
const MODELS: [(&str, &str, usize); 10] = [
    ("bernoulli", "--likelihood bernoulli", 2),
    ("categorical", "--likelihood categorical:levels=5", 5),
    ("beta-binomial", "--likelihood beta-binomial:levels=9", 9),
    ("discretized-logistic", "--likelihood discretized-logistic", 256),
    ("discretized-logistic-mixture", "--likelihood discretized-logistic-mixture:components=3", 256),
    ("chained", "--likelihood discretized-logistic-mixture:components=3,channels=3", 256),
    (
        "hierarchical",
        "--model hierarchical --upper 3,2 --likelihood discretized-logistic-mixture:components=2,channels=3",
        256,
    ),
    ("ladder", "--model ladder --upper 3,2 --likelihood discretized-logistic-mixture:components=2,channels=3", 256),
    (
        "very-deep",
        "--model very-deep:blocks=1,1,width=5,inner=3,channels=2 --likelihood discretized-logistic-mixture:components=2,channels=3",
        256,
    ),
    ("vq-vae", "--model vq-vae:codes=5,vectors=3 --latent 6 --likelihood beta-binomial:levels=9", 9),
];

/// Numbers without a pattern, from 0 to 1 (SplitMix64).
fn numbers(seed: u64) -> impl Iterator<Item = f32> {
    (1..).map(move |i: u64| {
        let mut x = seed.wrapping_add(i).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 40) as f32 / (1 << 24) as f32
    })
}

/// Rows of so many levels; the first two are as low and as high as can be.
fn rows(levels: usize) -> Dataset {
    let top = (levels - 1) as f32;
    let any = numbers(1).skip(2 * SHAPE.features()).map(|x| (x * levels as f32).floor() / top);
    let ends = [0.0, 1.0].into_iter().flat_map(|end| vec![end; SHAPE.features()]);
    let values = ends.chain(any).take(ROWS * SHAPE.features()).collect();
    Dataset::new("rows", Values::Floats(values), SHAPE).expect("whole rows")
}

/// The file of a model with such weights.
fn model(options: &str, levels: usize) -> Vec<u8> {
    let mut config = config(options, DeviceChoice::CpuExact);
    (config.data.validation, config.training.batch) = (0, ROWS);
    let mut trained = elbo::train(&rows(levels), &config).unwrap_or_else(|error| panic!("{options}: {error}"));
    let mut checkpoint = Checkpoint::from_bytes(&trained.to_bytes().expect("it is a model")).expect("it is a file");
    checkpoint.tensors.sort_by(|a, b| a.0.cmp(&b.0));
    for (number, (_, _, values)) in checkpoint.tensors.iter_mut().enumerate() {
        values.iter_mut().zip(numbers(1000 * number as u64)).for_each(|(value, x)| *value = 0.8 * x - 0.4);
    }
    checkpoint.to_bytes().expect("tensors are as they were")
}

fn opened(model: &[u8]) -> Saved {
    Saved::from_bytes(model, Box::new(Cpu::exact())).expect("it is a model")
}

#[test]
fn files_have_the_recorded_bytes_and_rows_come_back() {
    for (name, options, levels) in MODELS {
        let (model, data) = (model(options, levels), rows(levels));
        let words = ways::same(name, || {
            let mut file = Vec::new();
            opened(&model).compress(&data, false, &mut file).unwrap_or_else(|error| panic!("{name}: {error}"));
            file.iter().map(|&byte| f32::from(byte)).collect()
        });
        recorded::check(&format!("compressed {name}"), &words);
        let file: Vec<u8> = words.into_iter().map(|word| f32::from_bits(word) as u8).collect();
        let mut found = Vec::new();
        let reader = CompressedReader::begin(&file[..]).expect("it is a file");
        let back = opened(&model).decompress(reader, |_, levels| {
            found.extend_from_slice(levels);
            Ok(())
        });
        back.unwrap_or_else(|error| panic!("{name}: {error}"));
        let top = (levels - 1) as f32;
        let (values, _) = data.gather(0..ROWS);
        assert!(values.iter().map(|value| (value * top).round() as u16).eq(found), "{name}");
    }
}

#[test]
fn every_likelihood_of_finitely_many_values_is_recorded() {
    for piece in LIKELIHOODS {
        let id = piece.about.id;
        let is_discrete =
            build(LIKELIHOODS, &id.parse().expect("it is a name")).is_ok_and(|of| of.discrete().is_some());
        assert_eq!(is_discrete, MODELS.iter().any(|(name, ..)| *name == id), "{id}");
    }
}
