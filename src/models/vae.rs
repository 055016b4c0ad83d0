//! The variational autoencoder (Kingma and Welling 2014; with β ≠ 1, Higgins et al. 2017).
//!
//! −ELBO = E_q[−ln p(x | z)] + β·KL(q(z | x) ‖ N(0, I)), with one reparameterised sample per example.

use std::sync::Arc;

use super::networks::Networks;
use super::{BETA, Model, Terms};
use crate::distributions::{DiagonalGaussian, Likelihood};
use crate::graph::{Graph, Tensor};
use crate::nn::{Activation, ParameterSpec};

/// A VAE with a diagonal Gaussian posterior and a standard normal prior.
#[derive(Clone, Debug)]
pub struct Vae {
    networks: Networks,
    likelihood: Arc<dyn Likelihood>,
}

impl Vae {
    /// A VAE over `features` values with `latent` dimensions; `hidden` are the encoder's widths and the decoder's.
    pub fn new(
        features: usize,
        latent: usize,
        hidden: (&[usize], &[usize]),
        activation: Activation,
        likelihood: Arc<dyn Likelihood>,
    ) -> Vae {
        let outputs = likelihood.outputs_per_feature();
        Vae { networks: Networks::new((features, latent), hidden, activation, (2, outputs)), likelihood }
    }

    /// The posterior q(z | x).
    pub fn posterior(&self, graph: &mut Graph, x: Tensor) -> DiagonalGaussian {
        let outputs = self.networks.encode(graph, x);
        DiagonalGaussian::from_outputs(graph, outputs)
    }

    /// The terms for given noise `eps` `[rows, latent]`.
    pub fn terms_with(&self, graph: &mut Graph, x: Tensor, eps: Tensor) -> Terms {
        let posterior = self.posterior(graph, x);
        let z = posterior.rsample(graph, eps);
        let outputs = self.networks.decode(graph, z);
        let log_prob = self.likelihood.log_prob(graph, outputs, x);
        let log_prob = graph.sum_rows(log_prob);
        let reconstruction = graph.neg(log_prob);
        let kl = posterior.kl(graph);
        let kl_row = graph.sum_rows(kl);
        let beta = graph.scalar(BETA);
        let weighted = graph.mul(kl_row, beta);
        let loss = graph.add(reconstruction, weighted);
        Terms { loss, reconstruction, kl: Some(kl), mu: posterior.mu }
    }
}

impl Model for Vae {
    fn features(&self) -> usize {
        self.networks.features()
    }

    fn latent(&self) -> usize {
        self.networks.latent()
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        self.networks.parameters()
    }

    fn terms(&self, graph: &mut Graph, x: Tensor) -> Terms {
        let rows = graph.shape(x)[0];
        let stream = graph.stream();
        let eps = graph.normal(stream, &[rows, self.latent()]);
        self.terms_with(graph, x, eps)
    }

    fn encode(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        self.posterior(graph, x).mu
    }

    fn decode(&self, graph: &mut Graph, z: Tensor) -> Tensor {
        let outputs = self.networks.decode(graph, z);
        self.likelihood.mean(graph, outputs)
    }

    fn is_generative(&self) -> bool {
        true
    }
}
