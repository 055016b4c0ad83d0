//! The logistic distribution, rounded to levels: each level has the probability of its bin, and the outermost those of the
//! tails.
//!
//! With w = 1/(levels − 1), a = (x + w/2 − μ)/s and b = (x − w/2 − μ)/s the probability σ(a) − σ(b) of a bin is the product
//! σ(a) σ(−b) (1 − e^{−w/s}), in which nothing cancels: its logarithm is −softplus(−a) − softplus(b) + ln(1 − e^{−w/s}),
//! finite with bounded slopes however far off x is. At the ends the terms of the side without an edge are absent. And
//! ln(1 − e^{−t}) = ln t + ln((e^{−t} − 1)/(−t)), which is exact for bins that are narrow beside the scale.

use std::sync::Arc;

use super::levels::{LEVELS, raise, total};
use super::{Discrete, Likelihood, Support, draws};
use crate::catalogue::{About, Kind, Piece};
use crate::coding::{Cumulative, LogisticOutputs};
use crate::graph::Tensor;
use crate::kernels::Func;

/// x = a rounded Logistic(μ, s) with both from the decoder: the first half of its outputs are μ, the second ln s.
#[derive(Clone, Copy, Debug)]
pub struct DiscretizedLogistic {
    /// How many values a feature can take.
    pub levels: usize,
}

pub(super) static PIECE: Piece<dyn Likelihood> = Piece {
    about: About {
        kind: Kind::Likelihood,
        id: "discretized-logistic",
        aliases: &["logistic"],
        name: "Logistic rounded to levels: a probability of each grey value",
        formula: "P(x|z) = σ((x + w/2 − μ(z))/s(z)) − σ((x − w/2 − μ(z))/s(z)), w = 1/(levels − 1); the ends take the tails",
        source: "Kingma et al. 2016; ends and centred bins as in Salimans et al. 2017, eq. 2",
        settings: &[LEVELS],
        example: "elbo train --likelihood discretized-logistic",
    },
    build: |settings| Arc::new(DiscretizedLogistic { levels: settings.whole("levels") }),
};

/// Logistics that are rounded to so many levels; of tensors of any shapes that broadcast.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bins {
    pub levels: usize,
}

impl Bins {
    /// The width of a bin.
    fn width(self) -> f32 {
        1.0 / (self.levels - 1) as f32
    }

    /// ln s is kept in a range: s from a twentieth of a bin, where one level has all but 1e-4 of the probability, to 150.
    pub fn range(self) -> (f32, f32) {
        (libm::logf(self.width()) - 3.0, 5.0)
    }

    /// ln s within its range.
    pub fn log_scale(self, output: Tensor) -> Tensor {
        let (least, most) = self.range();
        output.clamp(least, most)
    }

    /// ln P(x).
    pub fn log_prob<'g>(self, x: Tensor<'g>, mu: Tensor<'g>, log_scale: Tensor<'g>) -> Tensor<'g> {
        let (graph, w) = (x.graph(), self.width());
        let (zero, half, top) = (graph.constant(0.0), graph.constant(0.5 * w), graph.constant(1.0 - 0.5 * w));
        let (precision, residual) = ((-log_scale).exp(), x - mu);
        let above = (-((residual + half) * precision)).softplus();
        let below = ((residual - half) * precision).softplus();
        let both = (libm::logf(w) - log_scale) + (precision * -w).apply(Func::UniformCumulant);
        let (first, last) = (x.less(half), top.less(x));
        let (above, below) = (last.select(zero, above), first.select(zero, below));
        first.maximum(last).select(zero, both) - (above + below)
    }

    /// E\[x\] = w Σ P(x ≥ k w) over k from 1, `[…, features]` of means and scales `[…, features]`.
    pub fn mean<'g>(self, mu: Tensor<'g>, log_scale: Tensor<'g>) -> Tensor<'g> {
        let (mu, log_scale, w) = (raise(mu), raise(log_scale), self.width());
        let mut shape = mu.shape().to_vec();
        let axis = shape.len() - 2;
        shape[axis] = self.levels - 1;
        let edge = (mu.graph().coordinate(axis, &shape) + 0.5) * w;
        total(((mu - edge) * (-log_scale).exp()).sigmoid()) * w
    }

    /// Var\[x\] = Σ_k P(x = k w) (k w − E\[x\])², of means and scales `[…, features]`.
    pub fn variance<'g>(self, mu: Tensor<'g>, log_scale: Tensor<'g>) -> Tensor<'g> {
        let mean = self.mean(mu, log_scale);
        let axis = mu.shape().len() - 1;
        let mut shape = mu.shape().to_vec();
        shape.insert(axis, self.levels);
        let level = mu.graph().coordinate(axis, &shape) * self.width();
        let probs = self.log_prob(level, raise(mu), raise(log_scale)).exp();
        total(probs * (level - raise(mean)).square())
    }

    /// μ + s·(a standard logistic), rounded to the nearest level.
    pub fn sample<'g>(self, mu: Tensor<'g>, log_scale: Tensor<'g>) -> Tensor<'g> {
        let noise = draws::logistic(mu.graph(), mu.shape());
        let (y, most) = ((mu + noise * log_scale.exp()).clamp(0.0, 1.0), (self.levels - 1) as f32);
        (y * most + 0.5).floor() / most
    }
}

impl DiscretizedLogistic {
    fn bins<'g>(self, outputs: Tensor<'g>) -> (Bins, [Tensor<'g>; 2]) {
        let (bins, [mu, log_scale]) = (Bins { levels: self.levels }, outputs.split());
        (bins, [mu, bins.log_scale(log_scale)])
    }
}

impl Likelihood for DiscretizedLogistic {
    fn outputs(&self, features: usize) -> usize {
        2 * features
    }

    fn support(&self) -> Support {
        Support::Levels(self.levels)
    }

    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let (bins, [mu, log_scale]) = self.bins(outputs);
        bins.log_prob(x, mu, log_scale)
    }

    /// The mean of the rounded logistic, tails included, not μ.
    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        let (bins, [mu, log_scale]) = self.bins(outputs);
        bins.mean(mu, log_scale)
    }

    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let (bins, [mu, log_scale]) = self.bins(outputs);
        Some(bins.variance(mu, log_scale))
    }

    fn sample<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let (bins, [mu, log_scale]) = self.bins(outputs);
        Some(bins.sample(mu, log_scale))
    }

    fn discrete(&self) -> Option<&dyn Discrete> {
        Some(self)
    }
}

impl Discrete for DiscretizedLogistic {
    fn levels(&self) -> usize {
        self.levels
    }

    fn distributions(&self, outputs: &[f32], features: usize, _: &[u16], into: &mut Cumulative) {
        let ((means, log_scales), range) = (outputs.split_at(features), Bins { levels: self.levels }.range());
        let outputs = LogisticOutputs { logits: &[], means, log_scales, links: &[], channels: 1, range };
        into.set_logistics(self.levels, features, outputs, &[]);
    }
}
