//! The Gaussian with one standard deviation for all of the data, which is learned.

use std::sync::Arc;

use super::{Likelihood, Support, draws};
use crate::catalogue::{About, Kind, Piece};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;
use crate::nn::{Init, ParameterSpec};

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

/// The parameter ln σ². `[1]`
const PARAMETER: &str = "likelihood.log_var";
/// As for the Gaussian that is learned by feature.
const LOG_VAR: (f32, f32) = (-12.0, 10.0);

/// The parameter, repeated for every feature of `outputs` first: so its gradient is summed over rows and then over features,
/// the first of which is work for many threads.
fn log_var(graph: &mut Graph, outputs: Tensor) -> Tensor {
    let parameter = graph.param(PARAMETER, &[1]);
    let log_var = graph.clamp(parameter, LOG_VAR.0, LOG_VAR.1);
    let features = *graph.shape(outputs).last().expect("outputs have an axis of features");
    graph.expand(log_var, &[features])
}

impl Likelihood for SharedGaussian {
    fn outputs_per_feature(&self) -> usize {
        1
    }

    fn parameters(&self, _: usize) -> Vec<ParameterSpec> {
        vec![ParameterSpec { name: PARAMETER.to_string(), shape: vec![1], init: Init::Constant(0.0) }]
    }

    fn support(&self) -> Support {
        Support::Real
    }

    fn log_prob(&self, graph: &mut Graph, outputs: Tensor, x: Tensor) -> Tensor {
        let log_var = log_var(graph, outputs);
        graph.call(Func::GaussianLogProb, &[x, outputs, log_var])
    }

    fn mean(&self, _: &mut Graph, outputs: Tensor) -> Tensor {
        outputs
    }

    fn sample(&self, graph: &mut Graph, outputs: Tensor) -> Option<Tensor> {
        let shape = graph.shape(outputs).to_vec();
        let (eps, log_var) = (draws::normal(graph, &shape), log_var(graph, outputs));
        Some(graph.call(Func::Reparameterise, &[outputs, log_var, eps]))
    }
}
