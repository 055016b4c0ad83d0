//! The very deep VAE (Child 2021): many stochastic layers along a convolutional network, inferred from the top down.
//!
//! p(x, z) = p(x | z_1, …, z_L) Π p(z_l | z_{l+1}, …, z_L), q(z | x) = Π q(z_l | z_{l+1}, …, z_L, x), layer L being the uppermost. Layers
//! are small pictures of codes, all diagonal Gaussians; those of low resolution come first. [`networks`] has the formulas.
//!
//! What is called the code elsewhere (encoded, decoded, drawn from the prior, coded without loss) is what is left of the codes of all
//! layers when mean and deviation of their priors are taken out, ε_l = (z_l − m_l)/s_l, from the data upwards. It tells as much, and its
//! prior is N(0, I): what is done with codes of a VAE (a temperature, a way between two rows) can be done with it.

mod block;
mod compress;
mod networks;
mod pyramid;
mod settings;

pub use networks::Depths;
pub(super) use settings::ENTRY;
pub use settings::described;

use super::layers::{kl_of_layers, mean_over_samples};
use super::{
    Batch, Can, Condition, Decode, Density, Encode, Generate, Model, Moments, Parts, Reconstruct, Rows, Terms,
    TrainingPlan, Weighted,
};
use crate::data::Shape;
use crate::distributions::{DiagonalGaussian, Encoder, Measure, Posterior, PosteriorNetwork, Prior, StandardNormal};
use crate::graph::{Graph, Tensor};
use crate::objectives::Inference;
use networks::Networks;

/// A very deep VAE.
#[derive(Clone, Debug)]
pub struct VeryDeep {
    networks: Networks,
    parts: Parts,
}

/// A stochastic layer for some rows: moments and codes `[rows·samples·h·w, channels]`.
#[derive(Clone, Copy, Debug)]
struct Level<'g> {
    /// q of the layer, given those above it.
    posterior: Moments<'g>,
    /// p of the layer, given those above it.
    prior: Moments<'g>,
    /// Its codes.
    z: Tensor<'g>,
    /// ln q of the codes.
    log_posterior: Tensor<'g>,
}

/// A batch, inferred.
struct Inferred<'a, 'g> {
    inference: Inference<'a, 'g>,
    /// KL of each channel of each layer, from the data upwards `[rows, channels]`.
    kls: Vec<Tensor<'g>>,
}

/// Numbers of pixels `[rows·h·w, n]` as those of rows `[rows, h·w·n]`.
fn by_row(t: Tensor, rows: usize) -> Tensor {
    t.reshape(&[rows, t.shape().iter().product::<usize>() / rows])
}

impl VeryDeep {
    /// A model of pictures of a shape, with these depths. Of the parts, posterior and prior have no say: every layer has diagonal Gaussians.
    ///
    /// # Panics
    /// If there are blocks for more resolutions than pictures have.
    pub fn new(shape: Shape, depths: Depths, parts: Parts) -> VeryDeep {
        let outputs = parts.likelihood.outputs(shape.features());
        VeryDeep { networks: Networks::new(shape, depths, outputs), parts }
    }

