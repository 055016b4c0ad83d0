//! The steps that are timed: a model, and random bytes for it to learn.

use std::sync::Arc;

use crate::catalogue::{Spec, build};
use crate::data::{Dataset, Shape, Values};
use crate::distributions::Bernoulli;
use crate::error::{Error, Result};
use crate::memory::asking;
use crate::models::{Model, NetworkPair, Parts, Sizes, Vae};
use crate::nn::NETWORKS;

/// A training step that is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Its name on the command line.
    pub name: &'static str,
    /// How the values of a row lie.
    pub shape: Shape,
    /// The network of the encoder; the decoder is its mirror.
    pub encoder: &'static str,
    /// Latent dimensions.
    pub latent: usize,
}

impl Workload {
    /// 784-400-20, the VAE of most tutorials.
    pub const CLASSIC: Workload =
        Workload { name: "classic", shape: row(784), encoder: "mlp:400,activation=relu", latent: 20 };
    /// 4096-1200-1200-10, the multilayer perceptron of the dSprites papers.
    pub const WIDE: Workload =
        Workload { name: "wide", shape: row(4096), encoder: "mlp:1200,1200,activation=relu", latent: 10 };
    /// Keras' convolutional example.
    pub const KERAS: Workload = Workload { name: "keras", shape: square(28, 1), encoder: "keras-conv", latent: 2 };
    /// The convolutional network of the dSprites papers, with one layer of 256 units on either side.
    pub const BURGESS: Workload =
        Workload { name: "burgess", shape: square(64, 1), encoder: "burgess:hidden=256", latent: 10 };
    /// Four convolutions on small colour pictures.
    pub const DCGAN: Workload =
        Workload { name: "dcgan", shape: square(32, 3), encoder: "dcgan:norm=none", latent: 128 };
    /// The networks of VQ-VAE, with a code of 8×8×64.
    pub const RESNET: Workload =
        Workload { name: "resnet", shape: square(32, 3), encoder: "resnet:code=spatial", latent: 4096 };

    /// What the plain VAE is made of: a Bernoulli likelihood, and all else as in Kingma and Welling 2014.
    pub fn plain() -> Parts {
        Parts::new(Arc::new(Bernoulli))
    }

    /// The plain VAE.
    pub fn model(&self) -> Box<dyn Model> {
        self.model_of(Workload::plain())
    }

    /// The network of the encoder as a setting.
    ///
    /// # Panics
    /// If it cannot be read: an error in the workload.
    pub fn network(&self) -> Spec {
        self.encoder.parse().unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// The same of other parts.
    pub fn model_of(&self, parts: Parts) -> Box<dyn Model> {
        let encoder = build(NETWORKS, &self.network()).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let networks = NetworkPair { decoder: encoder.mirror(), encoder };
        Box::new(Vae::with_networks(Sizes { shape: self.shape, condition: 0 }, self.latent, networks, parts))
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

/// Rows of so many values.
const fn row(features: usize) -> Shape {
    Shape { height: 1, width: features, channels: 1 }
}

/// Pictures of so many pixels along each axis.
const fn square(size: usize, channels: usize) -> Shape {
    Shape { height: size, width: size, channels }
}
