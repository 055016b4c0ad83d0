//! A Gaussian with a diagonal covariance, learnt.

use std::sync::Arc;

use super::{Code, Encoder, Points, Prior, gaussian};
use crate::catalogue::{About, Kind, Piece};
use crate::distributions::special::LN_TAU;
use crate::error::Result;
use crate::graph::{Graph, Init, Tensor};
use crate::kernels::Func;

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
    fn moments(self, graph: &Graph, latent: usize) -> [Tensor<'_>; 2] {
        let [mean, log_var] =
            ["prior.mean", "prior.log_var"].map(|name| graph.param(name, &[1, latent], Init::Constant(0.0)));
        [mean, log_var.clamp(LOG_VAR.0, LOG_VAR.1)]
    }
}

impl Prior for DiagonalGaussian {
    /// The mean and the variance of the codes, which are the most likely ones.
    fn data_dependent_init(&self, points: &Points) -> Result<Vec<(&'static str, Vec<f32>)>> {
        let [mean, variance] = points.moments();
        let mean = mean.iter().map(|&m| m as f32).collect();
        let log_var = variance.iter().map(|v| libm::log(*v) as f32).collect();
        Ok(vec![("prior.mean", mean), ("prior.log_var", log_var)])
    }

    fn log_prob<'g>(&self, Code { z, .. }: Code<'g>, _: &Encoder) -> Tensor<'g> {
        let [mean, log_var] = self.moments(z.graph(), z.width());
        gaussian(z, mean, log_var)
    }

    fn sample<'g>(&self, graph: &'g Graph, rows: usize, latent: usize, _: &Encoder) -> Tensor<'g> {
        let [mean, log_var] = self.moments(graph, latent);
        let eps = graph.normal(graph.stream(), &[rows, latent]);
        graph.call(Func::Reparameterise, &[mean, log_var, eps])
    }

    fn gaussian<'g>(&self, graph: &'g Graph, latent: usize) -> Option<[Tensor<'g>; 2]> {
        Some(self.moments(graph, latent))
    }

    /// The KL to N(0, I) of what is left when m and s are taken out: of (μ − m)/s and ln σ² − ln s².
    fn kl_from_gaussian<'g>(&self, mu: Tensor<'g>, log_var: Tensor<'g>) -> Option<Tensor<'g>> {
        let [mean, of_prior] = self.moments(mu.graph(), mu.width());
        let mu = (mu - mean) * (of_prior * -0.5).exp();
        Some(mu.graph().call(Func::KlStandardNormal, &[mu, log_var - of_prior]))
    }

    /// ½(ln 2πs² + ((μ − m)² + variance)/s²)
    fn cross_entropy<'g>(&self, mu: Tensor<'g>, variance: Tensor<'g>) -> Option<Tensor<'g>> {
        let [mean, log_var] = self.moments(mu.graph(), mu.width());
        let scaled = ((mu - mean).square() + variance) * (-log_var).exp();
        Some((scaled + log_var + LN_TAU) * 0.5)
    }
}
