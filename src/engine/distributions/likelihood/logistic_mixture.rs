//! A mixture of rounded logistics: grey values with several modes.
//!
//! Of K components the decoder gives 3K outputs per feature: K logits of their weights, K means, K logarithms of scales. Features
//! are independent given z.
//!
//! With `channels` C > 1 the C features of a pixel are chained as in PixelCNN++: they have one component between them, whose logit is the
//! sum of theirs, and the mean of each moves with those before it, μ_c + Σ_{j<c} tanh(l_cj) x_j. The l are K outputs more per feature, which
//! are enough for three channels: of l₁₀, l₂₀, l₂₁ the i-th stands at the i-th feature. The probability of a feature is the one
//! given those of its pixel before it, Σ_k π_k Π_{j≤c} P_k(x_j) / Σ_k π_k Π_{j<c} P_k(x_j), so that those of a pixel have the pixel's for a
//! product. A pixel of which only some values are known counts as missing.

use std::sync::Arc;

use super::discretized_logistic::Bins;
use super::levels::{LEVELS, log_softmax, lower, pick, raise, stack, total};
use super::{Discrete, Likelihood, Support, draws};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::coding::{Cumulative, LogisticOutputs};
use crate::graph::Tensor;

/// x ~ Σ π_k · a rounded Logistic(μ_k, s_k), all from the decoder.
#[derive(Clone, Copy, Debug)]
pub struct LogisticMixture {
    /// How many components.
    pub components: usize,
    /// How many values a feature can take.
    pub levels: usize,
    /// How many features that follow each other are a pixel.
    pub channels: usize,
}

pub(super) static PIECE: Piece<dyn Likelihood> = Piece {
    about: About {
        kind: Kind::Likelihood,
        id: "discretized-logistic-mixture",
        aliases: &["logistic-mixture"],
        name: "Mixture of logistics rounded to levels",
        formula: "P(x|z) = Σ_k π_k(z) P(x; μ_k(z), s_k(z)), each as for discretized-logistic",
        source: "Salimans et al. 2017 (PixelCNN++), eq. 2; with channels, eq. 3",
        settings: &[
            Setting {
                name: "components",
                default: Usual::Number(5.0),
                bounds: Bounds::Whole(1, 32),
                meaning: "K, the logistics that are mixed; the decoder has 3K outputs per feature, 4K with channels",
            },
            LEVELS,
            Setting {
                name: "channels",
                default: Usual::Number(1.0),
                bounds: Bounds::Whole(1, 3),
                meaning: "3 to chain red, green and blue of each pixel, each given those before it; 1 takes every value by itself",
            },
        ],
        example: "elbo train --likelihood discretized-logistic-mixture:components=3",
    },
    build: |settings| {
        Arc::new(LogisticMixture {
            components: settings.whole("components"),
            levels: settings.whole("levels"),
            channels: settings.whole("channels"),
        })
    },
};

impl LogisticMixture {
    fn bins(self) -> Bins {
        Bins { levels: self.levels }
    }

    /// Outputs per feature and component: logits, means, logarithms of scales, and what chains the values of a pixel.
    fn planes(self) -> usize {
        3 + usize::from(self.channels > 1)
    }

    fn mixture<'g>(self, outputs: Tensor<'g>) -> Mixture<'g> {
        let all = stack(outputs, self.planes() * self.components);
        let axis = all.shape().len() - 2;
        let plane = |part: usize| self.split(all.slice(axis, part * self.components, self.components));
        let logits = plane(0).into_iter().reduce(|a, b| a + b).expect("a pixel has a channel");
        let log_scales = plane(2).into_iter().map(|output| self.bins().log_scale(output)).collect();
        let links = if self.channels > 1 { plane(3).into_iter().map(Tensor::tanh).collect() } else { vec![] };
        Mixture { logits, means: plane(1), log_scales, links }
    }

    /// The channels of pixels, `[…, features]` as so many `[…, pixels]`.
    fn split(self, t: Tensor) -> Vec<Tensor> {
        let mut shape = t.shape().to_vec();
        let axis = shape.len();
        shape[axis - 1] /= self.channels;
        let pixels = shape.clone();
        shape.push(self.channels);
        let t = t.reshape(&shape);
        (0..self.channels).map(|channel| t.slice(axis, channel, 1).reshape(&pixels)).collect()
    }

    /// The channels of pixels beside each other, so many `[…, pixels]` as `[…, features]`.
    fn join(self, channels: Vec<Tensor>) -> Tensor {
        let mut shape = channels[0].shape().to_vec();
        let axis = shape.len();
        shape.push(1);
        let channels: Vec<Tensor> = channels.into_iter().map(|channel| channel.reshape(&shape)).collect();
        let all = channels[0].graph().concat(&channels, axis);
        shape.pop();
        shape[axis - 1] *= self.channels;
        all.reshape(&shape)
    }
}

/// What the outputs say, channel by channel, each `[…, components, pixels]`.
struct Mixture<'g> {
    logits: Tensor<'g>,
    means: Vec<Tensor<'g>>,
    log_scales: Vec<Tensor<'g>>,
    links: Vec<Tensor<'g>>,
}

