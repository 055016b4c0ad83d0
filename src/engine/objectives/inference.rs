//! What a model says of a batch, before an objective makes a loss of it.

use super::BETA;
use crate::distributions::{Encoder, Posterior, Prior};
use crate::graph::Tensor;

/// A batch, encoded, sampled and decoded.
///
/// All of it are tensors of a graph; what an objective leaves unused is never computed.
#[derive(Clone, Copy, Debug)]
pub struct Inference<'a, 'g> {
    /// The family of the posterior.
    pub posterior: &'a dyn Posterior,
    /// The prior.
    pub prior: &'a dyn Prior,
    /// The encoder, of which the prior may be made.
    pub encoder: Encoder<'a>,
    /// What the encoder gives `[rows, outputs]`.
    pub outputs: Tensor<'g>,
    /// The same once for each code, which is made of its own copy `[rows·samples, outputs]`: gradients of codes are told apart here. Of
    /// several stochastic layers they are those of the first, and nothing asks for them.
    pub outputs_of_codes: Tensor<'g>,
    /// The codes `[rows·samples, latent]`, those of one row behind each other.
    pub z: Tensor<'g>,
    /// ln p(x | z), in nats `[rows, samples]`.
    pub log_likelihood: Tensor<'g>,
    /// ln p(z), in nats `[rows, samples]`.
    pub log_prior: Tensor<'g>,
    /// ln q(z | x), in nats `[rows, samples]`.
    pub log_posterior: Tensor<'g>,
    /// KL(q(z | x) ‖ p(z)), in nats: per dimension, or per variable of several, `[rows, latent]` where there is a
    /// closed form, else estimated from the samples `[rows, 1]`; of several stochastic layers, those of all behind each other.
    pub kl: Tensor<'g>,
    /// The weight of each row in a mean over the live ones `[rows, 1]`.
    pub weights: Tensor<'g>,
    /// Examples in the data set that the batch is from.
    pub count: usize,
}

impl<'g> Inference<'_, 'g> {
    /// Rows of the batch, padding included.
    pub fn rows(&self) -> usize {
        self.outputs.shape()[0]
    }

    /// Codes per row.
    pub fn samples(&self) -> usize {
        self.log_likelihood.shape()[1]
    }

    /// Latent dimensions.
    pub fn latent(&self) -> usize {
        self.z.shape()[1]
    }

    /// E_q\[−ln p(x | z)\]. `[rows, 1]`
    pub fn reconstruction(&self) -> Tensor<'g> {
        -self.log_likelihood.mean(&[1])
    }

    /// ln p(x, z) − ln q(z | x) of every code. `[rows, samples]`
    pub fn log_weights(&self) -> Tensor<'g> {
        self.log_likelihood + (self.log_prior - self.log_posterior)
    }

    /// The whole KL of each row. `[rows, 1]`
    pub fn kl_of_rows(&self) -> Tensor<'g> {
        self.kl.sum_rows()
    }

    /// The mean over the live rows: `[rows, n]` to `[1, n]`.
    pub fn batch_mean(&self, t: Tensor<'g>) -> Tensor<'g> {
        (t * self.weights).sum(&[0])
    }

    /// What belongs to the batch as a whole `[1, 1]`, in every row `[rows, 1]`: the mean over live rows is itself.
    pub fn in_every_row(&self, t: Tensor<'g>) -> Tensor<'g> {
        t.expand(&[self.rows(), 1])
    }

    /// The means of the posteriors. `[rows, latent]`
    pub fn mu(&self) -> Tensor<'g> {
        self.posterior.mean(self.outputs)
    }

    /// β·t, β being the scalar [`BETA`].
    pub fn weighted_by_beta(&self, t: Tensor<'g>) -> Tensor<'g> {
        t * t.graph().scalar(BETA)
    }
}
