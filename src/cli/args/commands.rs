//! The options of all commands but `train`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum, value_parser};

use crate::catalogue::Spec;
use crate::config::{DataOptions, DeviceChoice};

/// The options of `elbo models`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  elbo models\n  elbo models beta-tcvae")]
pub struct ModelsArgs {
    /// The piece to explain
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
}

/// The options of `elbo data`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo data photos --size 32 --out sheet.png
  elbo data digits --json")]
pub struct LookArgs {
    /// What to look at: a file, a folder, or `sprites` or `digits`, which are built in
    #[arg(value_name = "PATH")]
    pub path: Option<String>,
    /// A picture to write with rows from all over the data: .png, .jpg or .webp
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write over a file of the run or of the data that is read
    #[arg(long)]
    pub force: bool,
    /// Decides which rows are held out
    #[arg(long, value_name = "N", default_value = "0", value_parser = value_parser!(u64).range(0..=i64::MAX as u64))]
    pub seed: u64,
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
    /// What its rows are.
    #[command(flatten)]
    pub rows: DataOptions,
}

/// The options of `elbo evaluate`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo evaluate runs/vae-sprites
  elbo evaluate runs/vae-mnist --samples 5000")]
pub struct EvaluateArgs {
    /// Folder of the run, as `elbo train` left it
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Other data to measure it on: a file or a folder [default: the test rows of the data it was trained on]
    #[arg(long, value_name = "PATH")]
    pub data: Option<String>,
    /// Codes per row from which the likelihood -ln p(x) is estimated, by importance sampling
    ///
    /// More come closer to it, from above; memory does not grow.
    #[arg(long, value_name = "K", default_value = "100", value_parser = value_parser!(u64).range(1..=5_000))]
    pub samples: u64,
    /// Only what is quick: no likelihood, no comparison of codes with the prior and with factors
    #[arg(long)]
    pub quick: bool,
    /// Insist on holding codes against known factors; otherwise that is done where the data has them
    #[arg(long)]
    pub factors: bool,
    /// Have so many draws of the weights stand in place of their mean: figures are then of their mixture, as of an ensemble
    ///
    /// Of a run whose weights have a distribution: --swag, or --network-weights bayes-by-backprop. --seed decides the draws.
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(2..=1000))]
    pub weight_draws: Option<u64>,
    /// Decides what is drawn by chance
    #[arg(long, value_name = "N", default_value = "0")]
    pub seed: u64,
    /// Where to compute: auto, cpu, cpu-exact, gpu, or a number or part of a name from `elbo devices`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
}

/// The options of `elbo sample`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo sample runs/vae-sprites --count 100 --out new.png --seed 7
  elbo sample runs/cvae-mnist --label 7
  elbo sample runs/cvae-mnist --count 1000 --truncate 2 --out new/   a picture for each row, in a folder for each label")]
pub struct SampleArgs {
    /// Folder of the run, as `elbo train` left it
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// How many rows to draw; without --label, a model that is given labels draws as many of each, a row of the grid each
    #[arg(long, value_name = "N", default_value = "64", value_parser = value_parser!(u64).range(1..=10_000))]
    pub count: u64,
    /// The label that all of them are to have, of a model that is given labels
    #[arg(long, value_name = "NAME", conflicts_with = "condition")]
    pub label: Option<String>,
    /// What all of them are given: numbers, or values of the columns that the model is told, in their order
    #[arg(long, value_name = "X,X...", value_delimiter = ',', allow_hyphen_values = true)]
    pub condition: Option<Vec<String>>,
    /// How far codes lie from the middle of the prior: 1 as it has them, less for more usual rows; of quantised codes what the logits of each
    /// index are divided by
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub temperature: Option<f64>,
    /// Draw again what lies more than so many standard deviations of the prior from its middle, in any dimension of a code: for more
    /// usual rows, of a prior that is a Gaussian
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub truncate: Option<f64>,
    /// Have so many draws of the weights stand in place of their mean: each row is then of one of them, any as likely
    ///
    /// Of a run whose weights have a distribution: --swag, or --network-weights bayes-by-backprop. --seed decides the draws.
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(2..=1000))]
    pub weight_draws: Option<u64>,
    /// The file to write, a picture (.png, .jpg, .webp) or rows (.csv, .tsv, .npy, .parquet), or a folder for a picture of each row, with
    /// a / at its end [default: samples.png, or samples.csv of a table, in the folder of the run]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write over a file of the run or of the data that is read
    #[arg(long)]
    pub force: bool,
    /// Decides which rows are drawn
    #[arg(long, value_name = "N", default_value = "0")]
    pub seed: u64,
    /// Where to compute: auto, cpu, cpu-exact, gpu, or a number or part of a name from `elbo devices`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
}

