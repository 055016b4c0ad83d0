//! The Laplace distribution: absolute errors, which a few values far off do not rule.

use std::sync::Arc;

use super::{Likelihood, Support, draws};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::graph::Tensor;

/// x ~ Laplace(output, scale), with one fixed scale.
#[derive(Clone, Copy, Debug)]
pub struct Laplace {
    /// The scale b, the mean of |x − μ|.
    pub scale: f32,
}

/// x ~ Laplace(μ, b) with both from the decoder: the first half of its outputs are means, the second ln b.
#[derive(Clone, Copy, Debug)]
pub struct LearnedLaplace;

pub(super) static PIECE: Piece<dyn Likelihood> = Piece {
    about: About {
        kind: Kind::Likelihood,
        id: "laplace",
        aliases: &["l1"],
        name: "Laplace with a fixed scale: absolute error over the scale",
        formula: "ln p(x|z) = −ln 2b − |x − μ(z)|/b",
        source: "Laplace 1774, first law of errors",
        settings: &[Setting {
            name: "scale",
            default: Usual::Number(1.0),
            bounds: Bounds::Positive,
            meaning: "b, the mean absolute error, in the units of the data; smaller makes reconstructions sharper",
        }],
        example: "elbo train --likelihood laplace:scale=0.1",
    },
    build: |settings| Arc::new(Laplace { scale: settings.get("scale") as f32 }),
};

pub(super) static LEARNED: Piece<dyn Likelihood> = Piece {
    about: About {
        kind: Kind::Likelihood,
        id: "laplace-learned",
        aliases: &[],
        name: "Laplace with a scale that the decoder says for every feature",
        formula: "ln p(x|z) = −ln 2b(z) − |x − μ(z)|/b(z)",
        source: "Laplace 1774, first law of errors",
        settings: &[],
        example: "elbo train --likelihood laplace-learned",
    },
    build: |_| Arc::new(LearnedLaplace),
};

/// ln b is kept in this range: b between 0.002 and 150, or a constant pixel would earn any likelihood.
const LOG_SCALE: (f32, f32) = (-6.0, 5.0);

/// −ln 2b − |x − μ|/b of ln b.
fn log_prob<'g>(x: Tensor<'g>, mu: Tensor<'g>, log_scale: Tensor<'g>) -> Tensor<'g> {
    -((x - mu).abs() * (-log_scale).exp() + (log_scale + std::f32::consts::LN_2))
}

/// μ + b(E − E′): the difference of two exponentials is a Laplace.
fn sample<'g>(mu: Tensor<'g>, log_scale: Tensor<'g>) -> Tensor<'g> {
    let [first, second] = [0; 2].map(|_| draws::exponential(mu.graph(), mu.shape()));
    mu + (first - second) * log_scale.exp()
}

impl Likelihood for Laplace {
    fn outputs(&self, features: usize) -> usize {
        features
    }

    fn support(&self) -> Support {
        Support::Real
    }

    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        log_prob(x, outputs, x.graph().constant(libm::logf(self.scale)))
    }

    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        outputs
    }

    /// 2 b².
    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        Some(outputs.graph().full(2.0 * self.scale * self.scale, outputs.shape()))
    }

    fn sample<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        Some(sample(outputs, outputs.graph().constant(libm::logf(self.scale))))
    }

    fn draws_are_differentiable(&self) -> bool {
        true
    }
}

impl LearnedLaplace {
    fn moments<'g>(self, outputs: Tensor<'g>) -> [Tensor<'g>; 2] {
        let [mu, log_scale] = outputs.split();
        [mu, log_scale.clamp(LOG_SCALE.0, LOG_SCALE.1)]
    }
}

impl Likelihood for LearnedLaplace {
    fn outputs(&self, features: usize) -> usize {
        2 * features
    }

    fn support(&self) -> Support {
        Support::Real
    }

    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let [mu, log_scale] = self.moments(outputs);
        log_prob(x, mu, log_scale)
    }

    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        let [mu, _] = outputs.split();
        mu
    }

    /// 2 b².
    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let [_, log_scale] = self.moments(outputs);
        Some((log_scale * 2.0).exp() * 2.0)
    }

    fn sample<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let [mu, log_scale] = self.moments(outputs);
        Some(sample(mu, log_scale))
    }

    fn draws_are_differentiable(&self) -> bool {
        true
    }
}
