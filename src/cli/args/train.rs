//! The options of `elbo train`: the settings of [`Config`](crate::config::Config), all optional, and where to keep the run.

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::whole;
use crate::catalogue::Spec;
use crate::config::{Architecture, Binarise, DeviceChoice, Preset, Schedule};
use crate::data::{Condition, PictureSize};
use crate::models::ARCHITECTURES;
use crate::nn::Activation;

/// The options of `elbo train`. What is not given stays `None`.
#[derive(Debug, Clone, Default, Args)]
#[command(
    allow_negative_numbers = true,
    after_help = "\
Examples:
  elbo train --epochs 5
  elbo train --data mnist --preset classic --out runs/mnist
  elbo train --hidden 400,200 --latent 2 --beta 4
  elbo train --resume runs/mnist --epochs 20"
)]
pub struct TrainArgs {
    /// Settings that go well together, from which the others depart
    #[arg(long, value_name = "NAME")]
    pub preset: Option<Preset>,
    /// A TOML file with settings; --print-config shows how one looks
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder to keep the run in [default: a new one in runs, named after the model and the data]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Go on with the run in this folder, with its settings
    ///
    /// The outcome is that of a run that was never interrupted. --epochs can be raised (which stretches a cosine schedule),
    /// and the device and how often things are written can be changed; the model and the way it learns cannot.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "config", "preset"])]
    pub resume: Option<PathBuf>,
    /// Train a second model on the codes of the run in this folder, whose prior it replaces
    ///
    /// The run's model is frozen. Data and its settings are the run's; the second model has as many latent dimensions unless
    /// --latent says otherwise, and the likelihood gaussian-shared. Its measurements are bounds on ln p(x) of the two
    /// together (Dai & Wipf 2019).
    #[arg(long, value_name = "RUN", conflicts_with = "resume")]
    pub second_stage: Option<PathBuf>,
    /// Print all settings as TOML instead of training
    #[arg(long)]
    pub print_config: bool,
    /// What is learnt from.
    #[command(flatten)]
    pub data: DataArgs,
    /// What learns.
    #[command(flatten)]
    pub model: ModelArgs,
    /// How it learns.
    #[command(flatten)]
    pub training: TrainingArgs,
    /// Where it is computed.
    #[command(flatten)]
    pub device: DeviceArgs,
}

/// Settings of the table `[data]`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Data")]
pub struct DataArgs {
    /// What to learn: a file, a folder, or `sprites` or `digits`, which are built in
    #[arg(long, value_name = "PATH")]
    pub data: Option<String>,
    /// What its rows are.
    #[command(flatten)]
    pub rows: RowArgs,
    /// Whether pixels become black or white
    #[arg(long, value_name = "HOW", alias = "binarize")]
    pub binarise: Option<Binarise>,
    /// What a model that is told something of every row (--model cvae) is told
    #[arg(long, value_name = "WHAT")]
    pub condition: Option<Condition>,
    /// Rows whose labels are used, as many of each class, chosen by the seed; those of the rest are not looked at
    ///
    /// For models that learn from labels of some rows and from the pictures of all (--model m2).
    #[arg(long, value_name = "N", value_parser = whole)]
    pub labels: Option<usize>,
}

/// Settings of the table `[data]` that decide what the rows of a source are.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Data")]
pub struct RowArgs {
    /// Rows held out of training to choose settings by
    ///
    /// 0 holds out a tenth where the data has no test rows of its own, and none where it has.
    #[arg(long, value_name = "ROWS", value_parser = whole)]
    pub validation: Option<usize>,
    /// The column of a table that holds the class of each row
    #[arg(long, value_name = "COLUMN")]
    pub label: Option<String>,
    /// Columns of a table to leave out
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    pub ignore: Option<Vec<String>>,
    /// What a column of a table is, where the guess is wrong: real, positive, count, ordinal, category or id
    #[arg(long, value_name = "NAME=KIND", value_parser = column)]
    pub column: Option<Vec<(String, String)>>,
    /// Height and width that the pictures of a folder or an archive are brought to, as 64 or 48x64
    ///
    /// They are cut around the middle to these proportions and scaled by Lanczos resampling. Without it, pictures that all have
    /// one size of at most 64x64 keep it, and others become 64x64.
    #[arg(long, value_name = "N|HxW", value_parser = PictureSize::from_str)]
    pub size: Option<PictureSize>,
    /// Height and width of the built-in sprites, in pixels
    #[arg(long, value_name = "PIXELS", value_parser = whole)]
    pub resolution: Option<usize>,
    /// Number of built-in sprites to train on [default: 20,000]
    #[arg(long, value_name = "N", value_parser = whole)]
    pub count: Option<usize>,
    /// Built-in sprites in black and white, without grey edges
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub binary: Option<bool>,
    /// All 737,280 built-in sprites, in black and white, without test rows
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub full: Option<bool>,
}

