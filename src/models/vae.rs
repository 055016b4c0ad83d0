//! The variational autoencoder, put together from a likelihood, a posterior, a prior and an objective.
//!
//! An encoder says which posterior q(z | x) an example has, codes are drawn from it, and a decoder says what they mean:
//! p(x | z). The objective weighs what comes of that; the plainest is −ELBO = E_q[−ln p(x | z)] + KL(q(z | x) ‖ p(z))
//! (Kingma and Welling 2014).

use std::sync::Arc;

use super::networks::{Networks, repeat};
use super::{Batch, DrawnCodes, Model, Rows, Terms};
use crate::catalogue::{About, Kind};
use crate::distributions::{
    Codes, DiagonalGaussian, Encode, Encoder, Likelihood, Measure, Posterior, Prior, StandardNormal,
};
use crate::graph::{Graph, Tensor};
use crate::nn::{Activation, ParameterSpec};
use crate::objectives::{Elbo, Inference, Objective};

/// What a VAE is made of besides its networks.
#[derive(Clone, Debug)]
pub struct Parts {
    /// p(x | z).
    pub likelihood: Arc<dyn Likelihood>,
    /// q(z | x).
    pub posterior: Arc<dyn Posterior>,
    /// p(z).
    pub prior: Arc<dyn Prior>,
    /// What is minimised.
    pub objective: Arc<dyn Objective>,
}

impl Parts {
    /// The VAE of Kingma and Welling 2014 with this likelihood: a diagonal Gaussian posterior, a standard normal prior, the
    /// ELBO.
    pub fn new(likelihood: Arc<dyn Likelihood>) -> Parts {
        Parts {
            likelihood,
            posterior: Arc::new(DiagonalGaussian),
            prior: Arc::new(StandardNormal),
            objective: Arc::new(Elbo),
        }
    }

    /// Whether KL(q(z | x) ‖ p(z)) of so many dimensions has a closed form; else it is estimated from the codes that are
    /// drawn.
    pub fn kl_is_closed_form(&self, latent: usize) -> bool {
        let mut graph = Graph::new();
        let outputs = graph.input("outputs", &[1, self.posterior.outputs(latent)]);
        self.posterior.kl(&mut graph, outputs, &*self.prior).is_some()
    }
}

/// The model `vae`.
pub(super) static ABOUT: About = About {
    kind: Kind::Model,
    id: "vae",
    aliases: &[],
    name: "variational autoencoder: an encoder, a latent space with a prior, a decoder",
    formula: "ln p(x) ≥ E_q[ln p(x|z)] − KL(q(z|x) ‖ p(z))",
    source: "Kingma & Welling 2014; Rezende, Mohamed & Wierstra 2014",
    settings: &[],
    example: "elbo train --model vae",
};

/// The model `cvae`.
pub(super) static CONDITIONAL: About = About {
    kind: Kind::Model,
    id: "cvae",
    aliases: &[],
    name: "conditional VAE: encoder and decoder are told the label of each row, or numbers",
    formula: "ln p(x|y) ≥ E_q[ln p(x|z,y)] − KL(q(z|x,y) ‖ p(z))",
    source: "Kingma et al. 2014, section 2; Sohn, Lee & Yan 2015",
    settings: &[],
    example: "elbo train --model cvae --data mnist",
};

/// A VAE.
#[derive(Clone, Debug)]
pub struct Vae {
    networks: Networks,
    parts: Parts,
}

impl Vae {
    /// A VAE over `features` values with `latent` dimensions; `hidden` are the encoder's widths and the decoder's.
    pub fn new(
        features: usize,
        latent: usize,
        hidden: (&[usize], &[usize]),
        activation: Activation,
        parts: Parts,
    ) -> Vae {
        Vae::conditional((features, latent, 0), hidden, activation, parts)
    }

    /// A conditional VAE (Sohn, Lee and Yan 2015, with the prior p(z) of Kingma et al. 2014): besides `features` values and
    /// `latent` dimensions, `condition` values are known of each row, of which the posterior q(z | x, y) and the likelihood
    /// p(x | z, y) make use.
    pub fn conditional(
        (features, latent, condition): (usize, usize, usize),
        hidden: (&[usize], &[usize]),
        activation: Activation,
        parts: Parts,
    ) -> Vae {
        let widths = (parts.posterior.outputs(latent), parts.likelihood.outputs_per_feature() * features);
        Vae { networks: Networks::new((features, latent, condition), hidden, activation, widths), parts }
    }

    /// What it is made of.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The terms for given noise of the posterior's, `[rows·samples, …]`.
    pub fn terms_with(&self, graph: &mut Graph, batch: &Batch, noise: Tensor) -> Terms {
        let inference = self.infer(graph, batch, noise);
        let loss = self.parts.objective.loss(graph, &inference);
        let reconstruction = inference.reconstruction(graph);
        let mu = inference.mu(graph);
        let kl = Some(inference.kl);
        Terms { loss: loss.rows, reconstruction, kl, mu, parts: loss.parts, reweigh: loss.reweigh }
    }

