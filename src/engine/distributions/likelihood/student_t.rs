//! Student's t: heavy tails, so that outliers pull no harder than a bounded force.
//!
//! ln p = ln Γ((ν + 1)/2) − ln Γ(ν/2) − ½ ln νπ − ln s − (ν + 1)/2 · ln(1 + r²/ν) with r = (x − μ)/s. The part of ν alone
//! is a constant, computed once. The scale is the decoder's to say for every feature, as in the paper; ν is fixed.

use std::sync::Arc;

use super::{Likelihood, Support, draws};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::graph::Tensor;

/// x = μ + s t with t of Student's distribution: the first half of the decoder's outputs are μ, the second ln s.
#[derive(Clone, Copy, Debug)]
pub struct StudentT {
    /// The degrees of freedom ν; 1 is the Cauchy distribution, and the Gaussian is the limit of many.
    pub nu: f64,
}

pub(super) static PIECE: Piece<dyn Likelihood> = Piece {
    about: About {
        kind: Kind::Likelihood,
        id: "student-t",
        aliases: &[],
        name: "Student's t with a scale that the decoder says for every feature: for data with outliers",
        formula: "ln p(x|z) = ln Γ((ν+1)/2) − ln Γ(ν/2) − ½ ln(νπ s²(z)) − ½(ν + 1) ln(1 + (x − μ(z))²/(ν s²(z)))",
        source: "Takahashi et al. 2018",
        settings: &[Setting {
            name: "nu",
            default: Usual::Number(5.0),
            bounds: Bounds::Within(1.0, 1000.0),
            meaning: "ν, the degrees of freedom: fewer make outliers weigh less; the variance is finite above 2",
        }],
        example: "elbo train --likelihood student-t:nu=3",
    },
    build: |settings| Arc::new(StudentT { nu: settings.get("nu") }),
};

/// ln s is kept in this range: s between 0.002 and 150, or a constant pixel would earn any likelihood.
const LOG_SCALE: (f32, f32) = (-6.0, 5.0);

impl StudentT {
    fn moments<'g>(self, outputs: Tensor<'g>) -> [Tensor<'g>; 2] {
        let [mu, log_scale] = outputs.split();
        [mu, log_scale.clamp(LOG_SCALE.0, LOG_SCALE.1)]
    }

    /// The logarithm of the density of t at 0.
    fn peak(self) -> f32 {
        let gammas = libm::lgamma(0.5 * (self.nu + 1.0)) - libm::lgamma(0.5 * self.nu);
        (gammas - 0.5 * libm::log(self.nu * std::f64::consts::PI)) as f32
    }
}

impl Likelihood for StudentT {
    fn outputs(&self, features: usize) -> usize {
        2 * features
    }

    fn support(&self) -> Support {
        Support::Real
    }

    fn log_prob<'g>(&self, outputs: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let [mu, log_scale] = self.moments(outputs);
        let r = (x - mu) * (-log_scale).exp();
        let tail = (r.square() * (1.0 / self.nu) as f32 + 1.0).ln();
        (self.peak() - log_scale) + tail * (-0.5 * (self.nu + 1.0)) as f32
    }

    /// μ, the mean for ν above 1; at ν = 1 there is none, and μ is the median.
    fn mean<'g>(&self, outputs: Tensor<'g>) -> Tensor<'g> {
        let [mu, _] = outputs.split();
        mu
    }

    /// s² ν/(ν − 2), which is finite for ν above 2.
    fn variance<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let [_, log_scale] = self.moments(outputs);
        (self.nu > 2.0).then(|| (log_scale * 2.0).exp() * (self.nu / (self.nu - 2.0)) as f32)
    }

    /// The polar method of Bailey 1994: with normals a and b and R² = a² + b², whose square root and direction are
    /// independent, t = a √(ν(e^{R²/ν} − 1)/R²).
    fn sample<'g>(&self, outputs: Tensor<'g>) -> Option<Tensor<'g>> {
        let [mu, log_scale] = self.moments(outputs);
        let [a, b] = [0; 2].map(|_| draws::normal(mu.graph(), mu.shape()));
        let radius = (a.square() + b.square()).maximum(mu.graph().constant(1e-6));
        let share = radius * (1.0 / self.nu) as f32;
        let stretch = ((share.exp() - 1.0) * (1.0 / share)).sqrt();
        Some(mu + a * stretch * log_scale.exp())
    }

    fn draws_are_differentiable(&self) -> bool {
        true
    }
}
