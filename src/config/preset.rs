//! Settings that go well together, by name.
//!
//! Settings that may be left out altogether are left out in every preset: what stands in a file is then all that decides.

mod pictures;

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
    /// Keras' convolutional VAE for 28×28 (give --data mnist): two latent dimensions, 30 epochs
    KerasConv,
    /// The convolutional VAE of the disentanglement papers, 64×64: ten latent dimensions
    Burgess,
    /// Convolutions on small colour pictures (give --data cifar): 128 latent dimensions
    Dcgan,
    /// Residual blocks on small colour pictures (give --data cifar): 128 latent dimensions
    Resnet,
}

impl Preset {
    /// All of them.
    pub const ALL: [Preset; 7] = [
        Preset::Sprites,
        Preset::Classic,
        Preset::Table,
        Preset::KerasConv,
        Preset::Burgess,
        Preset::Dcgan,
        Preset::Resnet,
    ];

    /// What it is called on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Sprites => "sprites",
            Preset::Classic => "classic",
            Preset::Table => "table",
            Preset::KerasConv => "keras-conv",
            Preset::Burgess => "burgess",
            Preset::Dcgan => "dcgan",
            Preset::Resnet => "resnet",
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
            Preset::KerasConv => pictures::keras(),
            Preset::Burgess => pictures::burgess(),
            Preset::Dcgan => pictures::dcgan(),
            Preset::Resnet => pictures::resnet(),
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
            learning_rate: 1e-3,
            kl_warmup_epochs: 0,
            ..usual.training
        },
        ..usual
    }
}
