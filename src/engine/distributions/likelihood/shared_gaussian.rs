//! The Gaussian with one standard deviation for all of the data, which is learned.

use std::sync::Arc;

use super::{Likelihood, Support, draws};
use crate::catalogue::{About, Kind, Piece};
use crate::graph::{Init, Tensor};
use crate::kernels::Func;

/// x ~ N(output, σ²), ln σ² being a parameter of the model: the trade between reconstruction and KL is learned with it.
#[derive(Clone, Copy, Debug)]
pub struct SharedGaussian;

pub(super) static PIECE: Piece<dyn Likelihood> = Piece {
    about: About {
        kind: Kind::Likelihood,
        id: "gaussian-shared",
        aliases: &["sigma-vae"],
        name: "Gaussian with one standard deviation for everything, which is learned",
        formula: "ln p(x|z) = −½(ln 2πσ² + (x − μ(z))²/σ²)",
        source: "Rybkin, Daniilidis & Levine 2021",
        settings: &[],
        example: "elbo train --likelihood gaussian-shared",
    },
    build: |_| Arc::new(SharedGaussian),
};

/// As for the Gaussian that is learned by feature.
const LOG_VAR: (f32, f32) = (-12.0, 10.0);

/// The parameter ln σ² `[1]`, repeated for every feature of `outputs` first: so its gradient is summed over rows and then over
/// features, the first of which is work for many threads.
fn log_var(outputs: Tensor) -> Tensor {
    let parameter = outputs.graph().param("likelihood.log_var", &[1], Init::Constant(0.0));
    parameter.clamp(LOG_VAR.0, LOG_VAR.1).expand(&[outputs.width()])
}

impl Likelihood for SharedGaussian {
    fn outputs(&self, features: usize) -> usize {
        features
    }

    fn support(&self) -> Support {
        Support::Real
    }

    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        x.graph().call(Func::GaussianLogProb, &[x, outputs, log_var(outputs)])
    }

    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        outputs
    }

    fn sample<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        Some(draws::gaussian(outputs, log_var(outputs)))
    }
}
