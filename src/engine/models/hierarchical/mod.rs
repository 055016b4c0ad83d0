//! VAEs of several stochastic layers: p(x, z) = p(x | z₁) p(z₁ | z₂) … p(z_{L−1} | z_L) p(z_L).
//!
//! The lower layers' priors are diagonal Gaussians whose moments are networks of the layer above; the uppermost has the prior of
//! the [`Parts`]. Codes are inferred in one of two ways, see [`Recognition`]; every layer's posterior is a diagonal Gaussian.
//! Objectives see the stack as one code: ln p(z) and ln q(z | x) are sums over layers, and so is the KL. What is called the
//! code elsewhere (encoded, decoded, drawn from the prior) is z₁, the layer nearest to the data.

mod checks;
mod compress;
mod layer_networks;
mod moments;
mod recognition;
mod stack;

pub use layer_networks::Layer;
pub use moments::Moments;
pub use recognition::Recognition;

use super::layers::{kl_of_layers, mean_over_samples};
use super::networks::{NetworkPair, Networks, hidden_width};
use super::{
    Batch, Can, Condition, Decode, Density, Encode, Generate, LabelUse, Model, ModelConfig, ModelEntry, Parts,
    Reconstruct, RowForm, Rows, Sizes, StochasticLayers, Terms, TrainingPlan, Weighted,
};
use crate::catalogue::{About, Kind};
use crate::distributions::{DiagonalGaussian, Encoder, Measure, Posterior, PosteriorNetwork};
use crate::error::{Error, Result};
use crate::graph::{Graph, Tensor};
use crate::nn::Activation;
use crate::objectives::Inference;
use stack::{Level, Stack};

/// The model `hierarchical`.
pub(super) static HIERARCHICAL: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "hierarchical",
        aliases: &[],
        name: "VAE of several stochastic layers (--upper), inferred from the data upwards",
        formula: "p(x|z_1) Π p(z_i|z_{i+1}) p(z_L), q(z|x) = q(z_1|x) Π q(z_{i+1}|z_i)",
        source: "Rezende, Mohamed & Wierstra 2014; Burda, Grosse & Salakhutdinov 2016, section 5",
        settings: &[],
        example: "elbo train --model hierarchical --latent 100 --upper 50",
    },
    labels: LabelUse::Ignored,
    is_variational: true,
    layers: Some(StochasticLayers::Stack(Recognition::BottomUp)),
    stands_on_vae: false,
    explains_gaps: false,
    quantises: false,
    training: None,
    build: |config, sizes| Hierarchical::of(config, sizes, Recognition::BottomUp),
    check: checks::check,
};

/// The model `ladder`.
pub(super) static LADDER: ModelEntry = ModelEntry {
    about: About {
        kind: Kind::Model,
        id: "ladder",
        aliases: &[],
        name: "ladder VAE: several stochastic layers (--upper), inferred from the top down",
        formula: "q(z_i|z_{i+1},x) ∝ N(z_i; μ̂_i(x), σ̂_i²(x)) p(z_i|z_{i+1}), q(z_L|x) = N(μ̂_L, σ̂_L²)",
        source: "Sønderby et al. 2016, section 2",
        settings: &[],
        example: "elbo train --model ladder --latent 64 --upper 32,16 --kl-warmup-epochs 10",
    },
    layers: Some(StochasticLayers::Stack(Recognition::Ladder)),
    build: |config, sizes| Hierarchical::of(config, sizes, Recognition::Ladder),
    ..HIERARCHICAL
};

/// A VAE of several stochastic layers.
#[derive(Clone, Debug)]
pub struct Hierarchical {
    stack: Stack,
    parts: Parts,
}

/// A batch, inferred.
struct Inferred<'a, 'g> {
    inference: Inference<'a, 'g>,
    /// KL of each layer, from the data upwards: per dimension where that is known, else `[rows, 1]`.
    kls: Vec<Tensor<'g>>,
}

