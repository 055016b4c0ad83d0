//! The variational autoencoder, put together from a likelihood, a posterior, a prior and an objective.
//!
//! An encoder says which posterior q(z | x) an example has, codes are drawn from it, and a decoder says what they mean:
//! p(x | z). The objective weighs what comes of that; the plainest is −ELBO = E_q[−ln p(x | z)] + KL(q(z | x) ‖ p(z))
//! (Kingma and Welling 2014).

use super::checks::check_one_layer;
use super::networks::{NetworkPair, Networks};
use super::parts::Parts;
use super::{
    Batch, Can, Compress, Condition, Decode, Density, Encode, FitPrior, Generate, LabelUse, Model, ModelConfig,
    ModelEntry, PosteriorSample, Reconstruct, RowForm, Rows, SamplePosterior, Sizes, Terms, TrainingPlan, Weighted,
};
use crate::catalogue::{About, Kind};
use crate::distributions::prior::Points;
use crate::distributions::{CodeSpace, Discrete, Encoder, Measure};
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::nn::Activation;
use crate::objectives::Inference;

/// The model `vae`.
pub(super) static ENTRY: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "vae",
        aliases: &[],
        name: "variational autoencoder: an encoder, a latent space with a prior, a decoder",
        formula: "ln p(x) ≥ E_q[ln p(x|z)] − KL(q(z|x) ‖ p(z))",
        source: "Kingma & Welling 2014; Rezende, Mohamed & Wierstra 2014",
        settings: &[],
        example: "elbo train --model vae",
    },
    labels: LabelUse::Ignored,
    is_variational: true,
    layers: None,
    stands_on_vae: false,
    quantises: false,
    training: None,
    build: |config, form| Ok(Box::new(Vae::of(config, RowForm { condition: 0, ..form })?)),
    check: check_one_layer,
};

/// The model `cvae`.
pub(super) static CONDITIONAL: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "cvae",
        aliases: &[],
        name: "conditional VAE: encoder and decoder are told the label of each row, or numbers",
        formula: "ln p(x|y) ≥ E_q[ln p(x|z,y)] − KL(q(z|x,y) ‖ p(z))",
        source: "Kingma et al. 2014, section 2; Sohn, Lee & Yan 2015",
        settings: &[],
        example: "elbo train --model cvae --data mnist",
    },
    labels: LabelUse::Told,
    build: |config, form| Ok(Box::new(Vae::of(config, form)?)),
    ..ENTRY
};

/// A VAE.
#[derive(Clone, Debug)]
pub struct Vae {
    networks: Networks,
    parts: Parts,
}

impl Vae {
    /// A VAE over `features` values with `latent` dimensions, of multilayer perceptrons; `hidden` are the encoder's widths and the
    /// decoder's.
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
    /// p(x | z, y) make use. Its networks are those of [`Vae::new`].
    pub fn conditional(
        (features, latent, condition): (usize, usize, usize),
        hidden: (&[usize], &[usize]),
        activation: Activation,
        parts: Parts,
    ) -> Vae {
        Vae::with_networks(Sizes::vector(features, condition), latent, NetworkPair::mlp(hidden, activation), parts)
    }

    /// A VAE of rows of these sizes with `latent` dimensions, with these hidden layers.
    pub fn with_networks(sizes: Sizes, latent: usize, hidden: NetworkPair, parts: Parts) -> Vae {
        let (code, outputs) = (parts.posterior.outputs(latent), parts.likelihood.outputs(sizes.features()));
        Vae { networks: Networks::new(sizes, latent, hidden, code, outputs), parts }
    }

    /// The VAE that settings describe, for rows of this form.
    fn of(config: &ModelConfig, form: RowForm) -> Result<Vae> {
        let sizes = form.sizes();
        Ok(Vae::with_networks(sizes, config.latent, config.networks(sizes)?, config.parts_for(form.schema)?))
    }

    /// What it is made of.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The terms for given noise of the posterior's, `[rows·samples, …]`.
    pub fn terms_with<'g>(&self, batch: &Batch<'g>, noise: Tensor<'g>) -> Terms<'g> {
        self.terms_of(self.infer(batch, noise)).0
    }

