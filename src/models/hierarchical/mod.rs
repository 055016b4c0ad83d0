//! VAEs of several stochastic layers: p(x, z) = p(x | z₁) p(z₁ | z₂) … p(z_{L−1} | z_L) p(z_L).
//!
//! The lower layers' priors are diagonal Gaussians whose moments are networks of the layer above; the uppermost has the prior of
//! the [`Parts`]. Codes are inferred in one of two ways, see [`Recognition`]; every layer's posterior is a diagonal Gaussian.
//! Objectives see the stack as one code: ln p(z) and ln q(z | x) are sums over layers, and so is the KL. What is called the
//! code elsewhere (encoded, decoded, drawn from the prior) is z₁, the layer nearest to the data.

mod moments;
mod rung;
mod stack;

pub use moments::Moments;
pub use rung::Layer;
pub use stack::Recognition;

use super::networks::Networks;
use super::{Batch, Model, Parts, Rows, Terms};
use crate::catalogue::{About, Kind};
use crate::distributions::{DiagonalGaussian, Encode, Encoder, Measure, Posterior};
use crate::graph::{Graph, Tensor};
use crate::nn::{Activation, ParameterSpec};
use crate::objectives::Inference;
use stack::{Level, Stack};

/// The model `hierarchical`.
pub(super) static HIERARCHICAL: About = About {
    kind: Kind::Model,
    id: "hierarchical",
    aliases: &[],
    name: "VAE of several stochastic layers (--upper), inferred from the data upwards",
    formula: "p(x|z_1) Π p(z_i|z_{i+1}) p(z_L), q(z|x) = q(z_1|x) Π q(z_{i+1}|z_i)",
    source: "Rezende, Mohamed & Wierstra 2014; Burda, Grosse & Salakhutdinov 2016, section 5",
    settings: &[],
    example: "elbo train --model hierarchical --latent 100 --upper 50",
};

/// The model `ladder`.
pub(super) static LADDER: About = About {
    kind: Kind::Model,
    id: "ladder",
    aliases: &[],
    name: "ladder VAE: several stochastic layers (--upper), inferred from the top down",
    formula: "q(z_i|z_{i+1},x) ∝ N(z_i; μ̂_i(x), σ̂_i²(x)) p(z_i|z_{i+1}), q(z_L|x) = N(μ̂_L, σ̂_L²)",
    source: "Sønderby et al. 2016, section 2",
    settings: &[],
    example: "elbo train --model ladder --latent 64 --upper 32,16 --kl-warmup-epochs 10",
};

/// The most stochastic layers whose KL is told apart.
pub const MAX_LAYERS: usize = KL_OF_LAYERS.len();

/// What the KL of each layer is called, from the data upwards.
const KL_OF_LAYERS: [&str; 8] =
    ["kl_layer_1", "kl_layer_2", "kl_layer_3", "kl_layer_4", "kl_layer_5", "kl_layer_6", "kl_layer_7", "kl_layer_8"];

/// A VAE of several stochastic layers.
#[derive(Clone, Debug)]
pub struct Hierarchical {
    stack: Stack,
    parts: Parts,
}

/// A batch, inferred.
struct Inferred<'a> {
    inference: Inference<'a>,
    /// KL of each layer, from the data upwards: per dimension where that is known, else `[rows, 1]`.
    kls: Vec<Tensor>,
}

impl Hierarchical {
    /// A model over `features` values whose first layer has `latent` dimensions, with more layers above it, from the lower to
    /// the upper; `hidden` are the widths from the data to the first layer and back. Of the parts, the posterior has no say:
    /// that of each layer is a diagonal Gaussian.
    pub fn new(
        recognition: Recognition,
        (features, latent): (usize, usize),
        hidden: (&[usize], &[usize]),
        upper: &[Layer],
        activation: Activation,
        parts: Parts,
    ) -> Hierarchical {
        let outputs = (2 * latent, parts.likelihood.outputs_per_feature() * features);
        let networks = Networks::new((features, latent, 0), hidden, activation, outputs);
        Hierarchical { stack: Stack::new(networks, upper, activation, recognition), parts }
    }