impl Hierarchical {
    /// A model over `features` values whose first layer has `latent` dimensions, of multilayer perceptrons; `hidden` are the widths
    /// from the data to the first layer and back; all else as for [`Hierarchical::with_networks`].
    pub fn new(
        recognition: Recognition,
        (features, latent): (usize, usize),
        hidden: (&[usize], &[usize]),
        upper: &[Layer],
        activation: Activation,
        parts: Parts,
    ) -> Hierarchical {
        let (sizes, hidden) = (Sizes::vector(features, 0), NetworkPair::mlp(hidden, activation));
        Hierarchical::with_networks(recognition, (sizes, latent), hidden, upper, parts)
    }

    /// A model of rows of these sizes whose first layer has `latent` dimensions, with more layers above it, from the lower to the
    /// upper; `hidden` leads from the data to the first layer and back, and multilayer perceptrons with the encoder's activation and
    /// normalisation from layer to layer. Of the parts, the posterior has no say: that of each layer is a diagonal Gaussian.
    pub fn with_networks(
        recognition: Recognition,
        (sizes, latent): (Sizes, usize),
        hidden: NetworkPair,
        upper: &[Layer],
        parts: Parts,
    ) -> Hierarchical {
        let encoder = hidden.encoder.clone();
        let networks = Networks::new(sizes, latent, hidden, 2 * latent, parts.likelihood.outputs(sizes.features()));
        Hierarchical { stack: Stack::new(networks, upper, &*encoder, recognition), parts }
    }

    /// The model that settings describe, for rows of this form.
    fn of(config: &ModelConfig, form: RowForm, recognition: Recognition) -> Result<Box<dyn Model>> {
        let sizes = RowForm { condition: 0, ..form }.sizes();
        let (hidden, parts) = (config.networks(sizes)?, config.parts_for(form.schema)?);
        let below = hidden_width(&*hidden.encoder, sizes.shape, 2 * config.latent);
        let upper = Layer::halving(&config.upper_widths(), below);
        let widths = upper.iter().flat_map(|layer| layer.hidden.iter().copied());
        if let Some(why) = hidden.encoder.row_norm().refusal(widths) {
            return Err(Error::invalid(format!("between the layers of a model of `kind` {}, {why}", config.kind)));
        }
        Ok(Box::new(Hierarchical::with_networks(recognition, (sizes, config.latent), hidden, &upper, parts)))
    }

