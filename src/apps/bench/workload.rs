//! The steps that are timed: a model, and random bytes for it to learn.

use std::sync::Arc;

use crate::data::{Dataset, Shape, Values};
use crate::distributions::Bernoulli;
use crate::error::Result;
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

    /// The model: a VAE with ReLU and a Bernoulli likelihood.
    pub fn model(&self) -> Box<dyn Model> {
        let back: Vec<usize> = self.hidden.iter().rev().copied().collect();
        let parts = Parts::new(Arc::new(Bernoulli));
        Box::new(Vae::new(self.features, self.latent, (self.hidden, &back), Activation::Relu, parts))
    }

    /// Eight batches of random bytes.
    pub fn data(&self, batch: usize) -> Result<Dataset> {
        let rows = 8 * batch;
        let bytes =
            (0..rows * self.features).map(|i| ((i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect();
        let shape = Shape { height: 1, width: self.features, channels: 1 };
        Dataset::new("random bytes", Values::Bytes(bytes), shape)
    }
}