    /// The noise of so many rows, for each layer from the data upwards `[rows, width]`.
    fn noise(&self, graph: &mut Graph, rows: usize) -> Vec<Tensor> {
        self.stack.widths().into_iter().map(|width| DiagonalGaussian.noise(graph, rows, width)).collect()
    }

    /// The terms for given noise of each layer, `[rows·samples, width]`.
    pub fn terms_with(&self, graph: &mut Graph, batch: &Batch, noise: &[Tensor]) -> Terms {
        let Inferred { inference, kls } = self.infer(graph, batch, noise);
        let loss = self.parts.objective.loss(graph, &inference);
        let reconstruction = inference.reconstruction(graph);
        let mu = self.encode(graph, batch.rows);
        let mut parts = loss.parts;
        parts.extend(KL_OF_LAYERS.into_iter().zip(kls).map(|(name, kl)| (name, graph.sum_rows(kl))));
        Terms { loss: loss.rows, reconstruction, kl: Some(inference.kl), mu, parts, reweigh: loss.reweigh }
    }

    /// ln p(x, z) − ln q(z | x) for given noise of each layer, `[rows·samples, width]`, in nats. `[rows, samples]`
    pub fn log_weights_with(&self, graph: &mut Graph, rows: Rows, noise: &[Tensor]) -> Tensor {
        let batch = Batch::whole(graph, rows);
        let Inferred { inference, .. } = self.infer(graph, &batch, noise);
        let ratio = graph.sub(inference.log_prior, inference.log_posterior);
        graph.add(inference.log_likelihood, ratio)
    }

    /// Infers all layers of a batch and decodes it, with as many codes per row as there is noise for.
    fn infer(&self, graph: &mut Graph, batch: &Batch, noise: &[Tensor]) -> Inferred<'_> {
        let rows = graph.shape(batch.rows.x)[0];
        let samples = graph.shape(noise[0])[0] / rows;
        let levels = self.stack.levels(graph, batch.rows.x, Some(noise));
        let (mut log_prior, mut log_posterior) = (graph.constant(0.0), graph.constant(0.0));
        let mut kls = Vec::new();
        for level in &levels {
            let [each, prior] = [level.log_posterior, self.log_prior(graph, level)];
            let kl = self.kl(graph, level, prior);
            kls.push(mean_over_samples(graph, kl, samples));
            let [each, prior] = [each, prior].map(|t| graph.sum_rows(t));
            (log_posterior, log_prior) = (graph.add(log_posterior, each), graph.add(log_prior, prior));
        }
        let [log_posterior, log_prior] = [log_posterior, log_prior].map(|t| graph.reshape(t, &[rows, samples]));
        let likelihood = &*self.parts.likelihood;
        let inference = Inference {
            posterior: &DiagonalGaussian,
            prior: &*self.parts.prior,
            encoder: self.encoder(),
            outputs: self.stack.networks.outputs(graph, batch.rows.x),
            z: levels[0].z,
            log_likelihood: self.stack.networks.log_likelihood(graph, likelihood, levels[0].z, batch.rows),
            log_prior,
            log_posterior,
            kl: graph.concat(&kls, 1),
            weights: batch.weights,
            count: batch.count,
        };
        Inferred { inference, kls }
    }

    /// ln p of a layer's codes, given those above: per dimension `[n, width]`, of the uppermost as a whole `[n, 1]`.
    fn log_prior(&self, graph: &mut Graph, level: &Level) -> Tensor {
        match level.prior {
            Some(prior) => prior.log_prob(graph, level.z),
            None => self.parts.prior.log_prob(graph, level.z.into(), &self.encoder()),
        }
    }

    /// The KL of a layer: in closed form, given the layers drawn before it, where there is one; else what the codes say.
    /// `[n, width]` or `[n, 1]`
    fn kl(&self, graph: &mut Graph, level: &Level, log_prior: Tensor) -> Tensor {
        let Moments { mu, log_var } = level.posterior;
        let closed = match level.prior {
            Some(prior) => self.stack.recognition.tells_kl().then(|| level.posterior.kl(graph, prior)),
            None => self.parts.prior.kl_from_gaussian(graph, mu, log_var),
        };
        closed.unwrap_or_else(|| {
            let whole = graph.shape(log_prior)[1] == 1;
            let log_posterior = if whole { graph.sum_rows(level.log_posterior) } else { level.log_posterior };
            graph.sub(log_posterior, log_prior)
        })
    }

    /// What goes up to the uppermost layer, as its prior may want it.
    fn encoder(&self) -> Encoder<'_> {
        Encoder { network: &self.stack, posterior: &DiagonalGaussian }
    }
}

