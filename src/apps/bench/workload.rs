//! The steps that are timed: a model, and random bytes for it to learn.

use std::sync::Arc;

use crate::data::{Dataset, Shape, Values};
use crate::distributions::Bernoulli;
use crate::error::{Error, Result};
use crate::models::{Model, Parts, Vae};
use crate::nn::Activation;

/// A training step that is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Its name on the command line.
    pub name: &'static str,
    /// Values per row.
    pub features: usize,
    /// Hidden widths of the encoder.
    pub hidden: &'static [usize],
    /// Latent dimensions.
    pub latent: usize,
}

impl Workload {
    /// 784-400-20, the VAE of most tutorials.
    pub const CLASSIC: Workload = Workload { name: "classic", features: 784, hidden: &[400], latent: 20 };
    /// 4096-1200-1200-10, the multilayer perceptron of the dSprites papers.
    pub const WIDE: Workload = Workload { name: "wide", features: 4096, hidden: &[1200, 1200], latent: 10 };

    /// What the plain VAE is made of: a Bernoulli likelihood, and all else as in Kingma and Welling 2014.
    pub fn plain() -> Parts {
        Parts::new(Arc::new(Bernoulli))
    }

    /// The plain VAE, with ReLU.
    pub fn model(&self) -> Box<dyn Model> {
        self.model_of(Workload::plain())
    }

    /// The same of other parts.
    pub fn model_of(&self, parts: Parts) -> Box<dyn Model> {
        let back: Vec<usize> = self.hidden.iter().rev().copied().collect();
        Box::new(Vae::new(self.features, self.latent, (self.hidden, &back), Activation::Relu, parts))
    }

    /// Eight batches of random bytes.
    ///
    /// # Errors
    /// If they do not fit this machine's memory, once for the host and once for the device.
    pub fn data(&self, batch: usize) -> Result<Dataset> {
        let len = batch.saturating_mul(8 * self.features);
        let mut system = sysinfo::System::new();
        system.refresh_memory();
        let mut bytes = Vec::new();
        if len as u64 > system.available_memory() / 2 || bytes.try_reserve_exact(len).is_err() {
            return Err(Error::Device(format!(
                "a batch of {batch} rows of the step `{}` is too large: its data takes {} MiB of memory twice over, and \
                 this machine has {} MiB; give a smaller --batch",
                self.name,
                len.div_ceil(1 << 20),
                system.available_memory() >> 20
            )));
        }
        bytes.extend((0..len).map(|i| ((i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8));
        let shape = Shape { height: 1, width: self.features, channels: 1 };
        Dataset::new("random bytes", Values::Bytes(bytes), shape)
    }
}