    /// The terms of a batch, and the codes that they are of, those of one row behind each other `[rows·samples, latent]`.
    pub(super) fn terms_and_codes<'g>(&self, batch: &Batch<'g>) -> (Terms<'g>, Tensor<'g>) {
        self.terms_of(self.infer(batch, self.noise(batch.rows, self.parts.objective.samples())))
    }

    fn terms_of<'g>(&self, inference: Inference<'_, 'g>) -> (Terms<'g>, Tensor<'g>) {
        let loss = self.parts.objective.loss(&inference);
        let terms = Terms {
            loss: loss.rows,
            reconstruction: inference.reconstruction(),
            kl: Some(inference.kl),
            mu: inference.mu(),
            parts: loss.parts,
            gradient_scale: loss.gradient_scale,
        };
        (terms, inference.z)
    }

    /// Encodes, samples and decodes a batch, with as many codes per row as there is noise for.
    fn infer<'g>(&self, batch: &Batch<'g>, noise: Tensor<'g>) -> Inference<'_, 'g> {
        let Parts { likelihood, posterior, prior, .. } = &self.parts;
        let rows = batch.rows.count();
        let samples = noise.shape()[0] / rows;
        let outputs = self.networks.encode(batch.rows);
        let draw = posterior.sample(outputs.repeat_rows(samples), noise);
        let log_likelihood = self.networks.log_likelihood(&**likelihood, draw.z, batch.rows);
        let encoder = self.encoder();
        let log_prior = prior.log_prob(draw.code(), &encoder).reshape(&[rows, samples]);
        let log_posterior = draw.log_prob.reshape(&[rows, samples]);
        Inference {
            posterior: &**posterior,
            prior: &**prior,
            encoder,
            outputs,
            z: draw.z,
            log_likelihood,
            log_prior,
            log_posterior,
            kl: posterior.kl(outputs, &**prior).unwrap_or_else(|| (log_posterior - log_prior).mean(&[1])),
            weights: batch.weights,
            count: batch.count,
        }
    }

    /// Encodes, samples and decodes rows, with so many codes of each.
    fn infer_rows<'g>(&self, rows: Rows<'g>, samples: usize) -> Inference<'_, 'g> {
        let batch = Batch::whole(rows);
        self.infer(&batch, self.noise(rows, samples))
    }

    /// The encoder, as a prior may want it.
    fn encoder(&self) -> Encoder<'_> {
        Encoder { network: &self.networks, posterior: &*self.parts.posterior }
    }

    fn noise<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        self.parts.posterior.noise(rows.x.graph(), rows.count() * samples, self.networks.latent())
    }
}

impl Model for Vae {
    fn features(&self) -> usize {
        self.networks.features()
    }

    fn condition(&self) -> Condition {
        match self.networks.condition() {
            0 => Condition::None,
            width => Condition::Given(width),
        }
    }

    fn measure(&self, black_and_white: bool) -> Measure {
        Measure::of(self.parts.likelihood.support(), black_and_white)
    }

    fn plan(&self) -> TrainingPlan<'_> {
        TrainingPlan::of_one_loss(self)
    }

    fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        self.terms_and_codes(batch).0
    }

    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let inference = self.infer_rows(rows, 1);
        inference.reconstruction() + inference.kl_of_rows()
    }

    fn scalar(&self, name: &str, epochs: f64) -> Option<f64> {
        let Parts { objective, posterior, .. } = &self.parts;
        objective.scalar(name, epochs).or_else(|| posterior.scalar(name, epochs))
    }

    fn couples_rows(&self) -> Option<String> {
        self.parts.couples_rows()
    }

    fn can(&self) -> Can<'_> {
        // A density over the simplex is no density over the numbers that a second model gives one, and codes of rows that are
        // told something mean nothing without that.
        let carries_another = self.parts.posterior.codes() == CodeSpace::Real && self.networks.condition() == 0;
        Can {
            encode: Some(self),
            decode: Some(self),
            reconstruct: Some(self),
            generate: Some(self),
            density: Some(self),
            posterior: carries_another.then_some(self),
            classify: None,
            fit_prior: Some(self),
            compress: self.is_of_finitely_many().then_some(self),
        }
    }
}

impl Encode for Vae {
    fn latent(&self) -> usize {
        self.networks.latent()
    }

    fn mean<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.parts.posterior.mean(self.networks.encode(rows))
    }

    fn draw<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        let outputs = self.networks.encode(rows).repeat_rows(samples);
        self.parts.posterior.sample(outputs, self.noise(rows, samples)).z
    }

    fn variance<'g>(&self, rows: Rows<'g>) -> Option<Tensor<'g>> {
        self.parts.posterior.marginal_variance(self.networks.encode(rows))
    }
}

impl Decode for Vae {
    fn mean<'g>(&self, z: Tensor<'g>, y: Option<Tensor<'g>>) -> Tensor<'g> {
        self.parts.likelihood.mean(self.networks.decode(z, y))
    }

    fn variance<'g>(&self, z: Tensor<'g>, y: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        self.parts.likelihood.variance(self.networks.decode(z, y))
    }

    fn draw<'g>(&self, z: Tensor<'g>, y: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        self.parts.likelihood.sample(self.networks.decode(z, y))
    }
}

