//! The plain autoencoder: the same networks, a deterministic code, and nothing but the reconstruction to minimise.

use std::sync::Arc;

use super::networks::Networks;
use super::{Model, Terms};
use crate::distributions::Likelihood;
use crate::graph::{Graph, Tensor};
use crate::nn::{Activation, ParameterSpec};

/// An autoencoder; its likelihood is the Bernoulli (binary cross-entropy) or the squared error.
#[derive(Clone, Debug)]
pub struct Autoencoder {
    networks: Networks,
    likelihood: Arc<dyn Likelihood>,
}

impl Autoencoder {
    /// An autoencoder over `features` values with a code of `latent`; `hidden` are the encoder's widths and the
    /// decoder's.
    pub fn new(
        features: usize,
        latent: usize,
        hidden: (&[usize], &[usize]),
        activation: Activation,
        likelihood: Arc<dyn Likelihood>,
    ) -> Autoencoder {
        let outputs = likelihood.outputs_per_feature();
        Autoencoder { networks: Networks::new((features, latent), hidden, activation, (1, outputs)), likelihood }
    }
}

impl Model for Autoencoder {
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
        let mu = self.networks.encode(graph, x);
        let outputs = self.networks.decode(graph, mu);
        let log_prob = self.likelihood.log_prob(graph, outputs, x);
        let log_prob = graph.sum_rows(log_prob);
        let loss = graph.neg(log_prob);
        Terms { loss, reconstruction: loss, kl: None, mu }
    }

    fn encode(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        self.networks.encode(graph, x)
    }

    fn decode(&self, graph: &mut Graph, z: Tensor) -> Tensor {
        let outputs = self.networks.decode(graph, z);
        self.likelihood.mean(graph, outputs)
    }

    fn is_generative(&self) -> bool {
        false
    }
}
