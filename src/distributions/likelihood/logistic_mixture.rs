//! A mixture of rounded logistics: grey values with several modes.
//!
//! Of K components the decoder gives 3K outputs per feature: K logits of their weights, K means, K logarithms of scales.
//! Features are independent given z, so the colours of a pixel are not chained as in PixelCNN++.

use std::sync::Arc;

use super::discretized_logistic::Bins;
use super::levels::{LEVELS, log_softmax, lower, pick, raise, stack, total};
use super::{Likelihood, Support, draws};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

/// x ~ Σ π_k · a rounded Logistic(μ_k, s_k), all from the decoder.
#[derive(Clone, Copy, Debug)]
pub struct LogisticMixture {
    /// How many components.
    pub components: usize,
    /// How many values a feature can take.
    pub levels: usize,
}

pub(super) static PIECE: Piece<dyn Likelihood> = Piece {
    about: About {
        kind: Kind::Likelihood,
        id: "discretized-logistic-mixture",
        aliases: &["logistic-mixture"],
        name: "Mixture of logistics rounded to levels",
        formula: "P(x|z) = Σ_k π_k(z) P(x; μ_k(z), s_k(z)), each as for discretized-logistic",
        source: "Salimans et al. 2017 (PixelCNN++), eq. 2",
        settings: &[
            Setting {
                name: "components",
                default: 5.0,
                bounds: Bounds::Whole(1, 32),
                meaning: "K, the logistics that are mixed; the decoder has 3K outputs per feature",
            },
            LEVELS,
        ],
        example: "elbo train --likelihood discretized-logistic-mixture:components=3",
    },
    build: |settings| {
        Arc::new(LogisticMixture { components: settings.whole("components"), levels: settings.whole("levels") })
    },
};

impl LogisticMixture {
    fn bins(self) -> Bins {
        Bins { levels: self.levels }
    }

    /// Logits, means and logarithms of scales, each `[…, components, features]`.
    fn split(self, graph: &mut Graph, outputs: Tensor) -> [Tensor; 3] {
        let all = stack(graph, outputs, 3 * self.components);
        let axis = graph.shape(all).len() - 2;
        let [logits, mu, log_scale] =
            [0, 1, 2].map(|part| graph.slice(all, axis, part * self.components, self.components));
        [logits, mu, self.bins().log_scale(graph, log_scale)]
    }
}

/// The components one by one, `[…, components, features]` to as many `[…, 1, features]`. They are so few that what is over
/// all of them is put together one by one, feature beside feature, which takes processors less than many short sums.
fn each(graph: &mut Graph, t: Tensor) -> Vec<Tensor> {
    let axis = graph.shape(t).len() - 2;
    (0..graph.shape(t)[axis]).map(|k| graph.slice(t, axis, k, 1)).collect()
}

fn chain(graph: &mut Graph, func: Func, parts: &[Tensor]) -> Tensor {
    parts[1..].iter().fold(parts[0], |all, &part| graph.call(func, &[all, part]))
}

/// The largest component, as a constant.
fn largest(graph: &mut Graph, t: Tensor) -> Tensor {
    let parts = each(graph, t);
    let largest = chain(graph, Func::Max, &parts);
    graph.detach(largest)
}

/// ln Σ eᵗ over the components. `[…, 1, features]`
fn log_total(graph: &mut Graph, t: Tensor) -> Tensor {
    let (parts, largest) = (each(graph, t), largest(graph, t));
    let shifted: Vec<Tensor> = parts.iter().map(|&part| graph.sub(part, largest)).collect();
    let shares: Vec<Tensor> = shifted.iter().map(|&part| graph.call(Func::Exp, &[part])).collect();
    let sum = chain(graph, Func::Add, &shares);
    let log = graph.call(Func::Log, &[sum]);
    graph.add(log, largest)
}

impl Likelihood for LogisticMixture {
    fn outputs_per_feature(&self) -> usize {
        3 * self.components
    }

    fn support(&self) -> Support {
        Support::Levels(self.levels)
    }

    fn log_prob(&self, graph: &mut Graph, outputs: Tensor, x: Tensor) -> Tensor {
        let ([logits, mu, log_scale], x) = (self.split(graph, outputs), raise(graph, x));
        let each = self.bins().log_prob(graph, x, mu, log_scale);
        // Taken out first, so that large logits do not drown what is added to them.
        let largest = largest(graph, logits);
        let logits = graph.sub(logits, largest);
        let joint = graph.add(each, logits);
        let [joint, all] = [joint, logits].map(|t| log_total(graph, t));
        let log_prob = graph.sub(joint, all);
        lower(graph, log_prob)
    }

    /// Σ π_k E\[x; μ_k, s_k\].
    fn mean(&self, graph: &mut Graph, outputs: Tensor) -> Tensor {
        let [logits, mu, log_scale] = self.split(graph, outputs);
        let means = self.bins().mean(graph, mu, log_scale);
        let log_weights = log_softmax(graph, logits);
        let weights = graph.call(Func::Exp, &[log_weights]);
        let weighted = graph.mul(weights, means);
        total(graph, weighted)
    }

    fn sample(&self, graph: &mut Graph, outputs: Tensor) -> Option<Tensor> {
        let [logits, mu, log_scale] = self.split(graph, outputs);
        let component = draws::choose(graph, logits);
        let [mu, log_scale] = [mu, log_scale].map(|t| pick(graph, t, component));
        Some(self.bins().sample(graph, mu, log_scale))
    }
}