impl Reconstruct for Vae {
    fn reconstruct<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        Decode::mean(self, Encode::mean(self, rows), rows.y)
    }

    fn feature_losses<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let z = Encode::draw(self, rows, 1);
        -rows.log_likelihoods(&*self.parts.likelihood, self.networks.decode(z, rows.y))
    }
}

impl Generate for Vae {
    fn codes<'g>(&self, graph: &'g Graph, rows: usize) -> Tensor<'g> {
        self.parts.prior.sample(graph, rows, self.networks.latent(), &self.encoder())
    }

    fn gaussian<'g>(&self, graph: &'g Graph) -> Option<[Tensor<'g>; 2]> {
        self.parts.prior.gaussian(graph, self.networks.latent())
    }

    fn rows<'g>(&self, graph: &'g Graph, rows: usize, y: Option<Tensor<'g>>) -> Tensor<'g> {
        Decode::mean(self, self.codes(graph, rows), y)
    }
}

impl Density for Vae {
    fn kl_is_closed_form(&self) -> bool {
        self.parts.kl_is_closed_form(self.networks.latent())
    }

    fn log_weights<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        self.infer_rows(rows, samples).log_weights()
    }

    fn weighted<'g>(&self, rows: Rows<'g>, samples: usize) -> Weighted<'g> {
        let inference = self.infer_rows(rows, samples);
        let means = Decode::mean(self, inference.z, rows.y.map(|y| y.repeat_rows(samples)));
        Weighted { log_weights: inference.log_weights(), codes: inference.z, means }
    }

    fn code_shape(&self) -> [usize; 2] {
        [1, self.networks.latent()]
    }

    fn mean_given<'g>(&self, codes: Tensor<'g>, y: Option<Tensor<'g>>) -> Tensor<'g> {
        Decode::mean(self, codes, y)
    }

    fn draw_given<'g>(&self, codes: Tensor<'g>, y: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        Decode::draw(self, codes, y)
    }

    fn note(&self) -> Option<&'static str> {
        self.parts.posterior.note_on_likelihood()
    }
}

impl SamplePosterior for Vae {
    fn sample_posterior<'g>(&self, rows: Rows<'g>, samples: usize) -> PosteriorSample<'g> {
        let Inference { z, log_posterior, log_likelihood, .. } = self.infer_rows(rows, samples);
        PosteriorSample { z, log_posterior, log_likelihood }
    }
}

impl Vae {
    /// Whether rows can be coded without loss.
    fn is_of_finitely_many(&self) -> bool {
        let Parts { likelihood, posterior, prior, .. } = &self.parts;
        let latent = self.networks.latent();
        if self.networks.condition() > 0 || likelihood.discrete().is_none() {
            return false;
        }
        let graph = Graph::new();
        let outputs = graph.input("outputs", &[1, posterior.outputs(latent)]);
        posterior.gaussian(outputs).is_some() && prior.gaussian(&graph, latent).is_some()
    }

    /// Mean and standard deviation of the prior `[1, latent]`, which is known to be a Gaussian.
    fn prior_moments<'g>(&self, graph: &'g Graph) -> [Tensor<'g>; 2] {
        let moments = self.parts.prior.gaussian(graph, self.networks.latent());
        let [mean, log_var] = moments.expect("it was asked for before the capability was given");
        [mean, (log_var * 0.5).exp()]
    }
}

impl Compress for Vae {
    fn posterior<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let found = self.parts.posterior.gaussian(self.networks.encode(rows));
        let [mean, log_var] = found.expect("it was asked for before the capability was given");
        let [centre, spread] = self.prior_moments(mean.graph());
        let (mean, deviation) = ((mean - centre) / spread, (log_var * 0.5).exp() / spread);
        mean.graph().concat(&[mean, deviation], 1)
    }

    fn outputs<'g>(&self, z: Tensor<'g>) -> Tensor<'g> {
        let [centre, spread] = self.prior_moments(z.graph());
        self.networks.decode(z * spread + centre, None)
    }

    fn outputs_width(&self) -> usize {
        self.parts.likelihood.outputs(self.networks.features())
    }

    fn values(&self) -> &dyn Discrete {
        self.parts.likelihood.discrete().expect("it was asked for before the capability was given")
    }
}

impl FitPrior for Vae {
    fn terms_of_prior<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        let inference = self.infer(batch, self.noise(batch.rows, 1));
        Terms {
            loss: -inference.log_prior,
            reconstruction: inference.reconstruction(),
            kl: Some(inference.kl),
            mu: inference.mu(),
            parts: vec![],
            gradient_scale: None,
        }
    }

    fn data_dependent_init(&self, points: &Points) -> Result<Vec<(&'static str, Vec<f32>)>> {
        self.parts.prior.data_dependent_init(points)
    }
}
