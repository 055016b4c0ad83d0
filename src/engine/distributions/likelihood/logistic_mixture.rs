//! A mixture of rounded logistics: grey values with several modes.
//!
//! Of K components the decoder gives 3K outputs per feature: K logits of their weights, K means, K logarithms of scales.
//! Features are independent given z, so the colours of a pixel are not chained as in PixelCNN++.

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
                default: Usual::Number(5.0),
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
    fn parts<'g>(self, outputs: Tensor<'g>) -> [Tensor<'g>; 3] {
        let all = stack(outputs, 3 * self.components);
        let axis = all.shape().len() - 2;
        let [logits, mu, log_scale] = [0, 1, 2].map(|part| all.slice(axis, part * self.components, self.components));
        [logits, mu, self.bins().log_scale(log_scale)]
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
        3 * self.components * features
    }

    fn support(&self) -> Support {
        Support::Levels(self.levels)
    }

    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let [logits, mu, log_scale] = self.parts(outputs);
        let each = self.bins().log_prob(raise(x), mu, log_scale);
        // Taken out first, so that large logits do not drown what is added to them.
        let logits = logits - largest(logits);
        lower(log_total(each + logits) - log_total(logits))
    }

    /// Σ π_k E\[x; μ_k, s_k\].
    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        let [logits, mu, log_scale] = self.parts(outputs);
        total(log_softmax(logits).exp() * self.bins().mean(mu, log_scale))
    }

    /// Σ π_k (Var\[x; μ_k, s_k\] + (E\[x; μ_k, s_k\] − E\[x\])²).
    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let [logits, mu, log_scale] = self.parts(outputs);
        let (weights, means) = (log_softmax(logits).exp(), self.bins().mean(mu, log_scale));
        let off = means - raise(total(weights * means));
        Some(total(weights * (self.bins().variance(mu, log_scale) + off.square())))
    }

    fn sample<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let [logits, mu, log_scale] = self.parts(outputs);
        let component = draws::choose(logits);
        let [mu, log_scale] = [mu, log_scale].map(|t| pick(t, component));
        Some(self.bins().sample(mu, log_scale))
    }

    fn discrete(&self) -> Option<&dyn Discrete> {
        Some(self)
    }
}

impl Discrete for LogisticMixture {
    fn levels(&self) -> usize {
        self.levels
    }

    fn distributions(&self, outputs: &[f32], features: usize, into: &mut Cumulative) {
        let size = self.components * features;
        let [logits, means, log_scales] = [0, 1, 2].map(|part| &outputs[part * size..][..size]);
        let outputs = LogisticOutputs { logits, means, log_scales, range: self.bins().range() };
        into.set_logistics(self.levels, features, outputs);
    }
}
