//! The variational autoencoder, put together from a likelihood, a posterior, a prior and an objective.
//!
//! An encoder says which posterior q(z | x) an example has, codes are drawn from it, and a decoder says what they mean:
//! p(x | z). The objective weighs what comes of that; the plainest is −ELBO = E_q[−ln p(x | z)] + KL(q(z | x) ‖ p(z))
//! (Kingma and Welling 2014).

use super::checks::check_one_layer;
use super::hamiltonian::{Dynamics, Moved};
use super::networks::{NetworkPair, Networks};
use super::parts::Parts;
use super::{
    Batch, Can, Coded, CodedAs, CodingStep, Compress, Condition, Decode, Density, Encode, Explained, FitPrior,
    GaussianCodes, Generate, LabelUse, Model, ModelConfig, ModelEntry, PosteriorSample, Reconstruct, RowForm, Rows,
    SamplePosterior, Sizes, Terms, TrainingPlan, Weighted, bits_back_steps,
};
use crate::catalogue::{About, Kind};
use crate::distributions::prior::Points;
use crate::distributions::{CodeSpace, Discrete, Draw, Encoder, Measure, MissingModel};
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
    explains_gaps: true,
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

/// What the term of which values were observed is called.
const MASK: &str = "mask";

/// A VAE.
#[derive(Clone, Debug)]
pub struct Vae {
    networks: Networks,
    parts: Parts,
    /// What moves codes from where the posterior drew them.
    dynamics: Option<Dynamics>,
}

/// A batch, encoded, sampled and decoded, with what was made of missing values where why they are missing is modelled.
struct Inferred<'a, 'g> {
    inference: Inference<'a, 'g>,
    explained: Option<Explained<'g>>,
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
        Vae { networks: Networks::new(sizes, latent, hidden, code, outputs), parts, dynamics: None }
    }

    /// The same, whose codes are moved along the gradient of ln p(x, z).
    pub fn moved_by(self, dynamics: Dynamics) -> Vae {
        Vae { dynamics: Some(dynamics), ..self }
    }

    /// The VAE that settings describe, for rows of this form.
    pub(super) fn of(config: &ModelConfig, form: RowForm) -> Result<Vae> {
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

    fn terms_of<'g>(&self, Inferred { inference, explained }: Inferred<'_, 'g>) -> (Terms<'g>, Tensor<'g>) {
        let mut loss = self.parts.objective.loss(&inference);
        loss.parts.extend(explained.map(|explained| (MASK, -explained.log_mask.mean(&[1]))));
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
    fn infer<'g>(&self, batch: &Batch<'g>, noise: Tensor<'g>) -> Inferred<'_, 'g> {
        let Parts { likelihood, posterior, prior, .. } = &self.parts;
        let rows = batch.rows.count();
        let samples = noise.shape()[0] / rows;
        let outputs = self.networks.encode(batch.rows);
        let outputs_of_codes = outputs.repeat_rows(samples);
        let draw = self.moved(posterior.sample(outputs_of_codes, noise), batch.rows);
        let decoded = self.networks.decoded(&**likelihood, draw.z, batch.rows);
        let encoder = self.encoder();
        let log_prior = prior.log_prob(draw.code(), &encoder).reshape(&[rows, samples]);
        let log_posterior = draw.log_prob.reshape(&[rows, samples]);
        let inference = Inference {
            posterior: &**posterior,
            prior: &**prior,
            encoder,
            outputs,
            outputs_of_codes,
            z: draw.z,
            log_likelihood: decoded.log_likelihood(),
            log_prior,
            log_posterior,
            kl: self.closed_kl(outputs).unwrap_or_else(|| (log_posterior - log_prior).mean(&[1])),
            weights: batch.weights,
            count: batch.count,
        };
        Inferred { inference, explained: decoded.explained }
    }

    /// KL(q(z | x) ‖ p(z)) in closed form, where there is one: codes that were moved have none.
    fn closed_kl<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        self.dynamics.map_or_else(|| self.parts.posterior.kl(outputs, &*self.parts.prior), |_| None)
    }

    /// Codes of rows `[rows·samples, latent]` that were drawn, moved where they are.
    fn moved<'g>(&self, draw: Draw<'g>, rows: Rows<'g>) -> Draw<'g> {
        let Some(dynamics) = self.dynamics else { return draw };
        let Parts { likelihood, prior, .. } = &self.parts;
        let log_joint = |z: Tensor<'g>| {
            let log_likelihood = self.networks.log_likelihood(&**likelihood, z, rows);
            log_likelihood.reshape(&[z.shape()[0], 1]) + prior.log_prob(z.into(), &self.encoder())
        };
        let graph = draw.z.graph();
        let gamma = graph.normal(graph.stream(), draw.z.shape());
        let Moved { z, log_momentum } = dynamics.moved(draw.z, gamma, log_joint);
        Draw::new(z, draw.log_prob + log_momentum)
    }

    /// Codes of rows that are drawn, those of one row behind each other `[rows·samples, latent]`.
    fn drawn<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        let outputs = self.networks.encode(rows).repeat_rows(samples);
        self.moved(self.parts.posterior.sample(outputs, self.noise(rows, samples)), rows).z
    }

    /// Encodes, samples and decodes rows, with so many codes of each.
    fn infer_rows<'g>(&self, rows: Rows<'g>, samples: usize) -> Inferred<'_, 'g> {
        let batch = Batch::whole(rows);
        self.infer(&batch, self.noise(rows, samples))
    }

    /// Why values are missing, where that is modelled.
    fn missing(&self) -> Option<&MissingModel> {
        self.parts.likelihood.missing()
    }

    /// The rows that were drawn with codes of [`Density::weighted`], where the codes hold them.
    fn drawn_with<'g>(&self, codes: Tensor<'g>) -> Option<Tensor<'g>> {
        self.missing().map(|_| codes.slice(1, self.networks.latent(), self.networks.features()))
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
        let inference = self.infer_rows(rows, 1).inference;
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
            // The prior is part of what moves codes.
            fit_prior: self.dynamics.is_none().then_some(self),
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
        self.drawn(rows, samples)
    }

    fn variance<'g>(&self, rows: Rows<'g>) -> Option<Tensor<'g>> {
        let known = self.dynamics.is_none();
        known.then(|| self.parts.posterior.marginal_variance(self.networks.encode(rows))).flatten()
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
        self.dynamics.is_none() && self.parts.kl_is_closed_form(self.networks.latent())
    }

    fn log_weights<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        self.infer_rows(rows, samples).inference.log_weights()
    }

    fn weighted<'g>(&self, rows: Rows<'g>, samples: usize) -> Weighted<'g> {
        let Inferred { inference, explained } = self.infer_rows(rows, samples);
        let (log_weights, z) = (inference.log_weights(), inference.z);
        let means = Decode::mean(self, z, rows.y.map(|y| y.repeat_rows(samples)));
        match (explained, self.missing()) {
            (Some(explained), Some(missing)) => Weighted {
                log_weights,
                codes: z.graph().concat(&[z, explained.filled], 1),
                means: explained.values(missing, means),
            },
            _ => Weighted { log_weights, codes: z, means },
        }
    }

    /// Where why values are missing is modelled, a weight is one of the values that were drawn as well, and these stand behind the code.
    fn code_shape(&self) -> [usize; 2] {
        let drawn = if self.missing().is_some() { self.networks.features() } else { 0 };
        [1, self.networks.latent() + drawn]
    }

    fn mean_given<'g>(&self, codes: Tensor<'g>, y: Option<Tensor<'g>>) -> Tensor<'g> {
        let Some((missing, drawn)) = self.missing().zip(self.drawn_with(codes)) else {
            return Decode::mean(self, codes, y);
        };
        missing.numbers_or(drawn, Decode::mean(self, codes.slice(1, 0, self.networks.latent()), y))
    }

    fn draw_given<'g>(&self, codes: Tensor<'g>, y: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        self.drawn_with(codes).or_else(|| Decode::draw(self, codes, y))
    }

    fn explains_gaps(&self) -> bool {
        self.missing().is_some()
    }

    fn note(&self) -> Option<&'static str> {
        self.parts.note_on_likelihood()
    }
}

