//! Likelihoods: what a decoder's unconstrained outputs say about the data.

use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// p(x | z), factorised over features.
pub trait Likelihood: std::fmt::Debug + Send + Sync {
    /// Outputs the decoder gives per feature.
    fn outputs_per_feature(&self) -> usize;

    /// ln p(x | z) per feature, in nats. `outputs` is `[rows, outputs_per_feature·features]`, `x` and the result are
    /// `[rows, features]`.
    fn log_prob(&self, graph: &mut Graph, outputs: Tensor, x: Tensor) -> Tensor;

    /// E\[x | z\]. `[rows, features]`
    fn mean(&self, graph: &mut Graph, outputs: Tensor) -> Tensor;
}

/// x ~ Bernoulli(σ(output)), also for x between 0 and 1: then −ln p is the binary cross-entropy.
#[derive(Clone, Copy, Debug)]
pub struct Bernoulli;

impl Likelihood for Bernoulli {
    fn outputs_per_feature(&self) -> usize {
        1
    }

    fn log_prob(&self, graph: &mut Graph, outputs: Tensor, x: Tensor) -> Tensor {
        graph.call(Func::BernoulliLogProb, &[outputs, x])
    }

    fn mean(&self, graph: &mut Graph, outputs: Tensor) -> Tensor {
        graph.call(Func::Sigmoid, &[outputs])
    }
}

/// x ~ N(output, sigma²) with one fixed standard deviation.
#[derive(Clone, Copy, Debug)]
pub struct Gaussian {
    /// The standard deviation.
    pub sigma: f32,
}

impl Likelihood for Gaussian {
    fn outputs_per_feature(&self) -> usize {
        1
    }

    fn log_prob(&self, graph: &mut Graph, outputs: Tensor, x: Tensor) -> Tensor {
        let log_var = graph.constant(2.0 * self.sigma.ln());
        graph.call(Func::GaussianLogProb, &[x, outputs, log_var])
    }

    fn mean(&self, _: &mut Graph, outputs: Tensor) -> Tensor {
        outputs
    }
}

/// x ~ N(μ, σ²) with both from the decoder: the first half of its outputs are means, the second ln σ².
#[derive(Clone, Copy, Debug)]
pub struct LearnedGaussian;

/// ln σ² of data is kept in this range: σ between 0.002 and 150, or a constant pixel would earn any likelihood.
const LOG_VAR: (f32, f32) = (-12.0, 10.0);

impl Likelihood for LearnedGaussian {
    fn outputs_per_feature(&self) -> usize {
        2
    }

    fn log_prob(&self, graph: &mut Graph, outputs: Tensor, x: Tensor) -> Tensor {
        let features = graph.shape(outputs)[1] / 2;
        let mu = graph.slice(outputs, 1, 0, features);
        let log_var = graph.slice(outputs, 1, features, features);
        let log_var = graph.clamp(log_var, LOG_VAR.0, LOG_VAR.1);
        graph.call(Func::GaussianLogProb, &[x, mu, log_var])
    }

    fn mean(&self, graph: &mut Graph, outputs: Tensor) -> Tensor {
        let features = graph.shape(outputs)[1] / 2;
        graph.slice(outputs, 1, 0, features)
    }
}

/// The squared error as a loss, Σ (x − output)²: what a plain autoencoder minimises. It is a Gaussian log-density up to
/// scale and a constant, not one itself.
#[derive(Clone, Copy, Debug)]
pub struct SquaredError;

impl Likelihood for SquaredError {
    fn outputs_per_feature(&self) -> usize {
        1
    }

    fn log_prob(&self, graph: &mut Graph, outputs: Tensor, x: Tensor) -> Tensor {
        let residual = graph.sub(x, outputs);
        let square = graph.call(Func::Square, &[residual]);
        graph.neg(square)
    }

    fn mean(&self, _: &mut Graph, outputs: Tensor) -> Tensor {
        outputs
    }
}