/// NAME=KIND, of which a name may hold more signs of equality.
fn column(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((name, kind)) if !name.is_empty() => Ok((name.to_string(), kind.to_string())),
        _ => Err("give the name of a column and what it is, as in age=count".to_string()),
    }
}

/// Settings of the table `[model]`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Model")]
pub struct ModelArgs {
    /// Which kind of model
    #[arg(long, value_name = "KIND")]
    pub model: Option<Architecture>,
    /// Units of each hidden layer of the encoder, from the data inwards
    #[arg(long, value_name = "N,N...", value_delimiter = ',', value_parser = whole)]
    pub hidden: Option<Vec<usize>>,
    /// Units of each hidden layer of the decoder, from the code outwards [default: the encoder's in reverse]
    #[arg(long, value_name = "N,N...", value_delimiter = ',', value_parser = whole)]
    pub decoder_hidden: Option<Vec<usize>>,
    /// Dimensions of the latent space: how many numbers a code has
    #[arg(long, value_name = "N", value_parser = whole)]
    pub latent: Option<usize>,
    /// The nonlinearity of every hidden layer
    #[arg(long, value_name = "NAME")]
    pub activation: Option<Activation>,
    /// How the distance of a row from its reconstruction is measured
    ///
    /// The density p(x|z) whose negative logarithm is the reconstruction term of the loss: bernoulli for values from 0 to 1,
    /// gaussian:sigma=0.1 for any, and more that `elbo models` lists. For a plain autoencoder (--model ae), bernoulli is
    /// binary cross-entropy, and gaussian is squared error; bce and mse are understood as well.
    #[arg(long, value_name = "NAME[:SETTING=X,...]", value_parser = Spec::from_str)]
    pub likelihood: Option<Spec>,
    /// Short for --likelihood gaussian:sigma=X, its standard deviation in the units of the data
    ///
    /// Smaller values make reconstructions sharper and codes say more.
    #[arg(long, value_name = "X")]
    pub sigma: Option<f64>,
    /// The family of densities q(z|x) that codes are drawn from; `elbo models` lists them
    #[arg(long, value_name = "NAME[:SETTING=X,...]", value_parser = Spec::from_str)]
    pub posterior: Option<Spec>,
    /// The density p(z) of codes before anything is seen; `elbo models` lists them
    #[arg(long, value_name = "NAME[:SETTING=X,...]", value_parser = Spec::from_str)]
    pub prior: Option<Spec>,
    /// What is minimised; `elbo models` lists them
    ///
    /// elbo is the negative ELBO with the KL term weighted by --beta. Others weigh parts of it, as beta-tcvae:beta=6, hold
    /// it, as free-bits:lambda=0.5, or use a tighter bound, as iwae:samples=5.
    #[arg(long, value_name = "NAME[:SETTING=X,...]", value_parser = Spec::from_str)]
    pub objective: Option<Spec>,
    /// Weight of the KL term in the loss
    ///
    /// The loss is reconstruction + beta x KL. At 1 it is the negative ELBO. Above 1, codes say less, reconstructions are
    /// coarser, and single dimensions of the code tend to stand for single properties (beta-VAE, Higgins et al. 2017).
    /// Below 1, reconstructions are sharper, and rows drawn from the model worse.
    #[arg(long, value_name = "X")]
    pub beta: Option<f64>,
    /// Weight of the classification of labelled rows in the loss (--model m2)
    ///
    /// The loss per example is the bound on what is known of it, and alpha times the mean of -ln q(y|x) over labelled rows.
    #[arg(long, value_name = "X")]
    pub alpha: Option<f64>,
    /// Dimensions of the stochastic layers above the first, from the lower to the upper [default: half of --latent]
    ///
    /// Of models that have some (--model hierarchical, ladder), where --latent is the layer nearest to the data. Two hidden layers
    /// stand below each, half as wide as those below them: with --hidden 400 --upper 32,16, of 200 and of 100 units.
    #[arg(long, value_name = "N,N...", value_delimiter = ',', value_parser = whole)]
    pub upper: Option<Vec<usize>>,
}