    /// The noise of so many codes of each row, for each layer from the data upwards `[rows·samples, width]`.
    fn noise<'g>(&self, rows: Rows<'g>, samples: usize) -> Vec<Tensor<'g>> {
        let (graph, count) = (rows.x.graph(), rows.count() * samples);
        self.stack.widths().into_iter().map(|width| DiagonalGaussian.noise(graph, count, width)).collect()
    }

    /// The terms for given noise of each layer, `[rows·samples, width]`.
    pub fn terms_with<'g>(&self, batch: &Batch<'g>, noise: &[Tensor<'g>]) -> Terms<'g> {
        let Inferred { inference, kls } = self.infer(batch, noise);
        let loss = self.parts.objective.loss(&inference);
        let mut parts = loss.parts;
        parts.extend(kl_of_layers(&kls));
        Terms {
            loss: loss.rows,
            reconstruction: inference.reconstruction(),
            kl: Some(inference.kl),
            // Codes along the means, which nothing is trained by: running statistics leave them out.
            mu: batch.rows.x.graph().unfollowed(|| Encode::mean(self, batch.rows)),
            parts,
            gradient_scale: loss.gradient_scale,
        }
    }

    /// ln p(x, z) − ln q(z | x) for given noise of each layer, `[rows·samples, width]`, in nats. `[rows, samples]`
    pub fn log_weights_with<'g>(&self, rows: Rows<'g>, noise: &[Tensor<'g>]) -> Tensor<'g> {
        self.infer(&Batch::whole(rows), noise).inference.log_weights()
    }

    /// Infers all layers of a batch and decodes it, with as many codes per row as there is noise for.
    fn infer<'g>(&self, batch: &Batch<'g>, noise: &[Tensor<'g>]) -> Inferred<'_, 'g> {
        let (graph, rows) = (batch.rows.x.graph(), batch.rows.count());
        let samples = noise[0].shape()[0] / rows;
        let levels = self.stack.levels(batch.rows.input(), Some(noise));
        let (mut log_prior, mut log_posterior) = (graph.constant(0.0), graph.constant(0.0));
        let mut kls = Vec::new();
        for level in &levels {
            let prior = self.log_prior(level);
            kls.push(mean_over_samples(self.kl(level, prior), samples));
            log_posterior = log_posterior + level.log_posterior.sum_rows();
            log_prior = log_prior + prior.sum_rows();
        }
        let (likelihood, z) = (&*self.parts.likelihood, levels[0].z);
        let outputs = self.stack.networks.outputs(batch.rows.input());
        let inference = Inference {
            posterior: &DiagonalGaussian,
            prior: &*self.parts.prior,
            encoder: self.encoder(),
            outputs,
            outputs_of_codes: outputs.repeat_rows(samples),
            z,
            log_likelihood: self.stack.networks.log_likelihood(likelihood, z, batch.rows),
            log_prior: log_prior.reshape(&[rows, samples]),
            log_posterior: log_posterior.reshape(&[rows, samples]),
            kl: graph.concat(&kls, 1),
            weights: batch.weights,
            count: batch.count,
        };
        Inferred { inference, kls }
    }

    /// Codes of all layers, from the data upwards: the uppermost drawn from its prior, each below from the one above. `[rows, width]` each
    fn drawn_layers<'g>(&self, graph: &'g Graph, rows: usize) -> Vec<Tensor<'g>> {
        self.stack.descend(self.parts.prior.sample(graph, rows, self.stack.top(), &self.encoder()))
    }

    /// ln p of a layer's codes, given those above: per dimension `[n, width]`, of the uppermost as a whole `[n, 1]`.
    fn log_prior<'g>(&self, level: &Level<'g>) -> Tensor<'g> {
        match level.prior {
            Some(prior) => prior.log_prob(level.z),
            None => self.parts.prior.log_prob(level.z.into(), &self.encoder()),
        }
    }

    /// The KL of a layer: in closed form, given the layers drawn before it, where there is one; else what the codes say.
    /// `[n, width]` or `[n, 1]`
    fn kl<'g>(&self, level: &Level<'g>, log_prior: Tensor<'g>) -> Tensor<'g> {
        let Moments { mu, log_var } = level.posterior;
        let closed = match level.prior {
            Some(prior) => self.stack.recognition.tells_kl().then(|| level.posterior.kl(prior)),
            None => self.parts.prior.kl_from_gaussian(mu, log_var),
        };
        closed.unwrap_or_else(|| match log_prior.width() {
            1 => level.log_posterior.sum_rows() - log_prior,
            _ => level.log_posterior - log_prior,
        })
    }

    /// What goes up to the uppermost layer, as its prior may want it.
    fn encoder(&self) -> Encoder<'_> {
        Encoder { network: &self.stack, posterior: &DiagonalGaussian }
    }
}

impl Model for Hierarchical {
    fn features(&self) -> usize {
        self.stack.networks.features()
    }

    fn condition(&self) -> Condition {
        Condition::None
    }

    fn measure(&self, black_and_white: bool) -> Measure {
        Measure::of(self.parts.likelihood.support(), black_and_white)
    }

    fn plan(&self) -> TrainingPlan<'_> {
        TrainingPlan::of_one_loss(self)
    }

    fn terms<'g>(&self, batch: &Batch<'g>) -> Terms<'g> {
        self.terms_with(batch, &self.noise(batch.rows, self.parts.objective.samples()))
    }

    fn score<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let Inferred { inference, .. } = self.infer(&Batch::whole(rows), &self.noise(rows, 1));
        inference.reconstruction() + inference.kl_of_rows()
    }

    fn scalar(&self, name: &str, epochs: f64) -> Option<f64> {
        self.parts.objective.scalar(name, epochs)
    }

    fn couples_rows(&self) -> Option<String> {
        self.parts.couples_rows()
    }

    fn can(&self) -> Can<'_> {
        Can {
            encode: Some(self),
            decode: Some(self),
            reconstruct: Some(self),
            generate: Some(self),
            density: Some(self),
            posterior: None,
            classify: None,
            fit_prior: None,
            compress: self.parts.can_be_coded(self.stack.top()).then_some(self),
        }
    }
}

