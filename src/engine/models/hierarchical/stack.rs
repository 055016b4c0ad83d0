//! The networks of all layers, and the two ways of inferring codes with them.
//!
//! Bottom up, each layer is inferred from the codes of the one below: q(z | x) = q(z₁ | x) Π q(z_{i+1} | z_i). In a ladder, the
//! data goes up without chance, d₁ = f₁(x), d_{i+1} = f_{i+1}(d_i), and each d_i gives an estimate N(μ̂_i, σ̂_i²). Codes are then
//! drawn from the top down, where each estimate is merged with the prior of its layer:
//! q(z | x) = q(z_L | x) Π q(z_i | z_{i+1}, x), with q(z_L | x) = N(μ̂_L, σ̂_L²).

use super::layer_networks::{Layer, LayerNetworks};
use super::moments::Moments;
use super::recognition::Recognition;
use crate::distributions::{DiagonalGaussian, Posterior, PosteriorNetwork};
use crate::graph::Tensor;
use crate::models::networks::Networks;
use crate::nn::Network;

/// A stochastic layer for some rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level<'g> {
    /// q of the layer, given the layers that are drawn before it.
    pub posterior: Moments<'g>,
    /// p of the layer, given the codes above; none of the uppermost.
    pub prior: Option<Moments<'g>>,
    /// Codes `[n, width]`.
    pub z: Tensor<'g>,
    /// ln q of the codes per dimension `[n, width]`.
    pub log_posterior: Tensor<'g>,
}

impl<'g> Level<'g> {
    /// Draws codes with noise, or takes the means where there is none.
    fn draw(posterior: Moments<'g>, prior: Option<Moments<'g>>, noise: Option<Tensor<'g>>) -> Level<'g> {
        let Moments { mu, log_var } = posterior;
        let [z, log_posterior] = match noise {
            Some(noise) => DiagonalGaussian.draw_each([mu, log_var], noise),
            None => [mu, posterior.log_prob(mu)],
        };
        Level { posterior, prior, z, log_posterior }
    }
}

/// The networks between data and z₁, and between each two layers.
#[derive(Clone, Debug)]
pub(super) struct Stack {
    pub networks: Networks,
    /// Those below each layer above the first.
    pub upper: Vec<LayerNetworks>,
    pub recognition: Recognition,
}

impl Stack {
    /// `networks` between data and z₁, and networks for the layers above it, from the lower to the upper, which are like `encoder`.
    pub fn new(networks: Networks, upper: &[Layer], encoder: &dyn Network, recognition: Recognition) -> Stack {
        let mut below = networks.latent();
        let mut all = Vec::new();
        for (number, layer) in upper.iter().enumerate() {
            all.push(LayerNetworks::new(number + 2, below, layer, encoder));
            below = layer.latent;
        }
        Stack { networks, upper: all, recognition }
    }

    /// Dimensions of each layer, from the data upwards.
    pub fn widths(&self) -> Vec<usize> {
        std::iter::once(self.networks.latent()).chain(self.upper.iter().map(|layer| layer.latent)).collect()
    }

    /// Dimensions of the uppermost layer.
    pub fn top(&self) -> usize {
        self.upper.last().map_or(self.networks.latent(), |layer| layer.latent)
    }

    /// The layers for rows `[rows, features]`, from the data upwards, with noise for each `[rows·samples, width]`, or along the
    /// means.
    pub fn levels<'g>(&self, x: Tensor<'g>, noise: Option<&[Tensor<'g>]>) -> Vec<Level<'g>> {
        let samples = noise.map_or(1, |noise| noise[0].shape()[0] / x.shape()[0]);
        let noise = |i: usize| noise.map(|noise| noise[i]);
        match self.recognition {
            Recognition::BottomUp => self.bottom_up(x, samples, noise),
            Recognition::Ladder => self.ladder(x, samples, noise),
        }
    }

    fn bottom_up<'g>(
        &self,
        x: Tensor<'g>,
        samples: usize,
        noise: impl Fn(usize) -> Option<Tensor<'g>>,
    ) -> Vec<Level<'g>> {
        let posterior = Moments::split(self.networks.outputs(x).repeat_rows(samples));
        let mut levels = vec![Level::draw(posterior, None, noise(0))];
        for (i, layer) in self.upper.iter().enumerate() {
            let [_, outputs] = layer.up(levels[i].z);
            let level = Level::draw(Moments::split(outputs), None, noise(i + 1));
            levels[i].prior = Some(layer.prior(level.z));
            levels.push(level);
        }
        levels
    }

    fn ladder<'g>(&self, x: Tensor<'g>, samples: usize, noise: impl Fn(usize) -> Option<Tensor<'g>>) -> Vec<Level<'g>> {
        let mut levels: Vec<Level> = Vec::new();
        for (i, outputs) in self.estimates(x).into_iter().enumerate().rev() {
            let estimate = Moments::split(outputs.repeat_rows(samples));
            let prior = levels.last().map(|above| self.upper[i].prior(above.z));
            let posterior = prior.map_or(estimate, |prior| estimate.merge(prior));
            levels.push(Level::draw(posterior, prior, noise(i)));
        }
        levels.reverse();
        levels
    }

    /// What the data says of each layer by itself, from the data upwards, `[rows, 2·width]` each.
    pub fn estimates<'g>(&self, x: Tensor<'g>) -> Vec<Tensor<'g>> {
        let [mut hidden, outputs] = self.networks.encode_with_hidden(x.into());
        let mut all = vec![outputs];
        for layer in &self.upper {
            let outputs;
            [hidden, outputs] = layer.up(hidden);
            all.push(outputs);
        }
        all
    }

    /// The codes of all layers, from the data upwards, for codes of the uppermost, each layer below drawn from its prior.
    pub fn descend<'g>(&self, z: Tensor<'g>) -> Vec<Tensor<'g>> {
        let mut all = vec![z];
        for layer in self.upper.iter().rev() {
            let prior = layer.prior(all[all.len() - 1]);
            let [rows, width] = prior.mu.dims();
            all.push(Level::draw(prior, None, Some(DiagonalGaussian.noise(z.graph(), rows, width))).z);
        }
        all.reverse();
        all
    }
}

/// The uppermost layer as a prior may want it: what q(z_L | x) is in a ladder. Bottom up it has no density that can be told,
/// and this is the one along the means of the layers below.
impl PosteriorNetwork for Stack {
    fn features(&self) -> usize {
        self.networks.features()
    }

    fn outputs<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        if self.recognition == Recognition::Ladder {
            return self.estimates(x)[self.upper.len()];
        }
        self.upper.iter().fold(self.networks.outputs(x), |outputs, layer| {
            let [_, outputs] = layer.up(DiagonalGaussian.mean(outputs));
            outputs
        })
    }
}
