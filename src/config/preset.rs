//! Settings that go well together, by name.
//!
//! Settings that may be left out altogether are left out in every preset: what stands in a file is then all that decides.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Binarise, Config, DataConfig, DeviceChoice, DeviceConfig, ModelConfig, Schedule, TrainingConfig};
use crate::catalogue::Spec;
use crate::data::Condition;
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
}

impl Preset {
    /// All of them.
    pub const ALL: [Preset; 3] = [Preset::Sprites, Preset::Classic, Preset::Table];

    /// What it is called on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Sprites => "sprites",
            Preset::Classic => "classic",
            Preset::Table => "table",
        }
    }

    /// Its settings.
    pub fn config(self) -> Config {
        match self {
            Preset::Sprites => sprites(),
            Preset::Classic => classic(),
            Preset::Table => table(),
        }
    }
}

/// For the built-in sprites at 32×32: two layers and SiLU for their sharp, moving outlines; eight latent dimensions, a few
/// more than the five factors they are made from. The KL term grows over the first quarter of the run, the learning rate falls
/// along a cosine, and Adam forgets faster than usual, which together bring the negative ELBO on the test rows from 43 nats (20
/// epochs at constant rates) to 38.
fn sprites() -> Config {
    Config {
        preset: Preset::Sprites,
        data: DataConfig {
            source: "sprites".to_owned(),
            validation: 0,
            binarise: Binarise::Never,
            condition: Condition::Labels,
            labels: None,
            label: None,
            ignore: vec![],
            columns: BTreeMap::new(),
            size: None,
            resolution: 32,
            count: None,
            binary: false,
            full: false,
        },
        model: ModelConfig::default(),
        training: TrainingConfig {
            learning_rate: 0.004,
            schedule: Schedule::Cosine,
            kl_warmup_epochs: 15,
            optimiser: Spec::new("adam").with("beta2", 0.98),
            ..training(60)
        },
        device: DeviceConfig { device: DeviceChoice::Auto, deterministic: false },
        first_stage: None,
    }
}

/// The VAE of most tutorials, on MNIST: one layer of 400 units, 20 latent dimensions, ReLU, Bernoulli on grey pixels, batches
/// of 128, Adam at 0.001, 10 epochs over all 60,000 training rows. These are the settings of the VAE among PyTorch's examples
/// (<https://github.com/pytorch/examples/tree/main/vae>), after Kingma & Welling 2014 (<https://arxiv.org/abs/1312.6114>), so
/// results can be held against other implementations. Without `--data` it learns the built-in sprites in MNIST's 28×28.
fn classic() -> Config {
    let sprites = sprites();
    Config {
        preset: Preset::Classic,
        data: DataConfig { resolution: 28, ..sprites.data },
        model: ModelConfig { hidden: vec![400], latent: 20, activation: Activation::Relu, ..sprites.model },
        training: training(10),
        ..sprites
    }
}

/// For the lines of a table: networks that are small beside pictures', and a Gaussian whose spread the decoder says for every
/// column, since columns of one table differ in how well others tell them.
fn table() -> Config {
    let sprites = sprites();
    Config {
        preset: Preset::Table,
        model: ModelConfig {
            hidden: vec![128, 128],
            latent: 10,
            likelihood: Spec::new("gaussian-learned"),
            ..sprites.model
        },
        training: TrainingConfig { schedule: Schedule::Cosine, ..training(200) },
        ..sprites
    }
}

fn training(epochs: usize) -> TrainingConfig {
    TrainingConfig {
        epochs,
        batch: 128,
        accumulate: 1,
        optimiser: Spec::new("adam"),
        learning_rate: 1e-3,
        schedule: Schedule::Constant,
        warmup_steps: 0,
        step_every: 10,
        step_factor: 0.5,
        kl_warmup_epochs: 0,
        kl_cycle_epochs: 0,
        clip_norm: None,
        average: None,
        beta1: None,
        beta2: None,
        epsilon: None,
        seed: 0,
        patience: None,
        log_every: 50,
        checkpoint_every: 1,
        steps_per_submit: None,
    }
}