/// The options of `elbo reproduce`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  elbo reproduce\n  elbo reproduce iwae --data ~/data")]
pub struct ReproduceArgs {
    /// The row of the literature
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Folder with the data sets: mnist, frey
    #[arg(long, value_name = "DIR", env = "ELBO_DATA", default_value = "data")]
    pub data: PathBuf,
    /// Folder for the runs [default: runs/reproduce/NAME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Where to compute: auto, cpu, cpu-exact, gpu, or a number or part of a name from `elbo devices`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// Print the checks as JSON as well, for programs
    #[arg(long)]
    pub json: bool,
}

/// The options of `elbo doctor`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  elbo doctor --device gpu\n  elbo doctor --device gpu --report gpu.txt")]
pub struct DoctorArgs {
    /// Which device to check: auto, gpu, or a number or part of a name from `elbo devices`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// Write what to attach to a bug report into this file, .txt or .json: the system, the device, its driver and limits, and how each
    /// kernel fared. Nothing in it says who you are
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// Which training step is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum BenchStep {
    /// The VAE of the preset classic, 784-400-20: small, so that overheads show
    #[default]
    Classic,
    /// A wide one, so that arithmetic shows
    Wide,
    /// Keras' convolutional example, 28×28
    Keras,
    /// The convolutional network of the dSprites papers, 64×64
    Burgess,
    /// Four convolutions on colour pictures, 32×32
    Dcgan,
    /// A residual network on colour pictures, 32×32, with a code of 8×8×64
    Resnet,
    /// A GAN of three convolutions on either side, on colour pictures, 32×32
    Gan,
    /// A VAE-GAN of such networks, on colour pictures, 32×32
    VaeGan,
    /// The very deep VAE of the preset very-deep, on colour pictures, 32×32
    VeryDeep,
}

/// The options of `elbo bench`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo bench                                 the whole grid
  elbo bench --device gpu --step wide --batch 128,1024,4096
  elbo bench --json > before.json
  elbo bench --compare before.json", after_long_help = super::bench_help::TEXT)]
pub struct BenchArgs {
    /// Where to compute: auto, cpu, cpu-exact, gpu, or a number or part of a name from `elbo devices`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// Training steps to measure, in place of the grid [default with --batch: classic]
    #[arg(long, value_name = "NAME,NAME", value_enum, value_delimiter = ',')]
    pub step: Vec<BenchStep>,
    /// Rows per step, in place of the grid [default with --step: 128]
    #[arg(long, value_name = "ROWS,ROWS", value_delimiter = ',', value_parser = value_parser!(u64).range(1..=1_048_576))]
    pub batch: Vec<u64>,
    /// Seconds that each of the five rounds takes
    #[arg(long, value_name = "S", default_value = "1", value_parser = seconds)]
    pub seconds: f64,
    /// Run so many further steps, and say by how much memory grew
    #[arg(long, value_name = "STEPS", value_parser = value_parser!(u64).range(1..=1_000_000_000))]
    pub growth: Option<u64>,
    /// Measure the plain VAE with each posterior, prior, objective and likelihood, in place of the grid
    ///
    /// Each step is run in turn with the plain one's. Takes eight minutes; a shorter --seconds makes it shorter.
    #[arg(long, conflicts_with = "growth")]
    pub pieces: bool,
    /// Measure every kernel by itself, in place of the grid
    #[arg(long)]
    pub kernels: bool,
    /// Measure what it costs to share a step among the processes that mpirun has started, in place of the grid
    ///
    /// Sums over all of them by their size, and steps with the time that goes into sums. A batch is that of all together. Of one process, its
    /// steps, to compare with.
    #[arg(long, conflicts_with_all = ["growth", "pieces", "kernels", "compare"])]
    pub reduction: bool,
    /// Print JSON, for programs and for --compare
    #[arg(long)]
    pub json: bool,
    /// Compare with an earlier measurement that --json printed
    #[arg(long, value_name = "FILE")]
    pub compare: Option<PathBuf>,
    /// What a measurement starts to see how long a start takes
    #[arg(long, hide = true, requires_all = ["step", "batch"])]
    pub first_step: bool,
}