    /// The noise of so many codes of each row, for each layer from the data upwards `[rows·samples, h·w·channels]`.
    fn noise<'g>(&self, rows: Rows<'g>, samples: usize) -> Vec<Tensor<'g>> {
        let (graph, count) = (rows.x.graph(), rows.count() * samples);
        self.networks.widths().into_iter().map(|width| DiagonalGaussian.noise(graph, count, width)).collect()
    }

    /// The layers for rows, from the data upwards, with noise for each, or along the means; and the outputs of what is drawn
    /// `[rows·samples, outputs]`.
    fn levels<'g>(&self, x: Tensor<'g>, noise: Option<&[Tensor<'g>]>) -> (Vec<Level<'g>>, Tensor<'g>) {
        let rows = noise.map_or(x.shape()[0], |noise| noise[0].shape()[0]);
        let said = self.networks.upwards(x);
        let mut levels = Vec::new();
        let outputs = self.networks.downwards(x.graph(), rows, |site| {
            let posterior = self.networks.posterior(site, &said);
            let Moments { mu, log_var } = posterior;
            let [z, log_posterior] = match noise {
                Some(noise) => DiagonalGaussian.draw_each([mu, log_var], noise[site.layer].reshape(mu.shape())),
                None => [mu, posterior.log_prob(mu)],
            };
            levels.push(Level { posterior, prior: site.prior, z, log_posterior });
            z
        });
        levels.reverse();
        (levels, outputs)
    }

    /// The outputs of codes `[rows, latent]`, which are relative to the priors of their layers. `[rows, outputs]`
    fn decode<'g>(&self, codes: Tensor<'g>) -> Tensor<'g> {
        let rows = codes.shape()[0];
        let of_layers = self.split(codes);
        self.networks
            .downwards(codes.graph(), rows, |site| site.prior.at(of_layers[site.layer].reshape(site.prior.mu.shape())))
    }

    /// Codes of all layers `[rows, latent]` as those of each, from the data upwards `[rows, h·w·channels]`.
    fn split<'g>(&self, codes: Tensor<'g>) -> Vec<Tensor<'g>> {
        let mut first = 0;
        let of_layer = |width: usize| {
            first += width;
            codes.slice(1, first - width, width)
        };
        self.networks.widths().into_iter().map(of_layer).collect()
    }

    /// What `of` makes of every layer, behind each other `[rows, latent]`.
    fn join<'g>(levels: &[Level<'g>], rows: usize, of: impl Fn(&Level<'g>) -> Tensor<'g>) -> Tensor<'g> {
        let all: Vec<Tensor> = levels.iter().map(|level| by_row(of(level), rows)).collect();
        all[0].graph().concat(&all, 1)
    }

    /// The terms for given noise of each layer, from the data upwards `[rows·samples, h·w·channels]`.
    pub fn terms_with<'g>(&self, batch: &Batch<'g>, noise: &[Tensor<'g>]) -> Terms<'g> {
        let Inferred { inference, kls } = self.infer(batch, noise);
        let loss = self.parts.objective.loss(&inference);
        let mut parts = loss.parts;
        parts.extend(kl_of_layers(&kls));
        Terms {
            loss: loss.rows,
            reconstruction: inference.reconstruction(),
            kl: Some(inference.kl),
            mu: Encode::mean(self, batch.rows),
            parts,
            gradient_scale: loss.gradient_scale,
        }
    }

    /// ln p(x, z) − ln q(z | x) for given noise of each layer, as for [`VeryDeep::terms_with`], in nats. `[rows, samples]`
    pub fn log_weights_with<'g>(&self, rows: Rows<'g>, noise: &[Tensor<'g>]) -> Tensor<'g> {
        self.infer(&Batch::whole(rows), noise).inference.log_weights()
    }

    /// Infers all layers of a batch and decodes it, with as many codes per row as there is noise for.
    fn infer<'g>(&self, batch: &Batch<'g>, noise: &[Tensor<'g>]) -> Inferred<'_, 'g> {
        let (graph, rows) = (batch.rows.x.graph(), batch.rows.count());
        let all = noise[0].shape()[0];
        let samples = all / rows;
        let (levels, decoded) = self.levels(batch.rows.input(), Some(noise));
        let (mut log_prior, mut log_posterior) = (graph.constant(0.0), graph.constant(0.0));
        let mut kls = Vec::new();
        for level in &levels {
            let kl = level.posterior.kl(level.prior);
            let [pixels, channels] = kl.dims();
            let of_channels = kl.reshape(&[all, pixels / all, channels]).sum(&[1]).reshape(&[all, channels]);
            kls.push(mean_over_samples(of_channels, samples));
            log_posterior = log_posterior + by_row(level.log_posterior, all).sum_rows();
            log_prior = log_prior + by_row(level.prior.log_prob(level.z), all).sum_rows();
        }
        let outputs = self.outputs(batch.rows.input());
        let inference = Inference {
            posterior: &DiagonalGaussian,
            prior: &StandardNormal,
            encoder: Encoder { network: self, posterior: &DiagonalGaussian },
            outputs,
            outputs_of_codes: outputs.repeat_rows(samples),
            z: VeryDeep::join(&levels, all, |level| level.prior.relative(level.z)),
            log_likelihood: batch.rows.log_likelihood(&*self.parts.likelihood, decoded),
            log_prior: log_prior.reshape(&[rows, samples]),
            log_posterior: log_posterior.reshape(&[rows, samples]),
            kl: graph.concat(&kls, 1),
            weights: batch.weights,
            count: batch.count,
        };
        Inferred { inference, kls }
    }
}

impl Model for VeryDeep {
    fn features(&self) -> usize {
        self.networks.features()
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
            compress: self.parts.likelihood.discrete().is_some().then_some(self),
        }
    }
}

