//! The Gaussian with one fixed standard deviation.

use std::sync::Arc;

use super::{Likelihood, Support, draws};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::graph::Tensor;
use crate::kernels::Func;

/// x ~ N(output, sigma²) with one fixed standard deviation.
#[derive(Clone, Copy, Debug)]
pub struct Gaussian {
    /// The standard deviation.
    pub sigma: f32,
}

pub(super) static PIECE: Piece<dyn Likelihood> = Piece {
    about: About {
        kind: Kind::Likelihood,
        id: "gaussian",
        aliases: &["mse"],
        name: "Gaussian with a fixed standard deviation: squared error over 2 sigma^2",
        formula: "ln p(x|z) = −½(ln 2πσ² + (x − μ)²/σ²)",
        source: "Kingma & Welling 2014, appendix C.2",
        settings: &[Setting {
            name: "sigma",
            default: Usual::Number(1.0),
            bounds: Bounds::Positive,
            meaning: "σ, in the units of the data; smaller makes reconstructions sharper and codes say more",
        }],
        example: "elbo train --likelihood gaussian:sigma=0.1",
    },
    build: |settings| Arc::new(Gaussian { sigma: settings.get("sigma") as f32 }),
};

impl Likelihood for Gaussian {
    fn outputs(&self, features: usize) -> usize {
        features
    }

    fn support(&self) -> Support {
        Support::Real
    }

    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let log_var = x.graph().constant(2.0 * libm::logf(self.sigma));
        x.graph().call(Func::GaussianLogProb, &[x, outputs, log_var])
    }

    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        outputs
    }

    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        Some(outputs.graph().full(self.sigma * self.sigma, outputs.shape()))
    }

    fn sample<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        Some(draws::gaussian(outputs, outputs.graph().constant(2.0 * libm::logf(self.sigma))))
    }

    fn draws_are_differentiable(&self) -> bool {
        true
    }
}