/// The options of `elbo profile`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  elbo profile --device gpu --step wide\n  elbo profile --wgsl 7")]
pub struct ProfileArgs {
    /// Where to compute: auto, cpu, cpu-exact, gpu, or a number or part of a name from `elbo devices`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// Which training step to look into
    #[arg(long, value_name = "NAME", value_enum, default_value_t)]
    pub step: BenchStep,
    /// Rows per step
    #[arg(long, value_name = "ROWS", default_value = "128", value_parser = value_parser!(u64).range(1..=1_048_576))]
    pub batch: u64,
    /// Print the shader of one call of the step instead, by its number in the list
    #[arg(long, value_name = "CALL", value_parser = value_parser!(u64).range(1..))]
    pub wgsl: Option<u64>,
}

/// The options of `elbo kernels`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  elbo kernels\n  elbo kernels show likelihood\n  elbo kernels show matmul --case 128x40x400 --device gpu"
)]
pub struct KernelsArgs {
    /// What to do; without it, they are listed.
    #[command(subcommand)]
    pub command: Option<KernelsCommand>,
}

/// What `elbo kernels` can do.
#[derive(Debug, Clone, Subcommand)]
pub enum KernelsCommand {
    /// Print the WGSL of a kernel as a device is given it
    ///
    /// Texts depend on sizes and on the kind of device. Without --case, the sizes are those of a real model. Where a device
    /// chooses between several by timing them, this is the one that it starts from.
    Show(ShowKernelArgs),
}

/// The options of `elbo kernels show`.
#[derive(Debug, Clone, Args)]
pub struct ShowKernelArgs {
    /// The kernel, as `elbo kernels` names it
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Of its cases the one of this name, or the first whose name contains this
    #[arg(long, value_name = "WORD")]
    pub case: Option<String>,
    /// List its cases
    #[arg(long, conflicts_with = "case")]
    pub cases: bool,
    /// For what: auto, gpu, or a number or part of a name from `elbo devices`; where there is none, for a GPU without subgroups
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
}

/// A length of time that a round may have.
fn seconds(text: &str) -> Result<f64, String> {
    let number = text.trim().parse().ok().filter(|number| (0.001..=3600.0).contains(number));
    number.ok_or_else(|| "give seconds from 0.001 to 3600".to_owned())
}

/// The options of `elbo fit-prior`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  elbo fit-prior runs/vae-sprites
  elbo fit-prior runs/vae-mnist --prior realnvp:length=6 --epochs 50 --out runs/realnvp
  elbo fit-prior runs/vae-mnist --prior diffusion:steps=100 --epochs 50
  elbo fit-prior runs/vq-vae-cifar --prior pixelcnn:channels=64,layers=5 --epochs 20")]
pub struct FitPriorArgs {
    /// Folder of the run, as `elbo train` left it
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// The prior to fit; `elbo models` lists them [default: mixture:components=10, of quantised codes pixelcnn]
    ///
    /// Ghosh et al. 2020 fit ten Gaussians with full covariances; those of `mixture` have diagonal ones. Over indices of quantised codes
    /// (--model vq-vae, fsq), pixelcnn learns which stand together. diffusion trains a network that takes noise off codes, step by step; its -ln p(z)
    /// is a bound.
    #[arg(long, value_name = "NAME[:SETTING=X,...]", value_parser = Spec::from_str)]
    pub prior: Option<Spec>,
    /// Passes over the training rows
    #[arg(long, value_name = "N", default_value = "10", value_parser = value_parser!(u64).range(1..=1_000_000))]
    pub epochs: u64,
    /// Size of the steps of Adam at first; it falls to 0 along half a cosine [default: 0.01, of diffusion and of quantised codes 0.001]
    #[arg(long, value_name = "X", alias = "lr", allow_negative_numbers = true, value_parser = positive)]
    pub learning_rate: Option<f64>,
    /// Folder to keep the new run in [default: RUN-NAME, or the next of RUN-NAME-2, … that is free]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Decides all that is random
    #[arg(long, value_name = "N", default_value = "0", value_parser = value_parser!(u64).range(0..=i64::MAX as u64))]
    pub seed: u64,
    /// Where to compute: auto, cpu, cpu-exact, gpu, or a number or part of a name from `elbo devices`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
}

/// A positive number, also when rounded to 32 bits.
fn positive(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().unwrap_or(f64::NAN);
    let is_fine = number as f32 > 0.0 && (number as f32).is_finite();
    if is_fine { Ok(number) } else { Err("give a positive number, such as 0.01".to_owned()) }
}
