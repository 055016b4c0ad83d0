//! Student's t: heavy tails, with ν degrees of freedom.
//!
//! Draws are Bailey's polar ones (1994): of two normals with r² = n₁² + n₂², t = n₁ √(ν(e^{r²/ν} − 1))/r has exactly ν degrees
//! of freedom, since e^{−r²/2} is uniform and knows nothing of the direction n₁/r. There is nothing to reject, so noise stays a
//! function of its counter.

use std::sync::Arc;

use super::Posterior;
use super::location_scale::{LocationScale, Standard};
use crate::catalogue::{About, Bounds, Kind, Piece, Setting, Usual};
use crate::distributions::special::{digamma, ln_gamma};
use crate::graph::{Graph, Tensor};

/// Γ((ν+1)/2)/(Γ(ν/2)√(νπ)) (1 + e²/ν)^{−(ν+1)/2}.
#[derive(Clone, Copy, Debug)]
struct StudentT {
    nu: f64,
}

pub(super) static PIECE: Piece<dyn Posterior> = Piece {
    about: About {
        kind: Kind::Posterior,
        id: "student-t",
        aliases: &[],
        name: "product of Student's t distributions",
        formula: "q(z|x) = Π_d t_ν((z_d − μ_d)/s_d)/s_d, z = μ + s n₁ √(ν(e^{r²/ν} − 1))/r, r² = n₁² + n₂², n ~ N(0, 1)",
        source: "Bailey 1994, for the draws; Kingma & Welling 2014, section 2.4 (location and scale)",
        settings: &[Setting {
            name: "nu",
            default: Usual::Number(5.0),
            bounds: Bounds::Within(2.1, 1000.0),
            meaning: "ν, degrees of freedom; at 2 or fewer the variance would be infinite, and the KL with it",
        }],
        example: "elbo train --posterior student-t:nu=5",
    },
    build: |settings| Arc::new(LocationScale(StudentT { nu: settings.get("nu") })),
};

impl StudentT {
    /// −ln of the density at 0.
    fn log_normaliser(self) -> f64 {
        ln_gamma(0.5 * self.nu) - ln_gamma(0.5 * (self.nu + 1.0)) + 0.5 * libm::log(self.nu * std::f64::consts::PI)
    }
}

impl Standard for StudentT {
    fn noise<'g>(&self, graph: &'g Graph, rows: usize, latent: usize) -> Tensor<'g> {
        graph.normal(graph.stream(), &[rows, 2 * latent])
    }

    fn draw<'g>(&self, noise: Tensor<'g>) -> Tensor<'g> {
        let [first, second] = noise.split();
        let x = (first.square() + second.square()) * (1.0 / self.nu as f32);
        // (eˣ − 1)/x; where x is small, its series, which does not cancel.
        let small = x.graph().constant(0.01);
        let series = 1.0 + x * 0.5 * (1.0 + x * (1.0 / 3.0));
        let ratio = x.less(small).select(series, (x.exp() - 1.0) / x.maximum(small));
        first * ratio.sqrt()
    }

    fn log_prob<'g>(&self, e: Tensor<'g>) -> Tensor<'g> {
        let log = (1.0 + e.square() * (1.0 / self.nu as f32)).ln();
        log * (-0.5 * (self.nu + 1.0) as f32) - self.log_normaliser() as f32
    }

    fn entropy(&self) -> f64 {
        let half = 0.5 * (self.nu + 1.0);
        half * (digamma(half) - digamma(0.5 * self.nu)) + self.log_normaliser()
    }

    fn variance(&self) -> f64 {
        self.nu / (self.nu - 2.0)
    }
}