impl<'g> Mixture<'g> {
    /// By how much a channel moves with one before it.
    fn link(&self, channel: usize, before: usize) -> Tensor<'g> {
        self.links[channel * (channel - 1) / 2 + before]
    }

    /// The mean of a channel, given the values of those before it.
    fn mean(&self, channel: usize, before: &[Tensor<'g>]) -> Tensor<'g> {
        let moved = |mean, (j, &x)| mean + self.link(channel, j) * x;
        before.iter().enumerate().fold(self.means[channel], moved)
    }

    /// E\[x\] of each channel and component, with that of the channels before it in their place: exact but for what rounding and the ends of
    /// the range make of it.
    fn expected(&self, bins: Bins) -> Vec<Tensor<'g>> {
        let mut all: Vec<Tensor> = Vec::new();
        for (channel, &log_scale) in self.log_scales.iter().enumerate() {
            all.push(bins.mean(self.mean(channel, &all), log_scale));
        }
        all
    }

    /// Var\[x\] of each channel and component, the expected values being known. A channel is its own deviation e_c and what links it,
    /// x_c = e_c + Σ_j l_cj x_j = Σ_j t_cj e_j, so its variance is Σ_j t_cj² Var\[e_j\].
    fn spread(&self, bins: Bins, expected: &[Tensor<'g>]) -> Vec<Tensor<'g>> {
        let channels = self.means.len();
        let own = |c: usize| bins.variance(self.mean(c, &expected[..c]), self.log_scales[c]);
        let own: Vec<Tensor> = (0..channels).map(own).collect();
        // t_cj for j < c; t_cc is 1.
        let mut through: Vec<Vec<Tensor>> = Vec::new();
        let mut all = Vec::new();
        for c in 0..channels {
            let of = |j: usize| {
                let beyond = (j + 1..c).map(|i| self.link(c, i) * through[i][j]);
                beyond.fold(self.link(c, j), |a, b| a + b)
            };
            let row: Vec<Tensor> = (0..c).map(of).collect();
            all.push(row.iter().zip(&own).fold(own[c], |sum, (t, &own)| sum + t.square() * own));
            through.push(row);
        }
        all
    }
}

/// The components one by one, `[…, components, features]` to as many `[…, 1, features]`. They are so few that what is over
/// all of them is put together one by one, feature beside feature, which takes processors less than many short sums.
fn each(t: Tensor) -> impl Iterator<Item = Tensor> {
    let axis = t.shape().len() - 2;
    (0..t.shape()[axis]).map(move |k| t.slice(axis, k, 1))
}

/// The largest component, as a constant.
fn largest(t: Tensor) -> Tensor {
    each(t).reduce(Tensor::maximum).expect("there is a component").detach()
}

/// ln Σ eᵗ over the components. `[…, 1, features]`
fn log_total(t: Tensor) -> Tensor {
    let largest = largest(t);
    let shares = each(t).map(|part| (part - largest).exp());
    shares.reduce(|a, b| a + b).expect("there is a component").ln() + largest
}

impl Likelihood for LogisticMixture {
    fn outputs(&self, features: usize) -> usize {
        self.planes() * self.components * features
    }

    fn support(&self) -> Support {
        Support::Levels(self.levels)
    }

    fn together(&self) -> usize {
        self.channels
    }

    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let (mixture, x) = (self.mixture(outputs), self.split(raise(x)));
        // Taken out first, so that large logits do not drown what is added to them.
        let mut of_components = mixture.logits - largest(mixture.logits);
        let mut before = log_total(of_components);
        let mut each = Vec::new();
        for (channel, &log_scale) in mixture.log_scales.iter().enumerate() {
            let mean = mixture.mean(channel, &x[..channel]);
            of_components = self.bins().log_prob(x[channel], mean, log_scale) + of_components;
            let now = log_total(of_components);
            each.push(now - before);
            before = now;
        }
        lower(self.join(each))
    }

    /// Σ π_k E\[x; μ_k, s_k\]. With channels, those before a value count by their own means: exact but for what rounding and the ends of
    /// the range make of it.
    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        let mixture = self.mixture(outputs);
        let weights = log_softmax(mixture.logits).exp();
        self.join(mixture.expected(self.bins()).into_iter().map(|mean| total(weights * mean)).collect())
    }

    /// Σ π_k (Var\[x; μ_k, s_k\] + (E\[x; μ_k, s_k\] − E\[x\])²), with channels as for the mean.
    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let mixture = self.mixture(outputs);
        let weights = log_softmax(mixture.logits).exp();
        let means = mixture.expected(self.bins());
        let of_channel = |(mean, variance): (&Tensor<'g>, Tensor<'g>)| {
            let off = *mean - raise(total(weights * *mean));
            total(weights * (variance + off.square()))
        };
        Some(self.join(means.iter().zip(mixture.spread(self.bins(), &means)).map(of_channel).collect()))
    }

    fn sample<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let mixture = self.mixture(outputs);
        let component = draws::choose(mixture.logits);
        let of_component = |all: &[Tensor<'g>]| all.iter().map(|&t| pick(t, component)).collect();
        let chosen = Mixture {
            logits: mixture.logits,
            means: of_component(&mixture.means),
            log_scales: of_component(&mixture.log_scales),
            links: of_component(&mixture.links),
        };
        let mut x: Vec<Tensor> = Vec::new();
        for (channel, &log_scale) in chosen.log_scales.iter().enumerate() {
            x.push(self.bins().sample(chosen.mean(channel, &x), log_scale));
        }
        Some(self.join(x))
    }

    fn discrete(&self) -> Option<&dyn Discrete> {
        Some(self)
    }
}

impl Discrete for LogisticMixture {
    fn levels(&self) -> usize {
        self.levels
    }

    /// One channel of each pixel after the other.
    fn stages(&self) -> usize {
        self.channels
    }

    fn distributions(&self, outputs: &[f32], features: usize, known: &[u16], into: &mut Cumulative) {
        let size = self.components * features;
        let plane = |part: usize| outputs.get(part * size..(part + 1) * size).unwrap_or_default();
        let outputs = LogisticOutputs {
            logits: plane(0),
            means: plane(1),
            log_scales: plane(2),
            links: plane(3),
            channels: self.channels,
            range: self.bins().range(),
        };
        into.set_logistics(self.levels, features / self.channels, outputs, known);
    }
}
