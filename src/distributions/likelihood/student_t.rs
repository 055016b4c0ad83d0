//! Student's t: heavy tails, so that outliers pull no harder than a bounded force.
//!
//! ln p = ln Γ((ν + 1)/2) − ln Γ(ν/2) − ½ ln νπ − ln s − (ν + 1)/2 · ln(1 + r²/ν) with r = (x − μ)/s. The part of ν alone
//! is a constant, computed once. The scale is the decoder's to say for every feature, as in the paper; ν is fixed.

use std::sync::Arc;

use super::{Likelihood, Support, draws, part};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting};
use crate::graph::{Graph, Tensor};
use crate::kernels::Func;

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
            default: 5.0,
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
    fn split(self, graph: &mut Graph, outputs: Tensor) -> [Tensor; 2] {
        let log_scale = part(graph, outputs, 1, 2);
        [part(graph, outputs, 0, 2), graph.clamp(log_scale, LOG_SCALE.0, LOG_SCALE.1)]
    }

    /// The logarithm of the density of t at 0.
    fn peak(self) -> f32 {
        let gammas = libm::lgamma(0.5 * (self.nu + 1.0)) - libm::lgamma(0.5 * self.nu);
        (gammas - 0.5 * (self.nu * std::f64::consts::PI).ln()) as f32
    }
}

impl Likelihood for StudentT {
    fn outputs_per_feature(&self) -> usize {
        2
    }

    fn support(&self) -> Support {
        Support::Real
    }

    fn log_prob(&self, graph: &mut Graph, outputs: Tensor, x: Tensor) -> Tensor {
        let [mu, log_scale] = self.split(graph, outputs);
        let (residual, minus) = (graph.sub(x, mu), graph.neg(log_scale));
        let precision = graph.call(Func::Exp, &[minus]);
        let r = graph.mul(residual, precision);
        let (square, one) = (graph.call(Func::Square, &[r]), graph.constant(1.0));
        let share = graph.scale(square, (1.0 / self.nu) as f32);
        let tail = graph.add(share, one);
        let tail = graph.call(Func::Log, &[tail]);
        let (tail, peak) = (graph.scale(tail, (-0.5 * (self.nu + 1.0)) as f32), graph.constant(self.peak()));
        let height = graph.sub(peak, log_scale);
        graph.add(height, tail)
    }

    /// μ, the mean for ν above 1; at ν = 1 there is none, and μ is the median.
    fn mean(&self, graph: &mut Graph, outputs: Tensor) -> Tensor {
        part(graph, outputs, 0, 2)
    }

    /// The polar method of Bailey 1994: with normals a and b and R² = a² + b², whose square root and direction are
    /// independent, t = a √(ν(e^{R²/ν} − 1)/R²).
    fn sample(&self, graph: &mut Graph, outputs: Tensor) -> Option<Tensor> {
        let [mu, log_scale] = self.split(graph, outputs);
        let shape = graph.shape(mu).to_vec();
        let pair = [0; 2].map(|_| draws::normal(graph, &shape));
        let squares = pair.map(|t| graph.call(Func::Square, &[t]));
        let (radius, least, one) = (graph.add(squares[0], squares[1]), graph.constant(1e-6), graph.constant(1.0));
        let radius = graph.call(Func::Max, &[radius, least]);
        let share = graph.scale(radius, (1.0 / self.nu) as f32);
        let exp = graph.call(Func::Exp, &[share]);
        let (excess, share) = (graph.sub(exp, one), graph.div(one, share));
        let ratio = graph.mul(excess, share);
        let stretch = graph.call(Func::Sqrt, &[ratio]);
        let (t, scale) = (graph.mul(pair[0], stretch), graph.call(Func::Exp, &[log_scale]));
        let noise = graph.mul(t, scale);
        Some(graph.add(mu, noise))
    }
}
