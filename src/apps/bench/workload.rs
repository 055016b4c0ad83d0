//! The steps that are timed: a model, and random bytes for it to learn.

use crate::config::{Config, Layer, ModelConfig, Named, Preset, TrainingConfig};
use crate::data::{Dataset, Shape, Values};
use crate::error::{Error, Result};
use crate::memory::asking;
use crate::models::{Model, RowForm};

/// A training step that is timed.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Its name on the command line.
    pub name: &'static str,
    /// How the values of a row lie.
    pub shape: Shape,
    /// The model, and how it is trained but for the rows of a step.
    pub config: fn() -> Config,
}

impl Workload {
    /// 784-400-20, the VAE of most tutorials.
    pub const CLASSIC: Workload = Workload { name: "classic", shape: row(784), config: || Preset::Classic.config() };
    /// 4096-1200-1200-10, the multilayer perceptron of the dSprites papers.
    pub const WIDE: Workload =
        Workload { name: "wide", shape: row(4096), config: || Workload::vae("mlp:1200,1200,activation=relu", 10) };
    /// Keras' convolutional example.
    pub const KERAS: Workload =
        Workload { name: "keras", shape: square(28, 1), config: || Workload::vae("keras-conv", 2) };
    /// The convolutional network of the dSprites papers, with one layer of 256 units on either side.
    pub const BURGESS: Workload =
        Workload { name: "burgess", shape: square(64, 1), config: || Workload::vae("burgess:hidden=256", 10) };
    /// Four convolutions on small colour pictures.
    pub const DCGAN: Workload =
        Workload { name: "dcgan", shape: square(32, 3), config: || Workload::vae("dcgan:norm=none", 128) };
    /// The networks of VQ-VAE, with a code of 8×8×64.
    pub const RESNET: Workload =
        Workload { name: "resnet", shape: square(32, 3), config: || Workload::vae("resnet:code=spatial", 4096) };
    /// Generator and discriminator of three convolutions each, on small colour pictures.
    pub const GAN: Workload = Workload { name: "gan", shape: square(32, 3), config: || adversarial("gan", 100) };
    /// Encoder, decoder and discriminator of three convolutions each, on small colour pictures.
    pub const VAE_GAN: Workload =
        Workload { name: "vae-gan", shape: square(32, 3), config: || adversarial("vae-gan", 128) };
    /// The very deep VAE of the preset, on small colour pictures.
    pub const VERY_DEEP: Workload =
        Workload { name: "very-deep", shape: square(32, 3), config: || Preset::VeryDeep.config() };
    /// Every step.
    pub const ALL: [Workload; 9] = [
        Workload::CLASSIC,
        Workload::WIDE,
        Workload::KERAS,
        Workload::BURGESS,
        Workload::DCGAN,
        Workload::RESNET,
        Workload::GAN,
        Workload::VAE_GAN,
        Workload::VERY_DEEP,
    ];

    /// The classic VAE with another network and code.
    ///
    /// # Panics
    /// If the network cannot be read: an error in the workload.
    pub fn vae(encoder: &str, latent: usize) -> Config {
        let classic = Preset::Classic.config();
        Config { model: ModelConfig { encoder: read(encoder), latent, ..classic.model }, ..classic }
    }

    /// What learns.
    pub fn model_config(&self) -> ModelConfig {
        (self.config)().model
    }

    /// How it learns, with so many rows a step.
    pub fn training(&self, batch: usize) -> TrainingConfig {
        TrainingConfig { batch, ..(self.config)().training }
    }

    /// What learns, ready to be trained.
    ///
    /// # Errors
    /// If one of its settings cannot be read: an error in the workload.
    pub fn model(&self) -> Result<Box<dyn Model>> {
        self.model_of(&self.model_config())
    }

    /// The same of another model for its rows.
    ///
    /// # Errors
    /// If one of its settings cannot be read.
    pub fn model_of(&self, model: &ModelConfig) -> Result<Box<dyn Model>> {
        (model.kind.build)(model, RowForm { schema: &self.shape.into(), condition: 0 })
    }

    /// Eight batches of random bytes.
    ///
    /// # Errors
    /// If they do not fit this machine's memory, once for the host and once for the device.
    pub fn data(&self, batch: usize) -> Result<Dataset> {
        let len = batch.saturating_mul(8 * self.shape.features());
        let mut system = sysinfo::System::new();
        system.refresh_memory();
        let mut bytes = Vec::new();
        if len as u64 > system.available_memory() / 2 || asking(|| bytes.try_reserve_exact(len)).is_err() {
            return Err(Error::Device(format!(
                "a batch of {batch} rows of the step `{}` is too large: its data takes {} MiB of memory twice over, and \
                 this machine has {} MiB; give a smaller --batch",
                self.name,
                len.div_ceil(1 << 20),
                system.available_memory() >> 20
            )));
        }
        bytes.extend((0..len).map(|i| ((i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8));
        Dataset::new("random bytes", Values::Bytes(bytes), self.shape)
    }
}

/// A model with a discriminator, which has the encoder's network, trained as is usual for it.
fn adversarial(kind: &str, latent: usize) -> Config {
    let mut given = Layer::default();
    given.model.kind = Some(read(kind));
    given.model.encoder = Some(read("dcgan:channels=64,128,256,norm=batch,activation=leaky-relu"));
    given.model.latent = Some(latent);
    let mut config = Preset::Classic.config();
    let fitted = given.lay_over_and_fit(&mut config, &Named::default());
    fitted.unwrap_or_else(|error| panic!("{kind}: {error}"));
    config
}

/// What a word of the workloads stands for.
fn read<T: std::str::FromStr<Err: std::fmt::Display>>(word: &str) -> T {
    word.parse().unwrap_or_else(|error| panic!("{word}: {error}"))
}

/// Rows of so many values.
const fn row(features: usize) -> Shape {
    Shape { height: 1, width: features, channels: 1 }
}

/// Pictures of so many pixels along each axis.
const fn square(size: usize, channels: usize) -> Shape {
    Shape { height: size, width: size, channels }
}