impl SamplePosterior for Vae {
    fn sample_posterior<'g>(&self, rows: Rows<'g>, samples: usize) -> PosteriorSample<'g> {
        let Inference { z, log_posterior, log_likelihood, .. } = self.infer_rows(rows, samples).inference;
        PosteriorSample { z, log_posterior, log_likelihood }
    }
}

impl Vae {
    /// Whether rows can be coded without loss.
    fn is_of_finitely_many(&self) -> bool {
        let (latent, posterior) = (self.networks.latent(), &self.parts.posterior);
        if self.networks.condition() > 0 || self.dynamics.is_some() || !self.parts.can_be_coded(latent) {
            return false;
        }
        let graph = Graph::new();
        posterior.gaussian(graph.input("outputs", &[1, posterior.outputs(latent)])).is_some()
    }
}

impl Compress for Vae {
    fn coded_as(&self) -> CodedAs<'_> {
        CodedAs::Numbers(self)
    }

    fn values(&self) -> &dyn Discrete {
        self.parts.coded_values()
    }
}

impl GaussianCodes for Vae {
    fn widths(&self) -> Vec<usize> {
        vec![self.networks.latent()]
    }

    fn steps(&self) -> Vec<CodingStep> {
        bits_back_steps(1)
    }

    fn outputs<'g>(&self, step: &CodingStep, given: &[Tensor<'g>]) -> Tensor<'g> {
        let given = given[0];
        let [centre, log_var] = self.parts.coded_prior(given.graph(), self.networks.latent());
        let spread = (log_var * 0.5).exp();
        if step.what == Coded::Row {
            return self.networks.decode(given * spread + centre, None);
        }
        let found = self.parts.posterior.gaussian(self.networks.encode(given.into()));
        let [mean, log_var] = found.expect("it was asked for before the capability was given");
        let (mean, deviation) = ((mean - centre) / spread, (log_var * 0.5).exp() / spread);
        mean.graph().concat(&[mean, deviation], 1)
    }
}

impl FitPrior for Vae {
    fn terms_of_prior<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        let Inferred { inference, .. } = self.infer(batch, self.noise(batch.rows, 1));
        let fit_loss = self.parts.prior.fit_loss(inference.z.into(), &self.encoder());
        Terms {
            loss: fit_loss.unwrap_or(-inference.log_prior),
            reconstruction: inference.reconstruction(),
            // ln p(z) may cost many times what that loss does.
            kl: fit_loss.is_none().then_some(inference.kl),
            mu: inference.mu(),
            parts: vec![],
            gradient_scale: None,
        }
    }

    fn data_dependent_init(&self, points: &Points) -> Result<Vec<(&'static str, Vec<f32>)>> {
        self.parts.prior.data_dependent_init(points)
    }
}
