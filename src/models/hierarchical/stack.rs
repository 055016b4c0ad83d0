//! The networks of all layers, and the two ways of inferring codes with them.
//!
//! Bottom up, each layer is inferred from the codes of the one below: q(z | x) = q(z₁ | x) Π q(z_{i+1} | z_i). In a ladder, the
//! data goes up without chance, d₁ = f₁(x), d_{i+1} = f_{i+1}(d_i), and each d_i gives an estimate N(μ̂_i, σ̂_i²). Codes are then
//! drawn from the top down, where each estimate is merged with the prior of its layer:
//! q(z | x) = q(z_L | x) Π q(z_i | z_{i+1}, x), with q(z_L | x) = N(μ̂_L, σ̂_L²).

use super::moments::Moments;
use super::rung::{Layer, Rung};
use crate::distributions::{DiagonalGaussian, Encode, Posterior};
use crate::graph::{Graph, Tensor};
use crate::models::networks::{Networks, repeat};
use crate::nn::{Activation, ParameterSpec};

/// How codes of several layers are inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognition {
    /// Each layer from the codes of the one below (Rezende, Mohamed and Wierstra 2014; Burda, Grosse and Salakhutdinov 2016).
    BottomUp,
    /// Each layer from the data and the codes of the one above (Sønderby et al. 2016).
    Ladder,
}

impl Recognition {
    /// Whether KL(q ‖ p) of a layer below the top has a closed form, given the layers that are drawn before it: bottom up,
    /// p(z_i | z_{i+1}) hangs on what is drawn after z_i.
    pub fn tells_kl(self) -> bool {
        self == Recognition::Ladder
    }
}

/// A stochastic layer for some rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    /// q of the layer, given the layers that are drawn before it.
    pub posterior: Moments,
    /// p of the layer, given the codes above; none of the uppermost.
    pub prior: Option<Moments>,
    /// Codes `[n, width]`.
    pub z: Tensor,
    /// ln q of the codes per dimension `[n, width]`.
    pub log_posterior: Tensor,
}

impl Level {
    /// Draws codes with noise, or takes the means where there is none.
    fn draw(graph: &mut Graph, posterior: Moments, prior: Option<Moments>, noise: Option<Tensor>) -> Level {
        let Moments { mu, log_var } = posterior;
        let [z, log_posterior] = match noise {
            Some(noise) => DiagonalGaussian.draw_each(graph, [mu, log_var], noise),
            None => [mu, posterior.log_prob(graph, mu)],
        };
        Level { posterior, prior, z, log_posterior }
    }
}

/// The networks between data and z₁, and between each two layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stack {
    pub networks: Networks,
    rungs: Vec<Rung>,
    pub recognition: Recognition,
}

impl Stack {
    /// `networks` between data and z₁, and networks for the layers above it, from the lower to the upper.
    pub fn new(networks: Networks, upper: &[Layer], activation: Activation, recognition: Recognition) -> Stack {
        let (mut inputs, mut below) = (networks.hidden(), networks.latent());
        let mut rungs = Vec::new();
        for (number, layer) in upper.iter().enumerate() {
            if recognition == Recognition::BottomUp {
                inputs = below;
            }
            let rung = Rung::new(number + 2, (inputs, below), layer, activation);
            (inputs, below) = (rung.hidden(), rung.latent);
            rungs.push(rung);
        }
        Stack { networks, rungs, recognition }
    }

    /// Dimensions of each layer, from the data upwards.
    pub fn widths(&self) -> Vec<usize> {
        std::iter::once(self.networks.latent()).chain(self.rungs.iter().map(|rung| rung.latent)).collect()
    }

    /// Dimensions of the uppermost layer.
    pub fn top(&self) -> usize {
        self.rungs.last().map_or(self.networks.latent(), |rung| rung.latent)
    }

    /// The parameters, from the data upwards.
    pub fn parameters(&self) -> Vec<ParameterSpec> {
        let mut all = self.networks.parameters();
        all.extend(self.rungs.iter().flat_map(Rung::parameters));
        all
    }