/// The mean over the samples of each row: `[rows·samples, n]` to `[rows, n]`.
fn mean_over_samples(graph: &mut Graph, t: Tensor, samples: usize) -> Tensor {
    let &[all, n] = graph.shape(t) else { unreachable!("codes have two dimensions") };
    let t = graph.reshape(t, &[all / samples, samples, n]);
    let sum = graph.sum(t, &[1]);
    let mean = graph.scale(sum, 1.0 / samples as f32);
    graph.reshape(mean, &[all / samples, n])
}

impl Model for Hierarchical {
    fn features(&self) -> usize {
        self.stack.networks.features()
    }

    /// Those of the layer nearest to the data.
    fn latent(&self) -> usize {
        self.stack.networks.latent()
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        let mut all = self.stack.parameters();
        all.extend(self.parts.likelihood.parameters(self.features()));
        all.extend(self.parts.prior.parameters(self.stack.top(), Encode::features(&self.stack)));
        all
    }

    fn measure(&self, black_and_white: bool) -> Measure {
        Measure::of(self.parts.likelihood.support(), black_and_white)
    }

    fn kl_is_closed_form(&self) -> Option<bool> {
        let mut graph = Graph::new();
        let [mu, log_var] = ["mu", "log_var"].map(|name| graph.input(name, &[1, self.stack.top()]));
        let of_top = self.parts.prior.kl_from_gaussian(&mut graph, mu, log_var).is_some();
        Some(of_top && self.stack.recognition.tells_kl())
    }

    fn terms(&self, graph: &mut Graph, batch: &Batch) -> Terms {
        let rows = graph.shape(batch.rows.x)[0];
        let noise = self.noise(graph, rows * self.parts.objective.samples());
        self.terms_with(graph, batch, &noise)
    }

    fn score(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        let batch = Batch::whole(graph, rows);
        let noise = self.noise(graph, batch.count);
        let Inferred { inference, .. } = self.infer(graph, &batch, &noise);
        let (reconstruction, kl) = (inference.reconstruction(graph), inference.kl_of_rows(graph));
        graph.add(reconstruction, kl)
    }

    fn log_weights(&self, graph: &mut Graph, rows: Rows, samples: usize) -> Option<Tensor> {
        let count = graph.shape(rows.x)[0];
        let noise = self.noise(graph, count * samples);
        Some(self.log_weights_with(graph, rows, &noise))
    }

    fn draw_code(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        let count = graph.shape(rows.x)[0];
        let noise = self.noise(graph, count);
        self.stack.levels(graph, rows.x, Some(&noise))[0].z
    }

    /// That of the layer nearest to the data; in a ladder it hangs on the layers above, which stand at their means.
    fn encode(&self, graph: &mut Graph, rows: Rows) -> Tensor {
        self.stack.levels(graph, rows.x, None)[0].z
    }

    fn decode(&self, graph: &mut Graph, z: Tensor, _: Option<Tensor>) -> Tensor {
        let outputs = self.stack.networks.decode(graph, z, None);
        self.parts.likelihood.mean(graph, outputs)
    }

    /// Codes of the first layer, below codes of all others: the uppermost from its prior, each below from the one above.
    fn prior_sample(&self, graph: &mut Graph, rows: usize) -> Option<Tensor> {
        let top = self.parts.prior.sample(graph, rows, self.stack.top(), &self.encoder());
        Some(self.stack.descend(graph, top))
    }

    fn scalar(&self, name: &str, epochs: f64) -> Option<f64> {
        self.parts.objective.scalar(name, epochs)
    }
}