/// What is said of a row's code along the means: that of q relative to p, layer by layer.
impl PosteriorNetwork for VeryDeep {
    fn features(&self) -> usize {
        self.networks.features()
    }

    fn outputs<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let rows = x.shape()[0];
        let (levels, _) = self.levels(x, None);
        let relative = |level: &Level<'g>| level.posterior.relative_to(level.prior);
        let mu = VeryDeep::join(&levels, rows, |level| relative(level).mu);
        let log_var = VeryDeep::join(&levels, rows, |level| relative(level).log_var);
        x.graph().concat(&[mu, log_var], 1)
    }
}

impl Encode for VeryDeep {
    /// Numbers of all layers together.
    fn latent(&self) -> usize {
        self.networks.widths().iter().sum()
    }

    /// That of each layer, those above it standing at their means.
    fn mean<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let (levels, _) = self.levels(rows.input(), None);
        VeryDeep::join(&levels, rows.count(), |level| level.posterior.relative_to(level.prior).mu)
    }

    fn draw<'g>(&self, rows: Rows<'g>, samples: usize) -> Tensor<'g> {
        let (levels, _) = self.levels(rows.input(), Some(&self.noise(rows, samples)));
        VeryDeep::join(&levels, rows.count() * samples, |level| level.prior.relative(level.z))
    }

    /// Codes are spread by what the layers above draw as well, which has no closed form.
    fn variance<'g>(&self, _: Rows<'g>) -> Option<Tensor<'g>> {
        None
    }
}

impl Decode for VeryDeep {
    fn mean<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Tensor<'g> {
        self.parts.likelihood.mean(self.decode(z))
    }

    fn variance<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        self.parts.likelihood.variance(self.decode(z))
    }

    fn draw<'g>(&self, z: Tensor<'g>, _: Option<Tensor<'g>>) -> Option<Tensor<'g>> {
        self.parts.likelihood.sample(self.decode(z))
    }
}

impl Reconstruct for VeryDeep {
    fn reconstruct<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let (_, outputs) = self.levels(rows.input(), None);
        self.parts.likelihood.mean(outputs)
    }

    fn feature_losses<'g>(&self, rows: Rows<'g>) -> Tensor<'g> {
        let (_, outputs) = self.levels(rows.input(), Some(&self.noise(rows, 1)));
        -rows.log_likelihoods(&*self.parts.likelihood, outputs)
    }
}

impl Generate for VeryDeep {
    fn codes<'g>(&self, graph: &'g Graph, rows: usize) -> Tensor<'g> {
        DiagonalGaussian.noise(graph, rows, Encode::latent(self))
    }

    fn gaussian<'g>(&self, graph: &'g Graph) -> Option<[Tensor<'g>; 2]> {
        StandardNormal.gaussian(graph, Encode::latent(self))
    }

    fn rows<'g>(&self, graph: &'g Graph, rows: usize, _: Option<Tensor<'g>>) -> Tensor<'g> {
        Decode::mean(self, self.codes(graph, rows), None)
    }
}

impl Density for VeryDeep {
    fn kl_is_closed_form(&self) -> bool {
        true
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
        None
    }
}