/// Settings of the table `[training]`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Training")]
pub struct TrainingArgs {
    /// Passes over the training rows
    #[arg(long, value_name = "N", value_parser = whole)]
    pub epochs: Option<usize>,
    /// Rows per step
    #[arg(long, value_name = "ROWS", value_parser = whole, alias = "batch-size")]
    pub batch: Option<usize>,
    /// Batches whose gradients are averaged before the weights are moved
    ///
    /// As if --batch were as many times larger, with the memory of one.
    #[arg(long, value_name = "N", value_parser = whole)]
    pub accumulate: Option<usize>,
    /// How weights are moved along their gradients; `elbo models` lists the optimisers
    #[arg(long, value_name = "NAME[:SETTING=X,...]", value_parser = Spec::from_str, alias = "optimizer")]
    pub optimiser: Option<Spec>,
    /// Size of the optimiser's steps
    #[arg(long, value_name = "X", alias = "lr")]
    pub learning_rate: Option<f64>,
    /// How the learning rate goes on after the warm-up
    #[arg(long, value_name = "NAME")]
    pub schedule: Option<Schedule>,
    /// Steps of the optimiser over which the learning rate grows from 0
    #[arg(long, value_name = "STEPS", value_parser = whole)]
    pub warmup_steps: Option<usize>,
    /// Epochs between two reductions, with --schedule step
    #[arg(long, value_name = "EPOCHS", value_parser = whole)]
    pub step_every: Option<usize>,
    /// What the learning rate is then multiplied with
    #[arg(long, value_name = "X")]
    pub step_factor: Option<f64>,
    /// Epochs over which the weight of the KL term grows from 0 to beta
    ///
    /// Helps where codes would otherwise say nothing at all (posterior collapse).
    #[arg(long, value_name = "EPOCHS", value_parser = whole)]
    pub kl_warmup_epochs: Option<usize>,
    /// Epochs after which the weight of the KL term starts over from 0; 0 for never
    ///
    /// Cyclical annealing (Fu et al. 2019): in each cycle the weight grows over --kl-warmup-epochs, then stays.
    #[arg(long, value_name = "EPOCHS", value_parser = whole)]
    pub kl_cycle_epochs: Option<usize>,
    /// The most the gradient's norm may be; longer ones are scaled down [default: no limit]
    #[arg(long, value_name = "X")]
    pub clip_norm: Option<f64>,
    /// Decay of the running mean of the weights that is used in place of them [default: none is kept]
    ///
    /// An exponential moving average, as 0.999. All figures and pictures but those of training itself are then of the mean.
    #[arg(long, value_name = "X", alias = "ema")]
    pub average: Option<f64>,
    /// Short for --optimiser adam:beta1=X, the decay of the gradient's running mean
    #[arg(long, value_name = "X")]
    pub beta1: Option<f64>,
    /// Short for --optimiser adam:beta2=X, the decay of the running mean of its square
    #[arg(long, value_name = "X")]
    pub beta2: Option<f64>,
    /// Short for --optimiser adam:epsilon=X, what is added to the denominator
    #[arg(long, value_name = "X")]
    pub epsilon: Option<f64>,
    /// Decides all that is random; the same seed gives the same run
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Epochs without a better loss of the validation rows after which training ends [default: all epochs are done]
    ///
    /// The weights of the best epoch are then those that all other commands use. Needs validation rows (--validation). The loss is the
    /// objective as it stands at the end of training: with the objective elbo and --beta 1, the negative ELBO.
    #[arg(long, value_name = "EPOCHS", value_parser = whole)]
    pub patience: Option<usize>,
    /// Steps between two records of the loss
    #[arg(long, value_name = "STEPS", value_parser = whole)]
    pub log_every: Option<usize>,
    /// Epochs between two checkpoints, from which --resume goes on
    #[arg(long, value_name = "EPOCHS", value_parser = whole)]
    pub checkpoint_every: Option<usize>,
    /// Steps sent to the device at once [default: measured]
    #[arg(long, value_name = "STEPS", value_parser = whole)]
    pub steps_per_submit: Option<usize>,
}

/// Settings of the table `[device]`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Device")]
pub struct DeviceArgs {
    /// Where to compute: auto, cpu, cpu-exact, gpu, or a number or part of a name from `elbo devices` [default: auto]
    ///
    /// `cpu-exact` adds up everything in a fixed order: a run gives the same bits on any processor, with any number of threads.
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<DeviceChoice>,
    /// Never choose kernels by timing them, so that a seed gives the same bits again
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub deterministic: Option<bool>,
}

impl ValueEnum for Architecture {
    fn value_variants<'a>() -> &'a [Architecture] {
        ARCHITECTURES
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let about = self.about();
        Some(PossibleValue::new(about.id).aliases(about.aliases).help(about.name))
    }
}
