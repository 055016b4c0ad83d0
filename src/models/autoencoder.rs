//! The plain autoencoder: the same networks, a deterministic code, and nothing but the reconstruction to minimise.

use std::sync::Arc;

use super::networks::Networks;
use super::{Batch, Model, Rows, Terms};
use crate::catalogue::{About, Kind};
use crate::distributions::{Likelihood, Measure};
use crate::graph::{Graph, Tensor};
use crate::nn::{Activation, ParameterSpec};

/// The model `ae`.
pub(super) static ABOUT: About = About {
    kind: Kind::Model,
    id: "ae",
    aliases: &[],
    name: "plain autoencoder: codes are points, and only the reconstruction is learnt",
    formula: "−ln p(x|f(x)), or Σ (x − g(f(x)))²",
    source: "Hinton & Salakhutdinov 2006",
    settings: &[],
    example: "elbo train --model ae --likelihood mse",
};

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
        let widths = (latent, likelihood.outputs_per_feature() * features);
        Autoencoder { networks: Networks::new((features, latent, 0), hidden, activation, widths), likelihood }
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
        let mut all = self.networks.parameters();
        all.extend(self.likelihood.parameters(self.features()));
        all
    }

    fn measure(&self, black_and_white: bool) -> Measure {
        Measure::of(self.likelihood.support(), black_and_white)
    }

    fn terms(&self, graph: &mut Graph, batch: &Batch) -> Terms {
        let mu = self.networks.encode(graph, batch.rows);
        let outputs = self.networks.decode(graph, mu, None);
        let log_prob = self.likelihood.log_prob(graph, outputs, batch.rows.x);
        let log_prob = graph.sum_rows(log_prob);
        let loss = graph.neg(log_prob);
        Terms { loss, reconstruction: loss, kl: None, mu, parts: vec![], reweigh: None }
    }

    fn score(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        let batch = Batch::whole(graph, rows);
        self.terms(graph, &batch).loss
    }

    fn log_weights(&self, _: &mut Graph, _: Rows, _: usize) -> Option<Tensor> {
        None
    }

    fn draw_code(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        self.encode(graph, rows)
    }

    fn encode(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        self.networks.encode(graph, rows)
    }

    fn decode(&self, graph: &mut Graph, z: Tensor, _: Option<Tensor>) -> Tensor {
        let outputs = self.networks.decode(graph, z, None);
        self.likelihood.mean(graph, outputs)
    }

    fn prior_sample(&self, _: &mut Graph, _: usize) -> Option<Tensor> {
        None
    }
}
