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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distributions::Bernoulli;
    use crate::graph::eval::{Values, evaluate};

    #[test]
    fn the_loss_is_what_the_reconstruction_costs() {
        // All weights are 0 but the decoder's last biases: the logits are 1 and -1 whatever the row.
        let model = Autoencoder::new(2, 1, (&[3], &[3]), Activation::Tanh, Arc::new(Bernoulli));
        let (mut graph, mut values) = (Graph::new(), Values::default());
        for spec in model.parameters() {
            let logits = spec.name == "decoder.1.bias";
            let zeros = vec![0.0; spec.shape.iter().product()];
            values.tensors.insert(spec.name, if logits { vec![1.0, -1.0] } else { zeros });
        }
        let x = graph.input("x", &[2, 2]);
        values.tensors.insert("x".to_string(), vec![1.0, 0.25, 0.0, 1.0]);
        let batch = Batch::whole(&mut graph, x);
        let terms = model.terms(&mut graph, &batch);
        assert!(terms.kl.is_none());
        // ln(1 + e) - 1 + ln(1 + 1/e) + 1/4, and ln(1 + e) + ln(1 + 1/e) + 1.
        let found = evaluate(&graph, &values, &[terms.loss, terms.reconstruction]);
        for loss in &found {
            let off = [loss[0] - 0.876_523_4, loss[1] - 2.626_523_4];
            assert!(loss.len() == 2 && off.iter().all(|off| off.abs() < 1e-6), "{loss:?}");
        }
    }
}