impl Encode for Hierarchical {
    /// Dimensions of the layer nearest to the data.
    fn latent(&self) -> usize {
        self.stack.networks.latent()
    }

    /// That of the layer nearest to the data; in a ladder it hangs on the layers above, which stand at their means.
    fn mean<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        self.stack.levels(rows.input(), None)[0].z
    }

    fn draw<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        self.stack.levels(rows.input(), Some(&self.noise(rows, samples)))[0].z
    }

    /// Bottom up, that of q(z₁ | x); in a ladder, codes are spread by what the layers above draw as well.
    fn variance<'g>(&self, rows: Rows<'g>) -> Option<Tensor<'g>> {
        let first = self.stack.levels(rows.input(), None)[0].posterior;
        (self.stack.recognition == Recognition::BottomUp).then(|| first.log_var.exp())
    }
}

impl Decode for Hierarchical {
    fn mean<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Tensor<'g> {
        self.parts.likelihood.mean(self.stack.networks.decode(z, None))
    }

    fn variance<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        self.parts.likelihood.variance(self.stack.networks.decode(z, None))
    }

    fn draw<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        self.parts.likelihood.sample(self.stack.networks.decode(z, None))
    }
}

impl Reconstruct for Hierarchical {
    fn reconstruct<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        Decode::mean(self, Encode::mean(self, rows), None)
    }

    fn feature_losses<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let z = Encode::draw(self, rows, 1);
        -rows.log_likelihoods(&*self.parts.likelihood, self.stack.networks.decode(z, None))
    }
}

impl Generate for Hierarchical {
    /// Codes of the first layer, below codes of all others: the uppermost from its prior, each below from the one above.
    fn codes<'g>(&self, graph: &'g Graph, rows: usize) -> Tensor<'g> {
        self.drawn_layers(graph, rows)[0]
    }

    /// Below codes of other layers, those of the first are a mixture.
    fn gaussian<'g>(&self, _: &'g Graph) -> Option<[Tensor<'g>; 2]> {
        None
    }

    fn rows<'g>(&self, graph: &'g Graph, rows: usize, _: Option<Tensor<'g>>) -> Tensor<'g> {
        Decode::mean(self, self.codes(graph, rows), None)
    }
}

impl Density for Hierarchical {
    fn kl_is_closed_form(&self) -> bool {
        let graph = Graph::new();
        let [mu, log_var] = ["mu", "log_var"].map(|name| graph.input(name, &[1, self.stack.top()]));
        self.parts.prior.kl_from_gaussian(mu, log_var).is_some() && self.stack.recognition.tells_kl()
    }

    fn log_weights<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        self.log_weights_with(rows, &self.noise(rows, samples))
    }

    fn weighted<'g>(&self, rows: Rows<'g>, samples: usize) -> Weighted<'g> {
        let Inferred { inference, .. } = self.infer(&Batch::whole(rows), &self.noise(rows, samples));
        let means = Decode::mean(self, inference.z, None);
        Weighted { log_weights: inference.log_weights(), codes: inference.z, means }
    }

    fn code_shape(&self) -> [usize; 2] {
        [1, Encode::latent(self)]
    }

    fn mean_given<'g>(&self, codes: Tensor<'g>, y: Option<Tensor<'g>>) -> Tensor<'g> {
        Decode::mean(self, codes, y)
    }

    fn draw_given<'g>(&self, codes: Tensor<'g>, y: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        Decode::draw(self, codes, y)
    }

    fn note(&self) -> Option<&'static str> {
        self.parts.note_on_likelihood()
    }
}
