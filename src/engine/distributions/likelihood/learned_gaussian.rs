//! The Gaussian whose variance is the decoder's to say, feature by feature.

use std::sync::Arc;

use super::{Likelihood, Support, draws};
use crate::catalogue::{About, Kind, Piece};
use crate::graph::Tensor;
use crate::kernels::Func;

/// x ~ N(μ, σ²) with both from the decoder: the first half of its outputs are means, the second ln σ².
#[derive(Clone, Copy, Debug)]
pub struct LearnedGaussian;

pub(super) static PIECE: Piece<dyn Likelihood> = Piece {
    about: About {
        kind: Kind::Likelihood,
        id: "gaussian-learned",
        aliases: &[],
        name: "Gaussian with a standard deviation that the decoder says for every feature",
        formula: "ln p(x|z) = −½(ln 2π + ln σ²(z) + (x − μ(z))²/σ²(z))",
        source: "Kingma & Welling 2014, appendix C.2",
        settings: &[],
        example: "elbo train --likelihood gaussian-learned",
    },
    build: |_| Arc::new(LearnedGaussian),
};

/// ln σ² of data is kept in this range: σ between 0.002 and 150, or a constant pixel would earn any likelihood.
const LOG_VAR: (f32, f32) = (-12.0, 10.0);

impl LearnedGaussian {
    fn moments<'g>(self, outputs: Tensor<'g>) -> [Tensor<'g>; 2] {
        let [mu, log_var] = outputs.split();
        [mu, log_var.clamp(LOG_VAR.0, LOG_VAR.1)]
    }
}

impl Likelihood for LearnedGaussian {
    fn outputs(&self, features: usize) -> usize {
        2 * features
    }

    fn support(&self) -> Support {
        Support::Real
    }

    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let [mu, log_var] = self.moments(outputs);
        x.graph().call(Func::GaussianLogProb, &[x, mu, log_var])
    }

    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        let [mu, _] = outputs.split();
        mu
    }

    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let [_, log_var] = self.moments(outputs);
        Some(log_var.exp())
    }

    fn sample<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let [mu, log_var] = self.moments(outputs);
        Some(draws::gaussian(mu, log_var))
    }

    fn draws_are_differentiable(&self) -> bool {
        true
    }
}
