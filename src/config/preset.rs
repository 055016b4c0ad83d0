//! Settings that go well together, by name.
//!
//! Settings that may be left out altogether are left out in every preset: what stands in a file is then all that decides.

mod pictures;

pub(super) use pictures::convolutions;

use serde::{Deserialize, Serialize};

use super::{Config, DataConfig, ModelConfig, Schedule, TrainingConfig};
use crate::catalogue::Spec;
use crate::models::perceptron;
use crate::nn::Activation;

/// A named set of settings; those that are given otherwise replace its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// For the built-in sprites: minutes on a processor
    #[default]
    Sprites,
    /// The classic VAE on MNIST (give --data): 784-400-20, ReLU, batches of 128, 10 epochs
    Classic,
    /// For tables (give --data): two layers and SiLU, ten dimensions, a learned spread of every column, 200 epochs
    Table,
    /// For pictures that are nearly black and white, such as digits: Bernoulli, 20 dimensions
    Drawings,
    /// For grey pictures: Gaussian with a learned spread, 16 dimensions
    Grey,
    /// For colour pictures: Gaussian with a learned spread, 64 dimensions
    Colour,
    /// For vectors of numbers: a learned spread of every number, eight dimensions
    Vectors,
    /// Keras' convolutional VAE for 28×28 (give --data mnist): two latent dimensions, 30 epochs
    KerasConv,
    /// The convolutional VAE of the disentanglement papers, 64×64: ten latent dimensions
    Burgess,
    /// Convolutions on small colour pictures (give --data cifar): 128 latent dimensions
    Dcgan,
    /// Residual blocks on small colour pictures (give --data cifar): 128 latent dimensions
    Resnet,
    /// Quantised codes of small colour pictures (give --data cifar): 64 vectors of 64 numbers, each one of 512
    VqVae,
    /// Many stochastic layers along a convolutional network, on small colour pictures (give --data cifar)
    VeryDeep,
}

impl Preset {
    /// All of them.
    pub const ALL: [Preset; 13] = [
        Preset::Sprites,
        Preset::Classic,
        Preset::Table,
        Preset::Drawings,
        Preset::Grey,
        Preset::Colour,
        Preset::Vectors,
        Preset::KerasConv,
        Preset::Burgess,
        Preset::Dcgan,
        Preset::Resnet,
        Preset::VqVae,
        Preset::VeryDeep,
    ];

    /// What it is called on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Sprites => "sprites",
            Preset::Classic => "classic",
            Preset::Table => "table",
            Preset::Drawings => "drawings",
            Preset::Grey => "grey",
            Preset::Colour => "colour",
            Preset::Vectors => "vectors",
            Preset::KerasConv => "keras-conv",
            Preset::Burgess => "burgess",
            Preset::Dcgan => "dcgan",
            Preset::Resnet => "resnet",
            Preset::VqVae => "vq-vae",
            Preset::VeryDeep => "very-deep",
        }
    }

    /// Its settings: those that are declared as usual, but for what it changes.
    ///
    /// The usual ones are for the built-in sprites at 32×32: two layers and SiLU for their sharp, moving outlines; eight latent
    /// dimensions, a few more than the five factors they are made from. The KL term grows over the first quarter of the run, the
    /// learning rate falls along a cosine, and Adam forgets faster than usual, which together bring the negative ELBO on the test
    /// rows from 43 nats (20 epochs at constant rates) to 38.
    pub fn config(self) -> Config {
        let usual = Config::default();
        match self {
            Preset::Sprites => usual,
            Preset::Classic => classic(usual),
            Preset::Table => table(usual),
            Preset::Drawings => learner(self, (&[512, 256], 20, Spec::new("bernoulli")), usual),
            Preset::Grey => learner(self, (&[512, 256], 16, Spec::new("gaussian-shared").with("start", 0.2)), usual),
            Preset::Colour => learner(self, (&[512, 256], 64, Spec::new("gaussian-shared").with("start", 0.2)), usual),
            Preset::Vectors => learner(self, (&[128, 128], 8, Spec::new("gaussian-learned")), usual),
            Preset::KerasConv => pictures::keras(),
            Preset::Burgess => pictures::burgess(),
            Preset::Dcgan => pictures::dcgan(),
            Preset::Resnet => pictures::resnet(),
            Preset::VqVae => pictures::vq_vae(),
            Preset::VeryDeep => pictures::very_deep(),
        }
    }
}

/// The VAE of most tutorials, on MNIST: one layer of 400 units, 20 latent dimensions, ReLU, Bernoulli on grey pixels, batches
/// of 128, Adam at 0.001, 10 epochs over all 60,000 training rows. These are the settings of the VAE among PyTorch's examples
/// (<https://github.com/pytorch/examples/tree/main/vae>), after Kingma & Welling 2014 (<https://arxiv.org/abs/1312.6114>), so
/// results can be held against other implementations. Without `--data` it learns the built-in sprites in MNIST's 28×28.
fn classic(usual: Config) -> Config {
    Config {
        preset: Preset::Classic,
        data: DataConfig { resolution: 28, ..usual.data },
        model: ModelConfig { encoder: perceptron(&[400], Activation::Relu), latent: 20, ..usual.model },
        training: TrainingConfig {
            epochs: 10,
            optimiser: Spec::new("adam"),
            learning_rate: 1e-3,
            schedule: Schedule::Constant,
            kl_warmup_epochs: 0,
            ..usual.training
        },
        ..usual
    }
}

/// For the lines of a table: networks that are small beside pictures', and a Gaussian whose spread the decoder says for every
/// column, since columns of one table differ in how well others tell them.
fn table(usual: Config) -> Config {
    Config {
        preset: Preset::Table,
        model: ModelConfig {
            encoder: perceptron(&[128, 128], Activation::Silu),
            latent: 10,
            likelihood: Spec::new("gaussian-learned"),
            ..usual.model
        },
        training: TrainingConfig {
            epochs: 200,
            optimiser: Spec::new("adam"),
            learning_rate: 2e-3,
            kl_warmup_epochs: 0,
            ..usual.training
        },
        ..usual
    }
}

/// For data that is not known beforehand: hidden layers of these sizes with SiLU, so many latent dimensions, a likelihood. Adam at a
/// rate that falls along a cosine, and a KL term that grows over the first fifth of the run. At twice of it, colour pictures
/// diverge. Codes say nothing before a spread that is learnt has found its size, so it starts near what pictures end with.
fn learner(preset: Preset, (hidden, latent, likelihood): (&[usize], usize, Spec), usual: Config) -> Config {
    Config {
        preset,
        model: ModelConfig { encoder: perceptron(hidden, Activation::Silu), latent, likelihood, ..usual.model },
        training: TrainingConfig {
            epochs: 50,
            optimiser: Spec::new("adam"),
            learning_rate: 2e-3,
            kl_warmup_epochs: 10,
            ..usual.training
        },
        ..usual
    }
}