    /// Encodes, samples and decodes a batch, with as many codes per row as there is noise for.
    fn infer(&self, graph: &mut Graph, batch: &Batch, noise: Tensor) -> Inference<'_> {
        let Parts { posterior, prior, .. } = &self.parts;
        let rows = graph.shape(batch.rows.x)[0];
        let samples = graph.shape(noise)[0] / rows;
        let outputs = self.networks.encode(graph, batch.rows);
        let repeated = repeat(graph, outputs, samples);
        let draw = posterior.sample(graph, repeated, noise);
        let z = draw.z;
        let log_likelihood = self.networks.log_likelihood(graph, &*self.parts.likelihood, z, batch.rows);
        let encoder = self.encoder();
        let log_prior = prior.log_prob(graph, draw.code(), &encoder);
        let [log_posterior, log_prior] = [draw.log_prob, log_prior].map(|t| graph.reshape(t, &[rows, samples]));
        let kl = posterior.kl(graph, outputs, &**prior).unwrap_or_else(|| {
            let ratio = graph.sub(log_posterior, log_prior);
            let sum = graph.sum(ratio, &[1]);
            graph.scale(sum, 1.0 / samples as f32)
        });
        Inference {
            posterior: &**posterior,
            prior: &**prior,
            encoder,
            outputs,
            z,
            log_likelihood,
            log_prior,
            log_posterior,
            kl,
            weights: batch.weights,
            count: batch.count,
        }
    }

    /// The parameters of the prior alone.
    pub(super) fn parameters_of_prior(&self) -> Vec<ParameterSpec> {
        self.parts.prior.parameters(self.latent(), Encode::features(&self.networks))
    }

    /// The terms for a code of each row where only the prior is learnt: the loss is −ln p(z).
    pub(super) fn terms_of_prior(&self, graph: &mut Graph, batch: &Batch) -> Terms {
        let rows = graph.shape(batch.rows.x)[0];
        let noise = self.noise(graph, rows);
        let inference = self.infer(graph, batch, noise);
        let (reconstruction, mu) = (inference.reconstruction(graph), inference.mu(graph));
        let loss = graph.neg(inference.log_prior);
        Terms { loss, reconstruction, kl: Some(inference.kl), mu, parts: vec![], reweigh: None }
    }

    /// The encoder, as a prior may want it.
    fn encoder(&self) -> Encoder<'_> {
        Encoder { network: &self.networks, posterior: &*self.parts.posterior }
    }

    fn noise(&self, graph: &mut Graph, rows: usize) -> Tensor {
        self.parts.posterior.noise(graph, rows, self.latent())
    }
}

impl Model for Vae {
    fn features(&self) -> usize {
        self.networks.features()
    }

    fn latent(&self) -> usize {
        self.networks.latent()
    }

    fn condition(&self) -> usize {
        self.networks.condition()
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        let mut all = self.networks.parameters();
        all.extend(self.parts.likelihood.parameters(self.features()));
        all.extend(self.parts.posterior.parameters(self.latent()));
        all.extend(self.parameters_of_prior());
        all
    }

    fn note_on_likelihood(&self) -> Option<&'static str> {
        self.parts.posterior.note_on_likelihood()
    }

    fn measure(&self, black_and_white: bool) -> Measure {
        Measure::of(self.parts.likelihood.support(), black_and_white)
    }

    fn kl_is_closed_form(&self) -> Option<bool> {
        Some(self.parts.kl_is_closed_form(self.latent()))
    }

    fn terms(&self, graph: &mut Graph, batch: &Batch) -> Terms {
        let rows = graph.shape(batch.rows.x)[0];
        let noise = self.noise(graph, rows * self.parts.objective.samples());
        self.terms_with(graph, batch, noise)
    }

    fn score(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        let batch = Batch::whole(graph, rows);
        let noise = self.noise(graph, batch.count);
        let inference = self.infer(graph, &batch, noise);
        let (reconstruction, kl) = (inference.reconstruction(graph), inference.kl_of_rows(graph));
        graph.add(reconstruction, kl)
    }

    fn log_weights(&self, graph: &mut Graph, rows: Rows, samples: usize) -> Option<Tensor> {
        let batch = Batch::whole(graph, rows);
        let noise = self.noise(graph, batch.count * samples);
        let inference = self.infer(graph, &batch, noise);
        let ratio = graph.sub(inference.log_prior, inference.log_posterior);
        Some(graph.add(inference.log_likelihood, ratio))
    }

    fn codes(&self, graph: &mut Graph, rows: Rows, samples: usize) -> Option<DrawnCodes> {
        // A density over the simplex is no density over the numbers that a second model gives one.
        if self.parts.posterior.codes() != Codes::Real {
            return None;
        }
        let batch = Batch::whole(graph, rows);
        let noise = self.noise(graph, batch.count * samples);
        let Inference { z, log_posterior, log_likelihood, .. } = self.infer(graph, &batch, noise);
        Some(DrawnCodes { z, log_posterior, log_likelihood })
    }

    fn draw_code(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        let outputs = self.networks.encode(graph, rows);
        let count = graph.shape(outputs)[0];
        let noise = self.noise(graph, count);
        self.parts.posterior.sample(graph, outputs, noise).z
    }

    fn encode(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        let outputs = self.networks.encode(graph, rows);
        self.parts.posterior.mean(graph, outputs)
    }

    fn decode(&self, graph: &mut Graph, z: Tensor, y: Option<Tensor>) -> Tensor {
        let outputs = self.networks.decode(graph, z, y);
        self.parts.likelihood.mean(graph, outputs)
    }

    fn draw_rows(&self, graph: &mut Graph, z: Tensor, y: Option<Tensor>) -> Option<Tensor> {
        let outputs = self.networks.decode(graph, z, y);
        self.parts.likelihood.sample(graph, outputs)
    }

    fn prior_sample(&self, graph: &mut Graph, rows: usize) -> Option<Tensor> {
        Some(self.parts.prior.sample(graph, rows, self.latent(), &self.encoder()))
    }

    fn scalar(&self, name: &str, epochs: f64) -> Option<f64> {
        let Parts { objective, posterior, .. } = &self.parts;
        objective.scalar(name, epochs).or_else(|| posterior.scalar(name, epochs))
    }
}
