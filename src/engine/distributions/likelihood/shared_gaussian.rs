//! The Gaussian with one standard deviation for all of the data, which is learned.

use std::sync::Arc;

use super::{Likelihood, Support, draws};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::graph::{Init, Tensor};
use crate::kernels::Func;

/// x ~ N(output, σ²), ln σ² being a parameter of the model: the trade between reconstruction and KL is learned with it.
#[derive(Clone, Copy, Debug)]
pub struct SharedGaussian {
    /// σ before the first step.
    pub start: f32,
}

pub(super) static PIECE: Piece<dyn Likelihood> = Piece {
    about: About {
        kind: Kind::Likelihood,
        id: "gaussian-shared",
        aliases: &["sigma-vae"],
        name: "Gaussian with one standard deviation for everything, which is learned",
        formula: "ln p(x|z) = −½(ln 2πσ² + (x − μ(z))²/σ²)",
        source: "Rybkin, Daniilidis & Levine 2021",
        settings: &[Setting {
            name: "start",
            default: Usual::Number(1.0),
            bounds: Bounds::Positive,
            meaning: "σ before the first step, in the units of the data; near what it ends with, less of a run is spent on it",
        }],
        example: "elbo train --likelihood gaussian-shared:start=0.2",
    },
    build: |settings| Arc::new(SharedGaussian { start: settings.get("start") as f32 }),
};

/// As for the Gaussian that is learned by feature.
const LOG_VAR: (f32, f32) = (-12.0, 10.0);

impl SharedGaussian {
    /// The parameter ln σ² `[1]`, repeated for every feature of `outputs` first: so its gradient is summed over rows and then over
    /// features, the first of which is work for many threads.
    fn log_var<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        let start = Init::Constant(2.0 * libm::logf(self.start));
        let parameter = outputs.graph().param("likelihood.log_var", &[1], start);
        parameter.clamp(LOG_VAR.0, LOG_VAR.1).expand(&[outputs.width()])
    }
}

impl Likelihood for SharedGaussian {
    fn outputs(&self, features: usize) -> usize {
        features
    }

    fn support(&self) -> Support {
        Support::Real
    }

    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        x.graph().call(Func::GaussianLogProb, &[x, outputs, self.log_var(outputs)])
    }

    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        outputs
    }

    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        Some(outputs * 0.0 + self.log_var(outputs).exp())
    }

    fn sample<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        Some(draws::gaussian(outputs, self.log_var(outputs)))
    }

    fn draws_are_differentiable(&self) -> bool {
        true
    }
}
