//! The logistic distribution, rounded to levels: each level has the probability of its bin, and the outermost those of the
//! tails.
//!
//! With w = 1/(levels − 1), a = (x + w/2 − μ)/s and b = (x − w/2 − μ)/s the probability σ(a) − σ(b) of a bin is the product
//! σ(a) σ(−b) (1 − e^{−w/s}), in which nothing cancels: its logarithm is −softplus(−a) − softplus(b) + ln(1 − e^{−w/s}),
//! finite with bounded slopes however far off x is. At the ends the terms of the side without an edge are absent. And
//! ln(1 − e^{−t}) = ln t + ln((e^{−t} − 1)/(−t)), which is exact for bins that are narrow beside the scale.

use std::sync::Arc;

use super::levels::{LEVELS, raise, total};
use super::{Likelihood, Support, draws, part};
use crate::catalogue::{About, Kind, Piece};
use crate::graph::{Graph, Tensor};
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
    pub fn log_scale(self, graph: &mut Graph, output: Tensor) -> Tensor {
        graph.clamp(output, self.width().ln() - 3.0, 5.0)
    }

    /// ln P(x).
    pub fn log_prob(self, graph: &mut Graph, x: Tensor, mu: Tensor, log_scale: Tensor) -> Tensor {
        let (w, zero, minus) = (self.width(), graph.constant(0.0), graph.neg(log_scale));
        let (half, top) = (graph.constant(0.5 * w), graph.constant(1.0 - 0.5 * w));
        let (precision, residual) = (graph.call(Func::Exp, &[minus]), graph.sub(x, mu));
        let edges = [graph.add(residual, half), graph.sub(residual, half)].map(|edge| graph.mul(edge, precision));
        let (upper, lower) = (graph.neg(edges[0]), edges[1]);
        let [above, below] = [upper, lower].map(|t| graph.call(Func::Softplus, &[t]));
        let (scaled, log_width) = (graph.scale(precision, -w), graph.constant(w.ln()));
        let (cumulant, narrow) = (graph.call(Func::UniformCumulant, &[scaled]), graph.sub(log_width, log_scale));
        let both = graph.add(narrow, cumulant);
        let (first, last) = (graph.call(Func::Less, &[x, half]), graph.call(Func::Less, &[top, x]));
        let end = graph.call(Func::Max, &[first, last]);
        let above = graph.call(Func::Select, &[last, zero, above]);
        let below = graph.call(Func::Select, &[first, zero, below]);
        let both = graph.call(Func::Select, &[end, zero, both]);
        let sides = graph.add(above, below);
        graph.sub(both, sides)
    }

    /// E\[x\] = w Σ P(x ≥ k w) over k from 1, `[…, features]` of means and scales `[…, features]`.
    pub fn mean(self, graph: &mut Graph, mu: Tensor, log_scale: Tensor) -> Tensor {
        let (mu, log_scale, w) = (raise(graph, mu), raise(graph, log_scale), self.width());
        let mut shape = graph.shape(mu).to_vec();
        let axis = shape.len() - 2;
        shape[axis] = self.levels - 1;
        let (place, half) = (graph.coordinate(axis, &shape), graph.constant(0.5));
        let place = graph.add(place, half);
        let (edge, minus) = (graph.scale(place, w), graph.neg(log_scale));
        let (beyond, precision) = (graph.sub(mu, edge), graph.call(Func::Exp, &[minus]));
        let scaled = graph.mul(beyond, precision);
        let above = graph.call(Func::Sigmoid, &[scaled]);
        let sum = total(graph, above);
        graph.scale(sum, w)
    }

    /// μ + s·(a standard logistic), rounded to the nearest level.
    pub fn sample(self, graph: &mut Graph, mu: Tensor, log_scale: Tensor) -> Tensor {
        let shape = graph.shape(mu).to_vec();
        let (noise, scale) = (draws::logistic(graph, &shape), graph.call(Func::Exp, &[log_scale]));
        let noise = graph.mul(noise, scale);
        let y = graph.add(mu, noise);
        let (y, most, half) = (graph.clamp(y, 0.0, 1.0), graph.constant((self.levels - 1) as f32), graph.constant(0.5));
        let level = graph.mul(y, most);
        let level = graph.add(level, half);
        let level = graph.call(Func::Floor, &[level]);
        graph.div(level, most)
    }
}

impl DiscretizedLogistic {
    fn split(self, graph: &mut Graph, outputs: Tensor) -> (Bins, [Tensor; 2]) {
        let (bins, log_scale) = (Bins { levels: self.levels }, part(graph, outputs, 1, 2));
        (bins, [part(graph, outputs, 0, 2), bins.log_scale(graph, log_scale)])
    }
}

impl Likelihood for DiscretizedLogistic {
    fn outputs_per_feature(&self) -> usize {
        2
    }

    fn support(&self) -> Support {
        Support::Levels(self.levels)
    }

    fn log_prob(&self, graph: &mut Graph, outputs: Tensor, x: Tensor) -> Tensor {
        let (bins, [mu, log_scale]) = self.split(graph, outputs);
        bins.log_prob(graph, x, mu, log_scale)
    }

    /// The mean of the rounded logistic, tails included, not μ.
    fn mean(&self, graph: &mut Graph, outputs: Tensor) -> Tensor {
        let (bins, [mu, log_scale]) = self.split(graph, outputs);
        bins.mean(graph, mu, log_scale)
    }

    fn sample(&self, graph: &mut Graph, outputs: Tensor) -> Option<Tensor> {
        let (bins, [mu, log_scale]) = self.split(graph, outputs);
        Some(bins.sample(graph, mu, log_scale))
    }
}
