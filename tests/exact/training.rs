//! Ten steps of training, and what the trained models make of rows.

use elbo::apps::bench::Workload;
use elbo::cli::args::train_config;
use elbo::config::{Config, DeviceChoice, Preset, TrainingConfig};
use elbo::data::{Condition, Dataset, Labels, Shape, Values};
use elbo::engine::cpu::Cpu;
use elbo::engine::training::checkpoint::Checkpoint;
use elbo::engine::training::metrics::Split;
use elbo::engine::training::{Given, Session, Trainer};

use crate::{recorded, ways};

const ROWS: usize = 160;
const FEATURES: usize = 48;

/// Models, and what else of the settings is unlike the usual.
const MODELS: [(&str, &str); 8] = [
    ("vae", "--hidden 32 --activation relu"),
    ("autoencoder", "--model ae --hidden 24,16 --likelihood mse --optimiser sgd:momentum=0.9 --learning-rate 0.01"),
    (
        "flows",
        "--posterior iaf:hidden=20 --prior realnvp:length=2,hidden=12 --likelihood discretized-logistic-mixture:components=3 \
         --activation gelu --optimiser adamw:decay=0.05 --clip-norm 1 --schedule cosine --warmup-steps 3 --average 0.9",
    ),
    (
        "mixtures",
        "--posterior full-covariance --prior mixture:components=4 --likelihood beta-binomial --activation tanh \
         --optimiser rmsprop --accumulate 2 --schedule step --step-factor 0.7",
    ),
    (
        "total correlation",
        "--objective beta-tcvae --likelihood student-t --activation elu --optimiser adamax --prior vampprior:components=7",
    ),
    (
        "discrete",
        "--posterior gumbel-softmax:categories=3 --prior uniform-categorical:categories=3 --latent 6 --likelihood categorical:levels=4 \
         --activation leaky-relu --hidden 20",
    ),
    (
        "ladder",
        "--model ladder --upper 3,2 --likelihood laplace-learned --activation silu --clip-norm 100 --kl-warmup-epochs 1",
    ),
    (
        "labels",
        "--model cvae --objective iwae --likelihood gaussian-learned --posterior sylvester --prior maf:hidden=9 --hidden 20",
    ),
];

/// Pictures of blobs on a slope, each with one of three labels.
fn data() -> Dataset {
    // Four greys, which every likelihood gives a probability to.
    let byte = |row: usize, i: usize| (((row * 37 + i * (5 + row % 3) * 11 + i * i * (row % 7)) % 256) as u8 / 64) * 85;
    let bytes = (0..ROWS).flat_map(|row| (0..FEATURES).map(move |i| byte(row, i))).collect();
    let mut data = Dataset::new("blobs", Values::Bytes(bytes), Shape::vector(FEATURES)).expect("whole rows");
    data.labels = Some(Labels {
        values: (0..ROWS as u32).map(|row| row % 3).collect(),
        classes: 3,
        names: ["a", "b", "c"].map(str::to_string).to_vec(),
    });
    data
}

/// The settings of a small model that is trained for one epoch, but for what is given.
pub fn config(options: &str, device: DeviceChoice) -> Config {
    let usual = "--preset classic --hidden 24,20 --latent 5 --batch 16 --epochs 1 --seed 3";
    // Of an option that is given twice, the later counts; a very-deep has networks and codes of its own.
    let given: Vec<&str> = options.split_whitespace().collect();
    let pairs = usual.split_whitespace().collect::<Vec<_>>();
    let is_left_out =
        |name: &str| given.contains(&name) || options.contains("very-deep") && ["--hidden", "--latent"].contains(&name);
    let usual = pairs.chunks(2).filter(|pair| !is_left_out(pair[0])).flatten();
    let words: Vec<String> = usual.chain(&given).map(|word| word.to_string()).collect();
    let mut config = train_config(&words).unwrap_or_else(|error| panic!("{options}: {error}"));
    config.device.device = device;
    config
}

/// The weights after ten steps; and codes, rows and scores that they give.
fn trained(options: &str, device: DeviceChoice) -> [Vec<f32>; 2] {
    let (config, mut data) = (config(options, device), data());
    if config.model.kind.is_conditional() {
        data = data.conditioned(Condition::Labels).expect("there are labels");
    }
    let mut model = elbo::train(&data, &config).unwrap_or_else(|error| panic!("{options}: {error}"));
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let path = folder.path().join("model.safetensors");
    model.save(&path).expect("the file can be written");
    let weights = Checkpoint::load(&path).expect("it was just written").tensors;
    let (rows, known) = data.gather(0..20);
    let codes = model.encode(Given::new(&rows, &known)).expect("rows are whole");
    let mut made = model.decode(Given::new(&codes, &known)).expect("codes are whole");
    made.extend(model.score(Given::new(&rows, &known), 5).expect("rows are whole"));
    made.extend(codes);
    (made.iter()).for_each(|x| assert!(x.is_finite(), "{options}: {x}"));
    [weights.into_iter().flat_map(|(_, _, values)| values).collect(), made]
}

#[test]
fn ten_steps() {
    for (name, options) in MODELS {
        let words = ways::same(name, || trained(options, DeviceChoice::CpuExact).concat());
        recorded::check(&format!("training {name}"), &words);
    }
}

/// The fast executor may give other bits, and on processors that fuse it does; both are the same model all the same.
#[test]
fn the_fast_executor_is_another_and_close() {
    let (_, options) = MODELS[0];
    let [exact, fast] = [DeviceChoice::CpuExact, DeviceChoice::Cpu].map(|device| trained(options, device).concat());
    let apart = exact.iter().zip(&fast).map(|(a, b)| (a - b).abs() / (1.0 + a.abs())).fold(0.0, f32::max);
    assert!(apart < 1e-3, "{apart}");
    assert!(apart > 0.0 || elbo::engine::kernels::simd::levels().len() == 1);
}

/// What becomes of a row does not depend on the rows beside it.
#[test]
fn codes_are_the_same_in_batches_of_any_size() {
    const SMALL: Workload =
        Workload { name: "small", shape: SHAPE, config: || Workload::vae("mlp:70,40,activation=relu", 6) };
    const SHAPE: Shape = Shape { height: 1, width: 300, channels: 1 };
    let codes = |rows: usize| {
        let data = SMALL.data(ROWS).expect("rows are whole");
        let config = TrainingConfig { batch: 16, ..Preset::Classic.config().training };
        let session = Session::new(SMALL.model().unwrap(), Box::new(Cpu::exact()), config.seed);
        let mut trainer = Trainer::new(session, &data, &config, 1.0, false).expect("the data fits");
        trainer.steps(2).expect("the CPU runs");
        trainer.session.evaluate(Split::Test, &data, (rows, 1.0)).expect("the CPU runs").1
    };
    let all = ways::same("batches of 160", || codes(ROWS));
    assert!(all.iter().any(|word| all.iter().filter(|other| *other == word).count() == 1), "codes differ");
    for rows in [1, 7, 33] {
        assert!(ways::same(&format!("batches of {rows}"), || codes(rows)) == all, "batches of {rows}");
    }
}
