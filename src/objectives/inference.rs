//! What a model says of a batch, before an objective makes a loss of it.

use super::BETA;
use crate::distributions::{Encoder, Posterior, Prior};
use crate::graph::{Graph, Tensor};

/// A batch, encoded, sampled and decoded.
///
/// All of it are tensors of a graph; what an objective leaves unused is never computed.
#[derive(Clone, Copy, Debug)]
pub struct Inference<'a> {
    /// The family of the posterior.
    pub posterior: &'a dyn Posterior,
    /// The prior.
    pub prior: &'a dyn Prior,
    /// The encoder, of which the prior may be made.
    pub encoder: Encoder<'a>,
    /// What the encoder gives `[rows, outputs]`.
    pub outputs: Tensor,
    /// The codes `[rows·samples, latent]`, those of one row behind each other.
    pub z: Tensor,
    /// ln p(x | z), in nats `[rows, samples]`.
    pub log_likelihood: Tensor,
    /// ln p(z), in nats `[rows, samples]`.
    pub log_prior: Tensor,
    /// ln q(z | x), in nats `[rows, samples]`.
    pub log_posterior: Tensor,
    /// KL(q(z | x) ‖ p(z)), in nats: per dimension, or per variable of several, `[rows, latent]` where there is a
    /// closed form, else estimated from the samples `[rows, 1]`; of several stochastic layers, those of all behind each other.
    pub kl: Tensor,
    /// The weight of each row in a mean over the live ones `[rows, 1]`.
    pub weights: Tensor,
    /// Examples in the data set that the batch is from.
    pub count: usize,
}

impl Inference<'_> {
    /// Rows of the batch, padding included.
    pub fn rows(&self, graph: &Graph) -> usize {
        graph.shape(self.outputs)[0]
    }

    /// Codes per row.
    pub fn samples(&self, graph: &Graph) -> usize {
        graph.shape(self.log_likelihood)[1]
    }

    /// Latent dimensions.
    pub fn latent(&self, graph: &Graph) -> usize {
        graph.shape(self.z)[1]
    }

    /// The mean over samples of `[rows, samples]`. `[rows, 1]`
    pub fn mean_over_samples(&self, graph: &mut Graph, t: Tensor) -> Tensor {
        let samples = graph.shape(t)[1];
        let sum = graph.sum(t, &[1]);
        graph.scale(sum, 1.0 / samples as f32)
    }

    /// E_q\[−ln p(x | z)\]. `[rows, 1]`
    pub fn reconstruction(&self, graph: &mut Graph) -> Tensor {
        let mean = self.mean_over_samples(graph, self.log_likelihood);
        graph.neg(mean)
    }

    /// The whole KL of each row. `[rows, 1]`
    pub fn kl_of_rows(&self, graph: &mut Graph) -> Tensor {
        graph.sum_rows(self.kl)
    }

    /// The mean over the live rows: `[rows, n]` to `[1, n]`.
    pub fn batch_mean(&self, graph: &mut Graph, t: Tensor) -> Tensor {
        let weighted = graph.mul(t, self.weights);
        graph.sum(weighted, &[0])
    }

    /// What belongs to the batch as a whole `[1, 1]`, in every row `[rows, 1]`: the mean over live rows is itself.
    pub fn in_every_row(&self, graph: &mut Graph, t: Tensor) -> Tensor {
        let rows = self.rows(graph);
        graph.expand(t, &[rows, 1])
    }

    /// The means of the posteriors. `[rows, latent]`
    pub fn mu(&self, graph: &mut Graph) -> Tensor {
        self.posterior.mean(graph, self.outputs)
    }

    /// β·t, β being the scalar [`BETA`].
    pub fn weighted_by_beta(&self, graph: &mut Graph, t: Tensor) -> Tensor {
        let beta = graph.scalar(BETA);
        graph.mul(t, beta)
    }
}