    /// The layers for rows `[rows, features]`, from the data upwards, with noise for each `[rows·samples, width]`, or along the
    /// means.
    pub fn levels(&self, graph: &mut Graph, x: Tensor, noise: Option<&[Tensor]>) -> Vec<Level> {
        let rows = graph.shape(x)[0];
        let samples = noise.map_or(1, |noise| graph.shape(noise[0])[0] / rows);
        let noise = |i: usize| noise.map(|noise| noise[i]);
        match self.recognition {
            Recognition::BottomUp => self.bottom_up(graph, x, samples, noise),
            Recognition::Ladder => self.ladder(graph, x, samples, noise),
        }
    }

    fn bottom_up(
        &self,
        graph: &mut Graph,
        x: Tensor,
        samples: usize,
        noise: impl Fn(usize) -> Option<Tensor>,
    ) -> Vec<Level> {
        let outputs = self.networks.outputs(graph, x);
        let repeated = repeat(graph, outputs, samples);
        let posterior = Moments::split(graph, repeated);
        let mut levels = vec![Level::draw(graph, posterior, None, noise(0))];
        for (i, rung) in self.rungs.iter().enumerate() {
            let [_, outputs] = rung.up(graph, levels[i].z);
            let posterior = Moments::split(graph, outputs);
            let level = Level::draw(graph, posterior, None, noise(i + 1));
            levels[i].prior = Some(rung.prior(graph, level.z));
            levels.push(level);
        }
        levels
    }

    fn ladder(
        &self,
        graph: &mut Graph,
        x: Tensor,
        samples: usize,
        noise: impl Fn(usize) -> Option<Tensor>,
    ) -> Vec<Level> {
        let estimates = self.estimates(graph, x);
        let mut levels: Vec<Level> = Vec::new();
        for (i, &outputs) in estimates.iter().enumerate().rev() {
            let repeated = repeat(graph, outputs, samples);
            let estimate = Moments::split(graph, repeated);
            let prior = levels.last().map(|above| self.rungs[i].prior(graph, above.z));
            let posterior = prior.map_or(estimate, |prior| estimate.merge(graph, prior));
            levels.push(Level::draw(graph, posterior, prior, noise(i)));
        }
        levels.reverse();
        levels
    }

    /// What the data says of each layer by itself, from the data upwards, `[rows, 2·width]` each.
    fn estimates(&self, graph: &mut Graph, x: Tensor) -> Vec<Tensor> {
        let [mut hidden, outputs] = self.networks.encode_with_hidden(graph, x);
        let mut all = vec![outputs];
        for rung in &self.rungs {
            let outputs;
            [hidden, outputs] = rung.up(graph, hidden);
            all.push(outputs);
        }
        all
    }

    /// z₁ `[rows, latent]` for codes of the uppermost layer, each layer drawn from its prior.
    pub fn descend(&self, graph: &mut Graph, z: Tensor) -> Tensor {
        self.rungs.iter().rev().fold(z, |z, rung| {
            let prior = rung.prior(graph, z);
            let shape = graph.shape(prior.mu).to_vec();
            let noise = DiagonalGaussian.noise(graph, shape[0], shape[1]);
            Level::draw(graph, prior, None, Some(noise)).z
        })
    }
}

/// The uppermost layer as a prior may want it: what q(z_L | x) is in a ladder. Bottom up it has no density that can be told,
/// and this is the one along the means of the layers below.
impl Encode for Stack {
    fn features(&self) -> usize {
        self.networks.features()
    }

    fn outputs(&self, graph: &mut Graph, x: Tensor) -> Tensor {
        if self.recognition == Recognition::Ladder {
            let estimates = self.estimates(graph, x);
            return estimates[self.rungs.len()];
        }
        let first = self.networks.outputs(graph, x);
        self.rungs.iter().fold(first, |outputs, rung| {
            let mu = DiagonalGaussian.mean(graph, outputs);
            let [_, outputs] = rung.up(graph, mu);
            outputs
        })
    }
}
