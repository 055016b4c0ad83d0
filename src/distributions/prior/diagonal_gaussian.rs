//! A Gaussian with a diagonal covariance, learnt.

use std::sync::Arc;

use super::{Code, Encoder, Points, Prior, gaussian};
use crate::catalogue::{About, Kind, Piece};
use crate::error::Result;
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;
use crate::nn::{Init, ParameterSpec};

/// N(m, diag s²), which starts as N(0, I).
#[derive(Clone, Copy, Debug)]
struct DiagonalGaussian;

pub(super) static PIECE: Piece<dyn Prior> = Piece {
    about: About {
        kind: Kind::Prior,
        id: "diagonal-gaussian",
        aliases: &["learned-gaussian"],
        name: "Gaussian with a learnt mean and a learnt variance of each dimension",
        formula: "p(z) = N(z; m, diag s²), m and s learnt",
        source: "Kingma & Welling 2014, section 2.1 (p_θ(z))",
        settings: &[],
        example: "elbo train --prior diagonal-gaussian",
    },
    build: |_| Arc::new(DiagonalGaussian),
};

/// ln s² is kept in this range before anything takes its exponential.
pub(super) const LOG_VAR: (f32, f32) = (-20.0, 20.0);

impl DiagonalGaussian {
    /// m and ln s² `[1, latent]`.
    fn moments(self, graph: &mut Graph, latent: usize) -> [Tensor; 2] {
        let log_var = graph.param("prior.log_var", &[1, latent]);
        [graph.param("prior.mean", &[1, latent]), graph.clamp(log_var, LOG_VAR.0, LOG_VAR.1)]
    }
}

impl Prior for DiagonalGaussian {
    fn parameters(&self, latent: usize, _: usize) -> Vec<ParameterSpec> {
        let spec = |name: &str| ParameterSpec { name: name.into(), shape: vec![1, latent], init: Init::Constant(0.0) };
        vec![spec("prior.mean"), spec("prior.log_var")]
    }

    /// The mean and the variance of the codes, which are the most likely ones.
    fn near(&self, points: &Points) -> Result<Vec<(&'static str, Vec<f32>)>> {
        let [mean, variance] = points.moments();
        let mean = mean.iter().map(|&m| m as f32).collect();
        let log_var = variance.iter().map(|v| v.ln() as f32).collect();
        Ok(vec![("prior.mean", mean), ("prior.log_var", log_var)])
    }

    fn log_prob(&self, graph: &mut Graph, Code { z, .. }: Code, _: &Encoder) -> Tensor {
        let latent = graph.shape(z)[1];
        let [mean, log_var] = self.moments(graph, latent);
        gaussian(graph, z, mean, log_var)
    }

    fn sample(&self, graph: &mut Graph, rows: usize, latent: usize, _: &Encoder) -> Tensor {
        let [mean, log_var] = self.moments(graph, latent);
        let stream = graph.stream();
        let eps = graph.normal(stream, &[rows, latent]);
        graph.call(Func::Reparameterise, &[mean, log_var, eps])
    }

    /// The KL to N(0, I) of what is left when m and s are taken out: of (μ − m)/s and ln σ² − ln s².
    fn kl_from_gaussian(&self, graph: &mut Graph, mu: Tensor, log_var: Tensor) -> Option<Tensor> {
        let latent = graph.shape(mu)[1];
        let [mean, of_prior] = self.moments(graph, latent);
        let half = graph.scale(of_prior, -0.5);
        let inverse = graph.call(Func::Exp, &[half]);
        let distance = graph.sub(mu, mean);
        let (mu, log_var) = (graph.mul(distance, inverse), graph.sub(log_var, of_prior));
        Some(graph.call(Func::KlStandardNormal, &[mu, log_var]))
    }

    /// ½(ln 2πs² + ((μ − m)² + variance)/s²)
    fn cross_entropy(&self, graph: &mut Graph, mu: Tensor, variance: Tensor) -> Option<Tensor> {
        let latent = graph.shape(mu)[1];
        let [mean, log_var] = self.moments(graph, latent);
        let distance = graph.sub(mu, mean);
        let square = graph.call(Func::Square, &[distance]);
        let sum = graph.add(square, variance);
        let minus = graph.neg(log_var);
        let precision = graph.call(Func::Exp, &[minus]);
        let scaled = graph.mul(sum, precision);
        let sum = graph.add(scaled, log_var);
        let log_tau = graph.constant(std::f32::consts::TAU.ln());
        let sum = graph.add(sum, log_tau);
        Some(graph.scale(sum, 0.5))
    }
}
